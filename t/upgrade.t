#!/usr/bin/perl

# Copyright (C) ngx_http_constraint_module authors
# SPDX-License-Identifier: BSD-2-Clause
#
# Binary upgrades under load, forth and back: while both binaries serve one
# store no request fails, none is decided by a mixture of revisions or by an
# older one than a write answered before, whichever of them answered it.

use warnings;
use strict;

use FindBin;
use Test::More;

use lib "$FindBin::RealBin/lib";
use Test::Constraint;
use Test::Constraint::Load;

my $t = Test::Constraint->new(workers => 2);

$t->conf(<<'END' . Test::Constraint::Load::http() . "}\n")->run();
%%GLOBALS%%
events { worker_connections 512; }
http {
    %%GLOBALS_HTTP%%
    access_log off;
    constraint_zone z:8m path=%%TESTDIR%%/store;
END

my $load = Test::Constraint::Load->new($t, clients => 3);

sub goes_on {
    my ($name) = @_;

    my $done = $load->done();
    ok((wait_until { $load->done() > $done + 40 } 30), $name);
}

$load->start();
goes_on('requests are answered');

for my $turn (1 .. ($t->long() ? 10 : 2)) {
    my $master = $t->pid();

    ok($t->upgrade_start(), "turn $turn: a new binary serves beside the old");
    goes_on('both serve');
    ok($t->upgrade_back(), 'the new one is taken back');
    is($t->pid(), $master, 'the old master is alone again');
    goes_on('the old one serves on');

    ok($t->upgrade_start(), 'a new binary again');
    goes_on('both serve');
    ok($t->upgrade_finish(), 'the old one ends');
    isnt($t->pid(), $master, 'a new master is alone');
    goes_on('the new one serves');
}

my $seen = $load->stop();

cmp_ok($seen->{requests}, '>', 100, 'there was load');
cmp_ok($seen->{writes}, '>', 10, 'and writes');
is($seen->{failed}, 0, 'no request failed');
is($seen->{mixed}, 0, 'none was decided by a mixture of revisions');
is($seen->{stale}, 0, 'none by an older one than was acknowledged');
diag($_) for @{$seen->{said}};
note("$seen->{requests} requests, $seen->{writes} writes");

# written through one binary, read through another

my ($status, $answer) = $t->api('GET', '/constraint/load');
is($status, 200, 'the constraint is there');
cmp_ok($answer->{data}{constraint_metadata}{n}, '>=', $seen->{writes},
    'as it was written last');
