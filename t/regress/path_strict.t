#!/usr/bin/perl

# Copyright (C) ngx_http_constraint_module authors
# SPDX-License-Identifier: BSD-2-Clause
#
# Two ways to be judged as one request and served as another: arguments after
# a fragment, which nginx does not see and forwards, and ".." after a segment
# that is none for the service.

use warnings;
use strict;

use FindBin;
use lib "$FindBin::Bin/../lib";

use Test::More;
use Test::Constraint;
use Test::Constraint::Gate;

my $t = Test::Constraint::Gate->start(<<'END');
location /args { constraint args; proxy_pass http://backend; }
location / { constraint public; proxy_pass http://backend; }
location /off/ {
    constraint public;
    constraint_path off;
    proxy_pass http://backend;
}
END

$t->register('args', "request.args['a'] == '1'");
$t->register('public', "request.path.startsWith('/public/') "
    . "|| request.path.startsWith('/off/')");

for my $uri ('/args?a=1#&a=2', '/args?a=1&b=#', '/args#?a=1',
    '/public/;/../public/x', '/public/;x=1/../x', '/public/%3B/../x',
    '/public/;/a/../../public/x', '/admin//../public/x',
    '/admin//a/../../public/x', '/public/;/..?x', '/public/%2e%2e?x')
{
    $t->{backend}->clear();

    my $r = $t->http("GET $uri HTTP/1.1\r\nHost: x\r\n"
        . "Connection: close\r\n\r\n");

    is($r->status, 400, "$uri is refused");
    is($t->{backend}->count, 0, 'the service sees nothing');

    my $h = $t->h2(port => 'H2');
    is($h->request('GET', $uri)->status, 400, 'the same over HTTP/2');
}

for my $uri ('/args?a=1', '/args?a=1&b=%23', '/public/a/../b', '/public//b',
    '/public/;session=1', '/public/a;x=1/../b', '/public/..a/b',
    '/public/.../b', '/public/;/.b', '/public/x?a=//..', '/off/;/../b')
{
    my $r = $t->http("GET $uri HTTP/1.1\r\nHost: x\r\n"
        . "Connection: close\r\n\r\n");

    is($r->status, 200, "$uri passes");
}

# a backslash is found wherever it stands: paths are read by eight bytes

{
    $t->{backend}->clear();

    my %status;

    for my $n (0 .. 17) {
        for my $more ('', 'b' x (17 - $n)) {
            my $r = $t->http('GET /public/' . 'a' x $n . "\\$more HTTP/1.1\r\n"
                . "Host: x\r\nConnection: close\r\n\r\n");
            $status{$r ? $r->status : 0}++;
        }
    }

    is(join(' ', %status), '400 36', 'a backslash is refused at each place');
    is($t->{backend}->count, 0, 'the service sees none');
}

done_testing();
