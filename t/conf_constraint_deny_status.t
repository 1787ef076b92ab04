#!/usr/bin/perl

# Copyright (C) ngx_http_constraint_module authors
# SPDX-License-Identifier: BSD-2-Clause
#
# The directive constraint_deny_status:
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
    $c->good($where, 'constraint_deny_status 451;');
}

$c->good('server', 'constraint_deny_status 400;');
$c->good('server', 'constraint_deny_status 599;');

$c->bad('main', 'constraint_deny_status 403;', qr/not allowed here/);
$c->bad('server', 'constraint_deny_status 399;', qr/between 400 and 599/);
$c->bad('server', 'constraint_deny_status 600;', qr/between 400 and 599/);
$c->bad('server', 'constraint_deny_status teapot;',
    qr/invalid status "teapot"/);
$c->bad('server', 'constraint_deny_status 400; constraint_deny_status 401;',
    qr/is duplicate/);

my $t = Test::Constraint::Gate->start(<<'END', server =>
location / { constraint x; proxy_pass http://backend; }
location /own {
    constraint x;
    constraint_deny_status 418;
    proxy_pass http://backend;
}
END
    'constraint_deny_status 451;');

$t->register('x', 'false');

is($t->get('/')->status, 451, 'it is inherited');
is($t->get('/own')->status, 418, 'and set anew');

done_testing();
