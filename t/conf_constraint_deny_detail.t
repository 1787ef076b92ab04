#!/usr/bin/perl

# Copyright (C) ngx_http_constraint_module authors
# SPDX-License-Identifier: BSD-2-Clause
#
# The directive constraint_deny_detail:
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
    $c->good($where, 'constraint_deny_detail none;');
}

$c->good('server', 'constraint_deny_detail full;');

$c->bad('main', 'constraint_deny_detail none;', qr/not allowed here/);
$c->bad('server', 'constraint_deny_detail maybe;',
    qr/invalid value "maybe" of ".*, it must be none or full in /);
$c->bad('server', 'constraint_deny_detail;', qr/invalid number of arguments/);
$c->bad('server', 'constraint_deny_detail none; constraint_deny_detail none;',
    qr/is duplicate/);

my $t = Test::Constraint::Gate->start(<<'END', server =>
location / { constraint x; proxy_pass http://backend; }
location /own {
    constraint x;
    constraint_deny_detail none;
    proxy_pass http://backend;
}
END
    'constraint_deny_detail full;');

ok($t->get('/')->json->{decision}, 'it is inherited');
ok(!$t->get('/own')->json->{decision}, 'and set anew');

done_testing();
