#!/usr/bin/perl

# Copyright (C) ngx_http_constraint_module authors
# SPDX-License-Identifier: BSD-2-Clause
#
# POST /constraint, GET, PUT and DELETE /constraint/{message_type}: each row,
# what the record keeps, what is refused and where.

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

my %record = (message_type => 'a.b:c_d-1', subject_id => 'alice',
    dsl_workflow_id => 'w', constraint_metadata => { x => 1, y => [ 2 ] });

my ($status, $data, $headers) = $t->api('POST', '/constraint', \%record);
is($status, 422, 'a constraint of a workflow that is not there: 422');
is($data->{code}, 'UnknownWorkflow', 'its code');
is($data->{details}[0]{path}, '$.dsl_workflow_id', 'its path');
is($data->{success}, JSON::PP::false, 'success is false');
like($data->{error}, qr/dsl_workflow_id/, 'the error names it');

workflow('w');
workflow('w2');

# create

($status, $data, $headers) = $t->api('POST', '/constraint', \%record);
is($status, 201, 'created');
is(json($data), json({ success => JSON::PP::true, data => {
    message => 'Constraint registered', id => 'a.b:c_d-1' } }),
    'the answer, word by word');
like($headers->{etag}, qr/^"[1-9]\d*"$/, 'an ETag');
is($headers->{location}, '/constraint/a.b:c_d-1', 'a Location');
is($headers->{'content-type'}, 'application/json', 'it is JSON');
is($headers->{'cache-control'}, 'no-store', 'not to be stored');
ok(defined $headers->{'content-length'}, 'with a length');

my $etag = $headers->{etag};

($status, $data, $headers) = $t->api('POST', '/constraint', \%record);
is($status, 409, 'again: 409');
is($data->{code}, 'AlreadyExists', 'its code');
is($headers->{etag}, undef, 'without an ETag');

# read

($status, $data, $headers) = $t->api('GET', $etag ? '/constraint/a.b:c_d-1'
    : '');
is($status, 200, 'read');
is($headers->{etag}, $etag, 'the same ETag');

my $read = $data->{data};
is($read->{$_}, $record{$_}, "it keeps $_")
    for qw(message_type subject_id dsl_workflow_id);
is(json($read->{constraint_metadata}), json($record{constraint_metadata}),
    'it keeps the metadata');
is($read->{enabled}, JSON::PP::true, 'it is enabled');
is("\"$read->{revision}\"", $etag, 'its revision is the tag');
like($read->{created_at}, qr/^20\d\d-\d\d-\d\dT/, 'when it was created');
is($read->{updated_at}, $read->{created_at}, 'and updated');

is(($t->api('GET', '/constraint/A.B:c_d-1'))[0], 404, 'names have case');

# update

($status, $data, $headers) = $t->api('PUT', '/constraint/a.b:c_d-1',
    { description => 'text', constraint_metadata => { z => 3 } });
is($status, 200, 'updated');
is(json($data), json({ success => JSON::PP::true,
    message => 'Constraint updated' }), 'the answer, word by word');
isnt($headers->{etag}, $etag, 'a new ETag');

($status, $data) = $t->api('GET', '/constraint/a.b:c_d-1');
is($data->{data}{description}, 'text', 'the given key is there');
is(json($data->{data}{constraint_metadata}), '{"z":3}',
    'a given top-level key replaces');
is($data->{data}{subject_id}, 'alice', 'others stay');
is($data->{data}{created_at}, $read->{created_at}, 'the birthday stays');

($status) = $t->api('PUT', '/constraint/a.b:c_d-1',
    { message_type => 'a.b:c_d-1', enabled => JSON::PP::false });
is($status, 200, 'its own message type may be given');

($status, $data) = $t->api('PUT', '/constraint/a.b:c_d-1',
    { message_type => 'other' });
is($status, 400, 'another one may not');
is($data->{details}[0]{path}, '$.message_type', 'its path');

($status, $data) = $t->api('PUT', '/constraint/a.b:c_d-1',
    { dsl_workflow_id => 'nowhere' });
is($status, 422, 'nor a workflow that is not there');

($status) = $t->api('PUT', '/constraint/a.b:c_d-1',
    { dsl_workflow_id => 'w2', timeout_ms => 20, on_error => 'allow',
      default_effect => 'allow', subject_id => '*' });
is($status, 200, 'all the others');

is(($t->api('PUT', '/constraint/nowhere', {}))[0], 404,
    'what is not there is not updated');
is(($t->api('PUT', '/constraint/a.b:c_d-1', {}))[0], 200,
    'nothing to change is no error');

# delete

($status, $data) = $t->api('DELETE', '/constraint/a.b:c_d-1');
is($status, 200, 'deleted');
is(json($data), json({ success => JSON::PP::true,
    message => 'Constraint deleted' }), 'the answer, word by word');

($status, $data) = $t->api('DELETE', '/constraint/a.b:c_d-1');
is($status, 404, 'once');
is($data->{code}, 'NotFound', 'its code');
is(($t->api('GET', '/constraint/a.b:c_d-1'))[0], 404, 'it is gone');

(undef, undef, $headers) = $t->api('POST', '/constraint', \%record);
isnt($headers->{etag}, $etag, 'a revision is never used again');


# wrong values: field, value, and what is said

my $long = 'x' x 256;
my @wrong = (
    [ message_type => 5 ], [ message_type => '' ], [ message_type => $long ],
    [ message_type => 'a/b' ], [ message_type => 'a b' ],
    [ message_type => "\x{e9}" ], [ message_type => 'execute' ],
    [ message_type => 'metadata' ], [ message_type => 'unload' ],
    [ message_type => 'check' ], [ message_type => 'off' ],
    [ message_type => '.' ], [ message_type => '..' ],
    [ message_type => undef ], [ message_type => [ 'a' ] ],
    [ subject_id => 5 ], [ subject_id => '' ], [ subject_id => $long ],
    [ subject_id => "a\nb" ], [ subject_id => undef ],
    [ subject_id => 'role:admin' ], [ subject_id => 'group:x' ],
    [ dsl_workflow_id => {} ], [ dsl_workflow_id => undef ],
    [ dsl_workflow_id => 'a/b' ], [ dsl_workflow_id => '..' ],
    [ constraint_metadata => [] ], [ constraint_metadata => 'x' ],
    [ constraint_metadata => undef ],
    [ constraint_metadata => { x => 'x' x 65536 } ],
    [ description => 5 ], [ enabled => 'yes' ], [ enabled => 1 ],
    [ default_effect => 'maybe' ], [ default_effect => JSON::PP::true ],
    [ on_error => 'deny ' ], [ timeout_ms => -1 ], [ timeout_ms => 0 ],
    [ timeout_ms => 1.5 ], [ timeout_ms => '5' ], [ timeout_ms => 1e9 ],
    [ revision => 5 ], [ created_at => 'now' ], [ updated_at => 'now' ],
    [ unknown => 1 ],
);

for my $case (@wrong) {
    my ($field, $value) = @$case;
    my $text = substr(json($value), 0, 20);

    ($status, $data) = $t->api('POST', '/constraint',
        { %record, message_type => 'new', $field => $value });
    is($status, 400, "POST with $field $text");
    is($data->{details}[0]{path}, "\$.$field", 'the path');

    next if $field eq 'message_type';

    ($status, $data) = $t->api('PUT', '/constraint/a.b:c_d-1',
        { $field => $value });
    is($status, 400, "PUT with $field $text");
    is($data->{details}[0]{path}, "\$.$field", 'the path');
}

is(($t->api('GET', '/constraint/new'))[0], 404, 'none of them was stored');
($status, $data) = $t->api('GET', '/constraint/a.b:c_d-1');
is($data->{data}{subject_id}, 'alice', 'nor half of one');

for my $field (qw(message_type subject_id dsl_workflow_id
    constraint_metadata))
{
    my %less = %record;
    delete $less{$field};
    ($status, $data) = $t->api('POST', '/constraint', \%less);
    is($status, 400, "POST without $field");
    is($data->{details}[0]{path}, "\$.$field", 'the path');
}

# limits from inside

my $most = 'm' x 255;
is(($t->api('POST', '/constraint', { %record, message_type => $most,
    subject_id => 's' x 255, constraint_metadata => { x => 'x' x 65000 } }))
    [0], 201, 'the longest names and 64 KiB of metadata');
($status, $data) = $t->api('GET', "/constraint/$most");
is(length($data->{data}{constraint_metadata}{x}), 65000, 'all of it is kept');

($status, $data) = $t->api('POST', '/constraint',
    '{"message_type":"numbers","subject_id":"*","dsl_workflow_id":"w",'
    . '"constraint_metadata":{"max":9223372036854775807,'
    . '"min":-9223372036854775808,"t":"\u00e9\u20ac\ud83d\ude00"}}');
is($status, 201, 'numbers of 64 bits');
my $text = $t->get('/constraint/numbers')->body;
like($text, qr/"max":9223372036854775807,/, 'the largest');
like($text, qr/"min":-9223372036854775808,/, 'the smallest');
like($text, qr/"t":"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80"/, 'any character');

for my $number ('0.1', '-1.5', '1e+300', '2.5e-10', '0.30000000000000004',
    '123456789.125', '100.0', '-0.0', '1.7976931348623157e+308')
{
    ($status) = $t->api('PUT', '/constraint/numbers',
        "{\"constraint_metadata\":{\"x\":$number}}");
    is($status, 200, "the number $number");
    like($t->get('/constraint/numbers')->body, qr/"x":\Q$number\E\}/,
        'is given back as it was');
}

my $odd = join('', map { chr($_) } 1 .. 127, 0xe9, 0x20ac, 0x1f600);
($status) = $t->api('PUT', '/constraint/numbers',
    { constraint_metadata => { $odd => [ $odd, {}, [] ] } });
is($status, 200, 'every character');
is(json(($t->api('GET', '/constraint/numbers'))[1]{data}
    {constraint_metadata}), json({ $odd => [ $odd, {}, [] ] }),
    'is given back as it was');


sub workflow {
    my ($name) = @_;
    my ($status) = $t->api('POST', '/workflow',
        { name => $name, rule => { match => [ { output => 'true' } ] } });
    is($status, 201, "workflow $name");
}
