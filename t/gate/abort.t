#!/usr/bin/perl

# Copyright (C) ngx_http_constraint_module authors
# SPDX-License-Identifier: BSD-2-Clause
#
# Bodies that come slowly, in pieces, after 100-continue, or not to their
# end: what arrives is whole, what does not arrive leaves nothing behind.

use warnings;
use strict;

use FindBin;
use lib "$FindBin::Bin/../lib";

use Test::More;
use Test::Constraint;
use Test::Constraint::Gate;

my $t = Test::Constraint::Gate->start(<<'END', server =>
location / { constraint body; proxy_pass http://backend; }
location /thread {
    constraint body;
    constraint_offload always;
    proxy_pass http://backend;
}
END
    'client_body_timeout 1s; client_body_buffer_size 1k;');

$t->register('body', 'input.a == 1');

my $b = $t->{backend};
my $json = '{"a":1,"b":"' . 'x' x 5000 . '"}';


for my $path (qw(/ /thread)) {

    # byte by byte, at least at the ends

    my $c = $t->connect();
    $c->write("POST $path HTTP/1.1\r\nHost: a\r\nContent-Length: "
        . length($json) . "\r\n\r\n");
    $c->write($_) && select(undef, undef, undef, 0.001)
        for split(//, substr($json, 0, 20));
    $c->write(substr($json, 20));
    is($c->read_response()->status, 200, "$path: a body in pieces");
    is($b->last->{body}, $json, "$path: is whole");

    # in chunks, with a request behind it

    $c->write("POST $path HTTP/1.1\r\nHost: a\r\n"
        . "Transfer-Encoding: chunked\r\n\r\n");
    $c->write(sprintf("%x\r\n%s\r\n", length($_), $_))
        for unpack('(a700)*', $json);
    $c->write("0\r\n\r\nGET /none HTTP/1.1\r\nHost: a\r\n\r\n");
    is($c->read_response()->status, 200, "$path: a body in chunks");
    is($b->last->{body}, $json, "$path: is whole");
    is($c->read_response()->status, 403, "$path: what follows is a request");

    # after 100-continue

    $c = $t->connect();
    $c->write("POST $path HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n"
        . "Content-Length: " . length($json) . "\r\n\r\n");
    like($c->interim(5), qr/100 Continue/, "$path: 100-continue comes");
    $c->write($json);
    is($c->read_response()->status, 200, "$path: and the body passes");

    # not to its end

    $b->clear();
    $c = $t->connect();
    $c->write("POST $path HTTP/1.1\r\nHost: a\r\nContent-Length: 5000\r\n"
        . "\r\n{\"a\":1");
    my $r = $c->read_response();
    is($r->status, 400, "$path: a body that stops is refused");
    is($r->json->{code}, 'BodyUnreadable', "$path: by its name");
    ok($c->closed(5), "$path: and the connection ends");

    for my $part ('', '{', substr($json, 0, 3000)) {
        for (1 .. 3) {
            $c = $t->connect();
            $c->write("POST $path HTTP/1.1\r\nHost: a\r\nContent-Length: "
                . "100000\r\n\r\n$part");
            $_ == 1 ? $c->close() : $c->reset();
        }
    }

    is($b->count, 0, "$path: the service sees none of them");

    # HTTP/2

    my $h = $t->h2(port => 'H2');
    my $id = $h->start('POST', $path, end => 0);
    $h->data($id, substr($json, 0, 10), 0);
    $h->data($id, substr($json, 10), 1);
    is($h->read($id)->status, 200, "$path: HTTP/2, in pieces");
    is($b->last->{body}, $json, "$path: HTTP/2, is whole");

    $b->clear();
    $id = $h->start('POST', $path, end => 0);
    $h->data($id, substr($json, 0, 10), 0);
    $h->frame(3, 0, $id, pack('N', 8));
    is($h->request('POST', $path, body => $json)->status, 200,
        "$path: HTTP/2, a stream that is reset harms no other");
    is($b->count, 1, "$path: HTTP/2, nor reaches the service");

    $id = $h->start('POST', $path, end => 0);
    $h->data($id, '{"a"', 0);
    is($h->read($id)->status, 400, "$path: HTTP/2, a body that stops");

    $h = $t->h2(port => 'H2');
    $id = $h->start('POST', $path, end => 0);
    $h->data($id, '{"a"', 0);
    undef $h;
}

is($t->get('/none')->status, 403, 'all is well afterwards');

done_testing();
