#!/usr/bin/perl

# Copyright (C) ngx_http_constraint_module authors
# SPDX-License-Identifier: BSD-2-Clause
#
# The blocks of an API's location: "if" and limit_except are still the API, a
# nested location is not, and the server's constraint holds there.

use warnings;
use strict;

use FindBin;
use lib "$FindBin::Bin/../lib";

use Test::More;
use Test::Constraint;
use Test::Constraint::Gate;

my $t = Test::Constraint::Gate->start(<<'END', server => 'constraint no;');
location /limited/ {
    constraint_api z;
    limit_except GET { allow 127.0.0.1; deny all; }
}
location /closed/ {
    constraint_api z;
    limit_except GET { deny all; }
}
location /if/ {
    constraint_api z;
    if ($http_x_if) { set $some 1; }

    location /if/nested/ { proxy_pass http://backend; }
}
END

$t->register('no', 'false');

is($t->get('/limited/status')->status, 200, 'what limit_except leaves out');

my $r = $t->request('DELETE', '/limited/constraint/none');
is($r->status, 404, 'what limit_except lets through is the API\'s');
like($r->body, qr/"NotFound"/, 'and answered by it');

is($t->request('DELETE', '/closed/constraint/no')->status, 403,
    'what it does not is refused');

$r = $t->get('/if/constraint/no', headers => { 'X-If' => 1 });
is($r->status, 200, '"if" is inside of the API');
like($r->body, qr/"message_type":"no"/, 'with its zone');

$t->{backend}->clear();
is($t->get('/if/nested/')->status, 403,
    'a nested location has the server\'s constraint');
is($t->{backend}->count, 0, 'nothing reaches the service');

done_testing();
