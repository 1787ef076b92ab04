#!/usr/bin/perl

# Copyright (C) ngx_http_constraint_module authors
# SPDX-License-Identifier: BSD-2-Clause
#
# A shadow that waits for the body is judged in the log phase, also when the
# request has been suspended for another constraint before.

use warnings;
use strict;

use FindBin;
use lib "$FindBin::Bin/../lib";

use Test::More;
use Test::Constraint;
use Test::Constraint::Gate;

my $t = Test::Constraint::Gate->start(<<'END',
location / {
    constraint shadow mode=shadow;
    constraint yes;
    constraint_offload always;
    proxy_pass http://backend;
}
END
    http => 'constraint_log_level notice;');

$t->register('shadow', 'input.a == 1');
$t->register('yes', 'true');

for my $n (1 .. 3) {
    is($t->post('/', '{"a":2}')->status, 200, "request $n passes");
    wait_until {
        my $lines = () = $t->error_log() =~ /denied "shadow" \(shadow\)/g;
        return $lines >= $n;
    } 5;
}

my $lines = () = $t->error_log() =~ /denied "shadow" \(shadow\)/g;
is($lines, 3, 'each is logged');

done_testing();
