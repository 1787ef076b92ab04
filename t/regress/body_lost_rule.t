#!/usr/bin/perl

# Copyright (C) ngx_http_constraint_module authors
# SPDX-License-Identifier: BSD-2-Clause
#
# A body that was asked for and could not be read refuses the request, also
# when there is no rule any more, or one that failures do not stop, by the time
# that it breaks.

use warnings;
use strict;

use FindBin;
use lib "$FindBin::Bin/../lib";

use Test::More;
use Test::Constraint;
use Test::Constraint::Gate;

my $t = Test::Constraint::Gate->start(<<'END',
location /alone { constraint body; proxy_pass http://backend; }
location /both { constraint free; constraint body;
    proxy_pass http://backend; }
location /shadow { constraint free mode=shadow; constraint body;
    proxy_pass http://backend; }
END
    server => 'constraint_on_error allow; proxy_read_timeout 1s;');

$t->register('free', 'true');

my %change = (
    'as it was' => sub { return 200 },
    deleted => sub { return ($t->api('DELETE', '/constraint/body'))[0] },
    disabled => sub { return ($t->api('PUT', '/constraint/body',
        { enabled => JSON::PP::false() }))[0] },
    bounded => sub { return ($t->api('PUT', '/constraint/body',
        { execution => { max_exec_ms => 50 } }))[0] },
    observational => sub { return ($t->api('PUT', '/constraint/body',
        { execution => { observational => JSON::PP::true() } }))[0] },
);

for my $what (sort keys %change) {
    for my $path (qw(/alone /both /shadow)) {
        $t->api('DELETE', '/constraint/body');
        $t->api('DELETE', '/workflow/body_flow');
        $t->register('body', 'input.n == 1');

        is($t->post($path, '{"n": 1}')->status, 200, "$path: the rule");
        $t->{backend}->clear();

        my $c = $t->connect();

        $c->write("POST $path HTTP/1.1\r\nHost: a\r\n"
            . "Expect: 100-continue\r\nTransfer-Encoding: chunked\r\n\r\n"
            . "5\r\n{\"n\":\r\n");
        like($c->interim(), qr{^HTTP/1.1 100 }, 'the body is waited for');

        is($change{$what}->(), 200, "the rule is $what");
        $c->write("zz\r\n");

        my $r = $c->read_response();
        is($r ? $r->status : 0, 400, "$path, $what: is refused");
        is($t->{backend}->count, 0, 'the service does not see it');
    }
}

$t->finish();
done_testing();
