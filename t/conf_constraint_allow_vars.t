#!/usr/bin/perl

# Copyright (C) ngx_http_constraint_module authors
# SPDX-License-Identifier: BSD-2-Clause
#
# The directive constraint_allow_vars:
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

$c->good('http', 'constraint_allow_vars remote_addr;');
$c->good('http', 'constraint_allow_vars $remote_addr request_id;');

$c->bad('main', 'constraint_allow_vars remote_addr;', qr/not allowed here/);
$c->bad('server', 'constraint_allow_vars remote_addr;',
    qr/not allowed here/);
$c->bad('http', 'constraint_allow_vars;', qr/invalid number of arguments/);
$c->bad('http', 'constraint_allow_vars $;', qr/invalid variable name/);
$c->bad('http', 'constraint_allow_vars constraint_id;',
    qr/cannot be read by one/);
$c->bad('http', 'constraint_allow_vars Constraint_ID;',
    qr/cannot be read by one/, 'nginx takes upper case for the same');
$c->bad('http', 'constraint_allow_vars nothing_like_it;',
    qr/unknown "nothing_like_it" variable/);
$c->bad('http', 'constraint_allow_vars a; constraint_allow_vars b;',
    qr/is duplicate|unknown/);

my $t = Test::Constraint::Gate->start(<<'END',
location / { constraint x; proxy_pass http://backend; }
END
    http => 'constraint_allow_vars request_method arg_a;');

$t->register('x', "nginx.var('request_method') == 'GET' "
    . "&& nginx.var('arg_a') == 'b'");

is($t->get('/?a=b')->status, 200, 'expressions read what is listed');
is($t->get('/?a=c')->status, 403, 'as it is');

my ($status, $answer) = $t->api('POST', '/workflow', { name => 'y',
    rule => { match => [ { output => "nginx.var('host') == ''" } ] } });
is($status, 422, 'and nothing else');
like(json($answer), qr/constraint_allow_vars/, 'which they are told');

done_testing();
