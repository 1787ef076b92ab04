#!/usr/bin/perl

# Copyright (C) ngx_http_constraint_module authors
# SPDX-License-Identifier: BSD-2-Clause
#
# The directive constraint_thread_pool:
# what is accepted, what is refused, what is inherited.

use warnings;
use strict;

use FindBin;
use lib "$FindBin::Bin/lib";

use Test::More;
use Test::Constraint;
use Test::Constraint::Conf;
use Test::Constraint::Gate;

my $c = Test::Constraint::Conf->new();

$c->good('main', 'thread_pool one threads=1;');
$c->good('http', 'constraint_thread_pool constraint;');
$c->good('http', 'constraint_thread_pool default;');

$c->bad('main', 'constraint_thread_pool constraint;', qr/not allowed here/);
$c->bad('server', 'constraint_thread_pool constraint;', qr/not allowed here/);
$c->bad('http', 'constraint_thread_pool nothing;',
    qr/unknown thread pool "nothing"/);

my ($line) = $c->said() =~ /nginx\.conf:(\d+)/;
like((split(/\n/, slurp($c->testdir() . '/nginx.conf')))[$line - 1],
    qr/nothing/, 'and where it is named');

$c->bad('http', 'constraint_thread_pool;', qr/invalid number of arguments/);
$c->bad('http', 'constraint_thread_pool constraint; '
    . 'constraint_thread_pool constraint;',
    qr/is duplicate/);

# without a pool of their name they take nginx's default one

for my $conf ('', 'constraint_thread_pool other;') {
    my $t = Test::Constraint::Gate->start(<<'END', pools => 0,
location / {
    constraint x;
    constraint_offload always;
    constraint_deny_detail full;
    proxy_pass http://backend;
}
END
        main => 'thread_pool other threads=1;', http => $conf);

    $t->register('x', "request.method == 'PUT'");
    is($t->get('/')->json->{decision}{where}, 'thread', "works: \"$conf\"");
}

done_testing();
