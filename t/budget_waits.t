#!/usr/bin/perl

# Copyright (C) ngx_http_constraint_module authors
# SPDX-License-Identifier: BSD-2-Clause
#
# Execution constraints while something is waited for: the time is over
# between two steps, in the queue, before a retry, when the client has gone;
# what is transient is tried again; what only watches never delays.

use warnings;
use strict;

use FindBin;
use lib "$FindBin::Bin/lib";

use Test::More;
use Test::Constraint;
use Test::Constraint::Gate;
use Time::HiRes qw(time);

my $t = Test::Constraint::Gate->start(<<'END', need => ['faults'],
constraint_offload always;
constraint_deny_detail full;
constraint_timeout 20s;

location /closed { constraint closed; proxy_pass http://backend; }
location /open { constraint open; proxy_pass http://backend; }
location /inline_closed {
    constraint closed;
    constraint_offload off;
    proxy_pass http://backend;
}
location /inline_open {
    constraint open;
    constraint_offload off;
    proxy_pass http://backend;
}
location /loop { constraint loop; proxy_pass http://backend; }
location /fixed { constraint fixed; proxy_pass http://backend; }
location /exponential { constraint exponential; proxy_pass http://backend; }
location /short { constraint short; proxy_pass http://backend; }
location /short_open { constraint short_open; proxy_pass http://backend; }
location /never { constraint never; proxy_pass http://backend; }
location /shadow { constraint fixed mode=shadow; proxy_pass http://backend; }
location /watch { constraint watch; proxy_pass http://backend; }
location /watch_inline {
    constraint watch;
    constraint_offload off;
    proxy_pass http://backend;
}
location /patient {
    constraint plain;
    constraint_profile patient;
    proxy_pass http://backend;
}
location /nobody {
    constraint nobody;
    constraint_profile observational;
    proxy_pass http://backend;
}
location /choice {
    constraint $arg_type;
    constraint_profile observational;
    proxy_pass http://backend;
}
location /chosen { constraint $arg_type; proxy_pass http://backend; }
location /disabled { constraint disabled; proxy_pass http://backend; }
location /subject { constraint subject; proxy_pass http://backend; }
location /impatient { constraint plain; proxy_pass http://backend; }
END
    http => 'constraint_log_level notice; '
        . 'constraint_profile_define patient max_retries=10 '
        . 'retry_backoff_ms=500;');

$t->allow(qr/fault store.open_fails/);

my $many = '[' . join(', ', 1 .. 40) . ']';
my $loop = 'int(request.size) < 100000';
$loop = "$many.all(x$_, $loop)" for 1 .. 7;
my $ok = "request.method != 'DELETE'";

sub limited {
    my ($name, $expression, %execution) = @_;
    $t->register($name, $expression, execution => \%execution);
}

my ($yes, $no) = (\1, \0);

limited('closed', $ok, max_exec_ms => 100, fail_closed_on_timeout => $yes);
limited('open', $ok, max_exec_ms => 100, fail_closed_on_timeout => $no);
limited('loop', $loop, max_exec_ms => 50, fail_closed_on_timeout => $yes);
limited('fixed', $ok, max_retries => 3, retry_backoff_ms => 50);
limited('exponential', $ok, max_retries => 3, retry_backoff_ms => 30,
    retry_strategy => 'exponential');
limited('short', $ok, max_exec_ms => 200, max_retries => 10,
    retry_backoff_ms => 120, fail_closed_on_timeout => $yes);
limited('short_open', $ok, max_exec_ms => 200, max_retries => 10,
    retry_backoff_ms => 120, fail_closed_on_timeout => $no);
limited('never', $ok, max_exec_ms => 1000);
limited('watch', 'false', observational => $yes);
$t->register('plain', $ok);
$t->register('disabled', $ok, enabled => \0,
    execution => { observational => \1 });
$t->register('subject', $ok, subject_id => 'alice',
    execution => { observational => \1 });

# loaded once, so that loading takes no part in what follows

for my $path (qw(closed open fixed exponential short short_open never watch
    impatient))
{
    $t->get("/$path");
}

my ($r, $start, $took);

sub timed {
    my ($path) = @_;

    $start = time();
    $r = $t->get($path);
    $took = time() - $start;

    return $r;
}

sub violation {
    return ($r->json->{decision}{violations}[0] // {})->{TimeoutExceeded}
        // {};
}


# in the queue

$t->fault('task.delay_ms', 1500);

is(timed('/closed')->status, 403, 'in the queue: closed');
is($r->json->{code}, 'DeadlineExceeded', 'in the queue: its name');
is(violation()->{allowed_ms}, 100, 'in the queue: what was allowed');
cmp_ok(violation()->{actual_ms}, '>', 100, 'in the queue: what it took');
cmp_ok($took, '<', 1.2, 'in the queue: the answer does not wait');

is(timed('/open')->status, 200, 'in the queue: open');
cmp_ok($took, '<', 1.2, 'in the queue: nor does that');

for my $path (qw(/closed /open)) {
    for (1 .. 3) {
        my $c = $t->connect();
        $c->send('GET', $path);
        $c->reset();
    }
}

$t->fault('task.delay_ms', 0);

ok(wait_until(sub { $t->get('/never')->status == 200 }, 20),
    'clients that went away from the queue leave no trace');

# between two steps: no look comes between the two

$t->fault('fact.delay_ms', 150);

for my $kind ('', 'inline_') {
    is(timed("/${kind}closed")->status, 403, "${kind}steps: closed");
    is($r->json->{code}, 'DeadlineExceeded', "${kind}steps: its name");
    is(violation()->{allowed_ms}, 100, "${kind}steps: what was allowed");
    cmp_ok(violation()->{actual_ms}, '>', 100, "${kind}steps: what it took");
    is(timed("/${kind}open")->status, 200, "${kind}steps: open");
}

$t->fault('fact.delay_ms', 0);

# while it runs: the thread is free at once

is(timed('/loop')->status, 403, 'an endless evaluation is stopped');
cmp_ok($took, '<', 1.5, 'in time');
is(timed('/never')->status, 200, 'the thread serves the next one');
cmp_ok($took, '<', 1.5, 'at once');

# a clock that steps backwards

$t->fault('clock.back_ms', 40);

for my $path (qw(/closed /inline_closed)) {
    is($t->get($path)->status, 200, "$path: the clock steps back") for 1 .. 20;
}

is(timed('/loop')->status, 403, 'what is endless ends all the same');
cmp_ok($took, '<', 3, 'soon');
cmp_ok($r->json->{decision}{time_us}, '<', 10_000_000,
    'and no time is measured that did not pass');

$t->fault('clock.back_ms', 0);

# a full queue: tried again, up to the number

$t->fault('task.queue_full', 1);

is(timed('/never')->status, 403, 'a full queue');
is($r->json->{decision}{error}{kind}, 'ResourceExhausted', 'is its kind');
is($r->json->{decision}{retries}, undef, 'without retries');

is(timed('/fixed')->status, 403, 'fixed: the queue stays full');
is($r->json->{code}, 'QueueFull', 'fixed: which is told');
is($r->json->{decision}{retries}, 3, 'fixed: after three retries');
cmp_ok($took, '>=', 0.14, 'fixed: of 50 ms each');

is(timed('/exponential')->status, 403, 'exponential: the queue stays full');
is($r->json->{decision}{retries}, 3, 'exponential: after three retries');
cmp_ok($took, '>=', 0.20, 'exponential: of 30, 60 and 120 ms');

is(timed('/short')->status, 403, 'the deadline: the queue stays full');
is($r->json->{code}, 'QueueFull', 'the deadline: which is told');
is($r->json->{decision}{retries}, 1,
    'the deadline: there is no retry after it');
cmp_ok($took, '<', 1.2, 'the deadline: nor is it waited for');

# it is over before the retry

$t->fault('retry.late_ms', 300);

is(timed('/short')->status, 403, 'a late retry: closed');
is($r->json->{code}, 'DeadlineExceeded', 'a late retry: its name');
is(violation()->{allowed_ms}, 200, 'a late retry: what was allowed');
cmp_ok(violation()->{actual_ms}, '>', 200, 'a late retry: what it took');
is(timed('/short_open')->status, 200, 'a late retry: open');

for my $path (qw(/short /short_open)) {
    for (1 .. 3) {
        my $c = $t->connect();
        $c->send('GET', $path);
        $c->reset();
    }
}

$t->fault('retry.late_ms', 0);

# what only watches waits for nothing

for my $path (qw(/shadow /watch)) {
    is(timed($path)->status, 200, "$path: a full queue blocks nothing");
    cmp_ok($took, '<', 0.1, "$path: and delays nothing");
}

# the queue empties while it is waited

my $c = $t->connect();
$c->send('GET', '/fixed');
$t->fault('task.queue_full', 0);
is($c->read_response()->status, 200, 'what comes right in time is an allow');

is(timed('/short')->status, 200, 'clients that went away leave no trace');

# over REST, with the number

$t->fault('task.queue_full', 1);
$c = $t->connect(port => 'API');
$c->send('POST', '/constraint/execute/fixed', body => '{}',
    headers => { 'Content-Type' => 'application/json' });
$t->fault('task.queue_full', 0);
$r = $c->read_response();
is($r->status, 200, 'an execution waits, too');

# observational

for my $path (qw(/watch /watch_inline)) {
    is(timed($path)->status, 200, "$path: observational denies nothing");
}

is($t->get('/nobody')->status, 200, 'nor does a location, by its profile, '
    . 'what is not registered');
is($t->get('/disabled')->status, 200, 'nor what is disabled');
is($t->get('/subject')->status, 200, 'nor for who is somebody else');

# but the request does not leave its constraint by the name it gives

for my $path (qw(/choice /chosen)) {
    for my $row ([ '?type=nobody', 'Unknown' ], [ '?type=a%2fb', 'Unknown' ],
        [ '?type=disabled', 'Unknown' ], [ '', 'Empty' ])
    {
        my ($name, $kind) = @$row;

        my $answer = $t->get("$path$name");
        is($answer->status, 403, "$path$name is refused");
        is(($answer->json // {})->{code}, "MessageType$kind", 'its code');
    }

    is($t->get("$path?type=watch")->status, 200, "$path: one that observes");
}

$t->fault('task.delay_ms', 1000);
is(timed('/watch')->status, 200, 'nor does it wait for its thread');
cmp_ok($took, '<', 0.5, 'at all');
$t->fault('task.delay_ms', 0);

ok($t->wait_log(qr/denied "watch" \(shadow\)/, 10), 'its denial is in the log');

# the store comes back: the record is not known, the location's profile is

$t->fault('store.open_fails', 1);
ok($t->reload(wait_old => 1), 'workers without a store');

is(timed('/impatient')->status, 403, 'the store is not there');
is($r->json->{code}, 'StoreUnavailable', 'which is told');
is($r->json->{decision}{error}{kind}, 'EnforcementFailure', 'its kind');

$c = $t->connect();
$c->send('GET', '/patient');
$t->fault('store.open_fails', 0);
is($c->read_response()->status, 200, 'by the profile of the location it is '
    . 'waited for');

done_testing();

