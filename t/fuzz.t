#!/usr/bin/perl

# Copyright (C) ngx_http_constraint_module authors
# SPDX-License-Identifier: BSD-2-Clause
#
# once: it has a build of its own
# deps: matrix
#
# A short run of every fuzz target from its seeds, regressions among them, and
# of a target whose faults a run has to see.  Long ones: t/matrix.sh fuzz.

use warnings;
use strict;

use FindBin;
use Test::More;

use lib "$FindBin::RealBin/lib";
use Test::Constraint;

my $root = root_dir();
my $seconds = $ENV{FUZZ_SECONDS} // 2;
my %seen;

my $run = "$root/t/fuzz/run";
my $out = `'$run' --fresh $seconds 2>&1`;

is($?, 0, "no target finds a fault in $seconds seconds") or diag($out);

for my $line (split(/\n/, $out)) {
    $line =~ /^(\w+)\s+\d+ s\s+(\d+) executions\s+(\d+) edges\s+(\d+) crashes/
        or next;
    my ($target, $executions, $edges, $crashes) = ($1, $2, $3, $4);

    my @corpus = glob("$root/t/fuzz/corpus/$target/*");

    $seen{$target} = 1;
    cmp_ok($executions, '>', scalar(@corpus),
        "$target: more than the seeds are run");
    cmp_ok($edges, '>', 100, "$target: it reaches the library");
    is($crashes, 0, "$target: nothing is found");
    note($line);
}

my @targets = sort map { m{([^/]+)$} } glob("$root/t/fuzz/corpus/*");
is(join(' ', sort keys %seen), "@targets", 'every target with seeds has run');


# what a run has to see

my $build = Test::Constraint::build_dir();
my $input = "$build/fuzz/control.input";

sub control {
    my ($text) = @_;

    open(my $fh, '>:raw', $input) or die "$input: $!\n";
    print $fh $text;
    close($fh);

    my $said = `'$run' --input '$input' control 2>&1`;
    return ($?, $said);
}

my ($rc, $said) = control('x');
is($rc, 0, 'an input without a fault passes') or diag($said);

for my $case (
    ['b', qr/heap-buffer-overflow/, 'a read behind the input'],
    ['u', qr/runtime error/, 'undefined behaviour'],
    ['l', qr/LeakSanitizer/, 'a leak'],
    ['w', qr/over its limit: 101 units/, 'work over the limit'],
    ['m', qr/over its limit: \d+ bytes of heap/, 'memory over the limit'],
    ['f', qr/FAULT: on purpose/, 'what a target says'])
{
    my ($text, $pattern, $what) = @$case;

    ($rc, $said) = control($text);
    isnt($rc, 0, "$what is a fault");
    like($said, $pattern, 'and told');
}

is(system("'$run' >/dev/null 2>&1") >> 8, 2, 'seconds are needed');
is(system("'$run' 1 nosuch >/dev/null 2>&1") >> 8, 2,
    'an unknown target is refused');

done_testing();
