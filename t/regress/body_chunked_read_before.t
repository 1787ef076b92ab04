#!/usr/bin/perl

# Copyright (C) ngx_http_constraint_module authors
# SPDX-License-Identifier: BSD-2-Clause
#
# A body in chunks that nginx has read for a service already ends in an empty
# buffer of neither memory nor file: it is copied all the same, behind a
# redirect and for a shadow.

use warnings;
use strict;

use FindBin;
use lib "$FindBin::Bin/../lib";

use Test::More;
use Test::Constraint;
use Test::Constraint::Gate;

my $t = Test::Constraint::Gate->start(<<'END',
location /redirect {
    constraint yes;
    proxy_intercept_errors on;
    error_page 404 = /reads;
    proxy_pass http://backend;
}
location /reads { internal; constraint body; proxy_pass http://backend; }
location /shadow { constraint body mode=shadow; proxy_pass http://backend; }
END
    http => 'constraint_log_level notice;',
    reply => sub { ($_[0]{uri} =~ m{^/redirect} ? 404 : 200, {}, 'here') });

$t->register('yes', 'true');
$t->register('body', 'input.a == 1');

my $backend = $t->{backend};

for my $room (0, 100_000) {
    my @body = (chunked => 1, body => '{"a":1' . ' ' x $room . '}');
    my @other = (chunked => 1, body => '{"a":2' . ' ' x $room . '}');

    my $r = $t->request('POST', '/redirect', @body);
    is($r && $r->status, 200, "behind a redirect, and $room bytes");

    $backend->clear();
    $r = $t->request('POST', '/redirect', @other);
    is($r && $r->status, 403, 'it is judged');
    is($backend->count, 1, 'and does not come to the second service');

    for my $body (\@body, \@other) {
        $r = $t->request('POST', '/shadow', @$body);
        is($r && $r->status, 200, 'a shadow lets it pass');
    }
}

my $denied = qr/denied "body" \(shadow\), outcome/;

wait_until { 2 <= (() = $t->error_log() =~ /$denied/g) } 5;
is(scalar(() = $t->error_log() =~ /$denied/g), 2, 'and is judged');
unlike($t->error_log(), qr/exited on signal/, 'no worker has died');

done_testing();
