#!/usr/bin/perl

# Copyright (C) ngx_http_constraint_module authors
# SPDX-License-Identifier: BSD-2-Clause
#
# More ways around the gate: requests that are written in unusual or broken
# ways, over HTTP/1 and HTTP/2, and answers that nginx has kept.  As in
# bypass.t a row asserts what the service behind SAW.

use warnings;
use strict;

use FindBin;
use lib "$FindBin::Bin/../lib";

use Test::More;
use Test::Constraint;
use Test::Constraint::Gate;

my $t = Test::Constraint::Gate->setup(<<'END', reply => \&reply,
large_client_header_buffers 4 8k;
location /open { constraint open; proxy_pass http://backend; }
location /deny { constraint no; proxy_pass http://backend; }
location /role {
    constraint role;
    proxy_http_version 1.1;
    proxy_request_buffering off;
    proxy_pass http://backend;
}
location /host {
    constraint host;
    proxy_set_header Host $host;
    proxy_pass http://backend;
}
location /get { constraint get; proxy_pass http://backend; }
location /many { constraint many; proxy_pass http://backend; }
location /cookie { constraint cookie; proxy_pass http://backend; }
location /json { constraint json; proxy_pass http://backend; }
location /path { constraint path; proxy_pass http://backend; }
location /part {
    constraint path;
    proxy_pass http://backend/part;
}
location /user {
    auth_basic "users";
    auth_basic_user_file users;
    constraint user subject=$remote_user;
    proxy_pass http://backend;
}
location /cached {
    constraint alice;
    proxy_cache kept;
    proxy_cache_key $uri;
    proxy_cache_valid 200 1h;
    proxy_cache_use_stale updating error;
    proxy_cache_background_update on;
    proxy_pass http://backend;
}
END
    http => <<'END');
client_header_timeout 2s;
client_body_timeout 2s;
proxy_cache_path %%TESTDIR%%/kept keys_zone=kept:1m;

server {
    listen 127.0.0.1:%%PORT_BROKEN%%;
    large_client_header_buffers 4 8k;
    error_page 400 405 413 414 494 = /broken;
    client_max_body_size 10;

    location / { constraint open; proxy_pass http://backend; }
    location /broken { constraint no; proxy_pass http://backend; }
}
END

my $b = $t->{backend};

$t->write_file('users', "alice:{PLAIN}secret\nALICE:{PLAIN}secret\n");
$t->run();

sub reply {
    my ($request) = @_;
    return (200, {}, "backend: $request->{uri}\n");
}


$t->register('open', 'true');
$t->register('no', 'false');
$t->register('role', "request.headers['x-role'] == 'user'");
$t->register('host', "request.host != 'secret'");
$t->register('get', "request.method == 'GET'");
$t->register('many', "!('x-last' in request.headers)");
$t->register('cookie', "!request.headers.cookie.contains('role=admin')");
$t->register('json', "input.admin == false && !has(input.extra)");
$t->register('path', "!request.path.contains('secret')");
$t->register('user', 'true', subject_id => 'alice');
$t->register('alice', "request.headers['x-user'] == 'alice'");


sub raw {
    my ($line, @headers) = @_;
    my $body = @headers && ref($headers[-1]) ? ${pop @headers} : '';

    return join("\r\n", "$line HTTP/1.1", 'Host: localhost', @headers, '',
        $body);
}


# sent(TEXT): what the client got, all of it

sub sent {
    my ($text, %opt) = @_;

    $b->clear();

    my $client = $t->connect(%opt);

    if ($opt{step}) {
        $client->write($_) for split(//, $text);

    } else {
        $client->write($text);
    }

    # a pipelined request tells where nginx is with what came before

    $client->write(raw('GET /open/last', 'Connection: close'));

    my $answer = $client->read_all(5);
    $client->close();
    return $answer;
}


sub saw {
    return join("\n", map { $_->{raw} } grep { $_->{uri} ne '/open/last' }
        $b->requests);
}


my $secret = 'GET /open/smuggled HTTP/1.1' . "\r\nHost: localhost\r\n\r\n";

# name, what is sent, what the service must not see, what the client must get

for my $row (

    # the request line

    [ 'empty lines before the request', "\r\n\n\r\n" . raw('GET /deny'),
      qr{/deny} ],
    [ 'lines that end in LF alone', "GET /deny HTTP/1.1\nHost: a\n\n",
      qr{/deny}, 403 ],
    [ 'a method in lower case', raw('get /deny'), qr{deny} ],
    [ 'two spaces before the path', raw('GET  /deny'), qr{deny} ],
    [ 'a space at the end of the line',
      "GET /deny HTTP/1.1 \r\nHost: localhost\r\n\r\n", qr{deny}, 403 ],
    [ 'a tab before the path', raw("GET\t/deny"), qr{deny} ],
    [ 'a space in the path', raw('GET /open /../deny'), qr{deny} ],
    [ 'HTTP/1.9', "GET /deny HTTP/1.9\r\nHost: localhost\r\n\r\n",
      qr{/deny} ],
    [ 'HTTP/2.0 in words', "GET /deny HTTP/2.0\r\nHost: a\r\n\r\n",
      qr{/deny} ],
    [ 'the preface of HTTP/2', "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" . $secret,
      qr{smuggled} ],
    [ 'a control byte in the path', raw("GET /deny\x01"), qr{deny} ],
    [ 'a bare CR in the path', raw("GET /open\r/../deny"), qr{deny} ],
    [ 'CONNECT', raw('CONNECT localhost:80'), qr{.} ],
    [ 'a star', raw('OPTIONS *'), qr{.} ],
    [ 'absolute form without a path', raw('GET http://localhost?/../deny'),
      qr{.} ],
    [ 'absolute form of another scheme', raw('GET ftp://localhost/deny'),
      qr{/deny} ],
    [ 'absolute form with a user', raw('GET http://x@secret/host'),
      qr{/host} ],
    [ 'absolute form, a host with a dot', raw('GET http://secret./host'),
      qr{/host}, 403 ],
    [ 'absolute form, a host in upper case, a port',
      raw('GET http://SECRET:80/host'), qr{/host}, 403 ],
    [ 'absolute form that is denied, in a pipeline',
      raw('GET /open/1') . raw('GET http://localhost/deny'), qr{/deny} ],
    [ 'a denied request byte by byte', raw('POST /deny',
      'Content-Length: 5', \'hello'), qr{deny}, 403, step => 1 ],

    # the host

    [ 'a host with a dot', "GET /host HTTP/1.1\r\nHost: secret.\r\n\r\n",
      qr{/host}, 403 ],
    [ 'a host in upper case', "GET /host HTTP/1.1\r\nHost: SeCret\r\n\r\n",
      qr{/host}, 403 ],
    [ 'a host with a port', "GET /host HTTP/1.1\r\nHost: secret:81\r\n\r\n",
      qr{/host}, 403 ],
    [ 'a host with a dot and a port',
      "GET /host HTTP/1.1\r\nHost: secret.:81\r\n\r\n", qr{/host}, 403 ],
    [ 'two hosts', raw('GET /host', 'Host: secret'), qr{/host} ],
    [ 'a host after a fold',
      "GET /host HTTP/1.1\r\nHost: open\r\n secret\r\n\r\n", qr{secret} ],
    [ 'a host with a slash',
      "GET /host HTTP/1.1\r\nHost: open/secret\r\n\r\n", qr{secret} ],

    # headers

    [ 'a folded header', raw('GET /role', 'X-Role: user', ' admin'),
      qr{admin} ],
    [ 'a header folded by a tab', raw('GET /role', 'X-Role: user',
      "\tadmin"), qr{admin} ],
    [ 'a space before the colon', raw('GET /role', 'X-Role: user',
      'X-Role : admin'), qr{admin} ],
    [ 'a tab before the colon', raw('GET /role', 'X-Role: user',
      "X-Role\t: admin"), qr{admin} ],
    [ 'a bare CR in a header', raw('GET /role',
      "X-Role: user\rX-Role: admin"), qr{admin} ],
    [ 'a NUL in a header', raw('GET /role', "X-Role: user\0admin"),
      qr{admin} ],
    [ 'a line feed in a header', raw('GET /role',
      "X-Role: user\nX-Role: admin"), qr{admin} ],
    [ 'an empty header name', raw('GET /role', 'X-Role: user', ': admin'),
      qr{admin} ],
    [ 'a header without a colon', raw('GET /role', 'X-Role: user',
      'X-Role admin'), qr{X-Role admin} ],
    [ 'spaces around a value', raw('GET /role', "X-Role:   admin  "),
      qr{admin} ],
    [ 'a tab around a value', raw('GET /role', "X-Role:\tuser\t",
      'X-Role:admin'), qr{admin} ],
    [ 'hundreds of headers before the one that counts', raw('GET /many',
      (map { "X-$_: x" } 1 .. 500), 'X-Last: 1'), qr{/many}, 403 ],
    [ 'a long header before the one that counts', raw('GET /many',
      'X-Long: ' . 'x' x 7900, 'X-Last: 1'), qr{/many}, 403 ],
    [ 'two cookies', raw('GET /cookie', 'Cookie: a=b',
      'Cookie: role=admin'), qr{admin}, 403 ],
    [ 'a header in a trailer', raw('POST /role',
      'Transfer-Encoding: chunked', 'X-Role: user', 'Trailer: X-Role',
      \"2\r\n{}\r\n0\r\nX-Role: admin\r\n\r\n"), qr{admin} ],
    [ 'a header in a trailer alone', raw('POST /role',
      'Transfer-Encoding: chunked',
      \"2\r\n{}\r\n0\r\nX-Role: user\r\n\r\n"), qr{/role}, 403 ],

    # methods

    [ 'a method with more', raw('GETX /get'), qr{/get}, 403 ],
    [ 'HEAD where GET is asked for', raw('HEAD /get'), qr{/get} ],
    [ 'a method of a thousand letters', raw('G' x 1000 . ' /get'),
      qr{/get} ],

    # lengths and chunks

    (map { [ "lengths: $_->[0]", raw('POST /deny', @{$_->[1]},
        \"0\r\n\r\n$secret"), qr{smuggled|deny} ] } (
        [ 'twice the same', [ ('Content-Length: 5') x 2 ] ],
        [ 'a list', [ 'Content-Length: 5, 5' ] ],
        [ 'hexadecimal', [ 'Content-Length: 0x5' ] ],
        [ 'a space inside', [ 'Content-Length: 5 0' ] ],
        [ 'a vertical tab', [ "Content-Length: \x0b5" ] ],
        [ 'none', [ 'Content-Length:' ] ],
        [ 'a space before the colon', [ 'Content-Length : 5' ] ],
        [ 'chunked in quotes', [ 'Transfer-Encoding: "chunked"' ] ],
        [ 'chunked, folded', [ 'Transfer-Encoding:', ' chunked' ] ],
        [ 'chunked and a length', [ 'Transfer-Encoding: chunked',
            'Content-Length: 5' ] ],
    )),
    (map { [ "chunks: $_->[0]", raw('POST /deny',
        'Transfer-Encoding: chunked', \"$_->[1]$secret"),
        qr{smuggled|deny} ] } (
        [ 'a size beyond 64 bits', "10000000000000000\r\n" ],
        [ 'a negative size', "-1\r\n" ],
        [ 'a size in 0x', "0x0\r\n\r\n" ],
        [ 'no end after the data', "1\r\nxx0\r\n\r\n" ],
    )),

    (map { [ "an end of chunks: $_->[0]", raw('POST /deny', $_->[1],
        \($_->[2] . raw('GET /deny'))), qr{deny}, 403 ] } (
        [ 'of CHUNKED', 'Transfer-Encoding: CHUNKED', "0\r\n\r\n" ],
        [ 'with a space', 'Transfer-Encoding: chunked', "0 \r\n\r\n" ],
        [ 'by LF', 'Transfer-Encoding: chunked', "0\n\n" ],
        [ 'with half of a quoted extension', 'Transfer-Encoding: chunked',
          "0;a=\"\r\n\r\n" ],
    )),

    # what is broken has an error page, which is judged as well

    (map { [ "an error page: $_->[0]", $_->[1], qr{.}, 403,
        port => 'BROKEN' ] } (
        [ 'of a wrong length', raw('GET /', 'Content-Length: x') ],
        [ 'of a large header', raw('GET /', 'X: ' . 'x' x 9000) ],
        [ 'of a large request line', raw('GET /' . 'x' x 9000) ],
        [ 'of a wrong escape', raw('GET /%zz') ],
        [ 'of a large body', raw('POST /', 'Content-Length: 11',
            \'hello world') ],
        [ 'of TRACE', raw('TRACE /') ],
        [ 'of no host', "GET / HTTP/1.1\r\n\r\n" ],
    )),

    # paths

    (map { [ "a path: $_->[0]", raw("GET $_->[1]"), qr{(?i)secret} ] } (
        [ 'an encoded letter', '/path/%73ecret' ],
        [ 'an encoded percent sign', '/path/..%252f../path/secret' ],
        [ 'a segment of dots', '/path/x/../secret' ],
        [ 'an overlong slash', '/path/..%c0%af../path/secret' ],
        [ 'arguments that hold a slash', '/path/secret?/../open' ],
        [ 'an encoded question mark', '/path/%3f/../secret' ],
        [ 'an encoded line', '/path/secret%0d%0aX-Role:%20admin' ],
        [ 'an encoded line, forwarded anew',
          '/part/secret%0d%0aX-Role:%20admin' ],
        [ 'a parameter', '/path/secret;x=1' ],
        [ 'a semicolon before it', '/path/;/secret' ],
        [ '%u', '/path/%u0073ecret' ],
    )),
    [ 'a fragment that hides a denied path', raw('GET /deny#/../open'),
      qr{deny} ],
    [ 'a line in a path that is written anew',
      raw('GET /part/x%0d%0aX-Role:%20admin'), qr{^X-Role}m ],

    # bodies

    (map { [ "a body: $_->[0]", raw('POST /json', @{$_->[2] || []},
        'Content-Length: ' . length($_->[1]), \$_->[1]), qr{/json} ] } (
        [ 'UTF-16', pack('n*', 0xfeff, map { ord } split(//,
            '{"admin":true}')), [ 'Content-Type: application/json;'
            . ' charset=utf-16' ] ],
        [ 'a mark before it', "\xef\xbb\xbf{\"admin\":false}" ],
        [ 'compressed', "\x1f\x8b\x08\0\0\0\0\0", [
            'Content-Encoding: gzip' ] ],
        [ 'a form', 'admin=false&admin=true' ],
        [ 'two documents', '{"admin":false}{"admin":true}' ],
        [ 'a comment', '{"admin":false/*,"admin":true*/}' ],
        [ 'single quotes', "{'admin':false}" ],
        [ 'a comma at the end', '{"admin":false,}' ],
        [ 'a NUL after it', "{\"admin\":false}\0{\"admin\":true}" ],
        [ 'a number as text', '{"admin":"false"}' ],
        [ 'null', '{"admin":null}' ],
        [ 'NaN', '{"admin":false,"x":NaN}' ],
        [ 'a lone surrogate', '{"admin":false,"x":"\ud800"}' ],
        [ 'a key with an escape', '{"admin":false,"e\u0078tra":1}' ],
        [ 'a control byte in a string', "{\"admin\":false,\"x\":\"\n\"}" ],
    )),

    # identities

    [ 'no user', raw('GET /user'), qr{/user}, 401 ],
    [ 'a user in upper case', raw('GET /user',
      'Authorization: Basic QUxJQ0U6c2VjcmV0'), qr{/user}, 403 ],
    [ 'a user in the URI', raw('GET http://alice:secret@localhost/user'),
      qr{/user} ],
    [ 'an empty user', raw('GET /user', 'Authorization: Basic OnNlY3JldA=='),
      qr{/user}, 401 ],
    [ 'the one who may, and another', raw('GET /user',
      'Authorization: Basic QUxJQ0U6c2VjcmV0',
      'Authorization: Basic YWxpY2U6c2VjcmV0'), qr{/user} ],
)
{
    my ($name, $send, $hidden, $status, %opt) = @$row;
    my $text = sent($send, %opt);

    my $saw = saw();
    unlike($saw, $hidden, "$name: does not get through")
        or diag("client: $text\nservice: $saw");

    if ($status) {
        like($text, qr{^HTTP/1.1 $status }, "$name: $status");
    }
}


# the same places, asked as they should be

for my $send (raw('GET /role', 'X-Role: user'), raw('GET /host'),
    raw('GET /get'), raw('GET /many', 'X: 1'),
    raw('GET /cookie', 'Cookie: role=user'), raw('GET /path/open'),
    raw('GET /part/open'), raw('POST /json', 'Content-Length: 15',
        \'{"admin":false}'),
    raw('GET /user', 'Authorization: Basic YWxpY2U6c2VjcmV0'))
{
    my ($path) = $send =~ m{ (/\S+)};
    like(sent($send), qr{^HTTP/1.1 200 }, "$path, rightly: 200");
    like(saw(), qr{ \Q$path\E }, "$path, rightly: the service sees it");
}


# what nginx has kept of an answer is given to nobody who is denied

for my $row ([ 'alice', 200 ], [ 'bob', 403 ], [ 'alice', 200 ]) {
    my ($user, $status) = @$row;

    is($t->get('/cached/x', headers => { 'X-User' => $user })->status,
        $status, "an answer that is kept, $user: $status");
}


# HTTP/2

sub h2 {
    my ($name, $method, $path, $hidden, %opt) = @_;

    $b->clear();

    my $h = $t->h2(port => 'H2');
    my $body = delete $opt{body};
    my $id = $h->start($method, $path, %opt, end => !defined $body);

    $h->data($id, $body, 1) if defined $body;

    my $r = $h->read($id, 5);
    my $saw = saw();

    unlike($saw, $hidden, "HTTP/2, $name: does not get through")
        or diag("service: $saw");
    $h->close();
}

h2('a path without a slash', 'GET', 'deny', qr{deny});
h2('a path in absolute form', 'GET', 'http://localhost/deny', qr{deny});
h2('no path', 'GET', undef, qr{.});
h2('an empty path', 'GET', '', qr{.});
h2('a star', 'OPTIONS', '*', qr{.});
h2('a line in the path', 'GET', "/open HTTP/1.1\r\nX-Role: admin\r\n",
    qr{admin});
h2('a space in the path', 'GET', '/open /deny', qr{deny});
h2('dot segments', 'GET', '/open/../deny', qr{deny});
h2('a backslash', 'GET', '/open/..\\deny', qr{deny});
h2('a fragment', 'GET', '/open#/../deny', qr{deny});
h2('a method with a request in it', "GET /open HTTP/1.1\r\n\r\nGET", '/deny',
    qr{deny});
h2('a method with a space', 'GET /open', '/deny', qr{deny});
h2('another scheme', 'GET', '/deny', qr{deny}, scheme => 'file');
h2('an authority with a dot', 'GET', '/host', qr{/host},
    authority => 'secret.');
h2('an authority in upper case', 'GET', '/host', qr{/host},
    authority => 'SECRET');
h2('an authority with a user', 'GET', '/host', qr{^Host: secret}m,
    authority => 'x@secret');
h2('an authority and a host', 'GET', '/host', qr{secret},
    authority => 'open', headers => { host => 'secret' });
h2('a second path', 'GET', '/open', qr{/deny},
    headers => [ [ ':path', '/deny' ] ]);
h2('a second method', 'GET', '/get', qr{DELETE},
    headers => [ [ ':method', 'DELETE' ] ]);
h2('a path after the headers', 'GET', undef, qr{/deny},
    headers => [ [ 'x', 'y' ], [ ':path', '/deny' ] ]);
h2('an unknown pseudo header', 'GET', '/role', qr{/role},
    headers => [ [ ':x-role', 'user' ] ]);
h2('a header in upper case', 'GET', '/role', qr{admin},
    headers => [ [ 'x-role', 'user' ], [ 'X-Role', 'admin' ] ]);
h2('a repeated header', 'GET', '/role', qr{admin},
    headers => [ [ 'x-role', 'user' ], [ 'x-role', 'admin' ] ]);
h2('a line in a value', 'GET', '/role', qr{^X-Admin}mi,
    headers => [ [ 'x-role', "user" ], [ 'x', "y\r\nX-Admin: 1" ] ]);
h2('a line in a name', 'GET', '/role', qr{^X-Admin}mi,
    headers => [ [ 'x-role', "user" ], [ "x: y\r\nx-admin", '1' ] ]);
h2('a NUL in a value', 'GET', '/role', qr{admin},
    headers => [ [ 'x-role', "user\0admin" ] ]);
h2('crumbs of a cookie', 'GET', '/cookie', qr{admin},
    headers => [ [ 'cookie', 'a=b' ], [ 'cookie', 'role=admin' ] ]);
h2('transfer-encoding', 'POST', '/deny', qr{smuggled|deny},
    headers => [ [ 'transfer-encoding', 'chunked' ] ],
    body => "0\r\n\r\n$secret");
h2('a length that is too small', 'POST', '/json', qr{smuggled},
    headers => [ [ 'content-length', '15' ] ],
    body => '{"admin":false}' . $secret);
h2('a length that is too large', 'POST', '/json', qr{/json},
    headers => [ [ 'content-length', '150' ] ], body => '{"admin":false}');
h2('two lengths', 'POST', '/json', qr{smuggled},
    headers => [ [ 'content-length', '15' ], [ 'content-length', '100' ] ],
    body => '{"admin":false}' . $secret);
h2('CONNECT', 'CONNECT', '/deny', qr{.});
h2('CONNECT of a websocket', 'CONNECT', '/deny', qr{.},
    headers => [ [ ':protocol', 'websocket' ] ]);
h2('an upgrade', 'GET', '/deny', qr{.},
    headers => [ [ 'upgrade', 'websocket' ], [ 'connection', 'upgrade' ] ]);

done_testing();
