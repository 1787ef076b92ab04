#!/usr/bin/perl

# Copyright (C) ngx_http_constraint_module authors
# SPDX-License-Identifier: BSD-2-Clause
#
# The directive constraint_cost_limit:
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
    $c->good($where, 'constraint_cost_limit 100;');
}

$c->bad('main', 'constraint_cost_limit 1;', qr/not allowed here/);
$c->bad('http', 'constraint_cost_limit 0;', qr/must be/);
$c->bad('http', 'constraint_cost_limit much;', qr/invalid number/);
$c->bad('http', 'constraint_cost_limit;', qr/invalid number of arguments/);
$c->bad('http', 'constraint_cost_limit 1; constraint_cost_limit 1;',
    qr/is duplicate/);

my $t = Test::Constraint::Gate->start(<<'END', server =>
location / { constraint x; proxy_pass http://backend; }
location /own {
    constraint x;
    constraint_cost_limit 1000000;
    proxy_pass http://backend;
}
END
    'constraint_cost_limit 2;');

$t->register('x', "request.headers.all(h, h != 'x-a')");

is($t->get('/')->json->{code}, 'CostExceeded', 'it is inherited');
is($t->get('/own')->status, 200, 'and set anew');

done_testing();
