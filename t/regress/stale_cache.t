#!/usr/bin/perl

# Copyright (C) ngx_http_constraint_module authors
# SPDX-License-Identifier: BSD-2-Clause
#
# While the changes cannot be read nothing old is decided from: neither the
# worker's own rules nor what the zone still has of them.

use warnings;
use strict;

use FindBin;
use lib "$FindBin::Bin/../lib";

use Test::More;
use Test::Constraint;
use Test::Constraint::Gate;

my $t = Test::Constraint::Gate->start(<<'END', need => [ 'faults' ]);
location / { constraint x; proxy_pass http://backend; }
END

$t->register('x', 'true');
$t->register('y', 'false');

is($t->get('/')->status, 200, 'it is loaded, and in the zone');

$t->fault('store.read_busy', 1);

my ($status) = $t->api('PUT', '/constraint/x', { dsl_workflow_id => 'y_flow' });
is($status, 200, 'it is changed');

is($t->get('/')->status, 403, 'the old one does not decide');
is($t->get('/')->status, 403, 'nor later');

$t->fault('store.read_busy', 0);

is($t->get('/')->status, 403, 'the new one denies');
($status) = $t->api('PUT', '/constraint/x', { dsl_workflow_id => 'x_flow' });
is($t->get('/')->status, 200, 'and all goes on');

done_testing();
