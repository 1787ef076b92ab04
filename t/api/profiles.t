#!/usr/bin/perl

# Copyright (C) ngx_http_constraint_module authors
# SPDX-License-Identifier: BSD-2-Clause
#
# GET /profiles, GET, PUT and DELETE /profiles/{name}: what is built in, what
# is configured, what is stored, and who uses it.

use warnings;
use strict;

use FindBin;
use JSON::PP;
use Test::More;

use lib "$FindBin::RealBin/../lib";
use Test::Constraint;

my ($true, $false) = (JSON::PP::true, JSON::PP::false);

my $t = Test::Constraint->new()->conf(<<'END')->run();
%%GLOBALS%%
events { }
http {
    %%GLOBALS_HTTP%%
    constraint_zone z:8m path=%%TESTDIR%%/store;
    constraint_profile_define gold max_exec_ms=7.5 memory_limit_bytes=64k
                              breaker.violations=20 breaker.window_ms=10000
                              breaker.open_ms=5000;
    server {
        listen 127.0.0.1:%%PORT%%;
        location / { constraint_api z; }
        location /r { constraint_api z prefix=/r allow=read; }
    }
}
END

# built in

my %presets = (
    fast_rule => { max_exec_ms => 5, cpu_shares => 10,
        memory_limit_bytes => 1048576, fail_closed_on_timeout => $true,
        observational => $false },
    semantic_rule => { max_exec_ms => 100, cpu_shares => 50,
        memory_limit_bytes => 10485760, fail_closed_on_timeout => $false,
        max_retries => 2, retry_backoff_ms => 10, observational => $false },
    wasm_hook => { max_exec_ms => 10, cpu_shares => 20,
        memory_limit_bytes => 5242880, fail_closed_on_timeout => $true,
        max_retries => 2, retry_backoff_ms => 10, observational => $false },
    observational => { max_exec_ms => 2, cpu_shares => 5,
        memory_limit_bytes => 524288, sampling_rate => 1,
        fail_closed_on_timeout => $false, observational => $true },
);

for my $name (sort keys %presets) {
    my ($status, $data, $headers) = $t->api('GET', "/profiles/$name");
    is($status, 200, "$name is there");
    is(json($data->{data}), json({ %{$presets{$name}}, name => $name,
        source => 'preset' }), "$name, value by value");
    is($headers->{etag}, undef, "$name has no tag");
}

is(api('GET', '/profiles/fast_rule', undef, { 'If-None-Match' => '*' }), 304,
    'If-None-Match: * of one that is there');
is(api('GET', '/profiles/fast_rule', undef, { 'If-Match' => '"1"' }), 412,
    'no tag matches one without');
is(api('GET', '/profiles/fast_rule', undef, { 'If-Match' => '*' }), 200,
    'but * does');

# configured

my ($status, $data, $headers) = $t->api('GET', '/profiles/gold');
is(json($data->{data}), json({ name => 'gold', source => 'configuration',
    max_exec_ms => 7.5, memory_limit_bytes => 65536, observational => $false,
    breaker => { violations => 20, window_ms => 10000, open_ms => 5000,
    effect => 'deny', half_open_probes => 1 } }), 'one of the configuration');

for my $name (qw(fast_rule gold)) {
    for my $call ([ 'PUT', { max_exec_ms => 1 } ], [ 'DELETE' ]) {
        ($status, $data) = $t->api($call->[0], "/profiles/$name", $call->[1]);
        is($status, 409, "$call->[0] of $name is refused");
        is($data->{code}, 'ProfileReadOnly', 'by its code');
        like($data->{error}, qr/"$name" is (?:built in|defined in)/,
            'and says why');
    }
}

# stored

is(api('GET', '/profiles/silver'), 404, 'there is none yet');
is($data->{code}, 'NotFound', 'its code');
like($data->{error}, qr/no profile of that name/, 'its words');
is(api('DELETE', '/profiles/silver'), 404, 'none to delete');
is(api('PUT', '/profiles/silver', {}, { 'If-Match' => '*' }), 412,
    'none to update');
is(api('PUT', '/profiles/silver', {}, { 'If-Match' => '"7"' }), 412,
    'by no tag');

is(api('PUT', '/profiles/silver', { max_exec_ms => 0.25, cpu_shares => 0,
    description => 'text' }, { 'If-None-Match' => '"7"' }), 201, 'created');
is(json($data), json({ success => $true, data => {
    message => 'Profile registered', id => 'silver' } }), 'the answer');
is($headers->{location}, '/profiles/silver', 'its Location');
like($headers->{etag}, qr/^"\d+"$/, 'its ETag');
my $etag = $headers->{etag};

is(api('PUT', '/profiles/silver', {}, { 'If-None-Match' => '*' }), 412,
    'it is there: If-None-Match: * does not hold');
is(api('PUT', '/profiles/silver', {}, { 'If-Match' => '"901", W/"902"' }), 412,
    'other tags do not hold');
is($headers->{etag}, $etag, 'and are told the present one');

is(api('GET', '/profiles/silver'), 200, 'read');
is($headers->{etag}, $etag, 'the same tag');
my $read = $data->{data};
is(delete $read->{$_} ? 1 : 0, 1, "it has $_")
    for qw(revision created_at updated_at);
is(json($read), json({ name => 'silver', source => 'stored',
    max_exec_ms => 0.25, cpu_shares => 0, observational => $false,
    description => 'text' }), 'what was given');
is(api('GET', '/profiles/silver', undef, { 'If-None-Match' => $etag }), 304,
    'not modified');
is($t->request('HEAD', '/profiles/silver')->status, 200, 'HEAD');

is(api('PUT', '/profiles/silver', { sampling_rate => 1, name => 'silver' },
    { 'If-Match' => $etag }), 200, 'replaced');
is(json($data), json({ success => $true, message => 'Profile updated' }),
    'the answer');
isnt($headers->{etag}, $etag, 'another tag');
api('GET', '/profiles/silver');
is($data->{data}{max_exec_ms}, undef, 'as a whole');
is($data->{data}{description}, undef, 'description and all');

# methods and rights

for my $row ([ 'POST', '/profiles/silver', 'GET, HEAD, PUT, DELETE, OPTIONS' ],
    [ 'POST', '/profiles', 'GET, HEAD, OPTIONS' ],
    [ 'PATCH', '/profiles/gold', 'GET, HEAD, PUT, DELETE, OPTIONS' ])
{
    is(api($row->[0], $row->[1], {}), 405, "$row->[0] $row->[1]");
    is($headers->{allow}, $row->[2], 'what is allowed');
}

is(api('GET', '/r/profiles'), 200, 'the right to read');
is(api('PUT', '/r/profiles/x', {}), 403, 'is none to write');
is(api('DELETE', '/r/profiles/x'), 403, 'or delete');

# names

for my $name ('check', 'a%20b', 'x' x 256) {
    is(api('PUT', "/profiles/$name", {}), 400,
        'no name: ' . substr($name, 0, 9));
    is($data->{code}, 'InvalidField', 'told so');
    is($data->{details}[0]{path}, 'name', 'where');
    like($data->{error}, qr/URI must be 1 to 255 of/, 'and what would be');
}

is(api('GET', '/profiles/' . 'x' x 256), 404, 'too long a name');
is(api('PUT', '/profiles/' . 'x' x 255, {}), 201, 'as long as it may be');
is(api('DELETE', '/profiles/' . 'x' x 255), 200, 'and gone');

# the list

api('PUT', '/profiles/bronze', { max_exec_ms => 3 });
is(api('GET', '/profiles'), 200, 'the list');
is(join(' ', map { $_->{name} } @{$data->{data}}), 'bronze fast_rule gold '
    . 'observational semantic_rule silver wasm_hook', 'all, by name');
is($data->{next}, undef, 'on one page');

my (@names, $cursor);

for (1 .. 10) {
    api('GET', '/profiles?limit=2&fields=name'
        . ($cursor ? "&cursor=$cursor" : ''));
    push @names, map { $_->{name} } @{$data->{data}};
    $cursor = $data->{next} or last;
}

is(join(' ', @names), 'bronze fast_rule gold observational semantic_rule '
    . 'silver wasm_hook', 'page by page');

api('GET', '/profiles?sort=-max_exec_ms&limit=3');
is(join(' ', map { $_->{name} } @{$data->{data}}),
    'semantic_rule wasm_hook gold', 'sorted by a field');
is(api('GET', '/profiles?filter=x'), 400, 'an unknown argument');

# users

$t->api('POST', '/workflow', { name => 'w',
    rule => { match => [ { output => 'true' } ] } });

my %record = (subject_id => '*', dsl_workflow_id => 'w',
    constraint_metadata => {});

is(api('POST', '/constraint', { %record, message_type => 'a',
    profile => 'nothing' }), 422, 'a profile that is not there');
is($data->{code}, 'UnknownProfile', 'its code');
is($data->{details}[0]{path}, '$.profile', 'its path');
is(api('GET', '/constraint/a'), 404, 'and nothing is stored');

is(api('POST', '/constraint', { %record, message_type => $_,
    profile => 'silver' }), 201, "$_ names it") for qw(a b);
is(api('POST', '/constraint', { %record, message_type => 'c',
    profile => 'fast_rule' }), 201, 'a preset may be named');
is(api('POST', '/constraint', { %record, message_type => 'd',
    profile => 'gold' }), 201, 'and one of the configuration');
api('GET', '/constraint/a');
is($data->{data}{profile}, 'silver', 'it is in the record');

is(api('PUT', '/constraint/c', { profile => 'nothing' }), 422,
    'a change to one that is not there');
is(api('DELETE', '/profiles/silver'), 409, 'in use');
is($data->{code}, 'ProfileInUse', 'its code');
is(json($data->{details}), json([ { constraint => 'a' },
    { constraint => 'b' } ]), 'by whom');
like($data->{error}, qr/used by 2 constraint/, 'how many');

is(api('PUT', '/constraint/a', { profile => 'bronze' }), 200, 'another one');
is(api('DELETE', '/constraint/b'), 200, 'one user is deleted');
is(api('DELETE', '/profiles/silver'), 200, 'so it can go');
is(json($data), json({ success => $true, message => 'Profile deleted' }),
    'the answer');
is(api('GET', '/profiles/silver'), 404, 'and is gone');
is(api('DELETE', '/profiles/bronze'), 409, 'the other is in use');
is(api('PUT', '/constraint/a', { profile => undef }), 200, 'null: none');
api('GET', '/constraint/a');
ok(!exists $data->{data}{profile}, 'it names none');
is(api('DELETE', '/profiles/bronze'), 200, 'so that goes, too');

# who samples and blocks says what happens to the rest, with the profile

api('PUT', '/profiles/half', { sampled_out_effect => 'deny' });
is(api('PUT', '/constraint/a', { profile => 'half',
    execution => { sampling_rate => 0.5 } }), 200, 'its profile says it');
is(api('PUT', '/constraint/a', { profile => undef }), 400, 'nobody says it');
is($data->{details}[0]{path}, '$.execution.sampled_out_effect', 'its path');
is(api('PUT', '/constraint/a', { profile => 'fast_rule' }), 400,
    'that one does not say it');
is(api('PUT', '/profiles/half', { cpu_shares => 3 }), 409,
    'a user would be left without');
is(json($data->{details}), json([ { constraint => 'a' } ]), 'which');
is(api('PUT', '/profiles/half', { observational => $true }), 200,
    'what never blocks needs none');
is(api('PUT', '/constraint/a', { profile => 'observational' }), 200,
    'neither does the preset');

# what never blocks by its profile is not told to deny beside it

my %breaker = (violations => 3, window_ms => 1000, open_ms => 1000);

for my $row (
    [ 'breaker.effect', breaker => { %breaker, effect => 'deny' } ],
    [ 'fail_closed_on_timeout', fail_closed_on_timeout => $true ],
    [ 'sampled_out_effect', sampled_out_effect => 'deny' ])
{
    my ($path, %execution) = @$row;

    for my $profile (qw(observational half)) {
        is(api('PUT', '/constraint/a', { profile => $profile,
            execution => { %execution } }), 400, "$path beside $profile");
        is($data->{details}[0]{path}, "\$.execution.$path", 'its path');
        like($data->{details}[0]{message}, qr/^contradicts observational/,
            'why');
    }

    is(api('PUT', '/constraint/a', { profile => 'half',
        execution => { %execution, observational => $false } }), 200,
        "$path of one that does block");
    is(api('PUT', '/constraint/a', { profile => 'half',
        execution => undef }), 200, 'and back');
}

is(api('PUT', '/constraint/a', { profile => 'observational',
    execution => { breaker => { %breaker } } }), 200,
    'a breaker that does not say what it does');

for my $effect (qw(allow shadow)) {
    is(api('PUT', '/constraint/a', { execution =>
        { breaker => { %breaker, effect => $effect } } }), 200, $effect);
}

is(api('PUT', '/profiles/other', {}), 201, 'another profile');
is(api('PUT', '/constraint/a', { profile => 'other',
    execution => { breaker => { %breaker, effect => 'deny' } } }), 200,
    'beside that one it may');
is(api('PUT', '/constraint/a', { profile => 'observational' }), 400,
    'the profile alone is given');
is(api('PUT', '/profiles/other', { observational => $true }), 200,
    'a profile becomes harmless, with all that use it');
is(api('PUT', '/constraint/a', { constraint_metadata => {} }), 200,
    'which can still be written to');
is(api('PUT', '/constraint/a', { profile => 'observational',
    execution => undef }), 200, 'and be made right');
is(api('DELETE', '/profiles/other'), 200, 'so that it goes');

# bodies

for my $row (
    [ '', 'EmptyBody' ], [ '[]', 'InvalidField', '$' ],
    [ '{', 'MalformedJson' ], [ '{"max_exec_ms": NaN}', 'MalformedJson' ],
    [ '{"max_exec_ms": 1e999}', 'MalformedJson' ],
    [ '{"max_exec_ms": 1, "max_exec_ms": 2}', 'DuplicateKey' ],
    [ '{"name": "other"}', 'InvalidField', '$.name' ],
    [ '{"name": 5}', 'InvalidField', '$.name' ],
    [ '{"description": 5}', 'InvalidField', '$.description' ],
    [ '{"revision": 5}', 'InvalidField', '$.revision' ],
    [ '{"source": "stored"}', 'InvalidField', '$.source' ],
    [ '{"created_at": ""}', 'InvalidField', '$.created_at' ],
    [ '{"execution": {}}', 'InvalidField', '$.execution' ],
    [ '{"max_exec_ms": 0}', 'InvalidField', '$.max_exec_ms' ],
    [ '{"breaker": {"violations": 1}}', 'InvalidField',
        '$.breaker.window_ms' ],
    [ '{"sampling_rate": 0.5}', 'InvalidField', '$.sampled_out_effect' ])
{
    my $r = $t->request('PUT', '/profiles/bad', body => $row->[0],
        headers => { 'Content-Type' => 'application/json' });
    is($r->status, 400, "refused: $row->[0]");
    is($r->json->{code}, $row->[1], $row->[1]);
    is($r->json->{details}[0]{path}, $row->[2], "at $row->[2]") if $row->[2];
}

is(api('GET', '/profiles/bad'), 404, 'nothing of it is stored');


sub api {
    my ($method, $path, $body, $more) = @_;

    ($status, $data, $headers) = $t->api($method, $path, $body,
        headers => $more // {});
    return $status;
}

