#!/usr/bin/perl

# Copyright (C) ngx_http_constraint_module authors
# SPDX-License-Identifier: BSD-2-Clause
#
# Reloads under load, the zone's size changed in between: no request fails,
# none is decided by a mixture of revisions, none by an older one than a write
# answered before.

use warnings;
use strict;

use FindBin;
use Test::More;

use lib "$FindBin::RealBin/lib";
use Test::Constraint;
use Test::Constraint::Load;

my $t = Test::Constraint->new(workers => 2);

my $conf = <<'END' . Test::Constraint::Load::http() . "}\n";
%%GLOBALS%%
events { worker_connections 512; }
http {
    %%GLOBALS_HTTP%%
    access_log off;
    constraint_zone z:SIZE path=%%TESTDIR%%/store;
END

sub configure { $t->conf($conf =~ s/SIZE/$_[0]/r) }

configure('8m');
$t->run();

my $load = Test::Constraint::Load->new($t, clients => 3);
my $turns = $t->long() ? 40 : 6;

$load->start();
ok((wait_until { $load->done() > 20 } 20), 'requests are answered');

for my $turn (1 .. $turns) {
    my $done = $load->done();

    # every third time the zone is a new one, which starts empty

    configure($turn % 3 ? '8m' : $turn % 2 ? '12m' : '16m');
    ok($t->reload(), "reload $turn");
    ok((wait_until { $load->done() > $done + 20 } 20),
        "requests go on after reload $turn");
}

my $seen = $load->stop();

cmp_ok($seen->{requests}, '>', 100, 'there was load');
cmp_ok($seen->{writes}, '>', $turns, 'and writes');
is($seen->{failed}, 0, 'no request failed');
is($seen->{mixed}, 0, 'none was decided by a mixture of revisions');
is($seen->{stale}, 0, 'none by an older one than was acknowledged');
diag($_) for @{$seen->{said}};
note("$seen->{requests} requests, $seen->{writes} writes");

# the check itself: a wrong echo is seen

my %blank = map { $_ => 0 } qw(requests failed mixed stale);
my %wrong = (%blank, said => []);
my $answer = bless { status => 200, body => '1 2' },
    'Test::Constraint::Response';

$load->_judge(\%wrong, 'x', 0, $answer);
is($wrong{mixed}, 1, 'a mixture would be seen');
$answer->{body} = '1 5';
$load->_judge(\%wrong, 'x', 6, $answer);
is($wrong{stale}, 1, 'an old revision would be seen');

SKIP: {
    skip 'needs a build with fault directives', 2
        unless Test::Constraint::has_faults();

    # without a look at the generation the same load sees old revisions, once
    # it has connections to other workers than the one that writes

    my ($status, $stale) = (0, 0);

    for (1 .. 10) {
        $load->start();
        wait_until { $load->done() > 20 } 20;
        ($status) = $t->api('PUT', '/fault/store.skip_generation',
            { value => 1 });
        my $done = $load->done();
        wait_until { $load->done() > $done + 60 } 20;
        $t->api('PUT', '/fault/store.skip_generation', { value => 0 });

        $stale = $load->stop()->{stale};
        last if $stale;
    }

    is($status, 200, 'the generation is not looked at');
    cmp_ok($stale, '>', 0, 'this load notices that');
}

# old workers go, none hangs on a request or a job

ok($t->reload(wait_old => 1), 'old workers end');
ok((wait_until { !$t->old_worker_pids() } 30), 'none is left');
