#!/usr/bin/perl

# Copyright (C) ngx_http_constraint_module authors
# SPDX-License-Identifier: BSD-2-Clause
#
# The facts of a request, as an expression sees them: inline, in a thread and
# over HTTP/2.  The output of the workflow goes to the service in a header.

use warnings;
use strict;

use FindBin;
use lib "$FindBin::Bin/lib";

use Test::More;
use Test::Constraint;
use Test::Constraint::Gate;

my $t = Test::Constraint::Gate->start(<<'END', http =>
underscores_in_headers on;

set $plain "a var";
set $bytes "";

location / {
    constraint $http_x_type subject=$http_x_subject subject_trusted=on;
    constraint_deny_detail full;
    proxy_set_header X-Value $constraint_output_v;
    proxy_pass http://backend;
}
location /thread/ {
    constraint $http_x_type subject=$http_x_subject subject_trusted=on;
    constraint_deny_detail full;
    constraint_offload always;
    proxy_set_header X-Value $constraint_output_v;
    proxy_pass http://backend;
}
location /rewritten {
    rewrite ^ /new/path?c=d break;
    constraint $http_x_type;
    proxy_set_header X-Value $constraint_output_v;
    proxy_pass http://backend;
}
location /duplicates {
    constraint $http_x_type;
    constraint_duplicate_keys read;
    proxy_set_header X-Value $constraint_output_v;
    proxy_pass http://backend;
}
END
    'constraint_allow_vars plain bytes;');

my $b = $t->{backend};
my %known;


# value(EXPRESSION, PATH, REQUEST...): its value as the service got it, or
# the name and the text of the error

sub value {
    my ($expression, $path, %opt) = @_;

    my $type = $known{$expression} //= do {
        my $name = 'f' . (1 + keys %known);
        $t->register($name,
            "{'effect': 'allow', 'output': {'v': $expression}}",
            constraint_metadata => { limit => 5, deep => { x => ['y'] } });
        $name;
    };

    my $client = $opt{h2} ? $t->h2(port => 'H2') : $t->connect();

    $b->clear();
    my $r = $client->request($opt{method} // 'GET', $path, %opt,
        headers => { %{$opt{headers} // {}}, 'X-Type' => $type });

    if ($r->status != 200) {
        my $json = $r->json // {};
        return ($json->{code} // $r->status) . ': '
            . ($json->{error} // '');
    }

    return join('', $b->header($b->last, 'X-Value'));
}


my $port = $t->port(0);

# expression, path, request, value; both inline and in a thread

my @cases = (
    [ 'request.method', 'a', { method => 'PURGE' }, 'PURGE' ],
    [ 'request.path', 'a/../b//c%20d', {}, qr{b/c d$} ],
    [ 'request.raw_path', 'a/../b//c%20d?x=%20', {}, qr{a/\.\./b//c%20d$} ],
    [ 'request.query', 'a?b=c&d=%20', {}, 'b=c&d=%20' ],
    [ 'request.query', 'a', {}, '' ],
    [ 'request.args.b', 'a?b=c', {}, 'c' ],
    [ 'request.args.b', 'a?x=1&b=%41+%42%zz%4', {}, 'A B%zz%4' ],
    [ "request.args['a b']", 'a?a%20b=1', {}, '1' ],
    [ "'b' in request.args", 'a?x=1', {}, 'false' ],
    [ 'size(request.args)', 'a?x=1&y=2&&z', {}, '3' ],
    [ 'request.args.b', 'a?x=1', {}, qr{^EvaluationError: .*b} ],
    [ 'request.args.b', 'a?b=1&b=2', {}, qr{^ArgumentRepeated: .*"b"} ],
    [ 'request.args.c', 'a?b=1&b=2&c=3', {}, '3' ],
    [ 'request.args.b', 'a?b=%ff', {}, qr{^EvaluationError: .*UTF-8} ],
    [ "request.headers['x-a']", 'a', { headers => { 'X-A' => 'b' } }, 'b' ],
    [ "request.headers['x-a']", 'a', { headers => { 'X-A' => [1, 2, 3] } },
      '1, 2, 3' ],
    [ "request.headers['x-b']", 'a', { headers => { 'X-A' => 'b' } },
      qr{^EvaluationError} ],
    [ "has(request.headers.host)", 'a', {}, 'true' ],
    [ "'x-z' in request.headers", 'a', {}, 'false' ],
    [ "request.headers['x_a']", 'a', { headers => { 'X_A' => 'u' } }, 'u' ],
    [ "request.headers['x-a']", 'a', { headers => { 'X-A' => "\xff" } },
      qr{^EvaluationError: .*UTF-8} ],
    [ "request.headers.exists(h, h == 'x-a' && request.headers[h] == 'b')",
      'a', { headers => { 'X-A' => 'b' } }, 'true' ],
    [ "size(request.headers.filter(h, h == 'x-a'))", 'a',
      { headers => { 'X-A' => [1, 2] } }, '1' ],
    [ 'request.host', 'a', {}, 'localhost' ],
    [ 'request.scheme', 'a', {}, 'http' ],
    [ 'request.protocol', 'a', {}, 'HTTP/1.1', 'HTTP/2.0' ],
    [ 'request.id', 'a', {}, qr{^[0-9a-f]{32}$} ],
    [ 'request.time <= now', 'a', {}, 'true' ],
    [ "now > timestamp('2020-01-01T00:00:00Z')", 'a', {}, 'true' ],
    [ 'now == now', 'a', {}, 'true' ],
    [ 'request.size', 'a', {}, '0' ],
    [ 'source.address', 'a', {}, '127.0.0.1' ],
    [ 'source.port > 0', 'a', {}, 'true' ],
    [ 'destination.address', 'a', {}, '127.0.0.1' ],
    [ 'destination.port', 'a', {}, $port, $t->port('H2') ],
    [ 'connection.tls_version', 'a', {}, '' ],
    [ 'connection.sni', 'a', {}, '' ],
    [ 'connection.subject_peer_certificate', 'a', {}, '' ],
    [ 'connection.mtls', 'a', {}, 'false' ],
    [ 'subject.id', 'a', { headers => { 'X-Subject' => 'bob' } }, 'bob' ],
    [ 'subject.id', 'a', {}, qr{^SubjectMissing} ],
    [ 'subject.roles', 'a', {}, '[]' ],
    [ 'subject.groups', 'a', {}, '[]' ],
    [ 'subject.attributes', 'a', {}, '{}' ],
    [ 'constraint.metadata.limit', 'a', {}, '5' ],
    [ 'constraint.metadata.deep.x[0]', 'a', {}, 'y' ],
    [ 'constraint.subject_id', 'a', {}, '*' ],
    [ 'constraint.message_type', 'a', {}, qr{^f\d+$} ],
    [ 'constraint.revision > 0', 'a', {}, 'true' ],
    [ "nginx.var('plain')", 'a', {}, 'a var' ],
    [ "nginx.var('bytes')", 'a', {}, '' ],
    [ 'input == null', 'a', {}, 'true' ],
    [ 'input.a', 'a', { method => 'POST', body => '{"a":"b"}' }, 'b' ],
    [ 'input', 'a', { method => 'POST', body => '{"a":[1,2.5,null]}' },
      '{"a":[1,2.5,null]}' ],
    [ 'type(input.i) == int && type(input.u) == uint && '
      . 'type(input.d) == double', 'a', { method => 'POST', body =>
      '{"i":9223372036854775807,"u":9223372036854775808,"d":1.0}' },
      'true' ],
    [ 'input == null', 'a', { method => 'POST', body => '' }, 'true' ],
    [ 'input.a', 'a', { method => 'POST', body => '{"a":' },
      qr{^BodyInvalid: .*line 1, column \d} ],
    [ 'size(input.a)', 'a', { method => 'POST', body =>
      '{"a":"' . 'x' x 100000 . '"}' }, '100000' ],
);

for my $case (@cases) {
    my ($expression, $path, $request, @values) = @$case;

    for my $way ([ 'inline', '/' ], [ 'thread', '/thread/' ],
        [ 'HTTP/2', '/', h2 => 1 ])
    {
        my ($name, $prefix, %opt) = @$way;
        my $wanted = $opt{h2} ? $values[-1] : $values[0];
        my $got = value($expression, "$prefix$path", %$request, %opt);

        if (ref($wanted)) {
            like($got, $wanted, "$expression ($name)");

        } else {
            is($got, $wanted, "$expression ($name)");
        }
    }
}

# the request's size

is(value('request.size', '/a', method => 'POST', body => 'x' x 7), '7',
    'request.size is what Content-Length says');
like(value('request.size', '/a', method => 'POST', body => 'x' x 7,
    chunked => 1), qr{^EvaluationError: .*Content-Length},
    'without one it is not known');

# the host that nginx routes by

is(value('request.host', '/a', headers => { Host => 'EXAMPLE.com:99' }),
    'example.com', 'request.host is lower-case, without the port');
is(value('request.host', '/a', authority => 'EXAMPLE.com:99', h2 => 1),
    'example.com', 'over HTTP/2, too');

# rewrites

is(value('request.path', '/rewritten'), '/new/path',
    'request.path is what nginx serves');
is(value('request.query', '/rewritten?a=b'), 'c=d&a=b',
    'the query, too');
is(value('request.raw_path', '/rewritten?a=b'), '/rewritten',
    'raw_path is what was received');

# duplicate keys, when they are to be read

is(value('input.a', '/duplicates', method => 'POST',
    body => '{"a":1,"a":2}'), '2', 'constraint_duplicate_keys read');

# what expressions may not name

for my $case (
    [ "nginx.var('other')", qr/constraint_allow_vars/ ],
    [ "nginx.var('constraint_id')", qr/constraint_allow_vars/ ],
    [ "request.headers['X-Upper']", qr/lower/ ],
    [ 'request.nothing', qr/nothing|undeclared|undefined/ ],
) {
    my ($expression, $message) = @$case;
    my ($status, $answer) = $t->api('POST', '/workflow/check', {
        name => 'x', rule => { match => [ { output => "$expression == ''" } ]
    } });

    like(json($answer), $message, "$expression is refused when it is stored");
}

# many headers, many arguments

my %many = map { ("X-Many-$_" => $_) } 1 .. 500;

is(value("size(request.headers.filter(h, h.startsWith('x-many')))", '/a',
    headers => \%many), '500', 'many headers');

is(value('size(request.args)', '/a?' . join('&', map { "a$_=" } 1 .. 1000)),
    '1000', 'many arguments');

done_testing();
