#!/usr/bin/perl

# Copyright (C) ngx_http_constraint_module authors
# SPDX-License-Identifier: BSD-2-Clause
#
# Execution constraints: every bound, on the event loop and in a thread, with
# every declared effect.  A row is one decision, with its exact violation:
# numbers that vary are held between bounds.

use warnings;
use strict;

use FindBin;
use lib "$FindBin::Bin/lib";

use Test::More;
use Test::Constraint;
use Test::Constraint::Gate;

my $t = Test::Constraint->new(workers => 1, pools => 1);

$t->conf(<<'END');
%%GLOBALS%%
events { }
http {
    %%GLOBALS_HTTP%%
    constraint_zone z:8m path=%%TESTDIR%%/store;
    constraint_timeout 20s;
    constraint_cost_limit 100000000000;
    constraint_memory_limit 16m;
    constraint_profile_define keyed sampling_rate=0.5
                              sampling_key=subject.id
                              sampled_out_effect=allow;

    server {
        listen 127.0.0.1:%%PORT_API%%;

        location / { constraint_api z; }

        location /inline/ { constraint_api z; constraint_offload off; }
        location /thread/ { constraint_api z; constraint_offload always; }

        location /inline_keyed/ {
            constraint_api z;
            constraint_offload off;
            constraint_profile keyed;
        }
        location /thread_keyed/ {
            constraint_api z;
            constraint_offload always;
            constraint_profile keyed;
        }

        location /inline_allow/ {
            constraint_api z;
            constraint_offload off;
            constraint_on_error allow;
        }
        location /thread_allow/ {
            constraint_api z;
            constraint_offload always;
            constraint_on_error allow;
        }

        location /inline_cost/ {
            constraint_api z;
            constraint_offload off;
            constraint_cost_limit 1000;
        }
        location /thread_cost/ {
            constraint_api z;
            constraint_offload always;
            constraint_cost_limit 1000;
        }
    }
}
END

bless($t, 'Test::Constraint::Gate');
$t->run();

# an hour of looping, some MB of strings, a quick answer

my $ten = '[1, 2, 3, 4, 5, 6, 7, 8, 9, 10]';
my $many = '[' . join(', ', 1 .. 40) . ']';
my $loop = 'size(subject.id) < 1000';
$loop = "$many.all(x$_, $loop)" for 1 .. 7;

my $hungry = "$ten.map(a, $ten.map(b, $ten.map(c, [a, b, c]))).size() > 0";

my %documents = (
    loop => $loop,
    hungry => $hungry,
    quick => 'true',
    no => 'false',
    input => 'input.a == 1',
);

for my $name (sort keys %documents) {
    my ($status) = $t->api('POST', '/workflow', {
        name => $name,
        rule => { match => [ { output => $documents{$name} } ] },
    });
    is($status, 201, "the workflow $name is registered") or die;
}

my $count = 0;

# constraint(WORKFLOW, EXECUTION, FIELDS): the name of a new one

sub constraint {
    my ($workflow, $execution, %fields) = @_;

    my $name = 'c' . ++$count;

    my ($status, $answer) = $t->api('POST', '/constraint', {
        message_type => $name, subject_id => '*',
        dsl_workflow_id => $workflow, constraint_metadata => {},
        %fields, ($execution ? (execution => $execution) : ()),
    });

    is($status, 201, "$name: " . json($execution // {}))
        or diag(json($answer));

    return $name;
}

sub execute {
    my ($where, $name, %body) = @_;

    my (undef, $answer) = $t->api('POST',
        "/$where/constraint/execute/$name", { subject_id => 'alice', %body });

    return $answer->{decision} // {};
}


# fits(GOT, WANT): WANT may hold [LEAST, MOST] for a number

sub fits {
    my ($got, $want) = @_;

    if (ref($want) eq 'HASH') {
        return ref($got) eq 'HASH'
            && join(',', sort keys %$got) eq join(',', sort keys %$want)
            && !grep { !fits($got->{$_}, $want->{$_}) } keys %$want;
    }

    if (ref($want) eq 'ARRAY' && !ref($got)) {
        return defined $got && $got >= $want->[0] && $got <= $want->[1];
    }

    if (ref($want) eq 'ARRAY') {
        return @$got == @$want
            && !grep { !fits($got->[$_], $want->[$_]) } 0 .. $#$want;
    }

    return defined $got && $got eq $want;
}


my %time = (TimeoutExceeded => { allowed_ms => 20,
    actual_ms => [20.001, 5000] });
my %memory = (MemoryExceeded => { limit_bytes => 2000,
    actual_bytes => [2001, 100000] });
my %cpu = (CpuExceeded => { shares => 1,
    actual_usage_percent => [1.0001, 1000] });
my %nocpu = (CpuExceeded => { shares => 0,
    actual_usage_percent => [0.0001, 1e9] });
my %cost = (CostExceeded => { limit_units => 1000,
    actual_units => [1001, 100000] });
my %soon = (TimeoutExceeded => { allowed_ms => 0.001,
    actual_ms => [0.002, 5000] });

# name, workflow, execution, error, violation, where it can be met, fields

my @rows = (
    [ 'max_exec_ms', 'loop', { max_exec_ms => 20 },
      'DeadlineExceeded', \%time, 'inline thread' ],
    [ 'timeout_ms', 'loop', undef,
      'DeadlineExceeded', \%time, 'inline thread', timeout_ms => 20 ],
    [ 'the shorter of both', 'loop', { max_exec_ms => 20 },
      'DeadlineExceeded', \%time, 'inline thread', timeout_ms => 3000 ],
    [ 'the shorter of both, too', 'loop', { max_exec_ms => 3000 },
      'DeadlineExceeded', \%time, 'inline thread', timeout_ms => 20 ],
    [ 'decimals', 'quick', { max_exec_ms => 0.001 },
      'DeadlineExceeded', \%soon, 'inline' ],
    [ 'memory_limit_bytes', 'hungry', { memory_limit_bytes => 2000 },
      'MemoryExceeded', \%memory, 'inline thread' ],
    [ 'cpu_shares', 'loop', { max_exec_ms => 10000, cpu_shares => 1 },
      'CpuExceeded', \%cpu, 'inline thread' ],
    [ 'no cpu_shares', 'quick', { max_exec_ms => 10000, cpu_shares => 0 },
      'CpuExceeded', \%nocpu, 'inline thread' ],
    [ 'cpu_shares of the deadline', 'loop', { cpu_shares => 1 },
      'CpuExceeded', \%cpu, 'inline thread', timeout_ms => 10000 ],
    [ 'cost', 'loop', { max_exec_ms => 10000 },
      'CostExceeded', \%cost, 'inline_cost thread_cost' ],
    [ 'memory before CPU', 'hungry',
      { memory_limit_bytes => 2000, max_exec_ms => 10000, cpu_shares => 0 },
      'MemoryExceeded', { MultipleViolations => [ \%memory, \%nocpu ] },
      'inline thread' ],
    [ 'time before CPU', 'quick', { max_exec_ms => 0.001, cpu_shares => 0 },
      'DeadlineExceeded', { MultipleViolations => [ \%soon, \%nocpu ] },
      'inline' ],
    [ 'time before memory', 'hungry',
      { memory_limit_bytes => 2000, max_exec_ms => 0.001 },
      'DeadlineExceeded', { MultipleViolations => [ \%soon, \%memory ] },
      'inline' ],
    [ 'time, memory, CPU', 'hungry',
      { memory_limit_bytes => 2000, max_exec_ms => 0.001, cpu_shares => 0 },
      'DeadlineExceeded',
      { MultipleViolations => [ \%soon, \%memory, \%nocpu ] }, 'inline' ],
    [ 'CPU before cost', 'loop', { max_exec_ms => 10000, cpu_shares => 0 },
      'CpuExceeded', \%nocpu, 'inline_cost thread_cost' ],
);

for my $row (@rows) {
    my ($text, $workflow, $execution, $error, $violation, $where, %fields)
        = @$row;

    for my $closed (1, 0) {
        my $name = constraint($workflow, { %{ $execution // {} },
            fail_closed_on_timeout => $closed ? \1 : \0 }, %fields);

        for my $place (split / /, $where) {
            my $d = execute($place, $name);
            my $label = "$text, $place, " . ($closed ? 'closed' : 'open');

            is($d->{effect}, $closed ? 'deny' : 'allow', "$label: effect");
            is($d->{failed_open}, $closed ? undef : JSON::PP::true,
                "$label: failed_open");
            is($d->{error}{name}, $error, "$label: error");
            is($d->{error}{kind}, 'Violation', "$label: kind");
            is($d->{error}{class}, 'ours', "$label: class");
            ok(fits($d->{violations}, [ $violation ]),
                "$label: violation") or diag(json($d));
        }
    }
}

# who declares it, and who decides when nobody does

my $undeclared = constraint('loop', { max_exec_ms => 20 });
my $record = constraint('loop', { max_exec_ms => 20 }, on_error => 'allow');
my $both = constraint('loop',
    { max_exec_ms => 20, fail_closed_on_timeout => \1 }, on_error => 'allow');
my $open = constraint('loop',
    { max_exec_ms => 20, fail_closed_on_timeout => \0 }, on_error => 'deny');

for my $place (qw(inline thread)) {
    is(execute($place, $undeclared)->{effect}, 'deny',
        "$place: undeclared, the directive denies");
    is(execute("${place}_allow", $undeclared)->{effect}, 'allow',
        "$place: undeclared, the directive allows");
    is(execute($place, $record)->{effect}, 'allow',
        "$place: undeclared, the record's on_error allows");
    is(execute("${place}_allow", $both)->{effect}, 'deny',
        "$place: fail_closed_on_timeout comes before on_error");
    is(execute($place, $open)->{effect}, 'allow',
        "$place: so does failing open");
}

# what the request caused never fails open, whatever bound was met besides

my $request = constraint('input', { max_exec_ms => 0.001, cpu_shares => 0,
    fail_closed_on_timeout => \0 }, on_error => 'allow');

for my $place (qw(inline inline_allow)) {
    my $d = execute($place, $request, input_data => {});

    is($d->{effect}, 'allow', "$place: a violation fails open");
    is($d->{error}{kind}, 'Violation', "$place: it is one");
}

my $missing = constraint('input', { max_exec_ms => 10000,
    fail_closed_on_timeout => \0 }, on_error => 'allow');

for my $place (qw(inline thread inline_allow thread_allow)) {
    my $d = execute($place, $missing, input_data => {});

    is($d->{effect}, 'deny', "$place: an error of the request is a denial");
    is($d->{error}{class}, 'request', "$place: of its class");
    is($d->{error}{kind}, 'EnforcementFailure', "$place: and kind");
    is(json($d->{violations}), '[]', "$place: without a violation");
}

# sampling

for my $effect (qw(allow deny)) {
    my $name = constraint('no', { sampling_rate => 0,
        sampled_out_effect => $effect });

    for my $place (qw(inline thread)) {
        my $d = execute($place, $name);

        is($d->{effect}, $effect, "$place: sampled out is $effect");
        is($d->{sampled_out}, JSON::PP::true, "$place: and says so");
        is(json($d->{violations}), '[{"SampledOut":{"sampling_rate":0}}]',
            "$place: its violation");
        is($d->{error}, undef, "$place: it is no error");
        is($d->{failed_open}, undef, "$place: and fails nothing open");
        is($d->{cost}, 0, "$place: nothing is evaluated");
        is($d->{where}, 'none', "$place: anywhere");
    }
}

my $always = constraint('no', { sampling_rate => 1 });
is(execute('inline', $always)->{effect}, 'deny', 'a rate of 1 is everybody')
    for 1 .. 20;

my $half = constraint('no', { sampling_rate => 0.5,
    sampled_out_effect => 'allow' });
my $in = grep { execute('inline', $half)->{effect} eq 'deny' } 1 .. 400;
cmp_ok($in, '>', 140, "a rate of 0.5 is about half: $in of 400");
cmp_ok($in, '<', 260, 'not more');

# by key: the same subject is always in or out, everywhere

my $key = constraint('no', { sampling_rate => 0.5, sampling_key => 'subject.id',
    sampled_out_effect => 'allow' });
my %first;

for my $place (qw(inline thread inline)) {
    my $differ = 0;

    for my $n (1 .. 40) {
        my $effect = execute($place, $key, subject_id => "s$n")->{effect};
        $differ++ if ($first{$n} //= $effect) ne $effect;
    }

    is($differ, 0, "$place: the same subjects");
}

my $denied = grep { $_ eq 'deny' } values %first;
cmp_ok($denied, '>', 5, "some are in: $denied of 40");
cmp_ok($denied, '<', 35, 'and some are not');

# the same key of a location's profile chooses the same ones

my $plain = constraint('no');

for my $place (qw(inline_keyed thread_keyed)) {
    my $differ = grep { execute($place, $plain, subject_id => "s$_")->{effect}
        ne $first{$_} } 1 .. 40;
    is($differ, 0, "$place: the same subjects by the location's profile");
}

# a key that is none

for my $bad ('1 +', '1 + 1', 'nobody.knows', 'subject.roles') {
    my ($status, $answer) = $t->api('POST', '/constraint', {
        message_type => 'bad', subject_id => '*', dsl_workflow_id => 'no',
        constraint_metadata => {}, execution => { sampling_rate => 0.5,
            sampled_out_effect => 'allow', sampling_key => $bad } });

    is($status, 400, "the key $bad is refused");
    is($answer->{details}[0]{path}, '$.execution.sampling_key',
        'with its path');

    ($status, $answer) = $t->api('PUT', '/profiles/bad', {
        sampling_rate => 0.5, sampled_out_effect => 'allow',
        sampling_key => $bad });

    is($status, 400, 'so it is in a profile');
    is($answer->{details}[0]{path}, '$.sampling_key', 'with its path');
}

# a key that cannot be evaluated leaves nobody out

my $broken = constraint('no', { sampling_rate => 0.000001,
    sampling_key => 'input.nobody.is.here', sampled_out_effect => 'allow' });
my $number = constraint('no', { sampling_rate => 0.000001,
    sampling_key => 'input.n', sampled_out_effect => 'allow' });

for my $place (qw(inline thread)) {
    is(execute($place, $broken, input_data => {})->{effect}, 'deny',
        "$place: a key that errors");
    is(execute($place, $number, input_data => { n => 1 })->{effect}, 'deny',
        "$place: a key that is no string");
    is(execute($place, $number, input_data => { n => 'x' })->{effect},
        'allow', "$place: the same key when it is one");
}

# observational: tells, never denies

my $watch = constraint('no', { observational => \1 });
my $watch_loop = constraint('loop', { observational => \1,
    max_exec_ms => 20 });

for my $place (qw(inline thread)) {
    my $d = execute($place, $watch);
    is($d->{effect}, 'allow', "$place: observational does not deny");
    is($d->{observed}, 'deny', "$place: and tells what it saw");

    $d = execute($place, $watch_loop);
    is($d->{effect}, 'allow', "$place: nor for a violation");
    is($d->{observed}, 'deny', "$place: which it tells");
    ok(fits($d->{violations}, [ \%time ]), "$place: with its numbers");
}

# the counters know

my (undef, $answer) = $t->api('GET', "/constraint/metadata/$both");
like(json($answer), qr/"TimeoutExceeded":2\b/, 'violations are counted');

(undef, $answer) = $t->api('GET', "/constraint/metadata/$open");
like(json($answer), qr/"failed_open":2\b/, 'so is failing open');

(undef, $answer) = $t->api('GET', "/constraint/metadata/$half");
like(json($answer), qr/"sampled_out":${\(400 - $in)}\b/,
    'and who was sampled out');

done_testing();
