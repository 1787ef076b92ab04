#!/usr/bin/perl

# Copyright (C) ngx_http_constraint_module authors
# SPDX-License-Identifier: BSD-2-Clause
#
# A post_action and decisions that are waited for: it is done once, also when
# the client goes while the request or the action itself is being decided.

use warnings;
use strict;

use FindBin;
use lib "$FindBin::Bin/../lib";

use Test::More;
use Test::Constraint;
use Test::Constraint::Gate;

my $t = Test::Constraint::Gate->start(<<'END',
location /plain {
    post_action /bare;
    proxy_pass http://backend;
}
location /after {
    post_action /gated;
    proxy_pass http://backend;
}
location /first {
    constraint yes;
    constraint_offload always;
    post_action /bare;
    proxy_pass http://backend;
}
location /body {
    constraint body;
    constraint_offload always;
    post_action /told;
    proxy_pass http://backend;
}
location /both {
    constraint yes;
    constraint_offload always;
    post_action /gated;
    proxy_pass http://backend;
}
location /refused {
    constraint yes;
    constraint_offload always;
    post_action /closed;
    proxy_pass http://backend;
}
location /bare {
    proxy_pass http://backend;
}
location /told {
    proxy_set_header X-Effect "<$constraint_effect>";
    proxy_pass http://backend;
}
location /gated {
    constraint yes;
    constraint_offload always;
    proxy_pass http://backend;
}
location /closed {
    constraint no;
    proxy_pass http://backend;
}
END
    need => [ 'faults' ],
    reply => sub {
        my ($request) = @_;

        # the action lasts longer than the decision

        select(undef, undef, undef, 0.5) if $request->{uri} =~ /bare|told/;
        return (200, {}, 'x');
    });

$t->register('yes', 'true');
$t->register('no', 'false');
$t->register('body', 'input.a == 1');
$t->fault('task.delay_ms', 200);

my $b = $t->{backend};


# seen(LINES): the URIs of what came to the service, all of it being over

sub seen {
    my ($lines) = @_;

    wait_until {
        my $n = () = $t->read_file('access.log') =~ /POST/g;
        return $n >= $lines;
    } 5;

    return join(' ', map { $_->{uri} } $b->requests);
}


sub sent {
    my ($path, $answered) = @_;

    $b->clear();

    my $client = $t->connect();
    my $before = () = $t->read_file('access.log') =~ /POST/g;

    $client->write("POST $path HTTP/1.1\r\nHost: a\r\n"
        . "Content-Length: 7\r\n\r\n{\"a\":1}");

    is($client->read_response()->status, 200, "$path answers") if $answered;

    $client->close();

    return seen($before + 1);
}


is(sent('/plain', 1), '/plain /bare', 'without a constraint it is done');
is(sent('/after', 1), '/after /gated',
    'and when it is decided after the client has gone');
is(sent('/first'), '/bare', 'once when the client goes before the decision');
is(sent('/body'), '/told', 'also where a body was read and a variable is');
is(sent('/both'), '/gated', 'and where it has a constraint itself');
is(sent('/refused'), '', 'which may refuse it');

done_testing();
