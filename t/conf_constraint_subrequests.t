#!/usr/bin/perl

# Copyright (C) ngx_http_constraint_module authors
# SPDX-License-Identifier: BSD-2-Clause
#
# The directive constraint_subrequests:
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
    $c->good($where, 'constraint_subrequests on;');
}

$c->good('server', 'constraint_subrequests off;');

$c->bad('main', 'constraint_subrequests on;', qr/not allowed here/);
$c->bad('server', 'constraint_subrequests maybe;',
    qr/it must be "on" or "off"/);
$c->bad('server', 'constraint_subrequests;', qr/invalid number of arguments/);
$c->bad('server', 'constraint_subrequests on; constraint_subrequests on;',
    qr/is duplicate/);

my $t = Test::Constraint::Gate->start(<<'END', server =>
location / {
    constraint yes;
    auth_request /check;
    proxy_pass http://backend;
}
location /own {
    constraint yes;
    auth_request /check_own;
    proxy_pass http://backend;
}
location /check { internal; constraint no; proxy_pass http://backend; }
location /check_own {
    internal;
    constraint no;
    constraint_subrequests on;
    proxy_pass http://backend;
}
END
    'constraint_subrequests off;');

$t->register('yes', 'true');
$t->register('no', 'false');

is($t->get('/')->status, 200, 'it is inherited');
is($t->get('/own')->status, 403, 'and set anew');

done_testing();
