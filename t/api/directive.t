#!/usr/bin/perl

# Copyright (C) ngx_http_constraint_module authors
# SPDX-License-Identifier: BSD-2-Clause
#
# constraint_api: good, bad and inherited; each refusal says where and what
# would be right.

use warnings;
use strict;

use FindBin;
use JSON::PP;
use Test::More;

use lib "$FindBin::RealBin/../lib";
use Test::Constraint;

my $t = Test::Constraint->new();

$t->allow(qr/\[emerg\].*nginx\.conf/);

sub conf {
    my ($locations, $more) = @_;
    $t->conf(<<"END");
%%GLOBALS%%
events { }
http {
    %%GLOBALS_HTTP%%
    constraint_zone z:8m path=%%TESTDIR%%/store;
    @{[ $more // '' ]}
    server {
        listen 127.0.0.1:%%PORT%%;
        $locations
    }
}
END

    # nginx leaves the cycle of a good configuration test to the system

    local $ENV{ASAN_OPTIONS} = 'detect_leaks=0';
    return $t->test_conf();
}

sub good {
    my ($locations, $what, $more) = @_;
    my ($good, $said) = conf($locations, $more);
    ok($good, $what) or diag($said);
}

sub bad {
    my ($locations, $qr, $what, $more) = @_;
    my ($good, $said) = conf($locations, $more);
    ok(!$good, $what);
    like($said, qr/\[emerg\].*$qr/, 'and says why');
    like($said, qr/nginx\.conf:\d+/, 'and where');
}

good('location / { constraint_api z; }', 'at the root');
good('location /a { constraint_api z; }', 'below');
good('location /a/ { constraint_api z allow=read; }', 'one right');
good('location /a/ { constraint_api z allow=read,write,execute; }', 'all');
good('location /a/ { constraint_api z prefix=/ allow=read; }', 'a prefix');
good('location ~ ^/a { constraint_api z prefix=/a; }', 'a regex');
good('location @a { constraint_api z prefix=/; }', 'a name');
good('location = /status { constraint_api z prefix=/; }', 'an exact one');
good('location /a { constraint_api later; }', 'a zone declared later',
    'server { listen 127.0.0.1:%%PORT_2%%; } '
    . 'constraint_zone later:8m path=%%TESTDIR%%/later;');
good('location /a { constraint_api z; location /a/b { return 204; } }',
    'a location inside');

bad('location / { constraint_api nowhere; }',
    'unknown zone "nowhere".*constraint_zone', 'an unknown zone');
bad('location / { constraint_api; }', 'invalid number of arguments',
    'no zone');
bad('location / { constraint_api ""; }', 'needs the name', 'an empty one');
bad('location / { constraint_api z z; }', 'unknown or repeated parameter "z"',
    'a word');
bad('location / { constraint_api z alow=read; }',
    'unknown or repeated parameter "alow=read".*known are prefix',
    'an unknown parameter');
bad('location / { constraint_api z allow=; }', 'unknown right "".*known are',
    'no right');
bad('location / { constraint_api z allow=read,delete; }',
    'unknown right "delete".*execute, read, write', 'an unknown right');
bad('location / { constraint_api z allow=read, write; }',
    'unknown right ""', 'a blank');
bad('location / { constraint_api z allow=read allow=write; }',
    'unknown or repeated', 'twice allow');
bad('location / { constraint_api z prefix=/a prefix=/b; }',
    'unknown or repeated', 'twice prefix');
bad('location / { constraint_api z prefix=a; }', 'does not begin with',
    'a prefix that is no path');
bad('location / { constraint_api z prefix=; }', 'does not begin with',
    'an empty prefix');
bad('location ~ ^/a { constraint_api z; }', 'needs "prefix=',
    'a regex without a prefix');
bad('location @a { constraint_api z; }', 'needs "prefix=',
    'a name without a prefix');
bad('location / { constraint_api z; constraint_api z; }', 'is duplicate',
    'twice');
bad('constraint_api z;', 'is not allowed here', 'in a server');
bad('location / { if ($arg_a) { constraint_api z; } }',
    'is not allowed here', 'in an if');

# who answers is not the API then, and would be gated by nothing

bad('location /a/ { constraint_api z; proxy_pass http://127.0.0.1:9; }',
    '"constraint_api" in \S+nginx\.conf:\d+ answers nothing.*"/a/"',
    'a service in its place');
bad('location /a/ { constraint_metrics; proxy_pass http://127.0.0.1:9; }',
    '"constraint_metrics" in \S+nginx\.conf:\d+ answers nothing',
    'or in that of the metrics');

# not inherited, and not gated by what is written above

conf(<<'END', 'constraint nothing zone=z;');
        location / { constraint_api z; location /a { return 204; } }
        location /gated { return 200 "x"; }
        location /b/ {
            constraint_api z;
            if ($arg_b) { proxy_pass http://127.0.0.1:%%PORT_B%%; }
            if ($http_c) { set $c 1; }
            limit_except GET { proxy_pass http://127.0.0.1:%%PORT_B%%; }
        }
        location /m/ {
            constraint_metrics;
            if ($arg_b) { proxy_pass http://127.0.0.1:%%PORT_B%%; }
        }
END
$t->run();

is(($t->api('GET', '/status'))[0], 200, 'the API is not gated');
is($t->get('/a')->status, 204, 'an inner location is no API');

# what another handler answers inside of its location is gated

my $backend = $t->backend('B');

is($t->get('/b/status')->status, 200, 'beside what is gated it is not');
is($t->get('/b/status', headers => { c => 1 })->status, 200,
    'nor in an if without a handler');
is($t->get('/b/x?b=1')->status, 403, 'a service in an if is');
is($t->post('/b/x', '{}')->status, 403, 'and in limit_except');
is($t->get('/m/')->status, 200, 'metrics are not');
is($t->get('/m/?b=1')->status, 403, 'a service in an if of theirs is');
is($backend->count, 0, 'which has seen nothing');

# bodies of nginx's own limit are nginx's

is($t->request('POST', '/constraint', body => 'x' x (2 * 1024 * 1024))
    ->status, 413, 'client_max_body_size comes first');
