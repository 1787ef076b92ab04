#!/usr/bin/perl

# Copyright (C) ngx_http_constraint_module authors
# SPDX-License-Identifier: BSD-2-Clause
#
# The directive constraint_single_headers:
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

for my $where (qw(http server location)) {
    $c->good($where, 'constraint_single_headers X-A;');
}

$c->good('server', 'constraint_single_headers X-A X-B;');
$c->good('server', 'constraint_single_headers off;');

$c->bad('main', 'constraint_single_headers X-A;', qr/not allowed here/);
$c->bad('server', 'constraint_single_headers;',
    qr/invalid number of arguments/);
$c->bad('server', 'constraint_single_headers X-A; '
    . 'constraint_single_headers X-B;', qr/is duplicate/);

for my $names ('X-A off', 'off X-A', "'X-A:'", "'X-A,X-B'", '$http_x_a',
    "''", "'X A'")
{
    $c->bad('server', "constraint_single_headers $names;",
        qr/invalid header name ".*it must be NAME\.\.\..*:\d+/);
}

my $t = Test::Constraint::Gate->start(<<'END', server =>
location / { constraint x; proxy_pass http://backend; }
location /own {
    constraint x;
    constraint_single_headers off;
    proxy_pass http://backend;
}
END
    'constraint_single_headers X-A X-B;');

$t->register('x', 'true');

my %twice = (headers => { 'x-B' => [1, 2] });

is($t->get('/', headers => { 'X-A' => 1, 'X-B' => 2 })->status, 200,
    'one of each passes');
is($t->get('/', %twice)->status, 400, 'it is inherited');
is($t->get('/own', %twice)->status, 200, 'and ends with off');

done_testing();
