#!/usr/bin/perl

# Copyright (C) ngx_http_constraint_module authors
# SPDX-License-Identifier: BSD-2-Clause
#
# Paths, methods and rights: 404, 405 with Allow, OPTIONS, HEAD, prefixes,
# allow=, slashes, encodings.  What nginx itself refuses stays nginx's.

use warnings;
use strict;

use FindBin;
use JSON::PP;
use Test::More;

use lib "$FindBin::RealBin/../lib";
use Test::Constraint;

my $t = Test::Constraint->new()->conf(<<'END')->run();
%%GLOBALS%%
events { }
http {
    %%GLOBALS_HTTP%%
    constraint_zone z:8m path=%%TESTDIR%%/store;
    server {
        listen 127.0.0.1:%%PORT%%;
        location / { constraint_api z; }
        location /under { constraint_api z; }
        location /below/ { constraint_api z; }
        location ~ ^/re/(a|b)/ { constraint_api z prefix=/re/a; }
        location = /status { constraint_api z prefix=/; }
        location /read/ { constraint_api z allow=read; }
        location /write/ { constraint_api z allow=write; }
        location /execute/ { constraint_api z allow=execute; }
        location /both/ { constraint_api z allow=read,execute prefix=/both; }
        location /elsewhere { rewrite ^ /named last; }
        error_page 404 = @page;
        location @page { return 200 "error page"; }
    }
}
END

is(($t->api('POST', '/workflow', { name => 'w', rule => { match => [
    { output => 'true' } ] } }))[0], 201, 'a workflow');
is(($t->api('POST', '/constraint', { message_type => 'c', subject_id => '*',
    dsl_workflow_id => 'w', constraint_metadata => {} }))[0], 201,
    'a constraint');

my ($status, $data, $headers);

# unknown paths

for my $path ('/', '/x', '/constraint/a/b', '/constraint/execute/a/b',
    '/constraint/metadata/a/b', '/constraints/x', '/workflow/check/x',
    '/workflow/a/b', '/status/x', '/constraintx', '/Constraint', '/CONSTRAINT',
    '/constrain', '/under', '/under/x', '/below/',
    '/re/b/status', '/constraint/a%2Fb', '/workflow/a%2fb',
    '/index.html', '/constraint/execute%2Fa%2Fb')
{
    ($status, $data, $headers) = $t->api('GET', $path);
    is($status, 404, "GET $path");
    is($data->{code}, 'NoSuchRoute', 'its code') or diag(json($data));
    is($headers->{'content-type'}, 'application/json', 'not a page');
}

# names are not paths, and no path is a file

for my $name ('..', '%2e%2e', '.%2e', 'a%20b', 'a%5cb', '%c3%a9', '%ff',
    'a%0ab', '%20', 'x' x 256, 'a%00b', 'a;b', 'a+b', 'a%25b', '%252e')
{
    my $r = $t->get("/constraint/$name");
    like($r->status, qr/^40[04]$/, 'GET /constraint/' . substr($name, 0, 9));
    unlike($r->body, qr/root:|<html>.*nginx.conf/s, 'nothing of the disk');
}

is(($t->api('GET', "/constraint/$_"))[0], 200, "/constraint/$_")
    for 'c', '%63', 'c/', './c', 'x/../c', '/c';

# methods

my %allow = (
    '/constraint' => 'POST, OPTIONS',
    '/constraint/c' => 'GET, HEAD, PUT, DELETE, OPTIONS',
    '/constraint/execute/c' => 'POST, OPTIONS',
    '/constraint/metadata/c' => 'GET, HEAD, OPTIONS',
    '/constraint/unload/c' => 'POST, OPTIONS',
    '/constraints' => 'POST, OPTIONS',
    '/workflow' => 'POST, OPTIONS',
    '/workflow/check' => 'POST, OPTIONS',
    '/workflow/w' => 'GET, HEAD, PUT, DELETE, OPTIONS',
    '/workflows' => 'POST, OPTIONS',
    '/status' => 'GET, HEAD, OPTIONS',
);

for my $path (sort keys %allow) {
    for my $method (qw(GET HEAD POST PUT DELETE PATCH COPY MKCOL FOO)) {
        next if $allow{$path} =~ /\b$method\b/;

        my $r = $t->request($method, $path);
        is($r->status, 405, "$method $path");
        is($r->header('Allow'), $allow{$path}, 'what is allowed');
        next if $method eq 'HEAD';
        is($r->json->{code}, 'MethodNotAllowed', 'its code');
    }

    my $r = $t->request('OPTIONS', $path);
    is($r->status, 200, "OPTIONS $path");
    is($r->header('Allow'), $allow{$path}, 'what is allowed');
    is($r->json->{data}{allow}, $allow{$path}, 'in the answer, too');

    is($t->request('TRACE', $path)->status, 405, "TRACE $path is nginx's");
}

# HEAD is GET without the body

for my $path ('/constraint/c', '/constraint/metadata/c', '/workflow/w',
    '/status', '/constraint/none', '/nothing')
{
    my $get = $t->get($path);
    my $c = $t->connect();
    my $head = $c->request('HEAD', $path);
    is($head->status, $get->status, "HEAD $path");
    is($head->header($_), $get->header($_), "its $_")
        for $path =~ /status|metadata/ ? ('Content-Type')
            : ('Content-Type', 'Content-Length', 'ETag');
    cmp_ok($head->header('Content-Length'), '>', 0, 'its length');

    # the next answer begins where this one ends

    is($c->request('GET', '/constraint/c')->status, 200, 'no body came');
}

# slashes at the end

is(($t->api('GET', "$_"))[0], 200, $_) for '/status/', '/constraint/c/',
    '/workflow/w/', '/constraint/metadata/c/', '//constraint//c//';
is(($t->api('POST', '/constraints/', {}))[0], 200, '/constraints/');

# prefixes

for my $prefix ('/under', '/below', '/re/a', '/both') {
    is(($t->api('GET', "$prefix/constraint/c"))[0], 200,
        "$prefix/constraint/c");
    is(($t->api('GET', "$prefix/constraint/c/"))[0], 200, 'with a slash');
    is(($t->api('GET', "$prefix$prefix/constraint/c"))[0], 404, 'once');
}

(undef, undef, $headers) = $t->api('POST', '/under/constraint', {
    message_type => 'd', subject_id => '*', dsl_workflow_id => 'w',
    constraint_metadata => {} });
is($headers->{location}, '/under/constraint/d', 'Location has the prefix');
is(($t->api('GET', '/underconstraint/c'))[0], 404, 'a prefix ends at a slash');

# rights

my %right = (read => [ [ GET => 'constraint/c' ],
        [ GET => 'constraint/metadata/c' ], [ POST => 'constraints', {} ],
        [ GET => 'workflow/w' ], [ POST => 'workflows', {} ],
        [ POST => 'workflow/check', { name => 'x', rule => { match => [
            { output => 'true' } ] } } ], [ GET => 'status' ] ],
    write => [ [ POST => 'constraint', {} ], [ PUT => 'constraint/c', {} ],
        [ DELETE => 'constraint/none' ], [ POST => 'workflow', {} ],
        [ PUT => 'workflow/w', {} ], [ DELETE => 'workflow/none' ],
        [ POST => 'constraint/unload/c' ] ],
    execute => [ [ POST => 'constraint/execute/c', {} ] ]);

my %has = (read => [ 'read' ], write => [ 'write' ],
    execute => [ 'execute' ], both => [ 'read', 'execute' ]);

for my $location (sort keys %has) {
    for my $right (sort keys %right) {
        for my $call (@{$right{$right}}) {
            my ($method, $path, $body) = @$call;
            my $allowed = grep { $_ eq $right } @{$has{$location}};

            ($status, $data) = $t->api($method, "/$location/$path", $body);

            if ($allowed) {
                isnt($status, 403, "$location: $method $path is allowed");

            } else {
                is($status, 403, "$location: $method $path is not allowed");
                is($data->{code}, 'RightMissing', 'its code');
                like($data->{error}, qr/"$right"/, 'which right is missing');
            }
        }
    }
}

is(($t->api('OPTIONS', '/execute/constraint/c'))[0], 200,
    'OPTIONS needs no right');

# error_page does not touch our answers

is($t->get('/constraint/none')->json->{code}, 'NotFound', 'no error_page');

# arguments

is(($t->api('GET', '/constraint/c?x=1'))[0], 400, 'an unknown argument');
is(($t->api('GET', '/status?'))[0], 200, 'an empty query');
is(($t->api('GET', '/status?revision=5'))[0], 400, 'one of another call');
