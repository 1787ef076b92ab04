#!/usr/bin/perl

# Copyright (C) ngx_http_constraint_module authors
# SPDX-License-Identifier: BSD-2-Clause
#
# Bodies of POST and PUT: syntax, limits, media types.  For each refusal: the
# status, the code, the place, nothing stored, and the connection goes on with
# the next request and no other.

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
    client_max_body_size 0;
    constraint_zone z:8m path=%%TESTDIR%%/store;
    server {
        listen 127.0.0.1:%%PORT%%;
        location / { constraint_api z; }
    }
}
END

is(($t->api('POST', '/workflow', { name => 'w', rule => { match => [
    { output => 'true' } ] } }))[0], 201, 'a workflow');

my $good = '{"message_type":"c","subject_id":"*","dsl_workflow_id":"w",'
    . '"constraint_metadata":{}}';
is(($t->api('POST', '/constraint', $good))[0], 201, 'a constraint');

my $deep = '[' x 100000;
my $head = '{"message_type":"new","subject_id":"*","dsl_workflow_id":"w",'
    . '"constraint_metadata":';

my @bad = (
    [ 'empty', '', 'EmptyBody' ],
    [ 'blanks', " \n ", 'MalformedJson', 2 ],
    [ 'truncated', substr($good, 0, 40), 'MalformedJson', 1 ],
    [ 'text', 'hello', 'MalformedJson', 1 ],
    [ 'on the third line', "{\n\n  x}", 'MalformedJson', 3 ],
    [ 'two documents', "$good$good", 'MalformedJson', 1 ],
    [ 'a comma too many', '{"a":1,}', 'MalformedJson', 1 ],
    [ 'single quotes', "{'a':1}", 'MalformedJson', 1 ],
    [ 'NaN', '{"a":NaN}', 'MalformedJson', 1 ],
    [ '100k brackets', $deep, 'MalformedJson', 1 ],
    [ '100k brackets in a field', $head . $deep, 'MalformedJson', 1 ],
    [ '50k objects', '{"a":' x 50000, 'MalformedJson', 1 ],
    [ '65 brackets, closed', $head . '[' x 65 . ']' x 65 . '}',
        'MalformedJson', 1 ],
    [ 'duplicate key', '{"a":1,"a":2}', 'DuplicateKey', 1 ],
    [ 'duplicate key, escaped', '{"a":1,"\u0061":2}', 'DuplicateKey', 1 ],
    [ 'duplicate key inside', $head . '{"x":1,"x":1}}', 'DuplicateKey', 1 ],
    [ 'invalid UTF-8', $head . "{\"x\":\"\xff\"}}", 'MalformedJson', 1 ],
    [ 'overlong UTF-8', $head . "{\"x\":\"\xc0\xaf\"}}", 'MalformedJson', 1 ],
    [ 'a lone surrogate', $head . '{"x":"\ud800"}}', 'MalformedJson', 1 ],
    [ 'UTF-16', "\xff\xfe{\0}\0", 'MalformedJson', 1 ],
    [ 'a NUL byte', $head . "{\"x\":\"a\0b\"}}", 'MalformedJson', 1 ],
    [ 'NUL after the end', "$good\0", 'MalformedJson', 1 ],
    [ 'an escaped NUL', $head . '{"x":"a\u0000b"}}', 'MalformedJson', 1 ],
    [ 'NUL in a key', $head . '{"a\u0000b":1}}', 'MalformedJson', 1 ],
    [ 'a control character', $head . "{\"x\":\"a\nb\"}}", 'MalformedJson' ],
    [ 'over 64 bits', $head . '{"x":9223372036854775808}}',
        'MalformedJson', 1 ],
    [ 'far over 64 bits', $head . '{"x":' . '9' x 400 . '}}',
        'MalformedJson', 1 ],
    [ 'beyond double', $head . '{"x":1e999}}', 'MalformedJson', 1 ],
    [ 'an array', '[]', 'InvalidField' ],
    [ 'a string', '"x"', 'InvalidField' ],
    [ 'a number', '5', 'InvalidField' ],
    [ 'null', 'null', 'InvalidField' ],
    [ 'true', 'true', 'InvalidField' ],
);

my $c = $t->connect();

for my $case (@bad) {
    my ($what, $body, $code, $line) = @$case;

    for my $call ([ POST => '/constraint' ], [ PUT => '/constraint/c' ],
        [ POST => '/constraints' ])
    {
        my ($method, $path) = @$call;

        # sent together with the next request, so that a body which is not
        # eaten whole would be answered

        $c->send($method, $path, body => $body);
        $c->send('GET', '/constraint/c');

        my $r = $c->read_response();
        is($r->status, 400, "$method $path: $what");

        my $data = $r->json;
        is($data->{code}, $code, 'its code') or diag($r->body);
        is($data->{success}, JSON::PP::false, 'no success');
        is($data->{details}[0]{line}, $line, 'its line') if $line;
        cmp_ok($data->{details}[0]{column}, '>', 0, 'its column') if $line;
        unlike($data->{error}, qr/JSON.*JSON/, 'said once');

        $r = $c->read_response();
        is($r->status, 200, 'the connection goes on');
        is($r->json->{data}{message_type}, 'c', 'with the next request');
    }
}

# what is wrong is said in words of JSON, not of the parser

for my $case (
    [ $head . '{"x":"a\u0000b"}}', qr/must not hold \\u0000$/ ],
    [ $head . '{"a\u0000b":1}}', qr/must not hold \\u0000$/ ],
    [ "$good\0", qr/something follows the value$/ ],
    [ $head . '{"x":9223372036854775808}}', qr/beyond 64 bits signed/ ],
    [ $head . '{"x":1e999}}', qr/or the range of a double$/ ])
{
    my ($status, $data) = $t->api('POST', '/constraint', $case->[0]);
    like($data->{error}, $case->[1], "in words: $case->[1]");
}

is(($t->api('GET', '/constraint/new'))[0], 404, 'nothing was stored');
is(($t->api('GET', '/constraint/c'))[1]{data}{description}, undef,
    'nothing was changed');

# 64 levels are taken

is(($t->api('PUT', '/constraint/c', '{"constraint_metadata":'
    . '{"a":' x 63 . '1' . '}' x 64))[0], 200, '64 levels');
is(($t->api('PUT', '/constraint/c', '{"constraint_metadata":'
    . '{"a":' x 64 . '1' . '}' x 65))[0], 400, '65 levels');
is(($t->api('PUT', '/constraint/c', '{"constraint_metadata":{"a":"'
    . '[' x 1000 . '\\"' . '{' x 1000 . '"}}'))[0], 200,
    'brackets in a string are text');

# too large

for my $case ([ POST => '/constraint', 256 * 1024 ],
    [ PUT => '/constraint/c', 256 * 1024 ],
    [ POST => '/constraints', 1024 * 1024 ],
    [ POST => '/workflow', 4 * 1024 * 1024 ],
    [ PUT => '/workflow/w', 4 * 1024 * 1024 ],
    [ POST => '/workflow/check', 4 * 1024 * 1024 ],
    [ POST => '/constraint/execute/c', 4 * 1024 * 1024 ])
{
    my ($method, $path, $max) = @$case;

    for my $size ($max + 1, 10 * 1024 * 1024) {
        for my $chunked (0, 1) {
            my $c = $t->connect();
            my $r = $c->request($method, $path, body => ' ' x $size,
                chunked => $chunked);
            is($r->status, 413, "$method $path: $size bytes"
                . ($chunked ? ' in chunks' : ''));
            is($r->json->{code}, 'BodyTooLarge', 'its code');
            like($r->json->{error}, qr/\b$max\b/, 'what would be right');
        }
    }

    my $r = $t->request($method, $path, body => ' ' x $max);
    isnt($r->status, 413, "$max bytes are taken");
}

# media types

for my $type ('application/json', 'APPLICATION/JSON',
    'application/json; charset=utf-8', 'application/json;charset=utf-8',
    'application/json ; x', 'application/merge-patch+json',
    'application/vnd.x+json')
{
    is(($t->api('POST', '/constraints', '{}', headers =>
        { 'Content-Type' => $type }))[0], 200, "$type is taken");
}

is($t->post('/constraints', '{}')->status, 200, 'none is taken');

for my $type ('text/plain', 'text/html', 'application/x-www-form-urlencoded',
    'multipart/form-data; boundary=x', 'application/jsonx', 'json',
    'application/xml', 'application/yaml', 'text/json', '*/*',
    'image/x+json', '+json')
{
    my ($status, $data) = $t->api('POST', '/constraints', '{}', headers =>
        { 'Content-Type' => $type });
    is($status, 415, "$type is not taken");
    is($data->{code}, 'UnsupportedMediaType', 'its code');
    like($data->{error}, qr{application/json}, 'what would be right');
}

is(($t->api('POST', '/workflow/check', 'x', headers =>
    { 'Content-Type' => 'text/plain' }))[0], 415, 'nor for workflows');
is(($t->api('POST', '/constraints', '{}', headers =>
    { 'Content-Encoding' => $_ }))[0], 415, "Content-Encoding: $_")
    for 'gzip', 'br', 'gzip, identity';
is(($t->api('POST', '/constraints', '{}', headers =>
    { 'Content-Encoding' => 'identity' }))[0], 200,
    'Content-Encoding: identity');

# a byte order mark is not JSON

is(($t->api('POST', '/constraints', "\xef\xbb\xbf{}"))[0], 400,
    'a byte order mark');
