#!/usr/bin/perl

# Copyright (C) ngx_http_constraint_module authors
# SPDX-License-Identifier: BSD-2-Clause
#
# If-Match and If-None-Match: lists, *, W/, and the race they
# are for.  nginx's own filter must not turn a committed write into a 412.

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

$t->api('POST', '/workflow', { name => 'w', rule => { match => [
    { output => 'true' } ] } });

my %record = (message_type => 'c', subject_id => '*', dsl_workflow_id => 'w',
    constraint_metadata => {});

sub tag_of {
    my ($path) = @_;
    return ($t->api('GET', $path))[2]{etag};
}

sub with {
    my ($method, $path, $headers, $body) = @_;
    return $t->api($method, $path, $body, headers => $headers);
}

my ($status, $data, $headers);

# create

is((with('POST', '/constraint', { 'If-None-Match' => '*' }, \%record))[0],
    201, 'create with If-None-Match: *');
($status, $data) = with('POST', '/constraint', { 'If-None-Match' => '*' },
    \%record);
is($status, 412, 'again: 412, not 409');
is($data->{code}, 'PreconditionFailed', 'its code');

# update: what is sent, with T for the present tag and O for an older one

my $old = tag_of('/constraint/c');
is(($t->api('PUT', '/constraint/c', {}))[0], 200, 'a newer revision');

for my $case (
    [ 'If-Match', 'T', 200 ], [ 'If-Match', 'W/T', 200 ],
    [ 'If-Match', '*', 200 ], [ 'If-Match', ' * ', 200 ],
    [ 'If-Match', 'O', 412 ], [ 'If-Match', 'W/O', 412 ],
    [ 'If-Match', 'O, T', 200 ], [ 'If-Match', 'T,O', 200 ],
    [ 'If-Match', '"x", T', 200 ], [ 'If-Match', ',, T ,', 200 ],
    [ 'If-Match', 'O, "999999"', 412 ], [ 'If-Match', '"x"', 412 ],
    [ 'If-Match', '""', 412 ], [ 'If-Match', '"0"', 412 ],
    [ 'If-Match', '"18446744073709551615"', 412 ],
    [ 'If-Match', '"18446744073709551614"', 412 ],
    [ 'If-Match', '"99999999999999999999999"', 412 ],
    [ 'If-Match', '"0T', 412 ],
    [ 'If-Match', 'x', 400 ], [ 'If-Match', '5', 400 ],
    [ 'If-Match', '"5', 400 ], [ 'If-Match', 'T O', 400 ],
    [ 'If-Match', '', 400 ], [ 'If-Match', ',', 400 ],
    [ 'If-Match', '*, T', 400 ], [ 'If-Match', 'w/T', 400 ],
    [ 'If-None-Match', 'T', 412 ], [ 'If-None-Match', 'O', 200 ],
    [ 'If-None-Match', '*', 412 ], [ 'If-None-Match', 'W/T, O', 412 ],
    [ 'If-None-Match', '"x"', 200 ], [ 'If-None-Match', 'x', 400 ])
{
    my ($name, $text, $want) = @$case;
    my $now = tag_of('/constraint/c');
    my $bare = $now =~ s/^"//r;
    my $value = $text;

    $value =~ s/"0T/"0$bare/;
    $value =~ s/\bT\b/$now/g;
    $value =~ s/\bO\b/$old/g;

    ($status, $data, $headers) = with('PUT', '/constraint/c',
        { $name => $value }, { description => "by $text" });
    is($status, $want, "PUT with $name: $text");

    my $after = tag_of('/constraint/c');

    if ($want == 200) {
        isnt($after, $now, 'it was written');
        is($headers->{etag}, $after, 'the new tag');

    } else {
        is($after, $now, 'nothing was written');
        is($headers->{etag}, $want == 412 ? $now : undef, 'the present tag');
        is($data->{code}, $want == 412 ? 'PreconditionFailed'
            : 'InvalidHeader', 'its code');
    }
}

my $r = $t->request('PUT', '/constraint/c', body => '{}', headers => {
    'If-Match' => [ tag_of('/constraint/c'), '"1"' ] });
is($r->status, 400, 'nginx refuses two fields of the name');

my $both = tag_of('/constraint/c');
is((with('PUT', '/constraint/c', { 'If-Match' => $both,
    'If-None-Match' => '"1"' }, {}))[0], 200, 'both hold');
$both = tag_of('/constraint/c');
is((with('PUT', '/constraint/c', { 'If-Match' => $both,
    'If-None-Match' => $both }, {}))[0], 412, 'one of them does not');

is((with('PUT', '/constraint/none', { 'If-Match' => $both }, {}))[0], 404,
    'what is not there is 404');
is((with('PUT', '/constraint/none', { 'If-None-Match' => '"5"' }, {}))[0],
    404, 'so it is');

# reading

my $tag = tag_of('/constraint/c');
$r = $t->get('/constraint/c', headers => { 'If-None-Match' => $tag });
is($r->status, 304, 'GET: not modified');
is($r->body, '', 'without a body');
is($r->header('ETag'), $tag, 'with its tag');
$r = $t->get('/constraint/c', headers => { 'If-None-Match' => "W/$tag" });
is($r->status, 304, 'weakened');
$r = $t->get('/constraint/c', headers => { 'If-None-Match' => $old });
is($r->status, 200, 'GET: modified');
$r = $t->get('/constraint/c', headers => { 'If-Match' => $old });
is($r->status, 412, 'GET: If-Match');
is($r->json->{code}, 'PreconditionFailed', 'in our words');
$r = $t->get('/constraint/c', headers => { 'If-Match' => $tag });
is($r->status, 200, 'GET: If-Match that holds');
$r = $t->get('/workflow/w', headers => { 'If-None-Match' =>
    tag_of('/workflow/w') });
is($r->status, 304, 'a workflow: not modified');
$r = $t->get('/workflow/w', headers => { 'If-Match' => '"x"' });
is($r->status, 412, 'a workflow: If-Match');

# other conditions of HTTP are not ours, and do not touch a write

$r = $t->request('PUT', '/constraint/c', body => '{}', headers => {
    'If-Unmodified-Since' => 'Sat, 01 Jan 2000 00:00:00 GMT',
    'If-Modified-Since' => 'Sat, 01 Jan 2050 00:00:00 GMT',
    'Range' => 'bytes=0-3', 'If-Range' => $tag });
is($r->status, 200, 'dates and ranges are not looked at');
$r = $t->get('/constraint/c', headers => { Range => 'bytes=0-3' });
is($r->status, 200, 'an answer is never cut');
ok($r->json, 'it is whole');

# delete

is((with('DELETE', '/constraint/c', { 'If-Match' => $old }))[0], 412,
    'DELETE of an older one');
is((with('DELETE', '/workflow/w', { 'If-Match' => '"1234567"' }))[0], 412,
    'DELETE of another workflow');
is((with('DELETE', '/constraint/c', { 'If-Match' =>
    tag_of('/constraint/c') }))[0], 200, 'DELETE of the present one');

# the race: of many writers with one tag, one wins

$t->api('POST', '/constraint', \%record);

for my $list (0, 1) {
    my $now = tag_of('/constraint/c');
    my @clients = map { $t->connect() } 1 .. 8;

    for my $i (0 .. $#clients) {
        $clients[$i]->send('PUT', '/constraint/c',
            body => json({ description => "writer $i" }),
            headers => { 'If-Match' => $list ? "\"1\", $now" : $now });
    }

    my @got = map { $_->read_response()->status } @clients;
    is(scalar(grep { $_ == 200 } @got), 1, 'one writer wins');
    is(scalar(grep { $_ == 412 } @got), 7, 'all others are told');
}
