#!/usr/bin/perl

# Copyright (C) ngx_http_constraint_module authors
# SPDX-License-Identifier: BSD-2-Clause
#
# The directive constraint_log_level:
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
    $c->good($where, 'constraint_log_level info;');
}

$c->good('server', 'constraint_log_level notice;');
$c->good('server', 'constraint_log_level warn;');
$c->good('server', 'constraint_log_level error;');

$c->bad('main', 'constraint_log_level info;', qr/not allowed here/);
$c->bad('server', 'constraint_log_level maybe;',
    qr/invalid value "maybe" of ".*, it must be info, notice, warn or error/);
$c->bad('server', 'constraint_log_level;', qr/invalid number of arguments/);
$c->bad('server', 'constraint_log_level info; constraint_log_level info;',
    qr/is duplicate/);

my $t = Test::Constraint::Gate->start(<<'END', server =>
location / { constraint x; proxy_pass http://backend; }
location /own {
    constraint x;
    constraint_log_level notice;
    proxy_pass http://backend;
}
END
    'constraint_log_level warn;');

$t->register('x', 'false');
$t->get('/one');
ok($t->wait_log(qr{\[warn\] .*denied "x".*GET /one}), 'it is inherited');
$t->get('/own/two');
ok($t->wait_log(qr{\[notice\] .*denied "x".*GET /own/two}),
    'and set anew');

done_testing();
