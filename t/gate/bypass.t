#!/usr/bin/perl

# Copyright (C) ngx_http_constraint_module authors
# SPDX-License-Identifier: BSD-2-Clause
#
# Ways around the gate.  Each row tries one and asserts what the service
# behind SAW: nothing of what was to be protected.  Rows with "off" are tried
# again with that one defence switched off (builds with faults), and have to
# get through then: so the row can fail.

use warnings;
use strict;

use FindBin;
use lib "$FindBin::Bin/../lib";

use Test::More;
use Test::Constraint;
use Test::Constraint::Gate;

my $t = Test::Constraint::Gate->setup(<<'END', reply => \&reply,
location /open { constraint open; proxy_pass http://backend; }
location /deny { constraint no; proxy_pass http://backend; }
location /role { constraint role; proxy_pass http://backend; }
location /single {
    constraint role_weak;
    constraint_single_headers X-Role;
    proxy_pass http://backend;
}
location /host { constraint host; proxy_pass http://backend; }
location /arg { constraint arg; proxy_pass http://backend; }
location /json { constraint json; proxy_pass http://backend; }
location /small {
    constraint json;
    constraint_body_max 1k;
    proxy_pass http://backend;
}
location /give { constraint give; proxy_pass http://backend; }

location /given { constraint give; proxy_pass http://backend; }
location /more { internal; constraint more; proxy_pass http://backend; }
location /asked {
    set $before "$cookie_user$content_type$proxy_add_x_forwarded_for";
    constraint asked;
    proxy_set_header Cookie user=$cookie_user;
    proxy_set_header Content-Type $content_type;
    proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
    proxy_pass http://backend;
}

location /accel { constraint open; proxy_pass http://backend; }
location /internal { internal; constraint no; proxy_pass http://backend; }
location /same { constraint start; proxy_pass http://backend; }

location /page {
    constraint no;
    error_page 403 =200 @page;
    proxy_pass http://backend;
}
location @page { proxy_pass http://backend; }
location /missing {
    constraint open;
    error_page 404 = @named;
    root %%TESTDIR%%/none;
}
location @named { constraint no; proxy_pass http://backend; }

location /index { constraint folder; index secret.html; root %%TESTDIR%%; }
location /tf { constraint tf; try_files /protected/x.html =404; }
location /tfn { constraint open; try_files /nowhere @named; }

location /auth {
    auth_request /check;
    constraint open;
    proxy_pass http://backend;
}
location /check { internal; constraint no; proxy_pass http://backend; }
location /mirror {
    constraint no;
    mirror /mirrored;
    proxy_pass http://backend;
}
location /mirrored { internal; proxy_pass http://backend; }
location /mirrorno {
    constraint open;
    mirror /check;
    proxy_pass http://backend;
}
location /satisfy {
    satisfy any;
    allow all;
    constraint no;
    proxy_pass http://backend;
}
location /if {
    constraint no;
    if ($arg_pass) { proxy_pass http://backend; }
    if ($arg_set) { set $x 1; }
    if ($arg_rewritten) { rewrite ^ /open/was-if break; }
    proxy_pass http://backend;
}
location /except {
    constraint no;
    limit_except GET { allow all; }
    proxy_pass http://backend;
}
location /parent {
    constraint no;
    location /parent/child { proxy_pass http://backend; }
    location ~ \.txt$ { proxy_pass http://backend; }
}
location /last { constraint open; rewrite ^/last(.*)$ /deny$1 last; }
location /break {
    constraint folder;
    rewrite ^/break(.*)$ /deny$1 break;
    proxy_pass http://backend;
}
location /intercept {
    constraint open;
    proxy_intercept_errors on;
    error_page 404 = @named;
    proxy_pass http://backend;
}
location /ssi { constraint open; ssi on; proxy_pass http://backend; }
location /fastcgi { constraint no; fastcgi_pass 127.0.0.1:%%PORT_B%%; }
location /uwsgi { constraint no; uwsgi_pass 127.0.0.1:%%PORT_B%%; }
location /scgi { constraint no; scgi_pass 127.0.0.1:%%PORT_B%%; }
location /grpc { constraint no; grpc_pass grpc://127.0.0.1:%%PORT_B%%; }
location /added {
    constraint open;
    add_after_body /deny/appendix;
    addition_types *;
    proxy_pass http://backend;
}
location /addno {
    constraint no;
    add_before_body /open/before;
    addition_types *;
    proxy_pass http://backend;
}
location /upgrade {
    constraint no;
    proxy_http_version 1.1;
    proxy_set_header Upgrade $http_upgrade;
    proxy_set_header Connection upgrade;
    proxy_pass http://backend;
}
location /slice {
    slice 1k;
    constraint no;
    proxy_set_header Range $slice_range;
    proxy_pass http://backend;
}
location /outer {
    constraint open;
    location /outer/off { constraint off; proxy_pass http://backend; }
    location /outer/in { constraint no; proxy_pass http://backend; }
}
END
    http => 'client_header_timeout 2s; client_body_timeout 2s; '
        . 'server { listen 127.0.0.1:%%PORT_SLASHES%%; merge_slashes off; '
        . 'location / { constraint slashes; proxy_pass http://backend; } '
        . 'location /deny { constraint no; proxy_pass http://backend; } }');

my $b = $t->{backend};

# a denial whose answer is not the end of the request

$t->allow(qr/header already sent while reading response header/);

$t->write_file('index/secret.html', 'SECRET');
$t->write_file('protected/x.html', 'SECRET');
$t->run();

sub reply {
    my ($request) = @_;

    if ($request->{uri} =~ m{^/accel}) {
        return (200, { 'X-Accel-Redirect' => '/internal/secret' }, 'x');
    }

    if ($request->{uri} =~ m{^/given}) {
        return (200, { 'X-Accel-Redirect' => '/more' }, 'x');
    }

    if ($request->{uri} =~ m{^/intercept}) {
        return (404, {}, 'x');
    }

    if ($request->{uri} =~ m{^/ssi}) {
        return (200, { 'Content-Type' => 'text/html' },
            '<!--#include virtual="/deny/included" -->');
    }

    if ($request->{uri} eq '/same/start') {
        return (200, { 'X-Accel-Redirect' => '/same/secret' }, 'x');
    }

    return (200, {}, "backend: $request->{uri}\n");
}


$t->register('open', 'true');
$t->register('no', 'false');
$t->register('role', "request.headers['x-role'] == 'user'");
$t->register('role_weak', "request.headers['x-role'].startsWith('user')");
$t->register('host', "request.host != 'secret'");
$t->register('arg', "request.args.id == '1'");
$t->register('json', "input.admin == false");
$t->register('give', "{'effect': 'allow', 'headers': {'X-User': 'alice'}}");
$t->register('more', "{'effect': 'allow', 'headers': {'X-Org': 'acme'}}");
$t->register('asked', "{'effect': 'allow', 'headers': {'Cookie': 'user=alice',"
    . " 'content-type': 'text/a', 'X-Forwarded-For': '10.0.0.1'}}");
$t->register('start', "request.path == '/same/start'");
$t->register('folder', "request.path == '/index/'");
$t->register('slashes', "!request.path.contains('//')");
$t->register('tf', "request.path.startsWith('/tf')");


sub raw {
    my ($line, @headers) = @_;
    my $body = @headers && ref($headers[-1]) ? ${pop @headers} : '';

    return join("\r\n", "$line HTTP/1.1", 'Host: localhost', @headers, '',
        $body);
}


my $smuggled = raw('GET /open/smuggled');
my $length = length($smuggled);

# name, what is sent, what the service must not see, the status, the switch

my @rows = (

    # the denial itself

    { name => 'a denied request', send => raw('GET /deny'),
      status => 403, hidden => qr{/deny}, off => 'gate.off_finalize' },
    { name => 'HEAD', send => raw('HEAD /deny'), status => 403,
      hidden => qr{/deny} },
    { name => 'OPTIONS', send => raw('OPTIONS /deny'), status => 403,
      hidden => qr{/deny} },
    { name => 'TRACE', send => raw('TRACE /deny'), status => 405,
      hidden => qr{/deny} },
    { name => 'a method of no standard', send => raw('PURGE /deny'),
      status => 403, hidden => qr{/deny} },
    { name => 'HTTP/1.0', send => "GET /deny HTTP/1.0\r\n\r\n",
      status => 403, hidden => qr{/deny} },
    { name => 'HTTP/0.9', send => "GET /deny\r\n", hidden => qr{/deny} },
    { name => 'satisfy any', send => raw('GET /satisfy'), status => 403,
      hidden => qr{/satisfy} },
    { name => 'an upgrade', send => raw('GET /upgrade',
      'Upgrade: websocket', 'Connection: upgrade'), status => 403,
      hidden => qr{/upgrade} },

    # one request inside of another

    { name => 'a request in the body of a denied one',
      send => raw('POST /deny', "Content-Length: $length", \$smuggled),
      all => 1, hidden => qr{smuggled}, off => 'gate.off_discard' },
    { name => 'a request in the chunked body of a denied one',
      send => raw('POST /deny', 'Transfer-Encoding: chunked',
          \sprintf("%x\r\n%s\r\n0\r\n\r\n", $length, $smuggled)),
      all => 1, hidden => qr{smuggled} },
    { name => 'a request in the body of a refused JSON body',
      send => raw('POST /json', "Content-Length: $length", \$smuggled),
      all => 1, hidden => qr{smuggled} },
    { name => 'Content-Length and Transfer-Encoding',
      send => raw('POST /deny', 'Content-Length: 5',
          'Transfer-Encoding: chunked', \"0\r\n\r\n$smuggled"),
      all => 1, hidden => qr{smuggled|deny} },
    (map { {
        name => $_->[0],
        send => raw('POST /deny', @{$_->[1]}, \"0\r\n\r\n$smuggled"),
        all => 1, hidden => qr{smuggled|deny},
    } } (
        [ 'chunked, identity', [ 'Transfer-Encoding: chunked, identity' ] ],
        [ 'identity, chunked', [ 'Transfer-Encoding: identity, chunked' ] ],
        [ 'a coding after a tab', [ "Transfer-Encoding:\tchunked" ] ],
        [ 'a coding like chunked', [ 'Transfer-Encoding: xchunked' ] ],
        [ 'two Transfer-Encoding', [ ('Transfer-Encoding: chunked') x 2 ] ],
        [ 'two lengths', [ 'Content-Length: 0', "Content-Length: 5" ] ],
        [ 'a length with a sign', [ 'Content-Length: +5' ] ],
        [ 'a negative length', [ 'Content-Length: -1' ] ],
        [ 'a length beyond 64 bits', [ 'Content-Length: ' . '9' x 20 ] ],
    )),
    { name => 'chunks of HTTP/1.0',
      send => "POST /deny HTTP/1.0\r\nTransfer-Encoding: chunked\r\n"
          . "Connection: keep-alive\r\n\r\n0\r\n\r\n$smuggled",
      all => 1, hidden => qr{smuggled|deny} },
    { name => 'a request in a trailer',
      send => raw('POST /deny', 'Transfer-Encoding: chunked',
          \"1;a=\"\r\nx\r\n0\r\nX: y\r\n\r\n"),
      all => 1, hidden => qr{/deny} },
    { name => 'an upgrade to HTTP/2', send => raw('GET /deny',
      'Connection: Upgrade, HTTP2-Settings', 'Upgrade: h2c',
      'HTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA'), status => 403,
      hidden => qr{/deny} },
    { name => 'a denied request in a pipeline',
      send => raw('GET /open/1') . raw('GET /deny') . raw('GET /open/2'),
      all => 1, hidden => qr{/deny}, seen => qr{/open/2} },

    # the path

    { name => 'absolute form', send => raw('GET http://localhost/deny'),
      status => 403, hidden => qr{/deny} },
    { name => 'the host of the absolute form counts',
      send => raw('GET http://secret/host'), status => 403,
      hidden => qr{/host} },
    { name => 'two slashes', send => raw('GET //deny//x'), status => 403,
      hidden => qr{deny} },
    { name => 'dot segments', send => raw('GET /open/../deny'),
      status => 403, hidden => qr{deny} },
    { name => 'an encoded letter', send => raw('GET /%64eny'),
      status => 403, hidden => qr{(?i)eny} },

    # the service may read /deny where nginx reads /open

    (map { {
        name => "$_->[0] in the path", send => raw("GET $_->[1]"),
        status => 400, hidden => qr{/open|/deny}, off => $_->[2],
        code => $_->[2] ? 'PathAmbiguous' : undef,
    } } (
        [ 'an encoded slash', '/deny/..%2fopen', 'gate.off_path' ],
        [ 'an encoded slash, upper case', '/deny/..%2Fopen',
          'gate.off_path' ],
        [ 'an encoded backslash', '/open/..%5cdeny', 'gate.off_path' ],
        [ 'a backslash', '/open/..\\deny', 'gate.off_path' ],
        [ 'a dot segment with a parameter', '/open/..;/deny',
          'gate.off_path' ],
        [ 'one dot with a parameter', '/open/.;x=1/deny', 'gate.off_path' ],
        [ 'an encoded parameter', '/open/..%3b/deny', 'gate.off_path' ],
        [ 'encoded dots', '/deny/%2e%2e/open', 'gate.off_path' ],
        [ 'half encoded dots', '/deny/.%2e/open', 'gate.off_path' ],
        [ 'encoded dots at the end', '/open/a/%2e%2E', 'gate.off_path' ],
        [ 'one encoded dot', '/open/%2e/deny', 'gate.off_path' ],
        [ 'a fragment', '/open/a#/../../deny', 'gate.off_path' ],
        [ 'an overlong slash', '/open/..%c0%afdeny', 'gate.off_path' ],
        [ 'a longer one', '/open/..%E0%80%AFdeny', 'gate.off_path' ],
        [ 'one of four bytes', '/open/..%f0%80%80%afdeny', 'gate.off_path' ],
        [ 'one of five bytes', '/open/..%f8%80%80%80%afdeny',
          'gate.off_path' ],
        [ 'overlong dots', '/open/%c0%ae%c0%ae/deny', 'gate.off_path' ],
        [ 'overlong dots, as they are', "/open/\xc0\xae\xc0\xae/deny",
          'gate.off_path' ],
        [ 'an overlong slash, half encoded', "/open/..\xc0%afdeny",
          'gate.off_path' ],
        [ 'an encoded NUL', '/open/a%00b', undef ],
    )),

    # headers

    { name => 'a repeated header', send => raw('GET /role', 'X-Role: user',
      'X-Role: admin'), status => 403, hidden => qr{/role} },
    { name => 'a repeated header, the other way round',
      send => raw('GET /role', 'X-Role: admin', 'X-Role: user'),
      status => 403, hidden => qr{/role} },
    { name => 'a header with an underscore', send => raw('GET /role',
      'X_Role: user'), status => 403, hidden => qr{/role} },
    { name => 'a repeated single header', send => raw('GET /single',
      'X-Role: user', 'x-role: admin'), status => 400,
      code => 'HeaderRepeated', hidden => qr{/single},
      off => 'gate.off_single' },
    { name => 'a header that the decision gives',
      send => raw('GET /give', 'X-User: root', 'x-user: admin'),
      status => 200, hidden => qr{root|admin}, seen => qr{X-User: alice},
      off => 'gate.off_replace' },
    { name => 'a header that a decision before a redirect gave',
      send => raw('GET /given', 'X-User: root', 'x-user: admin'),
      status => 200, hidden => qr{root|admin},
      seen => qr{/more.*X-Org: acme}s, off => 'gate.off_replace' },
    { name => 'variables of headers, asked for before the decision',
      send => raw('GET /asked', 'Cookie: user=root', 'Content-Type: text/root',
        'X-Forwarded-For: root'), status => 200, hidden => qr{root},
      seen => qr{For: 10\.0\.0\.1, 127\.}, off => 'gate.off_replace' },
    { name => 'Range', send => raw('GET /deny', 'Range: bytes=0-1'),
      status => 403, hidden => qr{/deny} },
    { name => 'If-None-Match', send => raw('GET /deny', 'If-None-Match: *'),
      status => 403, hidden => qr{/deny} },
    { name => 'If-Match', send => raw('PUT /deny', 'If-Match: "a"',
      'Content-Length: 0'), status => 403, hidden => qr{/deny} },
    { name => 'If-Modified-Since', send => raw('GET /deny',
      'If-Modified-Since: Mon, 01 Jan 2035 00:00:00 GMT'), status => 403,
      hidden => qr{/deny} },
    { name => 'slices', send => raw('GET /slice', 'Range: bytes=0-5'),
      status => 403, hidden => qr{/slice} },

    # arguments

    { name => 'a repeated argument', send => raw('GET /arg?id=1&id=2'),
      status => 400, code => 'ArgumentRepeated', hidden => qr{/arg} },
    { name => 'a repeated argument, the other way round',
      send => raw('GET /arg?id=2&id=1'), status => 400, hidden => qr{/arg},
      code => 'ArgumentRepeated' },
    { name => 'a repeated argument, encoded', send =>
      raw('GET /arg?id=1&%69d=2'), status => 400, hidden => qr{/arg},
      code => 'ArgumentRepeated' },

    # bodies

    (map { {
        name => $_->[0],
        send => raw('POST /json', 'Content-Length: ' . length($_->[1]),
            \$_->[1]),
        status => $_->[2], code => $_->[3], hidden => qr{/json},
    } } (
        [ 'a duplicate key', '{"admin":false,"admin":true}', 400,
          'BodyDuplicateKey' ],
        [ 'a duplicate key, escaped', '{"admin":false,"\u0061dmin":true}',
          400, 'BodyDuplicateKey' ],
        [ 'a duplicate key, deep', '{"admin":false,"x":{"a":1,"a":2}}', 400,
          'BodyDuplicateKey' ],
        [ 'broken JSON after what is read', '{"admin":false} x', 400,
          'BodyInvalid' ],
        [ 'a truncated document', '{"admin":false', 400, 'BodyInvalid' ],
        [ 'invalid UTF-8', "{\"admin\":false,\"x\":\"\xff\"}", 400,
          'BodyInvalid' ],
        [ 'no JSON at all', 'admin=false', 400, 'BodyInvalid' ],
        [ 'nesting without end', '[' x 100000, 400, 'BodyInvalid' ],
        [ 'a number beyond 64 bits', '{"admin":false,"n":'
          . '123456789012345678901234567890}', 400, 'BodyInvalid' ],
    )),
    { name => 'a body where none is expected', send => raw('GET /json',
      'Content-Length: 14', \'{"admin":true}'), status => 403,
      hidden => qr{/json} },
    { name => 'no body where one is expected', send => raw('POST /json',
      'Content-Length: 0', \''), status => 403, hidden => qr{/json} },
    { name => 'a body that is too large', send => raw('POST /small',
      'Content-Length: 2000', \('{"admin":false}' . ' ' x 1985)),
      status => 413, code => 'BodyTooLarge', hidden => qr{/small} },
    { name => 'chunks that are too large', send => raw('POST /small',
      'Transfer-Encoding: chunked',
      \("7d0\r\n" . '{"admin":false}' . ' ' x 1985 . "\r\n0\r\n\r\n")),
      status => 413, code => 'BodyTooLarge', hidden => qr{/small} },
    { name => 'broken chunks', send => raw('POST /json',
      'Transfer-Encoding: chunked', \"zz\r\n{}\r\n0\r\n\r\n"),
      status => 400, code => 'BodyUnreadable', hidden => qr{/json} },
    { name => 'a body that does not come', send => raw('POST /json',
      'Content-Length: 100', \'{"admin":false}'), status => 400,
      code => 'BodyUnreadable', hidden => qr{/json} },
    { name => 'a body that is announced and too large',
      send => raw('POST /small', 'Content-Length: 2000',
          'Expect: 100-continue', \''), status => 413, interim => 0,
      code => 'BodyTooLarge', hidden => qr{/small} },

    # inside of nginx

    { name => 'X-Accel-Redirect into a denied location',
      send => raw('GET /accel'), status => 403, hidden => qr{/internal} },
    { name => 'X-Accel-Redirect inside of one location',
      send => raw('GET /same/start'), status => 403,
      hidden => qr{/same/secret}, off => 'gate.off_rejudge' },
    { name => 'error_page with another status', send => raw('GET /page'),
      status => 403, hidden => qr{/page}, off => 'gate.off_direct' },
    { name => 'a named location', send => raw('GET /missing'),
      status => 403, hidden => qr{/missing}, off => 'gate.off_rejudge' },
    { name => 'an index', send => raw('GET /index/'), status => 403,
      secret => 1, off => 'gate.off_rejudge' },
    { name => 'a file of try_files', send => raw('GET /tf/a'),
      status => 403, secret => 1, off => 'gate.off_rejudge' },
    { name => 'a named location of try_files', send => raw('GET /tfn'),
      status => 403, hidden => qr{/tfn}, off => 'gate.off_rejudge' },
    { name => 'an auth_request subrequest', send => raw('GET /auth'),
      status => 403, hidden => qr{/check|/auth},
      off => 'gate.off_subrequests' },
    { name => 'a mirror of a denied request', send => raw('POST /mirror',
      'Content-Length: 2', \'{}'), status => 403, hidden => qr{/mirror} },
    { name => 'a denied mirror', send => raw('GET /mirrorno'),
      status => 200, hidden => qr{/check}, seen => qr{/mirrorno},
      off => 'gate.off_subrequests' },
    (map { {
        name => $_->[0], send => raw("GET $_->[1]"), status => 403,
        hidden => $_->[2],
    } } (
        [ 'an if that passes', '/if?pass=1', qr{/if} ],
        [ 'an if that sets', '/if?set=1', qr{/if} ],
        [ 'an if that rewrites', '/if?rewritten=1', qr{/open} ],
        [ 'limit_except', '/except', qr{/except} ],
        [ 'a nested location that inherits', '/parent/child', qr{/parent} ],
        [ 'one with a pattern', '/parent/a.txt', qr{/parent} ],
        [ 'a rewrite into a denied location', '/last/x', qr{/deny} ],
        [ 'a rewrite inside of one location', '/break/x', qr{/deny} ],
        [ 'an intercepted error', '/intercept', qr{/named} ],
        [ 'fastcgi_pass', '/fastcgi', qr{.} ],
        [ 'uwsgi_pass', '/uwsgi', qr{.} ],
        [ 'scgi_pass', '/scgi', qr{.} ],
        [ 'grpc_pass', '/grpc', qr{.} ],
        [ 'what would be added to a denied answer', '/addno', qr{.} ],
    )),
    { name => 'an SSI subrequest', send => raw('GET /ssi'), status => 200,
      hidden => qr{included}, seen => qr{/ssi},
      off => 'gate.off_subrequests' },
    { name => 'an addition', send => raw('GET /added'), status => 200,
      hidden => qr{appendix}, seen => qr{/added},
      off => 'gate.off_subrequests' },
    { name => 'a nested location that denies', send => raw('GET /outer/in'),
      status => 403, hidden => qr{/outer/in} },
    { name => 'a nested location without', send => raw('GET /outer/off'),
      status => 200, seen => qr{/outer/off} },
);


# attempt(ROW): (what the client got, what the service saw)

sub attempt {
    my ($row) = @_;

    $b->clear();

    my $client = $t->connect();
    my $text;

    $client->write($row->{send});

    if ($row->{all}) {
        $client->write(raw('GET /open/last', 'Connection: close'));
        $text = $client->read_all(5);

    } else {
        my $r = $client->read_response(timeout => 8,
            head => scalar($row->{send} =~ /^HEAD/));
        $text = $r ? $r->text : $client->read_all(1);
    }

    # a background subrequest may still be under way

    if ($row->{name} =~ /mirror/) {
        $t->get('/open/settle');
    }

    return ($text, saw(), $client);
}


sub saw {
    return join("\n", grep { !m{/open/settle} }
        map { $_->{raw} } $b->requests);
}


sub leaked {
    my ($row, $text, $saw) = @_;
    return scalar($text =~ /SECRET/) if $row->{secret};
    return scalar($row->{hidden} && $saw =~ $row->{hidden});
}


for my $row (@rows) {
    my ($text, $saw, $client) = attempt($row);
    $client->close();

    ok(!leaked($row, $text, $saw), "$row->{name}: does not get through")
        or diag("client: $text\nservice: $saw");

    if ($row->{status}) {
        like($text, qr{^HTTP/1.1 $row->{status} }, "$row->{name}: "
            . "$row->{status}");
    }

    if ($row->{code}) {
        like($text, qr{"code":"$row->{code}"}, "$row->{name}: "
            . "$row->{code}");
    }

    if ($row->{seen}) {
        like($saw, $row->{seen}, "$row->{name}: the service sees the rest");
    }

    if (defined $row->{interim}) {
        unlike($text, qr{100 Continue}, "$row->{name}: no 100");
    }

    next unless $row->{off} && Test::Constraint::has_faults();

    $t->fault($row->{off}, 1);
    ($text, $saw, $client) = attempt($row);

    ok((wait_until { leaked($row, $text, saw()) } 5),
        "$row->{name}: gets through without $row->{off}");
    $client->close();
    $t->fault($row->{off}, 0);
}


# what is no way to write a slash passes

for my $path ("/open/\xc3\xa4", '/open/%c3%a4', '/open/%e2%82%ac',
    '/open/%e0%a4%85', '/open/%f0%9f%98%80', '/open/%c0', '/open/%c0/%af',
    "/open/\xe4?\xc0\xaf")
{
    $b->clear();
    is($t->get($path)->status, 200, 'a path with ' . http_escape($path)
        . ' passes');
    is($b->count, 1, 'and the service sees it');
}


# merge_slashes off: what is judged is what is sent on, slash by slash

for my $row ([ '/deny', 403 ], [ '//deny', 403 ], [ '/open//deny', 403 ],
    [ '//', 403 ], [ '/open', 200 ])
{
    my ($path, $status) = @$row;

    $b->clear();
    is($t->get($path, port => 'SLASHES')->status, $status,
        "merge_slashes off, $path: $status");
    is($b->count, $status == 200 ? 1 : 0, 'which the service sees, or not');
}


# HTTP/2

sub h2 {
    my ($name, $method, $path, $status, %opt) = @_;

    $b->clear();
    my $h = $t->h2(port => 'H2');
    my $r = $h->request($method, $path, %opt);

    is($r->status, $status, "HTTP/2, $name: $status");
    return ($h, $r);
}

h2('a denied request', 'GET', '/deny', 403);
is($b->count, 0, 'HTTP/2, a denied request: the service sees nothing');

h2('a denied upload', 'POST', '/deny', 403, body => 'x' x 100000);
is($b->count, 0, 'HTTP/2, a denied upload: the service sees nothing');

h2('a body', 'POST', '/json', 200, body => '{"admin":false}');
is($b->last->{body}, '{"admin":false}', 'HTTP/2, a body: arrives whole');

my ($h) = h2('a denied body', 'POST', '/json', 403,
    body => '{"admin":true}');
is($b->count, 0, 'HTTP/2, a denied body: the service sees nothing');
is($h->request('GET', '/open')->status, 200,
    'HTTP/2: the connection goes on');

h2('a body without a length', 'POST', '/json', 403,
    body => '{"admin":true}');
is($b->count, 0, 'HTTP/2, no length: the service sees nothing');

h2('a large body without a length', 'POST', '/json', 200,
    body => '{"admin":false}' . ' ' x 300000);
is(length($b->last->{body}), 300015,
    'HTTP/2, a large body without a length: arrives whole');

h2('too large a body without a length', 'POST', '/small', 413,
    body => '{"admin":false}' . ' ' x 30000);
is($b->count, 0, 'HTTP/2, too large: the service sees nothing');

h2('an encoded slash', 'GET', '/open/..%2fdeny', 400);
is($b->count, 0, 'HTTP/2, an encoded slash: the service sees nothing');

done_testing();
