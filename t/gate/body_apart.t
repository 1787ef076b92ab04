#!/usr/bin/perl

# Copyright (C) ngx_http_constraint_module authors
# SPDX-License-Identifier: BSD-2-Clause
#
# A body that begins in the buffer of the headers ends there, or comes in a
# second piece, or in many: it is judged as a whole, once and again after a
# redirect, and the service gets it as it was sent.

use warnings;
use strict;

use FindBin;
use lib "$FindBin::Bin/../lib";

use Test::More;
use Test::Constraint;
use Test::Constraint::Gate;

my $t = Test::Constraint::Gate->start(<<'END',
location /one { constraint one; proxy_pass http://backend; }
location /both { constraint one; constraint last;
    proxy_pass http://backend; }
location /again { constraint one; proxy_intercept_errors on;
    error_page 404 = /last; proxy_pass http://backend; }
location /refused { constraint one; proxy_intercept_errors on;
    error_page 404 = /two; proxy_pass http://backend; }
location /small { constraint one; proxy_intercept_errors on;
    error_page 404 = /less; proxy_pass http://backend; }
location /lost { constraint one; proxy_intercept_errors on;
    error_page 404 = /none; proxy_pass http://backend; }
location /last { internal; constraint last; proxy_pass http://backend; }
location /two { internal; constraint two; proxy_pass http://backend; }
location /none { internal; proxy_pass http://backend; }
location /less { internal; constraint last; constraint_body_max 500;
    proxy_pass http://backend; }
END
    reply => sub {
        return ($_[0]{uri} =~ m{^/(?:again|refused|small|lost)} ? 404 : 200,
            {}, '');
    });

$t->register('one', 'input.n == 1');
$t->register('two', 'input.n == 2');
$t->register('last', "input.last == 'z'");

sub body { return '{"n": 1, "x": "' . 'x' x $_[0] . '", "last": "z"}' }

sub head {
    my ($path, $length) = @_;
    return "POST $path HTTP/1.1\r\nHost: a\r\nContent-Length: $length\r\n\r\n";
}


# the headers' buffer has 1 KB, that of a body 16

for my $n (0, (map { 900 + 7 * $_ } 0 .. 14), 2000, 15000, 17000, 40000) {
    my $body = body($n);

    for my $path (qw(/one /both)) {
        $t->{backend}->clear();

        my $c = $t->connect();
        $c->write(head($path, length($body)) . $body
            . "GET $path HTTP/1.1\r\nHost: a\r\n\r\n");

        is($c->read_response()->status, 200, "$path, $n");
        is($c->read_response()->status, 403, 'what follows has no body');

        my @seen = $t->{backend}->requests();
        is(scalar(@seen), 1, 'the service has had one');
        ok($seen[0]{body} eq $body, 'with its body');
    }
}


for my $n (10, 1100, 20000) {
    my $body = body($n);

    for my $row ([ '/again', 200, 2 ], [ '/refused', 403, 1 ],
        [ '/small', $n < 500 ? 200 : 413, $n < 500 ? 2 : 1 ],
        [ '/lost', 200, 2 ])
    {
        my ($path, $status, $count) = @$row;

        $t->{backend}->clear();

        my $c = $t->connect();
        $c->write(head($path, length($body)) . $body);
        is($c->read_response()->status, $status, "$path, $n");

        my @seen = $t->{backend}->requests();
        is(scalar(@seen), $count, "the service has had $count");
        is(scalar(grep { $_->{body} ne $body } @seen), 0,
            'each with its body');
    }
}


# what is wrong is in the second piece

for my $row ([ substr(body(1500), 0, -1), 400, qr/line 1, column 15/ ],
    [ body(1500) =~ s/"last"/"n"/r, 400, qr/duplicate key/ ],
    [ body(1500) =~ s/z"}/\xff"}/r, 400, qr/UTF-8/ ],
    [ body(1500) =~ s/"n": 1/"n": 3/r, 403, qr/DENY/ ])
{
    my ($body, $status, $says) = @$row;

    $t->{backend}->clear();

    my $c = $t->connect();
    $c->write(head('/one', length($body)) . $body);

    my $r = $c->read_response();
    is($r->status, $status, 'a body that is wrong');
    like($r->body, $says, 'and what is');
    is($t->{backend}->count, 0, 'the service does not see it');
}


# and where it takes its time

my $body = body(1500);

$t->{backend}->clear();

my $c = $t->connect();

for my $part (head('/one', length($body)) . substr($body, 0, 300),
    substr($body, 300, 900), substr($body, 1200))
{
    $c->write($part);
    select(undef, undef, undef, 0.05);
}

is($c->read_response()->status, 200, 'in three pieces');
ok($t->{backend}->last->{body} eq $body, 'the service gets one');


$t->finish();
done_testing();
