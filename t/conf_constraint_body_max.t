#!/usr/bin/perl

# Copyright (C) ngx_http_constraint_module authors
# SPDX-License-Identifier: BSD-2-Clause
#
# The directive constraint_body_max:
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
    $c->good($where, 'constraint_body_max 64k;');
}

$c->bad('main', 'constraint_body_max 1k;', qr/not allowed here/);
$c->bad('http', 'constraint_body_max big;', qr/invalid value/);
$c->bad('http', 'constraint_body_max -1;', qr/invalid value/);
$c->bad('http', 'constraint_body_max;', qr/invalid number of arguments/);
$c->bad('http', 'constraint_body_max 1k; constraint_body_max 1k;',
    qr/is duplicate/);

my $t = Test::Constraint::Gate->start(<<'END', server =>
location / { constraint x; proxy_pass http://backend; }
location /own {
    constraint x;
    constraint_body_max 1k;
    proxy_pass http://backend;
}
location /moved {
    constraint x;
    constraint_body_max 1k;
    proxy_intercept_errors on;
    error_page 404 = /less/;
    proxy_pass http://backend;
}
location /less/ {
    internal;
    constraint x;
    proxy_pass http://backend;
}
END
    'constraint_body_max 10;', reply => sub {
        return ($_[0]{uri} =~ m{^/moved} ? 404 : 200, {}, $_[0]{uri});
    });

$t->register('x', 'input.a == 1');

is($t->post('/', '{"a":1}')->status, 200, 'a body within it');
is($t->post('/', '{"a":1}    ')->status, 413, 'it is inherited');
is($t->post('/own', '{"a":1}    ')->status, 200, 'and set anew');

is($t->post('/moved', '{"a":1}')->status, 200,
    'a body that was read before a redirect');
is($t->post('/moved', '{"a":1}    ')->status, 413,
    'is judged by the limit of where it led');
is($t->{backend}->last->{uri}, '/moved', 'which the service does not see');

done_testing();
