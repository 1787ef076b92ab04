#!/usr/bin/perl

# Copyright (C) ngx_http_constraint_module authors
# SPDX-License-Identifier: BSD-2-Clause
#
# The directive constraint_deny_body:
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
    $c->good($where, 'constraint_deny_body json;');
}

$c->good('server', 'constraint_deny_body nginx;');

$c->bad('main', 'constraint_deny_body json;', qr/not allowed here/);
$c->bad('server', 'constraint_deny_body maybe;',
    qr/invalid value "maybe" of ".*, it must be json or nginx in /);
$c->bad('server', 'constraint_deny_body;', qr/invalid number of arguments/);
$c->bad('server', 'constraint_deny_body json; constraint_deny_body json;',
    qr/is duplicate/);

my $t = Test::Constraint::Gate->start(<<'END', server =>
location / { constraint x; proxy_pass http://backend; }
location /own {
    constraint x;
    constraint_deny_body json;
    proxy_pass http://backend;
}
END
    'constraint_deny_body nginx;');

like($t->get('/')->header('content-type'), qr{text/html}, 'it is inherited');
is($t->get('/own')->header('content-type'), 'application/json',
    'and set anew');

done_testing();
