#!/usr/bin/perl

# Copyright (C) ngx_http_constraint_module authors
# SPDX-License-Identifier: BSD-2-Clause
#
# Requests that are wrong on the wire: bodies where none belong, lengths that
# lie, chunks, Expect, slow and abandoned uploads, HTTP/2.  After each refusal
# the connection goes on with the next request, or is closed; a body is never
# taken for a request.

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
    client_body_timeout 1s;
    constraint_zone z:8m path=%%TESTDIR%%/store;
    server {
        listen 127.0.0.1:%%PORT%%;
        listen 127.0.0.1:%%PORT_H2%% http2;
        location / { constraint_api z; }
        location /read/ { constraint_api z allow=read; }
    }
}
END

is(($t->api('POST', '/workflow', { name => 'w', rule => { match => [
    { output => 'true' } ] } }))[0], 201, 'a workflow');
is(($t->api('POST', '/constraint', { message_type => 'c', subject_id => '*',
    dsl_workflow_id => 'w', constraint_metadata => {} }))[0], 201,
    'a constraint');

my $evil = "DELETE /constraint/c HTTP/1.1\r\nHost: x\r\n\r\n";

# a body that nobody wanted, which looks like a request

for my $case (
    [ GET => '/constraint/c', 200 ], [ GET => '/constraint/none', 404 ],
    [ GET => '/nowhere', 404 ], [ GET => '/status', 200 ],
    [ GET => '/constraint', 405 ], [ GET => '/constraint/c?x=1', 400 ],
    [ HEAD => '/constraint/c', 200 ], [ OPTIONS => '/constraint', 200 ],
    [ PATCH => '/constraint/c', 405 ], [ DELETE => '/constraint/no', 404 ],
    [ POST => '/nowhere', 404 ], [ POST => '/status', 405 ],
    [ POST => '/read/constraint', 403 ],
    [ POST => '/constraint/unload/c', 200 ],
    [ GET => '/constraint/metadata/c', 200 ],
    [ POST => '/constraint', 400 ], [ PUT => '/constraint/c', 400 ],
    [ POST => '/constraints', 400 ], [ POST => '/constraints?x=1', 400 ],
    [ POST => '/workflow', 400 ], [ POST => '/workflow/check', 400 ],
    [ POST => '/constraint/execute/c', 400 ],
    [ POST => '/constraint', 415, { 'Content-Type' => 'text/plain' } ],
    [ PUT => '/constraint/c', 400, { 'If-Match' => 'x' } ],
    [ GET => '/constraint/c', 200, {}, 400000 ],
    [ POST => '/nowhere', 404, {}, 400000 ])
{
    my ($method, $path, $want, $headers, $size) = @$case;

    for my $chunked (0, 1) {
        my $c = $t->connect();
        my $shown = "$method $path" . ($chunked ? ', chunked' : '');
        my $body = $evil . 'x' x ($size // 0);

        $c->send($method, $path, body => $body, chunked => $chunked,
            headers => $headers);
        $c->send('GET', '/constraint/c?revision=');

        my $r = $c->read_response(head => $method eq 'HEAD');
        is($r && $r->status, $want, $shown);

        if (!$c->closed(0.05) || length($c->{buffer})) {
            $r = $c->read_response();
            is($r && $r->status, 400, 'then the next request, no other');

        } else {
            pass('closed');
        }
    }
}

is(($t->api('GET', '/constraint/c'))[0], 200, 'no body was a request');

# an answer keeps the connection where that is safe

my $c = $t->connect();
for my $path ('/constraint/none', '/nowhere', '/constraint', '/constraint/c',
    '/constraint/c?x')
{
    my $r = $c->request('GET', $path);
    ok($r, "GET $path, one connection");
}
is($c->request('GET', '/status')->status, 200, 'still the same one');

# lengths that lie

my $good = '{"message_type":"%s","subject_id":"*","dsl_workflow_id":"w",'
    . '"constraint_metadata":{}}';

sub raw {
    my ($text, %opt) = @_;
    my $c = $t->connect();
    $c->write($text);
    $c->shutdown() if $opt{shutdown};
    return ($c->read_response(timeout => 5), $c);
}

my $body = sprintf($good, 'short');
my ($r, $rest) = raw("POST /constraint HTTP/1.1\r\nHost: x\r\n"
    . "Content-Length: 20\r\n\r\n$body");
is($r->status, 400, 'Content-Length shorter than the body');
is($r->json->{code}, 'MalformedJson', 'what it has is read');
$r = $rest->read_response(timeout => 5);
ok(!$r || $r->status == 400, 'the rest is no request');
ok($rest->closed(5), 'the connection is closed');

$body = sprintf($good, 'long');
($r) = raw("POST /constraint HTTP/1.1\r\nHost: x\r\nContent-Length: "
    . (length($body) + 1) . "\r\n\r\n$body", shutdown => 1);
ok(!$r || $r->status == 400, 'Content-Length longer than the body, closed');
is(($t->api('GET', '/constraint/long'))[0], 404, 'nothing is stored');

($r, $rest) = raw("POST /constraint HTTP/1.1\r\nHost: x\r\nContent-Length: "
    . (length($body) + 1) . "\r\n\r\n$body");
is($r && $r->status, 408, 'longer than the body, waiting');
is($r->json->{code}, 'BodyTimeout', 'its code');
ok($rest->closed(5), 'the connection is closed');
is(($t->api('GET', '/constraint/long'))[0], 404, 'nothing is stored');

for my $length ('-1', 'x', '1 1', '99999999999999999999', '5, 5', '0x10') {
    ($r) = raw("POST /constraint HTTP/1.1\r\nHost: x\r\n"
        . "Content-Length: $length\r\n\r\n{}");
    is($r->status, 400, "Content-Length: $length is nginx's");
}

($r) = raw("POST /constraint HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n"
    . "Content-Length: 6\r\n\r\n{}    ");
is($r->status, 400, 'two lengths');

($r, $rest) = raw("POST /constraints HTTP/1.1\r\nHost: x\r\n"
    . "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n"
    . "0\r\n\r\n$evil");
is($r->status, 400, 'a length and chunks');
ok($rest->closed(5), 'the connection is closed');

# chunks

($r) = raw("POST /constraints HTTP/1.1\r\nHost: x\r\n"
    . "Transfer-Encoding: chunked\r\n\r\n1;a=b\r\n{\r\n1\r\n}\r\n0\r\n\r\n");
is($r->status, 200, 'chunks');

for my $chunk ("z\r\n{}", "-1\r\n{}", "ffffffffffffffffff\r\n{}",
    "2\r\n{}x\r\n0\r\n\r\n", "2\r\n{}0\r\n\r\n")
{
    ($r, $rest) = raw("POST /constraints HTTP/1.1\r\nHost: x\r\n"
        . "Transfer-Encoding: chunked\r\n\r\n$chunk$evil");
    is($r && $r->status, 400, 'a broken chunk: ' . json(substr($chunk, 0, 9)));
    is($r->json->{code}, 'BodyUnreadable', 'its code') or diag($r->body);
    ok($rest->closed(5), 'the connection is closed');
}

($r, $rest) = raw("POST /constraints HTTP/1.1\r\nHost: x\r\n"
    . "Transfer-Encoding: gzip, chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n$evil");
ok($r->status == 501 || $r->status == 400, 'an unknown transfer encoding');
is(($t->api('GET', '/constraint/c'))[0], 200, 'no chunk was a request');

# Expect

sub expect {
    my ($path, $length, %opt) = @_;
    my $c = $t->connect();
    $c->write("POST $path HTTP/1.1\r\nHost: x\r\nContent-Length: $length\r\n"
        . "Expect: 100-continue\r\n\r\n");
    return $c;
}

$c = expect('/constraints', 2);
like($c->interim(5) // '', qr/^HTTP\/1.1 100 /, '100 Continue');
$c->write('{}');
is($c->read_response()->status, 200, 'then the answer');
is($c->request('GET', '/constraint/c')->status, 200, 'and the connection');

for my $case ([ '/constraints', 99999999, 413 ], [ '/nowhere', 5, 404 ],
    [ '/status', 5, 405 ], [ '/read/constraint', 5, 403 ])
{
    my ($path, $length, $want) = @$case;
    my $c = expect($path, $length);
    is($c->interim(0.3), undef, "$want without 100 Continue");
    is($c->read_response()->status, $want, "POST $path");
    $c->write($evil);
    my $more = $c->read_response(timeout => 2);
    ok(!$more, 'what follows is not answered');
}

# slow

$body = sprintf($good, 'slow');
$c = $t->connect();
$c->write("POST /constraint HTTP/1.1\r\nHost: x\r\nContent-Length: "
    . length($body) . "\r\n\r\n");
for my $byte (split(//, $body)) {
    $c->write($byte);
    select(undef, undef, undef, 0.002);
}
is($c->read_response()->status, 201, 'a body byte by byte');

# abandoned

for my $way ('close', 'reset') {
    for my $part (0, 1, 50, 4096) {
        my $c = $t->connect();
        $c->write("POST /constraint HTTP/1.1\r\nHost: x\r\n"
            . "Content-Length: 100000\r\n\r\n" . ' ' x $part);
        $c->$way();
    }

    my $c = $t->connect();
    $c->write("POST /constraints HTTP/1.1\r\nHost: x\r\n"
        . "Content-Length: 2\r\n\r\n{}");
    $c->$way();
}

is(($t->api('GET', '/status'))[0], 200, 'after abandoned bodies');

# other things in the request

for my $case ([ "GET /status HTTP/1.0\r\n\r\n", 200, 'HTTP/1.0' ],
    [ "GET http://other/status HTTP/1.1\r\nHost: x\r\n\r\n", 200,
        'an absolute URI' ],
    [ "GET /status HTTP/1.1\r\n\r\n", 400, 'no Host' ],
    [ "TRACE /status HTTP/1.1\r\nHost: x\r\n\r\n", 405, 'TRACE' ],
    [ "CONNECT /status HTTP/1.1\r\nHost: x\r\n\r\n", 405, 'CONNECT' ],
    [ "get /status HTTP/1.1\r\nHost: x\r\n\r\n", 400, 'lower case' ],
    [ "GET /status\0 HTTP/1.1\r\nHost: x\r\n\r\n", 400, 'NUL' ],
    [ 'GET /status?' . 'x' x 20000 . " HTTP/1.1\r\nHost: x\r\n\r\n", 414,
        'a long URI' ])
{
    my ($text, $want, $what) = @$case;
    ($r) = raw($text);
    is($r && $r->status, $want, $what);
}

# HTTP/2

my $h = $t->h2(port => 'H2');

$r = $h->request('POST', '/constraints', body => '{}');
is($r->status, 200, 'h2: an upload without a length');
is($r->header('cache-control'), 'no-store', 'the same header');
$r = $h->request('POST', '/constraints', body => '{}',
    headers => { 'content-length' => 2 });
is($r->status, 200, 'h2: with a length');
$r = $h->request('POST', '/constraints', body => '{}',
    headers => { 'content-length' => 3 });
isnt($r->status, 200, 'h2: with a length that lies');

$h = $t->h2(port => 'H2');
$r = $h->request('POST', '/constraint', body => sprintf($good, 'h2'));
is($r->status, 201, 'h2: a write');
is($h->request('GET', '/constraint/h2')->status, 200, 'h2: a read');
$r = $h->request('POST', '/constraint', body => '');
is($r->status, 400, 'h2: an empty body');
is($r->json->{code}, 'EmptyBody', 'its code');
$r = $h->request('POST', '/nowhere', body => $evil);
is($r->status, 404, 'h2: a body that nobody wants');
$r = $h->request('GET', '/constraint/c', body => $evil);
is($r->status, 200, 'h2: a body on GET');
$r = $h->request('HEAD', '/constraint/c');
is($r->status, 200, 'h2: HEAD');
is($r->body, '', 'no body');
$r = $h->request('DELETE', '/constraint');
is($r->status, 405, 'h2: 405');
is($r->header('allow'), 'POST, OPTIONS', 'with Allow');
$r = $h->request('POST', '/constraint', body => 'x' x 300000);
is($r->status, 413, 'h2: too large') or diag(json([ $r->{reset} ]));

$h = $t->h2(port => 'H2');
my $id = $h->start('POST', '/constraint', end => 0);
$h->data($id, sprintf($good, 'h2half'), 0);
$h->frame(3, 0, $id, pack('N', 8));
is($h->request('GET', '/constraint/h2half')->status, 404,
    'h2: a stream that was reset stores nothing');

my @ids = map { $h->start('POST', '/constraints', end => 0) } 1 .. 20;
$h->data($_, '{}', 1) for reverse @ids;
is(scalar(grep { $h->read($_)->status == 200 } @ids), 20,
    'h2: twenty at once');

is(($t->api('GET', '/constraint/c'))[0], 200, 'all is as before');
