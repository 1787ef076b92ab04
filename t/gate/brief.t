#!/usr/bin/perl

# Copyright (C) ngx_http_constraint_module authors
# SPDX-License-Identifier: BSD-2-Clause
#
# Most allows are made briefly, without an enforcement.  Each request here is
# sent three times: as it is, with the short way closed, and with nothing but
# the short way, where all else is answered 500.  The first two have to agree
# in all that can be seen, and the third one tells which way it was.

use warnings;
use strict;

use FindBin;
use lib "$FindBin::Bin/../lib";

use Test::More;
use Test::Constraint;
use Test::Constraint::Gate;

my @shown = qw(effect outcome message rule cost where mode id time);
my $show = join('', map { "add_header X-$_ \$constraint_$_ always;\n" } @shown);

my $t = Test::Constraint::Gate->start(<<"END", server => $show,
location /header { constraint header; proxy_pass http://backend; }
location /body { constraint body; constraint_body_max 2k;
    proxy_pass http://backend; }
location /maybe { constraint maybe; proxy_pass http://backend; }
location /both { constraint header; constraint said;
    proxy_pass http://backend; }
location /turned { constraint said; constraint header;
    proxy_pass http://backend; }
location /said { constraint said; proxy_pass http://backend; }
location /subject { constraint header subject=\$arg_s subject_trusted=on;
    proxy_pass http://backend; }
location /own { constraint own subject=\$arg_s subject_trusted=on;
    proxy_pass http://backend; }
location /mine { constraint mine subject=\$arg_s subject_trusted=on;
    proxy_pass http://backend; }
location /name { constraint \$arg_t; proxy_pass http://backend; }
location /shadow { constraint header mode=shadow;
    proxy_pass http://backend; }
location /thread { constraint header; constraint_offload always;
    proxy_pass http://backend; }
location /little { constraint header; constraint_cost_limit 3;
    proxy_pass http://backend; }
location /long { constraint long; proxy_pass http://backend; }
location /arg { constraint arg; proxy_pass http://backend; }
location /variable { constraint variable; proxy_pass http://backend; }
location /indexed { constraint indexed; proxy_pass http://backend; }
location /nested { constraint nested; proxy_pass http://backend; }
location /limited { constraint limited; proxy_pass http://backend; }
location /disabled { constraint disabled; proxy_pass http://backend; }
location /missing { constraint missing; proxy_pass http://backend; }
location /single { constraint header; constraint_single_headers x-role;
    proxy_pass http://backend; }
location /audit { constraint header;
    constraint_audit_log %%TESTDIR%%/audit.log;
    proxy_pass http://backend; }
location /try { constraint maybe; try_files /nowhere /maybe/x; }
location /tight { constraint tight; constraint_memory_limit 30k;
    proxy_pass http://backend; }
location /moved { constraint moved; constraint_body_max 2k;
    proxy_pass http://backend; }
location /turning { constraint turning; constraint_body_max 2k;
    proxy_read_timeout 2s; proxy_pass http://backend; }
location /shown { constraint header; proxy_intercept_errors on;
    error_page 404 = /named/; proxy_pass http://backend; }
location /named/ { internal; constraint \$x_named;
    proxy_pass http://backend; }
location /seen { constraint header; constraint seen;
    proxy_pass http://backend; }
END
    http => 'map $constraint_effect $x_seen { default none; allow allow; }'
        . ' map $constraint_outcome $x_named { ALLOW mine_too; }'
        . ' constraint_allow_vars request_length x_seen;',
    need => ['faults'],
    reply => sub { return ($_[0]{uri} =~ m{^/shown} ? 404 : 200, {}, '') });

sub match {
    return { match => [ map { { defined $_->[0] ? (condition => $_->[0]) : (),
        output => $_->[1] } } @_ ] };
}

my $header = "request.headers['x-role'] in ['viewer', 'editor']"
    . " && request.path.startsWith('/' + request.headers['x-org'])";

my %rule = (
    header => match([ $header, "'ALLOW'" ], [ undef, "'DENY'" ]),
    body => match([ "request.method == 'POST' && input.n <= 5"
        . " && 'a' in input.tags && input.tags[0].matches('^[a-z]+\$')",
        'true' ]),
    maybe => match([ "request.method == 'GET' || input.n == 1", "'ALLOW'" ]),
    said => match([ 'true', "{'effect': 'allow', 'message': 'yes'}" ]),
    own => match([ "subject.id == 'jo'", 'true' ]),
    mine => match([ 'true', 'true' ]),
    long => match([ "request.headers['x-role'].matches('(a|b)*c')",
        "'ALLOW'" ]),
    arg => match([ "request.args.a == '1' || request.method == 'GET'",
        "'ALLOW'" ]),
    variable => { variables => [ { name => 'role',
        expression => "request.headers['x-role']" } ],
        %{match([ "variables.role == 'viewer'", 'true' ])} },
    indexed => match((map { [ "request.path == '/indexed/$_'"
        . " && request.headers['x-role'] == 'viewer'",
        $_ % 2 ? "'ALLOW'" : "'DENY'" ] } 1 .. 20)),
    nested => { match => [
        { condition => "request.method == 'GET'", rule => match(
            [ "request.headers['x-role'] == 'viewer'", "'ALLOW'" ],
            [ "request.headers['x-role'] == 'editor'", "'HOLD'" ]) },
        { output => "'ALLOW'" } ] },
    limited => match([ 'true', 'true' ]),
    disabled => match([ 'true', 'true' ]),
    tight => match([ "(input.s + input.s + input.s).size() > 0",
        "{'effect': 'allow', 'message': 'small'}" ]),
    moved => match([ "int(nginx.var('request_length')) > 1000 || input.ok",
        "'ALLOW'" ]),
    mine_too => match([ 'true', 'true' ]),
    turning => match([ 'input.ok', 'true' ]),
    seen => match([ "nginx.var('x_seen') == 'allow'", "'ALLOW'" ]),
);

my %more = (
    mine => { subject_id => 'jo' },
    limited => { execution => { max_exec_ms => 50 } },
    disabled => { enabled => JSON::PP::false() },
);

for my $name (sort keys %rule) {
    $t->register_document($name, { name => "${name}_flow",
        rule => $rule{$name} }, %{$more{$name} // {}});
}

sub good { return { 'X-Role' => 'viewer', 'X-Org' => $_[0] } }
sub post { return (method => 'POST', body => $_[0],
    headers => { 'Content-Type' => 'application/json' }) }

my $right = '{"n": 3, "tags": ["a", "b"]}';


# path, request, status, is it made briefly

my @rows = (
    [ 'headers that are right', '/header/1', 200, 1,
      headers => good('header') ],
    [ 'a role that is wrong', '/header/1', 403, 0,
      headers => { 'X-Role' => 'none', 'X-Org' => 'header' } ],
    [ 'another organisation', '/header/1', 403, 0, headers => good('x') ],
    [ 'a header that is missing', '/header/1', 403, 0 ],
    [ 'a header that is no UTF-8', '/header/1', 403, 0,
      headers => { 'X-Role' => "\xff", 'X-Org' => 'header' } ],
    [ 'a header that is there twice', '/header/1', 403, 0,
      headers => { 'X-Role' => [ 'viewer', 'editor' ],
          'X-Org' => 'header' } ],
    [ 'an ambiguous path', '/header/..%2fheader', 400, 0,
      headers => good('header') ],
    [ 'a long organisation', '/header/1', 403, 0, headers => good('h' x 64) ],
    [ 'a body that is right', '/body', 200, 1, post($right) ],
    [ 'a number that is not', '/body', 403, 0,
      post('{"n": 6, "tags": ["a"]}') ],
    [ 'a list that is not', '/body', 403, 0, post('{"n": 1, "tags": []}') ],
    [ 'broken JSON', '/body', 400, 0, post('{"n": 1, "tags": ["a"]') ],
    [ 'a key that is there twice', '/body', 400, 0,
      post('{"n": 1, "n": 9, "tags": ["a"]}') ],
    [ 'no body', '/body', 403, 0 ],
    [ 'an empty body', '/body', 403, 0, post('') ],
    [ 'a body that is too large', '/body', 413, 0,
      post('{"n": 1, "tags": ["a"], "x": "' . 'x' x 3000 . '"}') ],
    [ 'a body that is not needed', '/maybe', 200, 1 ],
    [ 'a body that is needed then', '/maybe', 200, 1, post('{"n": 1}') ],
    [ 'and says no', '/maybe', 403, 0, post('{"n": 2}') ],
    [ 'a body in two pieces', '/body', 200, 1,
      post('{"n": 3, "x": "' . 'x' x 1200 . '", "tags": ["a"]}') ],
    [ 'and says no', '/body', 403, 0,
      post('{"n": 3, "x": "' . 'x' x 1200 . '", "tags": ["b"]}') ],
    [ 'a key twice in it', '/body', 400, 0,
      post('{"tags": ["a"], "x": "' . 'x' x 1200 . '", "n": 1, "n": 2}') ],
    [ 'an allow that says more', '/said', 200, 0 ],
    [ 'one of either kind', '/both', 200, 0, headers => good('both') ],
    [ 'and turned round', '/turned', 200, 0, headers => good('turned') ],
    [ 'the second denies', '/turned', 403, 0, headers => good('x') ],
    [ 'a subject that nobody reads', '/subject?s=jo', 200, 1,
      headers => good('subject') ],
    [ 'a subject that is read', '/own?s=jo', 200, 0 ],
    [ 'another one', '/own?s=al', 403, 0 ],
    [ 'the subject of the constraint', '/mine?s=jo', 200, 0 ],
    [ 'another one for it', '/mine?s=al', 403, 0 ],
    [ 'a type out of the request', '/name?t=header', 200, 0,
      headers => good('name') ],
    [ 'shadow mode', '/shadow', 200, 0 ],
    [ 'a thread', '/thread', 200, 0, headers => good('thread') ],
    [ 'a limit that is met', '/little', 403, 0, headers => good('little') ],
    [ 'a pattern that costs little', '/long', 200, 1, elsewhere => 1,
      headers => { 'X-Role' => 'ababc' } ],
    [ 'a pattern that costs more than a look', '/long', 200, 0,
      headers => { 'X-Role' => 'ab' x 100 . 'c' } ],
    [ 'an argument', '/arg?a=1', 200, 1 ],
    [ 'one that is there twice', '/arg?a=1&a=1', 400, 0 ],
    [ 'a variable', '/variable', 200, 1,
      headers => { 'X-Role' => 'viewer' } ],
    [ 'a variable that says no', '/variable', 403, 0,
      headers => { 'X-Role' => 'x' } ],
    [ 'one of many rules', '/indexed/7', 200, 1,
      headers => { 'X-Role' => 'viewer' } ],
    [ 'another one of them', '/indexed/8', 403, 0,
      headers => { 'X-Role' => 'viewer' } ],
    [ 'none of them', '/indexed/77', 403, 0,
      headers => { 'X-Role' => 'viewer' } ],
    [ 'a rule in a rule', '/nested', 200, 1,
      headers => { 'X-Role' => 'viewer' } ],
    [ 'another outcome of it', '/nested', 403, 0,
      headers => { 'X-Role' => 'editor' } ],
    [ 'none of it', '/nested', 403, 0, headers => { 'X-Role' => 'x' } ],
    [ 'the rule after it', '/nested', 200, 1, method => 'PUT' ],
    [ 'a constraint with limits', '/limited', 200, 0 ],
    [ 'one that is disabled', '/disabled', 403, 0 ],
    [ 'one that is not there', '/missing', 403, 0 ],
    [ 'a header that has to be single', '/single', 200, 1,
      headers => good('single') ],
    [ 'and is not', '/single', 400, 0,
      headers => { %{good('single')},
          'X-Role' => [ 'viewer', 'viewer' ] } ],
    [ 'an audit log', '/audit', 200, 0, headers => good('audit') ],
    [ 'try_files', '/try', 200, 1 ],
    [ 'memory that is enough', '/tight', 200, 0, post('{"s": "a"}') ],
    [ 'memory that is not, for the body and the rest', '/tight', 403, 0,
      post('{"s": "' . 'x' x 1100 . '"}') ],
    [ 'a body whose length decides', '/moved', 200, 1,
      post('{"ok": true, "x": "' . 'x' x 1000 . '"}') ],
    [ 'a variable of ours out of the constraint before', '/seen', 403, 0,
      headers => good('seen') ],
    [ 'a type out of the decision before a redirect', '/shown', 200, 0,
      headers => good('shown') ],
);

for my $row (@rows) {
    my ($name, $path, $status, $brief, @request) = @$row;

    # what a rule has mostly said is forgotten, and it is loaded again

    $t->api('POST', "/constraint/unload/$_") for sort keys %rule;
    ask(1, 0, $path, @request);

    my $r = ask(0, 0, $path, @request);
    my $plain = ask(1, 0, $path, @request);
    my $only = ask(0, 1, $path, @request);

    # by its worst case it may be for a thread

    $r->{where} = $plain->{where} if {@request}->{elsewhere};

    is($r->{status}, $status, $name);
    is_deeply($r, $plain, "$name: is as without the short way");
    is($only->{status} == 500 ? 0 : 1, $brief || 0,
        "$name: " . ($brief ? 'is made briefly' : 'is not'));
}


# a body that was needed and could not be read refuses, whatever moved then

$t->fault('gate.only_brief', 0);

for my $off (0, 1) {
    $t->fault('gate.off_brief', $off);
    $t->{backend}->clear();

    my $r = $t->connect()->request('POST', '/moved', chunked => 1,
        body => '{"ok": true, "x": "' . 'x' x 3000 . '"}');

    is($r->status, 413, 'a body that turns out to be too large');
    is($t->{backend}->count, 0, 'is no request to let on');
}


# nor does it help that the rule has become one that does not read it

for my $off (0, 1) {
    for my $row ([ 'too large', 413, "bb8\r\n" . 'x' x 3000 . "\r\n" ],
        [ 'broken', 400, "zz\r\n" ],
        [ 'whole', 200, "7\r\n: true}\r\n0\r\n\r\n" ])
    {
        my ($name, $status, $rest) = @$row;

        $t->fault('gate.off_brief', $off);
        turn('input.ok');
        is($t->post('/turning', '{"ok": true}')->status, 200, 'is loaded');
        $t->{backend}->clear();

        my $c = $t->connect();

        $c->write("POST /turning HTTP/1.1\r\nHost: a\r\n"
            . "Expect: 100-continue\r\nTransfer-Encoding: chunked\r\n\r\n"
            . "5\r\n{\"ok\"\r\n");
        like($c->interim(), qr{^HTTP/1.1 100 }, 'the body is waited for');

        turn("request.method == 'POST'");
        $c->write($rest);

        is($c->read_response()->status, $status,
            "a body that is $name when the rule has changed");
        is($t->{backend}->count, $status == 200 ? 1 : 0,
            $status == 200 ? 'is let on' : 'is no request to let on');
    }
}


# a rule that mostly says something else is asked so now and then only

$t->fault('gate.off_brief', 0);
$t->fault('gate.only_brief', 0);
$t->api('POST', '/constraint/unload/header');
$t->get('/header/1') for 1 .. 20;

my @status = map { ask(0, 1, '/header/1', headers => good('header'))->{status} }
    1 .. 64;

like("@status", qr/^500 (?:500 )*200(?: 200)*\z/,
    'it is not for a while, and is again once it has said yes');


sub turn {
    my ($status) = $t->api('PUT', '/workflow/turning_flow', {
        name => 'turning_flow', rule => match([ $_[0], 'true' ]) });
    is($status, 200, "the rule is $_[0]");
}


# ask(OFF, ONLY, PATH, REQUEST...): what can be seen of the answer

sub ask {
    my ($off, $only, $path, %request) = @_;

    $t->fault('gate.off_brief', $off);
    $t->fault('gate.only_brief', $only);
    $t->{backend}->clear();

    my $r = $t->request($request{method} // 'GET', $path,
        headers => $request{headers} // {}, body => $request{body});

    my $json = $r->status == 200 ? {} : eval { $r->json } // {};
    my %seen = map { $_ => $r->header("x-$_") } @shown;

    like($seen{id}, qr/^[0-9a-f]{32}\z/, "$path: an id") if $seen{id};

    $seen{$_} = defined $seen{$_} ? 1 : 0 for qw(id time);

    return { status => $r->status, %seen, outcome_json => $json->{outcome},
        message_json => $json->{message},
        backend => scalar($t->{backend}->requests) };
}


$t->finish();
done_testing();
