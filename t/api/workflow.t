#!/usr/bin/perl

# Copyright (C) ngx_http_constraint_module authors
# SPDX-License-Identifier: BSD-2-Clause
#
# POST /workflow, GET, PUT and DELETE /workflow/{id}, POST /workflow/check:
# revisions, users, diagnostics with positions in the document.

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

my %policy = (name => 'w', rule => { match => [
    { condition => "input.x == 1", output => "{'outcome': 'HOLD'}" },
    { output => "{'outcome': 'ALLOW'}" } ] });

my ($status, $data, $headers) = $t->api('POST', '/workflow', \%policy);
is($status, 201, 'registered');
is(json($data), json({ success => JSON::PP::true, data => {
    message => 'Workflow registered', id => 'w' } }),
    'the answer, word by word');
is($headers->{location}, '/workflow/w', 'a Location');
like($headers->{etag}, qr/^"[1-9]\d*"$/, 'an ETag');
my ($first) = $headers->{etag} =~ /(\d+)/;

is(($t->api('POST', '/workflow', \%policy))[0], 409, 'once');

($status, $data, $headers) = $t->api('GET', '/workflow/w');
is($status, 200, 'read');
is($data->{data}{name}, 'w', 'its name');
is($data->{data}{revision}, $first, 'its revision');
is($headers->{etag}, "\"$first\"", 'the same ETag');
is(json($data->{data}{document}), json(\%policy), 'the document');

# warnings: accepted, and told

my %warned = (name => 'warned', rule => { match => [
    { condition => "input.x == 1 && input.x == 2", output => "'A'" } ] });

($status, $data) = $t->api('POST', '/workflow', \%warned);
is($status, 201, 'a workflow with warnings is registered');
is(scalar(@{ $data->{data}{warnings} }), 1, 'the warning is told');
is($data->{data}{warnings}[0]{path}, 'rule.match[0].condition', 'where');
like($data->{data}{warnings}[0]{message}, qr/^this is always false: /, 'what');
like($data->{data}{warnings}[0]{excerpt}, qr/\^$/, 'with a caret');

($status, $data) = $t->api('POST', '/workflow/check', \%warned);
is($status, 200, 'it is checked');
ok($data->{data}{valid}, 'valid');
is_deeply($data->{data}{diagnostics}, [], 'without errors');
is(scalar(@{ $data->{data}{warnings} }), 1, 'with the warning');

$warned{rule}{match}[0]{condition} = 'input.x == 1 && 1 > 0';
($status, $data) = $t->api('PUT', '/workflow/warned', \%warned);
is($status, 200, 'updated');
is($data->{warnings}, undef, 'without warnings there is no list');

$warned{rule}{match}[0]{condition} = '1 > 0';
($status, $data) = $t->api('PUT', '/workflow/warned', \%warned);
is($data->{warnings}[0]{message}, 'the condition is always true',
    'a warning of an update');

is(($t->api('DELETE', '/workflow/warned'))[0], 200, 'deleted');

# revisions

$policy{description} = 'the second';
($status, $data, $headers) = $t->api('PUT', '/workflow/w', \%policy);
is($status, 200, 'a new revision');
is($data->{message}, 'Workflow updated', 'the answer');
my ($second) = $headers->{etag} =~ /(\d+)/;
cmp_ok($second, '>', $first, 'its number is higher');

($status, $data, $headers) = $t->api('GET', "/workflow/w?revision=$first");
is($status, 200, 'the old one can be read');
is($headers->{etag}, "\"$first\"", 'it says which it is');
is($data->{data}{document}{description}, undef, 'it has not changed');
is(($t->api('GET', "/workflow/w?revision=$second"))[1]{data}{document}
    {description}, 'the second', 'the new one also');
is(($t->api('GET', '/workflow/w?revision=999999'))[0], 404,
    'one that never was');
is(($t->api('GET', "/workflow/w?revision=$_"))[0], 400, "revision=$_")
    for 'x', '0', '-1', '', '99999999999999999999';

($status, $data) = $t->api('PUT', '/workflow/w', { %policy, name => 'v' });
is($status, 400, 'a workflow keeps its name');
is($data->{details}[0]{path}, '$.name', 'the path');
is($data->{details}[0]{message}, 'must be the name in the URI',
    'and that it cannot be left out');
is(($t->api('PUT', '/workflow/w', { rule => $policy{rule} }))[0], 422,
    'as it is needed');

for my $name ('.', '..', 'check') {
    ($status, $data) = $t->api('POST', '/workflow',
        { %policy, name => $name });
    is($status, 422, "a name that no path can have: $name");
    is($data->{details}[0]{path}, 'name', 'the path');
    ok(!($t->api('POST', '/workflow/check', { %policy, name => $name }))[1]
        {data}{valid}, 'a check says so, too');
}

is(($t->api('PUT', '/workflow/none', { %policy, name => 'none' }))[0], 404,
    'what is not there is not updated');

# use

for my $name (qw(a b)) {
    is(($t->api('POST', '/constraint', { message_type => $name,
        subject_id => '*', dsl_workflow_id => 'w',
        constraint_metadata => {} }))[0], 201, "constraint $name uses it");
}

($status, $data) = $t->api('DELETE', '/workflow/w');
is($status, 409, 'a workflow in use is not deleted');
is($data->{code}, 'WorkflowInUse', 'its code');
is(json([ sort map { $_->{constraint} } @{$data->{details}} ]), '["a","b"]',
    'its users');

is(($t->api('DELETE', "/constraint/$_"))[0], 200, "$_ is deleted")
    for qw(a b);
($status, $data) = $t->api('DELETE', '/workflow/w');
is($status, 200, 'then it can be');
is($data->{message}, 'Workflow deleted', 'the answer');
is(($t->api('DELETE', '/workflow/w'))[0], 404, 'once');
is(($t->api('GET', "/workflow/w?revision=$first"))[0], 404,
    'its revisions are gone, too');

# diagnostics, in JSON and in YAML

my $json = "{\n  \"name\": \"bad\",\n  \"rule\": {\"match\": [\n"
    . "    {\"condition\": \"1 +\", \"output\": \"true\"}\n  ]}\n}\n";

for my $path ('/workflow', '/workflow/check') {
    ($status, $data) = $t->api('POST', $path, $json);
    is($status, $path eq '/workflow' ? 422 : 200, "$path: syntax error");

    my $issue = $path eq '/workflow' ? $data->{details}[0]
        : $data->{data}{diagnostics}[0];
    is($issue->{line}, 4, 'its line in the document');
    cmp_ok($issue->{column}, '>', 19, 'its column in the document');
    like($issue->{path}, qr/^rule\.match\[0\]\.condition$/, 'its path');
    ok(length($issue->{message}), 'a message');
    like($issue->{excerpt}, qr/\^/, 'an excerpt with a caret');
}

($status, $data) = $t->api('POST', '/workflow', "name: y\nrule:\n  match:\n"
    . "    - condition: request.metod == 'GET'\n      output: 'true'\n",
    headers => { 'Content-Type' => 'application/yaml' });
is($status, 422, 'an unknown name in YAML');
is($data->{code}, 'InvalidWorkflow', 'its code');
is($data->{details}[0]{line}, 4, 'its line');

# headers that could not be set are found before a request asks for them

for my $headers ("'Host': 'x'", "'te': 'x'", "'x-a': 'b\\r\\nc: d'",
    "'x-a': '1', 'X_A': '2'")
{
    ($status, $data) = $t->api('POST', '/workflow', { name => 'y',
        rule => { match => [ { output =>
            "{'effect': 'allow', 'headers': {$headers}}" } ] } });
    is($status, 422, "headers {$headers}");
    is($data->{details}[0]{path}, 'rule.match[0].output', 'their path');
    ok($data->{details}[0]{line} && $data->{details}[0]{column},
        'line and column');
    like($data->{details}[0]{message}, qr/ in 'headers' /, 'what is wrong');
}

for my $type ('application/yaml', 'text/yaml', 'application/x-yaml',
    'text/yaml; charset=utf-8', 'Application/YAML')
{
    ($status, $data) = $t->api('POST', '/workflow/check',
        "name: y\nrule:\n  match:\n    - output: 'true'\n",
        headers => { 'Content-Type' => $type });
    is($status, 200, "$type is taken");
    is($data->{data}{valid}, JSON::PP::true, 'as YAML');
}

my @broken = ([ 'application/json', '{"name": "x"', 'MalformedJson' ],
    [ 'application/json', '{"name":"x","name":"y","rule":{}}', undef ],
    [ 'application/json', "\xff", undef ],
    [ 'application/yaml', "name: [x\n", 'MalformedYaml' ],
    [ 'application/yaml', "name: &a x\nrule: *a\n", undef ],
    [ 'application/yaml', "a: 1\n---\nb: 2\n", undef ]);

for my $case (@broken) {
    my ($type, $text, $code) = @$case;
    my $shown = json($text);

    for my $path ('/workflow', '/workflow/check') {
        ($status, $data) = $t->api('POST', $path, $text,
            headers => { 'Content-Type' => $type });
        is($status, 400, "POST $path: $shown");
        is($data->{code}, $code, 'the code') if $code;
        ok($data->{details}[0]{line}, 'with a line') if $code;
    }
}

for my $case ([ '[]' ], [ '"x"' ], [ '{}' ], [ '{"name":"x"}' ],
    [ '{"name":5,"rule":{"match":[{"output":"true"}]}}' ],
    [ '{"name":"x","rule":{"match":[{"output":"1"}]}}' ],
    [ '{"name":"x","rule":{"match":[]}}' ],
    [ '{"name":"x","rule":{"match":[{"output":"true"}]},"more":1}' ])
{
    ($status, $data) = $t->api('POST', '/workflow', $case->[0]);
    is($status, 422, "POST /workflow: $case->[0]");
    ok(scalar(@{$data->{details}}), 'with details');
}

($status, $data) = $t->api('POST', '/workflow',
    { %policy, name => 'no/name' });
is($status, 422, 'a name that is none');
is($data->{details}[0]{path}, 'name', 'the path');

# check

($status, $data) = $t->api('POST', '/workflow/check', { name => 'c',
    rule => { match => [ { condition => "request.method == 'GET'",
        output => "{'outcome': input.x}" } ] } });
is($status, 200, 'check');
$data = $data->{data};
is($data->{valid}, JSON::PP::true, 'valid');
is($data->{name}, 'c', 'its name');
is($data->{rules}, 1, 'how many rules');
like($data->{output_type}, qr/^map/, 'the type of its outputs');
is(json([ map { $_->{name} } @{$data->{facts}} ]),
    '["request.method","input"]', 'the facts it reads');
is($data->{facts}[0]{type}, 'string', 'their types');
cmp_ok($data->{cost}{min}, '>', 0, 'the least it costs');
cmp_ok($data->{cost}{max}, '>=', $data->{cost}{min}, 'the most');
is(json($data->{diagnostics}), '[]', 'nothing to say');
is(($t->api('GET', '/workflow/c'))[0], 404, 'nothing is stored');

my $contains = { name => 'c', rule => { match => [
    { output => "string(input).contains('x')" } ] } };
my $small = ($t->api('POST', '/workflow/check?body_bytes=100', $contains))
    [1]{data}{cost};
my $large = ($t->api('POST', '/workflow/check?body_bytes=100000', $contains))
    [1]{data}{cost};
is($large->{body_bytes}, 100000, 'the size it was estimated for');
ok(!defined $large->{max} || $large->{max} > $small->{max},
    'more bytes cost more');

# large ones

my @rules = map { { condition => "input.x == $_", output => "true" } }
    1 .. 9999;
($status, $data) = $t->api('POST', '/workflow', { name => 'large',
    rule => { match => [ @rules, { output => 'false' } ] } });
is($status, 201, '10,000 rules are taken') or diag(json($data));
($status, $data) = $t->api('POST', '/workflow', { name => 'larger',
    rule => { match => [ @rules, { condition => 'input.x == 0',
    output => 'true' }, { output => 'false' } ] } });
is($status, 422, 'one more is not');

($status, $data) = $t->api('POST', '/workflow', { name => 'long',
    rule => { match => [ { output => 'true' . ' || true' x 150000 } ] } });
is($status, 422, 'an expression of 1 MB is refused');
is($t->get('/status')->status, 200, 'the server goes on');

($status, $data) = $t->api('POST', '/workflow', { name => 'deep',
    rule => { match => [ { output => '(' x 1000 . 'true' . ')' x 1000 } ] }
    });
is($status, 422, '1,000 parentheses are refused');
is($t->get('/status')->status, 200, 'the server goes on');

($status, $data) = $t->api('POST', '/workflow', { name => 'regex',
    rule => { match => [ { condition => "request.path.matches('(a*)*b')",
    output => 'true' }, { output => 'false' } ] } });
is($status, 201, 'a regex that backtracks elsewhere is harmless');
for my $regex ('((a{1,100}){1,100}){1,100}', '(', '(?=a)', '\\\\1') {
    ($status, $data) = $t->api('POST', '/workflow', { name => 'regex2',
        rule => { match => [ { condition =>
        "request.path.matches('$regex')", output => 'true' },
        { output => 'false' } ] } });
    is($status, 422, "regex $regex is refused");
}

my $yaml = $t->post('/workflow', "name: big\n#" . '-' x (4 * 1024 * 1024),
    headers => { 'Content-Type' => 'application/yaml' });
is($yaml->status, 413, 'more than 4 MiB are not taken');
is($yaml->json->{code}, 'BodyTooLarge', 'its code');
