#!/usr/bin/perl

# Copyright (C) ngx_http_constraint_module authors
# SPDX-License-Identifier: BSD-2-Clause
#
# A body that is refused when a part of it has been taken leaves no chain
# behind that others use: a post_action or an error_page does not send what is
# not the client's.

use warnings;
use strict;

use FindBin;
use lib "$FindBin::Bin/../lib";

use Test::More;
use Test::Constraint;
use Test::Constraint::Gate;

my $t = Test::Constraint::Gate->start(<<'END', server =>
location /action {
    constraint body;
    post_action /bare;
    proxy_pass http://backend;
}
location /page {
    constraint body;
    constraint_deny_body nginx;
    error_page 413 = @bare;
    proxy_pass http://backend;
}
location /bare { proxy_pass http://backend; }
location @bare { proxy_pass http://backend; }
END
    'constraint_body_max 1k; proxy_read_timeout 200ms;');

$t->register('body', 'input.a == 1');

my $text = 'x' x 9000;

for my $path (qw(/action /page)) {
    my $lines = () = $t->read_file('access.log') =~ / \Q$path\E /g;
    my $client = $t->connect();

    # some of it comes with the header

    $client->write("POST $path HTTP/1.1\r\nHost: a\r\n"
        . "Transfer-Encoding: chunked\r\n\r\n"
        . sprintf("%x\r\n", length($text)) . "$text\r\n0\r\n\r\n");

    my $r = $client->read_response();
    ok($r && $r->status >= 400, "$path is refused");
    $client->close();

    ok(wait_until(sub {
        my $now = () = $t->read_file('access.log') =~ / \Q$path\E /g;
        return $now > $lines;
    }, 10), 'and ends');
}

$t->{backend}->stop();

my @other = grep { $_->{raw} =~ /\r\n\r\n.*[^x]/s || $_->{body} =~ /[^x]/ }
    $t->{backend}->requests;
is(scalar(@other), 0, 'nothing else is sent as a body');

done_testing();
