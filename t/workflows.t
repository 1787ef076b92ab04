#!/usr/bin/perl

# Copyright (C) ngx_http_constraint_module authors
# SPDX-License-Identifier: BSD-2-Clause
#
# once: no nginx in it
#
# The workflows of docs/WORKFLOWS.md do what their suites, which follow them
# there, say; and so do those of t/workflow.

use warnings;
use strict;

use File::Basename qw(basename);
use File::Temp qw(tempdir);
use FindBin;
use Test::More;

use lib "$FindBin::RealBin/lib";
use Test::Constraint;

my $ctl = Test::Constraint::build_dir() . '/constraintctl';
my $dir = tempdir(CLEANUP => 1);
my $text = slurp(root_dir() . '/docs/WORKFLOWS.md');

my ($workflow, $suites) = ('', 0);

while ($text =~ /^```yaml (workflow|suite)\n(.*?)^```$/gms) {
    my ($kind, $block) = ($1, $2);

    put("$kind.yaml", $block);

    if ($kind eq 'workflow') {
        ($workflow) = $block =~ /^name: (.*)$/m;
        next;
    }

    $suites++;
    suite("docs: $workflow", "$dir/workflow.yaml", "$dir/suite.yaml");
}

cmp_ok($suites, '>=', 5, 'the document has workflows with suites');
is($suites, scalar(() = $text =~ /^```yaml workflow$/mg), 'one for each');

while ($text =~ /^\$ constraintctl eval (.*)\n(.*)$/mg) {
    my ($arguments, $want) = ($1, $2);
    chomp(my $got = `'$ctl' eval $arguments 2>&1`);
    is($got, $want, "docs: eval $arguments");
}

for my $tests (glob("$FindBin::RealBin/workflow/*.tests.yaml")) {
    my $policy = $tests =~ s/\.tests\.yaml$/.yaml/r;

    next if !-f $policy;                # failing.tests.yaml is cli.t's
    suite(basename($policy), $policy, $tests);
}

# a suite that is wrong fails

put('suite.yaml', "section: [{name: a, tests: [{name: b, input: {now: {value: "
    . "'2024-01-07T00:00:00Z'}}, output: {value: nonsense}}]}]\n");
my $out = `'$ctl' test '$dir/workflow.yaml' '$dir/suite.yaml' 2>&1`;
isnt($?, 0, 'and another result than expected is noticed') or diag($out);

done_testing();


sub suite {
    my ($name, $policy, $tests) = @_;

    my $out = `'$ctl' test '$policy' '$tests' 2>&1`;
    is($?, 0, $name) or diag($out);
    like($out, qr/^ok 1 - /m, "$name: was run");
}


sub put {
    my ($name, $text) = @_;

    open(my $file, '>:raw', "$dir/$name") or die "$name: $!";
    print $file $text;
    close($file) or die "$name: $!";
}
