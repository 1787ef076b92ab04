#!/usr/bin/perl

# Copyright (C) ngx_http_constraint_module authors
# SPDX-License-Identifier: BSD-2-Clause
#
# The directive constraint_metrics: what is accepted, what is refused, what is
# not inherited.

use warnings;
use strict;

use FindBin;
use lib "$FindBin::Bin/lib";

use Test::More;
use Test::Constraint;
use Test::Constraint::Conf;
use Test::Constraint::Gate;

my $c = Test::Constraint::Conf->new();

$c->good('location', 'constraint_metrics;');
$c->good('location', 'constraint_metrics z;');

$c->bad($_, 'constraint_metrics;', qr/not allowed here/)
    for qw(main http server);
$c->bad('location', 'constraint_metrics z z;',
    qr/invalid number of arguments/);
$c->bad('location', 'constraint_metrics "";', qr/needs the name of a zone/);
$c->bad('location', 'constraint_metrics nowhere;',
    qr/unknown zone "nowhere" of "constraint_metrics"/);
$c->bad('location', 'constraint_metrics; constraint_metrics;',
    qr/is duplicate/);
$c->bad('location', 'constraint_metrics; constraint_api z;',
    qr/is in a location of "constraint_metrics"/);
$c->bad('location', 'constraint_api z; constraint_metrics;',
    qr/is in a location of "constraint_api"/);

my $t = Test::Constraint::Gate->start(<<'END');
constraint no;
location = /metrics { constraint_metrics; }
location = /if { constraint_metrics; if ($arg_a) { set $b 1; } }
location /metrics/ { proxy_pass http://backend; }
END

$t->register('no', 'false');

is($t->get('/metrics')->status, 200,
    'a constraint of the server is not for metrics');
is($t->get('/if?a=1')->status, 200, 'an "if" in it changes nothing');
is($t->get('/metrics/x')->status, 403, 'other locations have no metrics');
