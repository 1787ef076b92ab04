#!/usr/bin/perl

# Copyright (C) ngx_http_constraint_module authors
# SPDX-License-Identifier: BSD-2-Clause
#
# The directive constraint_duplicate_keys:
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
    $c->good($where, 'constraint_duplicate_keys refuse;');
}

$c->good('server', 'constraint_duplicate_keys read;');

$c->bad('main', 'constraint_duplicate_keys refuse;', qr/not allowed here/);
$c->bad('server', 'constraint_duplicate_keys maybe;',
    qr/invalid value "maybe" of ".*, it must be refuse or read in /);
$c->bad('server', 'constraint_duplicate_keys;',
    qr/invalid number of arguments/);
$c->bad('server', 'constraint_duplicate_keys refuse; '
    . 'constraint_duplicate_keys refuse;', qr/is duplicate/);

my $t = Test::Constraint::Gate->start(<<'END', server =>
location / { constraint x; proxy_pass http://backend; }
location /own {
    constraint x;
    constraint_duplicate_keys refuse;
    proxy_pass http://backend;
}
END
    'constraint_duplicate_keys read;');

$t->register('x', 'input.a == 2');

is($t->post('/', '{"a":1,"a":2}')->status, 200, 'it is inherited');
is($t->post('/own', '{"a":1,"a":2}')->status, 400, 'and set anew');

done_testing();
