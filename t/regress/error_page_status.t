#!/usr/bin/perl

# Copyright (C) ngx_http_constraint_module authors
# SPDX-License-Identifier: BSD-2-Clause
#
# An error_page that leads to a denying location: the denial keeps its own
# status, also for auth_request, which looks at nothing else.

use warnings;
use strict;

use FindBin;
use lib "$FindBin::Bin/../lib";

use Test::More;
use Test::Constraint;
use Test::Constraint::Gate;

my $t = Test::Constraint::Gate->start(<<'END');
location /two_hundred { error_page 404 =200 /denied/; return 404; }
location /as_it_was { error_page 404 /denied/; return 404; }
location /denied/ { constraint no; proxy_pass http://backend; }

location /auth {
    internal;
    error_page 404 =200 /denied/;
    return 404;
}
location /guarded/ { auth_request /auth; proxy_pass http://backend; }
END

$t->register('no', 'false');

is($t->get('/two_hundred')->status, 403, 'no 200 by error_page');
is($t->get('/as_it_was')->status, 403, 'nor the status of the error');

$t->{backend}->clear();

isnt($t->get('/guarded/')->status, 200, 'auth_request does not see 200');
is(scalar(grep { $_->{uri} eq '/guarded/' } $t->{backend}->requests), 0,
    'nothing reaches the service');

done_testing();
