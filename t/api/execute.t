#!/usr/bin/perl

# Copyright (C) ngx_http_constraint_module authors
# SPDX-License-Identifier: BSD-2-Clause
#
# POST /constraint/execute/{message_type}: decisions over REST, and which
# failures are errors of the call.

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

workflow('w', variables => [ { name => 'value',
        expression => 'input.policy.value' } ],
    match => [
        { condition => "input.policy.type != 'ACCESS'",
          output => "{'outcome': 'DENY', 'message': 'only ACCESS policies', "
              . "'status': 451}" },
        { condition => 'variables.value > 5',
          output => "{'outcome': 'HOLD', 'message': 'over 5'}" },
        { output => "{'outcome': 'ALLOW', 'output': {'policy': input.policy, "
              . "'checked': true}}" } ]);

workflow('says', match => [
    { output => "{'outcome': 'DENY', 'message': input.text}" } ]);

constraint('c', 'w', subject_id => 'alice');
constraint('any', 'w');
constraint('says', 'says');

sub run_it {
    my ($name, $body, $args) = @_;
    return $t->api('POST', "/constraint/execute/$name"
        . ($args ? "?$args" : ''), $body);
}

sub policy { return { policy => { type => $_[0], value => $_[1] } } }

# decisions

my ($status, $data, $headers) = run_it('c', { subject_id => 'alice',
    input_data => policy('ACCESS', 3) });
is($status, 200, 'executed');
is($data->{success}, JSON::PP::true, 'success');
is(json($data->{output}),
    '{"checked":true,"policy":{"type":"ACCESS","value":3}}', 'the output');

my $d = $data->{decision};
is($d->{effect}, 'allow', 'its effect');
is($d->{outcome}, 'ALLOW', 'its outcome');
like($d->{id}, qr/^[0-9a-f]{32}$/, 'an id');
is($d->{rule}, 'rule.match[2]', 'the rule that matched');
cmp_ok($d->{$_}, '>', 0, "a $_")
    for qw(revision workflow_revision generation cost memory);
ok(defined $d->{time_us}, 'its time');
like($d->{where}, qr/^(?:inline|thread)$/, 'where it ran');
is(json($d->{violations}), '[]', 'no violations');
is($d->{error}, undef, 'no error');
is($d->{trace}, undef, 'no trace');
is($headers->{'content-type'}, 'application/json', 'it is JSON');
is($headers->{'cache-control'}, 'no-store', 'not to be stored');

($status, $data) = run_it('c', { subject_id => 'alice',
    input_data => policy('OTHER', 3) });
is($status, 200, 'a deny is an answer');
is($data->{success}, JSON::PP::true, 'and a success');
is($data->{decision}{effect}, 'deny', 'its effect');
is($data->{decision}{outcome}, 'DENY', 'its outcome');
is($data->{decision}{message}, 'only ACCESS policies', 'its message');
is($data->{decision}{status}, 451, 'its status is for the gate');

($status, $data) = run_it('any', { input_data => policy('ACCESS', 6) });
is($status, 200, 'without a subject where none is needed');
is($data->{decision}{outcome}, 'HOLD', 'an outcome of its own');
is($data->{decision}{effect}, 'deny', 'denies');
($status, $data) = run_it('any', { subject_id => 'bob',
    input_data => policy('ACCESS', 6) });
is($status, 200, 'any subject for "*"');

# errors of evaluation are decisions

for my $case ([ {} ], [ { input_data => undef } ], [ { input_data => 5 } ],
    [ { input_data => { policy => {} } } ])
{
    ($status, $data) = run_it('any', $case->[0]);
    is($status, 200, 'evaluation error: ' . json($case->[0]));
    is($data->{decision}{effect}, 'deny', 'denies');
    is($data->{decision}{error}{name}, 'EvaluationError', 'its name')
        or diag(json($data));
    ok(length($data->{decision}{error}{message}), 'its message');
    is($data->{output}, undef, 'no output');
}

workflow('status', match => [ { output =>
    "{'effect': 'deny', 'status': int(input)}" } ]);
constraint('status', 'status');
($status, $data) = run_it('status', { input_data => 200 });
is($status, 200, 'a forbidden status');
is($data->{decision}{error}{name}, 'EnforcementFailure', 'its name');
is($data->{decision}{effect}, 'deny', 'denies');

workflow('twice', match => [ { output =>
    "{'effect': 'allow', 'output': {1: input, '1': 2}}" } ]);
constraint('twice', 'twice');
($status, $data) = run_it('twice', { input_data => 1 });
is($status, 200, 'an output whose keys are the same in JSON');
is($data->{decision}{effect}, 'deny', 'denies');
like($data->{decision}{error}{message}, qr/keys 1 and '1' of a map are the/,
    'and says why');

# nothing matches

workflow('some', match => [ { condition => 'input == 1',
    output => 'true' } ]);
constraint('some', 'some');
constraint('some-allow', 'some', default_effect => 'allow');
is((run_it('some', { input_data => 2 }))[1]{decision}{effect}, 'deny',
    'nothing matches: deny');
is((run_it('some-allow', { input_data => 2 }))[1]{decision}{effect}, 'allow',
    'or as declared');
is((run_it('some', { input_data => 1 }))[1]{output}, JSON::PP::true,
    'a result that is no map is the output');

# explain

($status, $data) = run_it('any', { input_data => policy('ACCESS', 6) },
    'explain=1');
is($status, 200, 'explain');
my @trace = @{$data->{decision}{trace}};
cmp_ok(scalar(@trace), '>=', 3, 'each condition and variable');
ok((grep { json($_) =~ /rule\.match\[0\]/ } @trace), 'the first one')
    or diag(json(\@trace));
is(json((run_it('twice', {}, 'explain=1'))[1]{decision}{trace}), '[]',
    'no condition: an empty list');
is((run_it('any', {}, 'explain=0'))[1]{decision}{trace}, undef, 'not when 0');
is((run_it('any', {}, "explain=$_"))[0], 400, "explain=$_")
    for 2, 'x', '', 'true';

my $nested = { match => [ { condition => 'true', output => "'DEEP'" } ] };
$nested = { match => [ { condition => 'input.n == 1', rule => $nested } ] }
    for 1 .. 9;
workflow('nested', %$nested);
constraint('nested', 'nested');
@trace = @{(run_it('nested', { input_data => { n => 1 } },
    'explain=1'))[1]{decision}{trace}};
is($trace[8]{path}, 'rule.match[0]' . '.rule.match[0]' x 8 . '.condition',
    'a path of many nested rules is whole');

workflow('long', match => [ (map { { condition => "input.n == $_",
    output => 'false' } } 1 .. 2000), { output => 'true' } ]);
constraint('long', 'long', timeout_ms => 60000);
@trace = @{(run_it('long', { input_data => { n => 2001 } },
    'explain=1'))[1]{decision}{trace}};
my $last = pop @trace;
is(json($last), '{"omitted":' . (2000 - @trace) . '}',
    'a long one tells how many were left out');
cmp_ok(scalar(@trace), '>', 500, 'and has the others');
is($trace[-1]{path}, "rule.match[$#trace].condition", 'from the first on');

# who, and of which workflow

($status, $data) = run_it('c', { subject_id => 'bob', input_data => {} });
is($status, 403, 'another subject');
is($data->{code}, 'NotAssociated', 'its code');
($status, $data) = run_it('c', { input_data => {} });
is($status, 400, 'no subject where one is needed');
is($data->{code}, 'SubjectMissing', 'its code');
is($data->{details}[0]{path}, '$.subject_id', 'its path');
workflow('who', match => [ { condition => 'input.open', output => 'true' },
    { output => "subject.id == 'bob'" } ]);
constraint('who', 'who');
($status, $data) = run_it('who', { input_data => { open => JSON::PP::true } });
is($status, 200, 'for any, and no subject is read');
($status, $data) = run_it('who', { input_data => { open => JSON::PP::false } });
is($status, 400, 'for any, but the workflow reads the subject');
is($data->{code}, 'SubjectMissing', 'the same code');
like($data->{error}, qr/ or its workflow reads subject\.id$/, 'and why');
($status, $data) = run_it('who', { input_data => { open => JSON::PP::false },
    subject_id => 'bob' });
is($data->{decision}{effect}, 'allow', 'with one it is judged');

is((run_it('c', { subject_id => 'alic' }))[0], 403, 'a part of its name');
is((run_it('c', { subject_id => '*' }))[0], 403, 'a star');

($status, $data) = run_it('any', { dsl_workflow_id => 'w',
    input_data => policy('ACCESS', 3) });
is($status, 200, 'the workflow may be named');
($status, $data) = run_it('any', { dsl_workflow_id => 'some',
    input_data => policy('ACCESS', 3) });
is($status, 409, 'it is another one');
is($data->{code}, 'OtherWorkflow', 'its code');
is($data->{details}[0]{path}, '$.dsl_workflow_id', 'its path');

# there is none

for my $name ('none', 'x' x 300, 'a%20b', 'metadata') {
    ($status, $data) = run_it($name, {});
    is($status, 404, 'no constraint ' . substr($name, 0, 10));
    is($data->{code}, 'NotFound', 'its code');
}

is(($t->api('PUT', '/constraint/any', { enabled => JSON::PP::false }))[0],
    200, 'disabled');
($status, $data) = run_it('any', { input_data => policy('ACCESS', 3) });
is($status, 409, 'a disabled constraint is not executed');
is($data->{code}, 'ConstraintDisabled', 'its code');
is(($t->api('PUT', '/constraint/any', { enabled => JSON::PP::true }))[0],
    200, 'enabled');

# a change is seen at once

is((run_it('some', { input_data => 1 }))[1]{decision}{effect}, 'allow',
    'allowed');
my ($put) = $t->api('PUT', '/workflow/some', { name => 'some', rule => {
    match => [ { output => 'false' } ] } });
is($put, 200, 'another rule');
is((run_it('some', { input_data => 1 }))[1]{decision}{effect}, 'deny',
    'denied');

# bodies

for my $case (
    [ '', 'EmptyBody' ], [ '{', 'MalformedJson' ],
    [ '{"input_data":{"a":1', 'MalformedJson' ],
    [ '{"input_data":01}', 'MalformedJson' ],
    [ '{"input_data":1}x', 'MalformedJson' ],
    [ '{"input_data":18446744073709551616}', 'MalformedJson' ],
    [ '{"input_data":1e999}', 'MalformedJson' ],
    [ '{"input_data":"' . "\xff" . '"}', 'MalformedJson' ],
    [ '{"input_data":"' . "\0" . '"}', 'MalformedJson' ],
    [ '{"input_data":' . '[' x 100000 . '}', 'MalformedJson' ],
    [ '{"input_data":' . '[' x 70 . ']' x 70 . '}', 'MalformedJson' ],
    [ '{"input_data":{"a":1,"a":2}}', 'DuplicateKey' ],
    [ '{"input_data":{"a":1,"\u0061":2}}', 'DuplicateKey' ],
    [ '{"input_data":1,"input_data":2}', 'DuplicateKey' ],
    [ '{"subject_id":"a","subject\u005fid":"b"}', 'DuplicateKey' ],
    [ '[]', 'InvalidField', '$' ], [ '5', 'InvalidField', '$' ],
    [ 'null', 'InvalidField', '$' ], [ '"x"', 'InvalidField', '$' ],
    [ '{"input":1}', 'InvalidField', '$.input' ],
    [ '{"subject_id":5}', 'InvalidField', '$.subject_id' ],
    [ '{"subject_id":null}', 'InvalidField', '$.subject_id' ],
    [ '{"subject_id":""}', 'InvalidField', '$.subject_id' ],
    [ '{"subject_id":"a\u0000b"}', 'InvalidField', '$.subject_id' ],
    [ '{"subject_id":"' . 'x' x 256 . '"}', 'InvalidField',
        '$.subject_id' ],
    [ '{"dsl_workflow_id":[]}', 'InvalidField', '$.dsl_workflow_id' ],
    [ '{"a\u0000b":1}', 'InvalidField' ])
{
    my ($body, $code, $path) = @$case;
    my $shown = substr(json($body), 0, 60);

    # a small body is parsed at once, a large one in a thread

    for my $large (0, 1) {
        my $text = $large && length($body) ? $body . ' ' x 70000 : $body;
        ($status, $data) = run_it('any', $text);
        is($status, 400, ($large ? 'large: ' : '') . $shown);
        is($data->{code}, $code, 'its code') or diag(json($data));
        is($data->{details}[0]{path}, $path, 'its path') if $path;
    }
}

# what is cut out of the body arrives as it was

workflow('echo', match => [ { output => "{'effect': 'allow', "
    . "'output': [input]}" } ]);
constraint('echo', 'echo');

for my $value ('1', '-0.5', '1.5e3', 'true', 'null', '"a\\"b,}]"', '""',
    '[]', '{}', '[1,[2,{"x":"}"}]]', '{"a":{"b":[1,2]},"c":"]"}',
    '9223372036854775807', '18446744073709551615',
    '"\u00e9\ud83d\ude00"')
{
    for my $form ('{"input_data":%s}', " {\n\t\"input_data\" :\r\n %s\n } ",
        '{"subject_id":"x","input_data":%s,"dsl_workflow_id":"echo"}',
        '{"input\u005fdata":%s,"subject_id":"}"}')
    {
        my $body = sprintf($form, $value);
        my $r = $t->post('/constraint/execute/echo', $body);
        is($r->status, 200, json($body));
        my ($got) = $r->body =~ /"output":(.*),"decision"/s;
        is(eval { json(JSON::PP->new->allow_nonref->utf8->decode($got)) },
            json([ JSON::PP->new->allow_nonref->utf8->decode($value) ]),
            'comes out as it went in');
    }
}

my $items = join(',', map { "{\"n\":$_,\"text\":\"item number $_\"}" }
    1 .. 20000);
my $r = $t->post('/constraint/execute/any', '{"input_data":{"policy":{'
    . "\"type\":\"ACCESS\",\"value\":1},\"items\":[$items]}}");
is($r->status, 200, 'a large input');
is($r->json->{decision}{where}, 'thread', 'is judged in a thread');
is($r->json->{decision}{outcome}, 'ALLOW', 'rightly');

is($t->post('/constraint/execute/any', '{"input_data":"'
    . 'x' x (4 * 1024 * 1024) . '"}')->status, 413, 'over 4 MiB is too much');

# the facts of the call itself

workflow('facts', match => [ { output => "{'effect': 'allow', 'output': {"
    . "'method': request.method, 'path': request.path, "
    . "'header': request.headers['x-test'], 'subject': subject.id, "
    . "'type': constraint.message_type, "
    . "'meta': constraint.metadata.level}}" } ]);
constraint('facts', 'facts', constraint_metadata => { level => 7 });
($status, $data) = $t->api('POST', '/constraint/execute/facts',
    { subject_id => 'zoe' }, headers => { 'X-Test' => 'yes' });
is(json($data->{output}), json({ method => 'POST',
    path => '/constraint/execute/facts', header => 'yes', subject => 'zoe',
    type => 'facts', meta => 7 }), 'facts of the call');

# what JSON has to escape, at each place of a word of any length

for my $odd ("\x01", "\x1f", ' ', '"', '\\', "\x7f", "\x{e9}", "\x{20ac}",
    "\x{1f600}")
{
    my @texts = map { my $n = $_; map { 'a' x $_ . $odd . 'z' x ($n - $_) }
        0 .. $n } 0 .. 17;

    my ($status, $data) = run_it('says',
        { input_data => { text => join('|', @texts) } });

    is($data->{decision}{message}, join('|', @texts),
        sprintf('U+%04X comes back as it went', ord($odd)));
}

unlike($t->request('POST', '/constraint/execute/says',
        headers => { 'Content-Type' => 'application/json' },
        body => json({ input_data => { text => "abcdefg\x7f" x 9 } }))->body,
    qr/\x7f/, 'U+007F is escaped');

# a constraint for one subject, executed on and on over one connection

my $c = $t->connect();
my $good = 0;

for my $i (1 .. 200) {
    my $r = $c->request('POST', '/constraint/execute/any', body => json({
        input_data => policy('ACCESS', $i % 10) }));
    my $want = $i % 10 > 5 ? 'HOLD' : 'ALLOW';
    $good++ if $r && $r->json->{decision}{outcome} eq $want;
}

is($good, 200, 'many executions over one connection');


sub workflow {
    my ($name, %rule) = @_;
    my ($status, $data) = $t->api('POST', '/workflow',
        { name => $name, rule => \%rule });
    is($status, 201, "workflow $name") or diag(json($data));
}

sub constraint {
    my ($name, $workflow, %more) = @_;
    my ($status, $data) = $t->api('POST', '/constraint',
        { message_type => $name, subject_id => '*',
          dsl_workflow_id => $workflow, constraint_metadata => {}, %more });
    is($status, 201, "constraint $name") or diag(json($data));
}
