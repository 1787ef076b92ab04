#!/usr/bin/perl

# Copyright (C) ngx_http_constraint_module authors
# SPDX-License-Identifier: BSD-2-Clause
#
# Evaluations that run away, each kind under the bound that is for it, on the
# event loop and in a thread: all are stopped, say so, and leave a worker that
# serves the next one.  That no step is made after a bound was found is
# counted by the unit test of the budget.

use warnings;
use strict;

use FindBin;
use lib "$FindBin::Bin/lib";

use Test::More;
use Test::Constraint;
use Test::Constraint::Gate;

my $t = Test::Constraint::Gate->start(<<'END',
constraint_timeout 20s;
constraint_cost_limit 100000000000;
constraint_memory_limit 256m;
constraint_deny_detail full;
constraint_body_max 8m;
client_max_body_size 8m;
client_body_buffer_size 8m;

location /loop/inline { constraint loop; constraint_offload off; }
location /loop/thread { constraint loop; constraint_offload always; }
location /list/inline { constraint list; constraint_offload off; }
location /list/thread { constraint list; constraint_offload always; }
location /text/inline { constraint text; constraint_offload off; }
location /text/thread { constraint text; constraint_offload always; }
location /regex/inline { constraint regex; constraint_offload off; }
location /regex/thread { constraint regex; constraint_offload always; }
location /format/inline { constraint format; constraint_offload off; }
location /format/thread { constraint format; constraint_offload always; }
location /body/inline { constraint body; constraint_offload off; }
location /body/thread { constraint body; constraint_offload always; }
location /cpu/inline { constraint cpu; constraint_offload off; }
location /cpu/thread { constraint cpu; constraint_offload always; }
location /next/inline { constraint next; constraint_offload off; }
location /next/thread { constraint next; constraint_offload always; }
END
    );

my $many = '[' . join(', ', 1 .. 40) . ']';

sub nested {
    my ($inner, $by) = @_;

    $inner = "$many.$by(x$_, $inner)" for 1 .. 7;
    return $inner;
}

my %time = (execution => { max_exec_ms => 20 });
my %memory = (execution => { memory_limit_bytes => 1_000_000 });
my %cpu = (execution => { max_exec_ms => 10000, cpu_shares => 1 });
my $regexes = join(' || ', map { "input.s.matches('(a|b|ab)*$_')" } 'c' .. 'z');

# kind => expression, bound, body, name, its limit

my %bombs = (
    loop => [ nested('x1 > 0', 'all'), \%time, '{}', 'TimeoutExceeded',
        allowed_ms => 20 ],
    list => [ 'size(' . nested('[x1, x1]', 'map') . ') == 0', \%memory, '{}',
        'MemoryExceeded', limit_bytes => 1_000_000 ],
    text => [ 'size(' . nested('string(x1)', 'map') . ') == 0', \%memory,
        '{}', 'MemoryExceeded', limit_bytes => 1_000_000 ],
    regex => [ $regexes, \%time, '{"s":"' . 'a' x 2_000_000 . '"}',
        'TimeoutExceeded', allowed_ms => 20 ],
    format => [ "$many.exists(x, '%s%s%s%s'.format([input.s, input.s, input.s,"
        . " input.s]) == '')", \%memory, '{"s":"' . 'a' x 20_000 . '"}',
        'MemoryExceeded', limit_bytes => 1_000_000 ],
    body => [ 'size(input.l) > 0', \%memory,
        '{"l":[' . join(',', (1) x 500_000) . ']}', 'MemoryExceeded',
        limit_bytes => 1_000_000 ],
    cpu => [ nested('x1 > 0', 'all'), \%cpu, '{}', 'CpuExceeded',
        shares => 1 ],
);

for my $kind (sort keys %bombs) {
    my ($expression, $bound) = @{$bombs{$kind}};
    $t->register($kind, $expression, %$bound);
}

$t->register('next', 'true', execution => { max_exec_ms => 15000 });

for my $kind (sort keys %bombs) {
    my (undef, undef, $body, $name, $field, $limit) = @{$bombs{$kind}};

    for my $where (qw(inline thread)) {
        my $label = "$kind, $where";
        my $r = $t->post("/$kind/$where", $body);

        is($r->status, 403, "$label: is refused");

        my $decision = $r->json->{decision} // {};
        my $violation = $decision->{violations}[0] // {};

        is($violation->{$name}{$field}, $limit, "$label: $name")
            or diag(substr($r->body, 0, 1000));
        is($decision->{where}, $where, "$label: where it was to run");

        # the limit of memory is never passed, not for a moment

        if ($name eq 'MemoryExceeded') {
            cmp_ok($decision->{memory}, '<=', $limit, "$label: within it");
            cmp_ok($violation->{$name}{actual_bytes}, '>', $limit,
                "$label: and what was asked for is not");
        }

        # "next" goes to the backend, which is none: 404 is an allow

        is($t->get("/next/$where")->status, 404,
            "$label: the next one is served");
    }
}

done_testing();
