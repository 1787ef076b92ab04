#!/usr/bin/perl

# Copyright (C) ngx_http_constraint_module authors
# SPDX-License-Identifier: BSD-2-Clause
#
# The audit log: what is kept, every field, rotation under load, a disk that
# is slow or full, reload and exit.  Every line is valid JSON, and every line
# that was worth keeping is in a file or is counted as dropped.

use warnings;
use strict;

use FindBin;
use lib "$FindBin::Bin/lib";

use JSON::PP;
use Test::More;
use Test::Constraint;
use Test::Constraint::Gate;
use Time::HiRes qw(time);

my $t = Test::Constraint::Gate->start(<<'END', workers => 2,
location / { constraint no; proxy_pass http://backend; }
location /input/ {
    constraint input subject=$http_x_subject subject_trusted=on;
    proxy_pass http://backend;
}
location /yes/ { constraint yes; proxy_pass http://backend; }
location /all/ {
    constraint yes;
    constraint_audit_log %%TESTDIR%%/audit.log flush=20ms buffer=16k allow=1;
    proxy_pass http://backend;
}
location /shadow/ { constraint no mode=shadow; proxy_pass http://backend; }
location /alone/ {
    constraint no mode=shadow;
    constraint_offload always;
    proxy_pass http://backend;
}
location /thread/ {
    constraint no;
    constraint_offload always;
    proxy_pass http://backend;
}
location /cost/ {
    constraint heavy;
    constraint_cost_limit 100;
    constraint_on_error allow;
    proxy_pass http://backend;
}
location /lost/ {
    constraint nowhere;
    constraint_on_error allow;
    proxy_pass http://backend;
}
END
    http => 'constraint_audit_log %%TESTDIR%%/audit.log flush=20ms'
        . ' buffer=16k; large_client_header_buffers 4 32k;');

my $file = $t->testdir . '/audit.log';
my $faults = $t->has_faults;

$t->register('no', 'false');
$t->register('yes', 'true');
$t->register('heavy', '[1,2,3,4,5,6,7,8,9].map(x, x * x)'
    . '.exists(y, [1,2,3,4,5,6,7].exists(z, z * y == 1000))');
$t->register_document('input', { name => 'input_flow', rule => { match => [
    { condition => "request.method == 'GET'",
      output => "{'outcome': 'DENY', 'message': 'not \"you\", ' + subject.id}" }
] } });

# line(SUB): the lines that what SUB does makes, once all are written

my $seen = 0;

sub counts { return (($_[0] // $t)->api('GET', '/status'))[1]->{data}{audit} }

sub settled {
    my ($which) = @_;
    my $c;
    my $ok = wait_until {
        $c = counts($which);
        $c->{kept} == $c->{written} + $c->{dropped};
    } 20;
    return $ok ? $c : undef;
}

sub lines {
    my ($name) = @_;
    return map { JSON::PP->new->utf8->decode($_) }
        split(/\n/, slurp($name // $file));
}

sub line {
    my ($do) = @_;
    $do->();
    settled() or return;
    my @all = lines();
    my @new = @all[$seen .. $#all];
    $seen = @all;
    return wantarray ? @new : $new[0];
}

# a deny, with every field

my $trace = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';
my $before = time();
my ($d, @more) = line(sub {
    is($t->get('/x', headers => { traceparent => $trace })->status, 403,
        'a deny');
});

is(@more, 0, 'makes one line');
like($d->{id}, qr/^[0-9a-f]{32}$/, 'it has an id');
like($d->{time}, qr/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/, 'a time');
my @utc = gmtime($before);
like($d->{time}, qr/^@{[ sprintf('%04d-%02d-', $utc[5] + 1900,
    $utc[4] + 1) ]}/, 'which is now');
is($d->{message_type}, 'no', 'the constraint');
is($d->{effect}, 'deny', 'the effect');
is($d->{outcome}, 'DENY', 'the outcome');
is($d->{rule}, 'rule.match[0]', 'the matched rule');
is_deeply($d->{violations}, [], 'no violations');
is($d->{traceparent}, $trace, 'the traceparent');
is($d->{dsl_workflow_id}, 'no_flow', 'the workflow');
ok($d->{$_} > 0, "$_ of the decision")
    for qw(revision workflow_revision generation cost);
ok(defined $d->{$_}, "$_ is told") for qw(time_us memory);
is($d->{where}, 'inline', 'where it was');
ok(!exists $d->{$_}, "no $_") for qw(shadow error subject trace cut);

# texts of a request

$d = line(sub {
    $t->get('/input/', headers => { 'X-Subject' => "a\"\\\xc3\xa4\xff" });
});
is($d->{subject}, "a\"\\\x{e4}\x{fffd}", 'the subject, whatever it is');
ok(!exists $d->{traceparent}, 'no traceparent');

$d = line(sub {
    $t->get('/input/', headers => { 'X-Subject' => 's' x 20000 });
});
is($d->{cut}, JSON::PP::true, 'a line that is too long is cut');
is($d->{subject}, 's' x 256, 'text by text');
is($d->{effect}, 'deny', 'and has all members');

# what is not a deny

is(line(sub { is($t->get('/yes/')->status, 200, 'an allow') }), undef,
    'makes no line by itself');
$d = line(sub { $t->get('/all/') });
is($d->{effect}, 'allow', 'but where allow=1 is');

$d = line(sub { is($t->get('/lost/')->status, 200, 'a failure lets on') });
is($d->{failed_open}, JSON::PP::true, 'and is told of');
is($d->{error}{name}, 'ConstraintUnregistered',
    'with the error') or diag(json($d));
is($d->{error}{class}, 'ours', 'and its class');

$d = line(sub { is($t->get('/cost/')->status, 200, 'so does a violation') });
is((keys %{$d->{violations}[0] || {}})[0], 'CostExceeded', 'with its shape')
    or diag(json($d));
is($d->{failed_open}, JSON::PP::true, 'and is no pass');

# shadows, on the event loop and alone

$d = line(sub { is($t->get('/shadow/')->status, 200, 'a shadow') });
is($d->{shadow}, JSON::PP::true, 'is kept as one');
is($d->{effect}, 'deny', 'with what it would do');

my $was = counts()->{kept};
$t->get('/alone/', headers => { traceparent => $trace });
ok((wait_until { counts()->{kept} == $was + 1 } 10), 'a shadow alone comes');
$d = line(sub { });
is($d->{where}, 'thread', 'from its thread');
is($d->{shadow}, JSON::PP::true, 'as a shadow');
is($d->{traceparent}, $trace, 'with the traceparent of its request');

$d = line(sub { is($t->get('/thread/')->status, 403, 'one in a thread') });
is($d->{where}, 'thread', 'is told as that');

# REST: the answer has the same id

my $answer;
$d = line(sub {
    $answer = ($t->api('POST', '/constraint/execute/no',
        { input_data => {} }))[1];
});
is($d->{id}, $answer->{decision}{id}, 'an execution is the same decision');

# metrics and status tell the same

my $c = settled();
is($c->{written}, $seen, 'what is written is counted');
is($c->{dropped}, 0, 'nothing was dropped');

# rotation under load

my $bad = 0;
my $asked = 0;

for my $turn (1 .. 5) {
    for (1 .. 40) {
        $asked++;
        $bad++ if $t->get('/x')->status != 403;
    }

    rename($file, "$file.$turn");
    kill('USR1', $t->pid);

    for (1 .. 40) {
        $asked++;
        $bad++ if $t->get('/x')->status != 403;
    }

    ok((wait_until { -e $file } 10), "rotation $turn");
}

is($bad, 0, 'rotation disturbs no request');
$c = settled();
my $total = 0;
$total += () = lines($_) for grep { -e } $file, map { "$file.$_" } 1 .. 5;
is($total, $seen + $asked, 'no line is lost by rotation');
is($c->{dropped}, 0, 'and none is dropped');

# a reload: the old workers write what they have

$t->get('/x') for 1 .. 20;
$t->reload(wait_old => 1);
$total += 20;
$t->get('/x');
$total++;
$c = settled();
is($c->{written}, $total, 'counters go on over a reload');

SKIP: {
    skip('needs a build with fault directives', 12) unless $faults;

    $t->allow(qr/audit log ".*" (?:cannot be written|is written too slowly)/);

    # the disk is full in the middle of a line

    full('cut', $t, sub { lines_everywhere() });

    # the same in a file that may only grow

    my $g = Test::Constraint::Gate->start(<<'END',
location / { constraint no; proxy_pass http://backend; }
END
        http => 'constraint_audit_log %%TESTDIR%%/audit.log flush=20ms;');

    $g->allow(qr/audit log ".*" cannot be written/);
    $g->register('no', 'false');
    $g->fault('audit.no_truncate', 1);

    full('grow', $g, sub { my @l = lines($g->testdir . '/audit.log'); @l + 0 });

    # the disk is slow

    my $old = settled($t);
    my $have = lines_everywhere();

    $t->fault('audit.delay_ms', 3000);
    my $n = 0;
    my $slowest = 0;
    my $client = $t->connect();

    while (counts()->{dropped} == $old->{dropped} && $n < 5000) {
        for (1 .. 100) {
            my $start = time();
            $client->request('GET', '/x');
            my $took = time() - $start;
            $slowest = $took if $took > $slowest;
            $n++;
        }
    }

    cmp_ok($slowest, '<', 2.5, 'no request waits for a slow disk');
    cmp_ok(counts()->{dropped}, '>', $old->{dropped},
        'when both buffers are full lines are dropped');
    $t->fault('audit.delay_ms', 0);
    my $now = settled();
    is($now->{kept} - $old->{kept}, $n, 'each was worth keeping');
    is(lines_everywhere() - $have, $now->{written} - $old->{written},
        'each that is counted as written is there');
}

# exit: what is in a buffer is written

$total = lines_everywhere();
$t->get('/x') for 1 .. 10;
$t->stop();
is(lines_everywhere(), $total + 10, 'a worker that ends writes all it has');


sub lines_everywhere {
    my $n = 0;
    $n += () = lines($_) for grep { -e } $file, map { "$file.$_" } 1 .. 5;
    return $n;
}


# full(NAME, NGINX, COUNT): the disk is full within a line, then is not

sub full {
    my ($name, $which, $count) = @_;

    my $old = settled($which);
    my $have = $count->();

    $which->fault('audit.write_error', 700);
    my @status = map { $which->get('/x')->status } 1 .. 30;
    is(scalar(grep { $_ != 403 } @status), 0,
        "$name: requests go on when the disk is full");

    # slow requests are written one by one: then it is full in the first line,
    # and where that cannot be taken back those that follow are dropped

    $which->fault('audit.write_error', 100);
    ok((wait_until {
        $which->get('/x');
        counts($which)->{dropped} > $old->{dropped};
    } 10),
        "$name: lines are dropped");
    $which->fault('audit.write_error', 0);

    # a request makes it write again; that line is on its way for flush=

    ok((wait_until {
        $which->get('/x');
        wait_until {
            my $now = counts($which);
            $now->{kept} == $now->{written} + $now->{dropped};
        } 1;
    } 20), "$name: kept = written + dropped");

    my $now = settled($which);
    is($count->() - $have, $now->{written} - $old->{written},
        "$name: what is counted as written is there, whole");
}


done_testing();
