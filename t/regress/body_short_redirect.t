#!/usr/bin/perl

# Copyright (C) ngx_http_constraint_module authors
# SPDX-License-Identifier: BSD-2-Clause
#
# A body over HTTP/2 that is shorter than announced and has ended before it is
# read for a constraint: nginx answers 400 itself, and a constraint behind the
# error_page is asked and does not wait for the body for ever.

use warnings;
use strict;

use FindBin;
use lib "$FindBin::Bin/../lib";

use Test::More;
use Test::Constraint;
use Test::Constraint::Gate;

my $t = Test::Constraint::Gate->start(<<'END');
location /reads {
    constraint yes;
    constraint body;
    constraint_offload always;
    error_page 400 /after;
    proxy_pass http://backend;
}
location /after {
    internal;
    constraint yes;
    proxy_pass_request_body off;
    proxy_set_header Content-Length "";
    proxy_pass http://backend;
}
location /same {
    constraint yes;
    constraint body;
    constraint_offload always;
    error_page 400 = /same;
    proxy_pass http://backend;
}
END

$t->register('yes', 'true');
$t->register('body', 'input.a == 1');

for my $row ([ 'POST', '/reads' ], [ 'GET', '/same' ]) {
    my ($method, $path) = @$row;

    for my $round (1 .. 3) {
        my $h = $t->h2(port => 'H2');
        my $id = $h->start($method, $path, end => 0,
            headers => [[ 'content-length', 100 ]]);
        $h->data($id, '{"a":1}', 1);

        my $r = $h->read($id);
        is($r && $r->status, 400, "$path is answered, round $round");
    }
}

# when it had not ended yet it is the gate that refuses, without error_page

is(scalar(grep { $_->{uri} ne '/after' } $t->{backend}->requests), 0,
    'what needs the body is not let on without it');

done_testing();
