#!/usr/bin/perl

# Copyright (C) ngx_http_constraint_module authors
# SPDX-License-Identifier: BSD-2-Clause
#
# The directive constraint_inline_cost:
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
    $c->good($where, 'constraint_inline_cost 100;');
}

$c->bad('main', 'constraint_inline_cost 1;', qr/not allowed here/);
$c->bad('http', 'constraint_inline_cost 0;', qr/must be/);
$c->bad('http', 'constraint_inline_cost much;', qr/invalid number/);
$c->bad('http', 'constraint_inline_cost;', qr/invalid number of arguments/);
$c->bad('http', 'constraint_inline_cost 1; constraint_inline_cost 1;',
    qr/is duplicate/);

my $t = Test::Constraint::Gate->start(<<'END', server =>
location / { constraint x; proxy_pass http://backend; }
location /own {
    constraint x;
    constraint_inline_cost 1000000;
    proxy_pass http://backend;
}
END
    'constraint_inline_cost 1; constraint_deny_detail full;');

$t->register('x', "request.headers.exists(h, h == 'x-a')");

is($t->get('/')->json->{decision}{where}, 'thread', 'it is inherited');
is($t->get('/own')->json->{decision}{where}, 'inline', 'and set anew');

done_testing();
