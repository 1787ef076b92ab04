#!/usr/bin/perl

# Copyright (C) ngx_http_constraint_module authors
# SPDX-License-Identifier: BSD-2-Clause
#
# once: no nginx in it
#
# constraintctl as a user meets it: what each command prints, where, and what
# it ends with.

use warnings;
use strict;

use FindBin;
use File::Temp qw(tempdir);
use JSON::PP;
use Test::More;

use lib "$FindBin::RealBin/lib";
use Test::Constraint;

my $ctl = Test::Constraint::build_dir() . '/constraintctl';
my $dir = tempdir(CLEANUP => 1);
my $fixtures = "$FindBin::RealBin/workflow";

my ($out, $err, $code);


# --- usage ------------------------------------------------------------------

run('');
is($code, 2, 'without a command');
like($err, qr/^usage: constraintctl COMMAND/, 'the usage on standard error');
is($out, '', 'and nothing on standard output');

run('', '--help');
is($code, 0, '--help');
like($out, qr/Exit status: 0 .*; 1 .*; 2 .*; 3 /s, 'tells the exit codes');

for my $command (qw(check eval test disasm help)) {
    run('', $command, '--help');
    is($code, 0, "$command --help");
    like($out, qr/^usage: constraintctl $command /, 'its usage');
    my $help = $out;
    run('', 'help', $command);
    is($out, $help, "help $command is the same");
}

run('', 'chekc');
is($code, 2, 'an unknown command');
like($err, qr/^constraintctl: no command "chekc"; constraintctl --help/,
    'and what would help');


# --- check ------------------------------------------------------------------

put('good.yaml', <<'END');
name: good
rule:
  match:
    - condition: request.path == '/' && nginx.var('x') == 'y'
      output: "'ALLOW'"
END

run('', 'check', "$dir/good.yaml");
is($code, 0, 'check of a good workflow');
like($out, qr/^\Q$dir\E\/good.yaml: OK$/m, 'OK');
like($out, qr/^  name: good$/m, 'its name');
like($out, qr/^  matches: 1$/m, 'its matches');
like($out, qr/^  output: string$/m, 'its output');
like($out, qr/^  facts: request\.path nginx\.var\('x'\)$/m, 'its facts');
like($out, qr/^  cost: \d+ at least, \d+ at most/m, 'its cost');

put('good.json', '{"name": "j", "rule": {"match": [{"output": "true"}]}}');
put('guess', slurp_file("$dir/good.json"));
put('bad.yaml', <<'END');
name: bad
rule:
  match:
    - condition: request.pth == '/'
      output: |
        {'outcome': 'X',
         'status': 200}
    - output: "1 +"
END

run('', 'check', "$dir/good.json", "$dir/guess", "$dir/bad.yaml");
is($code, 1, 'one of three is bad');
is(scalar(() = $out =~ /: OK$/mg), 2, 'the others are checked');
like($out, qr/^ERROR: \Q$dir\E\/bad\.yaml:4:18: .*'request\.pth'/m,
    'line, column, what');
like($out, qr/did you mean 'request\.path'\? \(rule\.match\[0\]\.condition\)$/m,
    'what may be meant, path');
like($out, qr/^ \|     - condition: request\.pth == '\/'\n \| \.{17}\^$/m,
    'excerpt and caret');
like($out, qr/^ERROR: \S+:7:10: 'status' is an integer from 400 to 599/m,
    'a position in a literal block');
like($out, qr/^ERROR: \S+:8:\d+: /m, 'every error is told');

put('warned.yaml', <<'END');
name: warned
rule:
  variables:
    - name: unused
      expression: "1"
    - name: _meant
      expression: "2"
    - name: explained
      expression: "'c'"
  match:
    - condition: request.method == 'A' || request.method != 'A'
      output: "'A'"
      explanation: variables.explained
    - condition: 1 > 2
      output: "'B'"
    - condition: "true"
      output: |
        now == null
          ? 'C' : 'D'
END

run('', 'check', "$dir/warned.yaml");
is($code, 0, 'a workflow with warnings is accepted');
like($out, qr/^\S+warned\.yaml: OK$/m, 'OK');
unlike($out, qr/^ERROR/m, 'without errors');
is(join(' ', $out =~ /^WARNING: \S+?warned\.yaml:(\d+:\d+):/mg),
    '11:58 14:18 18:13 4:13', 'each warning has its place');
like($out, qr/always true: every value .*match\[0\]\.condition\)$/m,
    'a condition that is always true, and where');
like($out, qr/the condition is always false: this match is never taken/,
    'a constant condition');
like($out, qr/timestamp and null are never equal/, 'values never equal');
like($out, qr/the variable "unused" is never used \(rule\.variables\[0\]\)$/m,
    'an unused variable');
like($out, qr/^ \|     - name: unused\n \| \.{12}\^$/m, 'excerpt and caret');

# outcomes that look like the one that allows

for my $row ([ "'allow'", 1 ], [ "{'outcome': 'Allow'}", 1 ],
    [ "{'message': 'x', 'outcome': 'allow'}", 1 ], [ "'ALLOW'", 0 ],
    [ "{'outcome': 'allow', 'effect': 'allow'}", 0 ],
    [ "{'effect': 'deny', 'outcome': 'allow'}", 0 ], [ "'allowed'", 0 ],
    [ "{'outcome': 'ALLOW'}", 0 ])
{
    my ($output, $warned) = @$row;

    put('nearly.yaml', "name: nearly\nrule:\n  match:\n"
        . "    - output: \"$output\"\n");
    run('', 'check', "$dir/nearly.yaml");

    is($code, 0, "$output is accepted");
    is(scalar(() = $out =~ /^WARNING: \S+: this outcome denies: only/mg),
        $warned, $warned ? 'with a warning' : 'without a warning');
}

# names that are the end of a fact's

for my $row ([ "headers['x'] == '1'", 'headers', 'request.headers' ],
    [ "req.method == 'GET'", 'req.method', 'request.method' ],
    [ "path.startsWith('/a')", 'path', 'request.path' ],
    [ "'a' in user.roles", 'user.roles', 'subject.roles' ],
    [ "id == '1'", 'id' ], [ 'body.x == 1', 'body' ],
    [ "a.b.method == ''", 'a' ])
{
    my ($condition, $name, $meant) = @$row;

    put('names.yaml', "name: names\nrule:\n  match:\n"
        . "    - output: \"$condition\"\n");
    run('', 'check', "$dir/names.yaml");

    like($out, qr/undeclared reference to '\Q$name\E' \(in container ''\)@{[
        $meant ? qr{, did you mean '\Q$meant\E'\?} : '']} \(rule/,
        "$condition: " . ($meant // 'nothing near'));
}

put('tab.yaml', "name: tab\nrule:\n\tmatch:\n    - output: 'true'\n");
run('', 'check', "$dir/tab.yaml");
is($code, 1, 'a tab is refused');
like($out, qr/:3:1: a tab, where YAML takes none; indent by spaces$/m,
    'and spaces are asked for');

put('shared.yaml', <<'END');
name: shared
rule:
  variables:
    - { name: method, expression: request.method }
    - { name: path, expression: request.path }
    - { name: lost, expression: request.path }
  match:
    - condition: variables.method == 'A' && variables.path.startsWith('/a')
      output: "'A'"
    - condition: variables.method == 'B' && variables.path.startsWith('/a')
      output: "'B'"
END

run('', 'check', "$dir/shared.yaml");
is(join(' ', $out =~ /^WARNING: .*the variable "(\w+)" is never used/mg),
    'lost', 'what matches share reads variables, too');

put('tabs.json', "{\"name\":\n\t\"x\"\n\t\"rule\": 1}");
run('', 'check', "$dir/tabs.json");
like($out, qr/:3:2: """ where "," or "}" should be$/m, 'JSON is read as JSON');

put('own.yaml', <<'END');
name: own
rule: { match: [ { output: "nginx.var('constraint_effect') == 'x'" } ] }
END
run('', 'check', "$dir/own.yaml");
is($code, 1, q(the module's own variables are refused));
like($out, qr/module's own variables/, 'and why');

run(slurp_file("$dir/good.yaml"), 'check', '-');
is($code, 0, 'check of standard input');
like($out, qr/^-: OK$/m, 'named -');

run('', 'check');
is($code, 2, 'check of nothing');

run('', 'check', "$dir/none.yaml", "$dir/good.yaml");
is($code, 3, 'a file that is not there');
like($err, qr/none\.yaml: No such file/, 'is named');
like($out, qr/good\.yaml: OK/, 'and the others are checked');

put('empty.yaml', '');
run('', 'check', "$dir/empty.yaml");
is($code, 1, 'an empty file');

put('binary', join('', map { chr } 0 .. 255));
run('', 'check', "$dir/binary");
is($code, 1, 'a binary file');
like($out, qr/:1:1: a NUL byte/, 'is told from text');


# --- eval -------------------------------------------------------------------

run('', 'eval', '1 + 2');
is($code, 0, 'eval');
is($out, "3\n", 'its value');

run('', 'eval', '--type', '--cost', '[1, 2].map(x, x * 2)');
like($out, qr/^\[2,4\]\ntype: list\(int\)\ncost: \d+\n$/, '--type --cost');

run('', 'eval', '--var', 'a={"b": [1, 2.5, "x"]}', '--var',
    'c.d=18446744073709551615', 'a.b[2] + string(c.d)');
is($out, qq("x18446744073709551615"\n), '--var, twice, one with a dot');

run('', 'eval', '--', '--1 == 1');
is($out, "true\n", 'an expression behind --');

run('', 'eval', "1 +\n  nope");
is($code, 1, 'an expression that does not check');
like($err, qr/^ERROR: <expression>:2:3: undeclared reference to 'nope'/,
    'position');
like($err, qr/\n \|   nope\n \| \.\.\^$/m, 'excerpt and caret');
like($err, qr/^a name has the value that --var NAME=JSON gives it$/m,
    'what would declare it');
is($out, '', 'and no value');

run('', 'eval', '1 / 0');
is($code, 1, 'an evaluation that fails');
like($err, qr/^ERROR: <expression>:1:3: divide by zero/, 'where and why');

for my $bad ([[], 'an EXPR is needed'], [['--var', 'x=1'], 'an EXPR'],
    [['--var'], 'needs NAME=JSON'], [['--var', 'x', '1'], 'needs NAME=JSON'],
    [['--var', '=1', '1'], 'needs NAME=JSON'],
    [['--var', 'x={', '1'], 'not JSON'],
    [['--var', 'x=text', '1'], q(text is in quotes: --var 'x="text"')],
    [['--var', 'x=1', '--var', 'x=2', '1'], 'twice'],
    [['--nope', '1'], 'no option "--nope"'], [['1', '2'], 'one expression'],
    [['--jsonl', '1'], 'standard input'])
{
    run('', 'eval', @{$bad->[0]});
    is($code, 2, "eval @{$bad->[0]}: usage");
    like($err, qr/\Q$bad->[1]\E/, $bad->[1]);
}


# --- eval --jsonl -----------------------------------------------------------

my @lines = (
    ['{"expr": "1 + 1"}',
        { value => { int64Value => '2' }, type => 'int' }],
    ['{"name": "n", "expr": "x + y", "typeEnv": [{"name": "x", "ident": '
        . '{"type": {"primitive": "UINT64"}}}, {"name": "y", "ident": '
        . '{"type": {"primitive": "UINT64"}}}], "bindings": {"x": {"value": '
        . '{"uint64Value": "18446744073709551614"}}, "y": {"value": '
        . '{"uint64Value": "1"}}}}',
        { value => { uint64Value => '18446744073709551615' },
            type => 'uint' }],
    ['{"expr": "b\'\\\\x00\\\\xff\'"}',
        { value => { bytesValue => 'AP8=' }, type => 'bytes' }],
    ['{"expr": "{\'a\': [1.5, null, true]}"}',
        { value => { mapValue => { entries => [{
            key => { stringValue => 'a' }, value => { listValue => {
                values => [{ doubleValue => 1.5 }, { nullValue => undef },
                    { boolValue => JSON::PP::true }] } } }] } },
            type => 'map(string, list(dyn))' }],
    ['{"expr": "[]"}', { value => { listValue => {} }, type => undef }],
    ['{"expr": "0.0 / 0.0"}', { value => { doubleValue => 'NaN' },
        type => 'double' }],
    ['{"expr": "-1.0 / 0.0"}', { value => { doubleValue => '-Infinity' },
        type => 'double' }],
    ['{"expr": "type(x)", "bindings": {"x": {"value": {"objectValue": '
        . '{"@type": "type.googleapis.com/google.protobuf.Duration", '
        . '"value": "1.5s"}}}}}',
        { value => { typeValue => 'google.protobuf.Duration' },
            type => undef }],
    ['{"expr": "x", "bindings": {"x": {"value": {"objectValue": {"@type": '
        . '"type.googleapis.com/google.protobuf.Struct", "value": '
        . '{"k": [1, "s"]}}}}}}',
        { value => { mapValue => { entries => [{
            key => { stringValue => 'k' }, value => { listValue => {
                values => [{ doubleValue => 1 }, { stringValue => 's' }]
            } } }] } }, type => 'dyn' }],
    ['{"expr": "timestamp(\'2024-01-02T03:04:05.5Z\')"}',
        { value => { objectValue => { '@type' =>
            'type.googleapis.com/google.protobuf.Timestamp',
            value => '2024-01-02T03:04:05.5Z' } }, type => undef }],
    ['{"expr": "a.b.c", "container": "x.y", "bindings": {"x.y.a.b.c": '
        . '{"value": {"stringValue": "in"}}}}',
        { value => { stringValue => 'in' }, type => 'dyn' }],
    ['{"expr": "[1].all(x, x > 0)", "disableMacros": true}', 'check|parse'],
    ['{"expr": "1 + \'a\'", "disableCheck": true}', 'eval'],
    ['{"expr": "1 + \'a\'"}', 'check', 1, 3],
    ['{"expr": "f(x, 2)", "checkOnly": true, "typeEnv": [{"name": "x", '
        . '"ident": {"type": {"typeParam": "T"}}}, {"name": "f", "function": '
        . '{"overloads": [{"params": [{"typeParam": "K"}, {"typeParam": '
        . '"elem"}], "resultType": {"abstractType": {"name": "pair", '
        . '"parameterTypes": [{"typeParam": "elem"}, {"typeParam": "K"}]}}}]'
        . '}}]}', { type => 'pair(int, dyn)' }],
    ['{"expr": "f()", "typeEnv": [{"name": "f", "function": {"overloads": '
        . '[{"resultType": {"dyn": {}}}]}}]}', 'eval'],
    ['{"expr": "1", "typeEnv": [{"name": "f", "function": {"overloads": '
        . '[{"params": [{}], "isInstanceFunction": true}, {"params": [], '
        . '"isInstanceFunction": true}]}}]}', 'check'],
    ['{"expr": "A.B + 1", "typeEnv": [{"name": "A.B", "ident": {"type": '
        . '{"primitive": "INT64"}, "value": {"int64Value": "2"}}}]}',
        { value => { int64Value => '3' }, type => 'int' }],
    ['{"expr": "ip(\'::1\')"}', { value => { stringValue => '::1' },
        type => 'net.IP' }],
    ['{"expr": "1 +"}', 'parse', 1, 4],
    ['{"expr": "\\n 1 / 0"}', 'eval', 2, 4],
    ['{"expr": "x", "typeEnv": [{"name": "x", "ident": {"type": '
        . '{"primitive": "STRING"}}}]}', 'eval'],
    ['', 'parse'],
    ['nope', 'parse'],
    ['[]', 'parse'],
    ['{}', 'parse'],
    ['{"expr": 1}', 'parse'],
    ['{"expr": "x", "bindings": {"x": {}}}', 'check'],
    ['{"expr": "x", "bindings": {"x": {"value": {"int64Value": "x"}}}}',
        'check'],
    ['{"expr": "x", "bindings": {"x": {"value": {"bytesValue": "%"}}}}',
        'check'],
    ['{"expr": "x", "bindings": {"x": {"value": {"objectValue": {"@type": '
        . '"type.googleapis.com/x.Y"}}}}}', 'check'],
    ['{"expr": "x", "bindings": 1}', 'parse'],
    ['{"expr": "1", "typeEnv": {}}', 'parse'],
    ['{"expr": "1", "type_env": 1}', 'parse'],
    ['{"expr": "1", "container": 1}', 'parse'],
    ['{"expr": "1", "name": []}', 'parse'],
    ['{"expr": "1 + \'a\'", "disableCheck": "true"}', 'parse'],
    ['{"expr": "1", "disableMacros": 1}', 'parse'],
    ['{"expr": "1", "checkOnly": {}}', 'parse'],
    ['{"expr": "1", "disableCheck": false, "disableMacros": false}',
        { value => { int64Value => '1' }, type => 'int' }],
    ['{"expr": "1", "expr": "2"}', 'parse'],
    ['{"expr": "x", "bindings": {"x": {"value": {"int64Value": "1"}}, "x": '
        . '{"value": {"int64Value": "2"}}}}', 'parse'],
    ['{"expr": "x", "typeEnv": [1, null, {}]}', 'check'],
    ['{"expr": "' . '(' x 100000 . '"}', 'parse'],
    ['[' x 100000, 'parse'],

    # protobuf's JSON: either name of a field, numbers of enums, integers with
    # an exponent, a null is a field that is not set

    ['{"expr": "x + m[0]", "type_env": [{"name": "x", "ident": {"type": '
        . '{"primitive": 2}}}, {"name": "m", "ident": {"type": {"list_type": '
        . '{"elem_type": {"primitive": "INT64"}}}}}], "bindings": {'
        . '"x": {"value": {"int64_value": "1e3"}}, "m": {"value": '
        . '{"list_value": {"values": [{"int64Value": 5.0}]}}}}}',
        { value => { int64Value => '1005' }, type => 'int' }],
    ['{"expr": "x", "typeEnv": [{"name": "x", "ident": {"type": '
        . '{"well_known": 2}}}], "check_only": true}',
        { type => 'timestamp' }],
    ['{"expr": "x", "container": null, "typeEnv": null, "bindings": {"x": '
        . '{"value": {"stringValue": null, "uint64Value": "2.5e1"}}}}',
        { value => { uint64Value => '25' }, type => 'dyn' }],
    ['{"expr": "x", "bindings": {"x": {"value": {"null_value": null}}}}',
        { value => { nullValue => undef }, type => 'dyn' }],
    ['{"expr": "[].map(x, x)", "disable_macros": true}', 'check'],
    ['{"expr": "x", "bindings": {"x": {"value": {"int64Value": "1.5"}}}}',
        'check'],
    ['{"expr": "x", "bindings": {"x": {"value": {"int64Value": " 1"}}}}',
        'check'],
    ['{"expr": "x", "bindings": {"x": {"value": {"int64Value": "1e19"}}}}',
        'check'],
    ['{"expr": "x", "typeEnv": [{"name": "x", "ident": {"type": '
        . '{"primitive": 9}}}]}', 'check'],
    ['{"expr": "true"}',
        { value => { boolValue => JSON::PP::true }, type => 'bool' }],
);

run(join('', map { "$_->[0]\n" } @lines), 'eval', '--jsonl');
is($code, 0, 'eval --jsonl ends well, whatever the lines held');
is($err, '', 'in silence');

my @answers = map { JSON::PP->new->utf8->decode($_) } split(/\n/, $out);
is(scalar(@answers), scalar(@lines), 'an answer for every line');

my $i = 0;

for my $line (@lines) {
    my ($text, $want, @position) = @$line;
    my $answer = $answers[$i++];
    my $name = length($text) > 60 ? substr($text, 0, 60) . '...' : $text;

    if (ref($want)) {
        is_deeply($answer->{value}, $want->{value}, $name)
            or diag(encode_json($answer));
        is($answer->{type}, $want->{type}, 'its type') if $want->{type};
        like($answer->{cost}, qr/^\d+$/, 'its cost') if $want->{value};
        next;
    }

    like($answer->{error}{kind}, qr/^(?:$want)$/, "$name: $want")
        or diag(encode_json($answer));
    ok(length($answer->{error}{message}), 'with a message');
    is_deeply([@{$answer->{error}}{qw(line column)}], \@position, 'where')
        if @position;
}


# --- test -------------------------------------------------------------------

for my $suite (qw(nested inputs aggregate)) {
    run('', 'test', "$fixtures/$suite.yaml", "$fixtures/$suite.tests.yaml");
    is($code, 0, "the suite $suite passes") or diag("$out$err");
    my $count = () = $out =~ /^ok \d+ - /mg;
    like($out, qr/^1\.\.$count$/m, "$count tests of TAP");
}

run('', 'test', "$fixtures/nested.yaml", "$fixtures/failing.tests.yaml");
is($code, 1, 'a suite that fails');
is(scalar(() = $out =~ /^not ok \d+ - failing \/ /mg), 6, 'all of it');
like($out, qr/^not ok 2 - failing \/ result \\# where/m, 'names are escaped');
like($out, qr/^#   expected "first", got "last" of rule\.match\[2\]$/m,
    'expected and got');
like($out, qr/^#   expected no result, got "last"/m, 'no result expected');
like($out, qr/^#   expected "last", got no result$/m, 'no result got');
like($out, qr/^#   rule\.match\[0\]\S*: n is not given by the test$/m,
    'an error, and where');
like($out, qr/^#   an error was expected: boom$/m, 'an error expected');
like($out, qr/^#   expected the error: boom, got: n is not/m, 'another');

put('suite.yaml', <<'END');
section:
  - name: a
    tests:
      - name: b
        inputs: {}
        output: { value: 1 }
END

run('', 'test', "$dir/good.yaml", "$dir/suite.yaml");
is($code, 1, 'a broken suite');
like($err, qr/^ERROR: \S+suite.yaml:5:9: a test has no key "inputs"/m, 'why');
like($out, qr/^Bail out! \S+suite.yaml is broken$/m, 'bails out');

put('suite.yaml', <<'END');
section:
  - name: a
    tests:
      - name: b
        input: { request.size: { value: large } }
        output: { value: 1 }
END

run('', 'test', "$dir/good.yaml", "$dir/suite.yaml");
like($err, qr/:5:\d+: request\.size is int, the test gives something else/,
    'an input of the wrong type');

for (
    ['{ input: {value: {a: 1}}, input.a: {value: 2} }',
        qr/:5:42: "input" is given, too, and holds this name/,
        'an input inside of another'],
    ['{ x.y: {value: 2}, x: {expr: "{}"} }',
        qr/:5:18: "x" is given, too/, 'in whatever order'],
    ['{ request: {value: {headers: {}}}, request.headers.x: {value: a} }',
        qr/:5:51: "request" is given, too/, 'of a part of a fact'],
    ['{ "a b": {value: 2} }', qr/:5:18: "a b" is no name that an expression/,
        'an input that nothing can read'],
    ['{ .a: {value: 2} }', qr/:5:18: "\.a" has a part without a name/,
        'without a first part'],
    ['{ request.: {value: 2} }', qr/:5:18: "request\." has a part without/,
        'without a last part'],
    ['{ request..method: {value: 2} }',
        qr/:5:18: "request\.\.method" has a part without/, 'without another'],
    ['{ 1x.a: {value: 2} }', qr/:5:18: "1x\.a" is no name/, 'with a digit'])
{
    my ($input, $message, $name) = @$_;

    put('suite.yaml', <<"END");
section:
  - name: a
    tests:
      - name: b
        input: $input
        output: { value: 1 }
END

    run('', 'test', "$dir/good.yaml", "$dir/suite.yaml");
    is($code, 1, "$name: refused");
    like($err, $message, "$name: where and why");
    like($out, qr/^Bail out! \S+suite.yaml is broken$/m, "$name: the suite");
}

put('request.yaml', <<'END');
name: request
rule:
  match:
    - output: "request.method == 'GET' && request.headers.x == 'a'"
END

put('suite.yaml', <<'END');
section:
  - name: a
    tests:
      - name: b
        input:
          request: { value: { method: GET } }
          request.headers.x: { value: a }
        output: { value: true }
END

run('', 'test', "$dir/request.yaml", "$dir/suite.yaml");
is($code, 0, 'a fact beside others of its root') or diag($out, $err);

put('imports.yaml', <<'END');
name: imports
imports:
  - name: " google.protobuf.Duration "
  - name: google.protobuf.Int32Value
rule:
  match:
    - condition: "wait > Duration{seconds: 60}"
      output: "'LONG'"
    - condition: "Int32Value{value: 3} == 3 && 1 / int(dyn(0)) == 1"
      output: "'NEVER'"
END

put('suite.yaml', <<'END');
name: imports
sections:
  - name: a
    description: sections, as the protobuf form has it
    tests:
      - name: long
        input: { wait: { expr: "duration('2m')" } }
        output: "'LO' + 'NG'"
      - name: one of the errors
        input: { wait: { expr: "duration('1s')" } }
        output: { error_set: ["no such overload", "by zero"] }
END

run('', 'test', "$dir/imports.yaml", "$dir/suite.yaml");
is($code, 0, 'imports, sections, an error set, an output as text')
    or diag($out, $err);

put('suite.yaml', <<'END');
section:
  - name: it does not compile
    tests:
      - name: as expected
        output: { error_set: ["overlapping", "undeclared reference to 'a'"] }
END

put('refused.yaml', <<'END');
name: refused
rule:
  match:
    - output: a == 1
END

run('', 'test', "$dir/refused.yaml", "$dir/suite.yaml");
is($code, 0, 'a policy that has to be refused, and is') or diag($err);
is($out, "ok 1 - it does not compile / as expected\n1..1\n", 'a test');

put('suite.yaml', <<'END');
section:
  - name: it does not compile
    tests:
      - name: as expected
        output: { error: "undeclared reference to 'a'" }
      - name: for another reason
        output: { error: "overlapping" }
END

run('', 'test', "$dir/refused.yaml", "$dir/suite.yaml");
is($code, 1, 'a policy that is refused for another reason');
like($out, qr/^Bail out! /m, 'bails out');

run('', 'test', "$dir/bad.yaml", "$fixtures/nested.tests.yaml");
is($code, 1, 'a broken policy');
like($err, qr/^ERROR: \S+bad\.yaml:4:/m, 'why');

put('empty.yaml', "description: none\nsection:\n- name: a\n  tests: []\n");
run('', 'test', "$dir/good.yaml", "$dir/empty.yaml");
is($code, 1, 'a suite without a test has not passed');
like($err, qr/empty\.yaml has no tests/, 'and says so');

for my $command (qw(check test)) {
    run('', $command, '--nosuch', "$dir/good.yaml");
    is($code, 2, "$command: an unknown option");
    like($err, qr/no option "--nosuch"/, 'is named');
}

run('', 'test', "$dir/good.yaml");
is($code, 2, 'test of a policy alone');

run('', 'test', "$dir/good.yaml", "$dir/none.yaml");
is($code, 3, 'a suite that is not there');


# --- disasm -----------------------------------------------------------------

run('', 'disasm', '--var', 'x=1', 'x + 1 > 2');
is($code, 0, 'disasm');
cmp_ok(scalar(split(/\n/, $out)), '>', 1, 'instructions, one a line');

run('', 'disasm', "request.method == 'GET' && input.a.b in ['x', 'y']");
is($code, 0, 'disasm knows the facts of the module');
like($out, qr/FACT_EQ_CONST +fact 0 'GET'/, 'a fact compared is one step');
like($out, qr/IN_CONST/, 'a constant list is a set');
like($out, qr/^; fact 0 is request\.method$/m, 'and says which they are');

run('', 'disasm', '--var', 'now=1', 'now > 2');
is($code, 0, 'a variable hides the fact of its name');
like($out, qr/is now$/m, 'and is told');

for my $limit (['cost', 10, '[1, 2, 3, 4].all(x, x > 0)', 'cost limit of 10'],
    ['string', 3, "[1].map(x, 'abc' + string(x))", 'at most 3'],
    ['entries', 3, '[1, 2].map(x, x) + [3, 4]', 'at most 3'],
    ['memory', 1000, 'lists.range(100).map(x, x)', 'memory limit of 1000'],
    ['source', 3, '1 + 1', 'at most 3'],
    ['loops', 1, '[1].all(a, [a].all(b, b > 0))', 'at most 1'],
    ['regex', 5, "'a'.matches('a{20}')", 'limit of 5'],
    ['compile', 500, '[1, 2, 3]', 'at most 500'],
    ['depth', 3, '[[[[1]]]]', '3 levels'],
    ['nodes', 3, '[1, 2, 3]', '3 nodes'])
{
    my ($name, $n, $source, $text) = @$limit;

    run('', 'eval', '--limit', "$name=$n", $source);
    is($code, 1, "a limit: $name");
    like($err, qr/\Q$text\E/, 'which is told');
}

run('', 'eval', '--limit', 'size=1', '1');
is($code, 2, 'a limit of another name');
like($err, qr/no limit "size"/, 'is told');

run('', 'eval', '--limit', 'cost=0', '1');
is($code, 2, 'a limit of nothing');

run('', 'disasm', 'x +');
is($code, 1, 'disasm of what does not parse');


# --- output that cannot be written ------------------------------------------

SKIP: {
    skip('no /dev/full', 1) if !-c '/dev/full';

    system("'$ctl' eval 1 >/dev/full 2>/dev/null");
    is($? >> 8, 3, 'a full disk is told');
}

done_testing();


# run(STDIN, ARGUMENT...): fills $out, $err, $code

sub run {
    my ($in, @arguments) = @_;

    open(my $errors, '+>', undef) or die "$!";
    open(my $input, '+>', undef) or die "$!";
    open(my $output, '+>', undef) or die "$!";
    binmode($_) for $input, $output, $errors;

    print $input $in;
    $input->flush();
    seek($input, 0, 0);

    my $pid = fork() // die "fork: $!";

    if (!$pid) {
        open(STDIN, '<&', $input);
        open(STDOUT, '>&', $output);
        open(STDERR, '>&', $errors);
        exec { $ctl } $ctl, @arguments;
        exit(127);
    }

    waitpid($pid, 0);
    $code = $? & 127 ? -($? & 127) : $? >> 8;

    local $/;
    seek($_, 0, 0) for $output, $errors;
    $out = <$output>;
    $err = <$errors>;
}


sub put {
    my ($name, $text) = @_;

    open(my $file, '>:raw', "$dir/$name") or die "$name: $!";
    print $file $text;
    close($file) or die "$name: $!";
}


sub slurp_file {
    my ($name) = @_;

    open(my $file, '<:raw', $name) or die "$name: $!";
    local $/;

    return <$file>;
}
