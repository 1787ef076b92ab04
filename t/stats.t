#!/usr/bin/perl

# Copyright (C) ngx_http_constraint_module authors
# SPDX-License-Identifier: BSD-2-Clause
#
# Statistics: exact over four workers, over a reload and the death of a
# worker, and over one that dies inside their lock; what GET /stats and
# metrics make of them.

use warnings;
use strict;

use FindBin;
use Test::More;

use lib "$FindBin::RealBin/lib";
use Test::Constraint;

my $t = Test::Constraint->new(workers => 4, need => ['faults'])
    ->allow(qr/exited on signal 9/, qr/was locked by/);

$t->conf(<<'END')->run();
%%GLOBALS%%
events { }
http {
    %%GLOBALS_HTTP%%
    constraint_zone z:2m path=%%TESTDIR%%/store;
    constraint_zone small:256k path=%%TESTDIR%%/small;
    constraint_zone names:256k path=%%TESTDIR%%/names;

    server {
        listen 127.0.0.1:%%PORT_ECHO%%;
        location / { return 200 ok; }
    }

    server {
        listen 127.0.0.1:%%PORT%%;
        location / { constraint_api z; }
        location /reader/ { constraint_api z allow=read; }

        location /gate/ {
            constraint $arg_type zone=z;
            proxy_pass http://127.0.0.1:%%PORT_ECHO%%;
        }

        location /small/ { constraint_api small; }

        location /names/ { constraint_api names; }

        location /named/ {
            constraint $arg_type zone=names;
            proxy_pass http://127.0.0.1:%%PORT_ECHO%%;
        }

        location /tight/ {
            constraint $arg_type zone=small;
            proxy_pass http://127.0.0.1:%%PORT_ECHO%%;
        }

        location /thread/ {
            constraint $arg_type zone=z;
            constraint_offload always;
            proxy_pass http://127.0.0.1:%%PORT_ECHO%%;
        }

        location = /metrics { constraint_metrics z; }
        location = /all { constraint_metrics; }
    }
}
END

# register(NAME, EXPRESSION)

sub register {
    my ($name, $expression) = @_;

    $t->api('POST', '/workflow', { name => "w.$name", rule => {
        match => [ { output => $expression } ] } });
    $t->api('POST', '/constraint', { message_type => $name,
        subject_id => '*', dsl_workflow_id => "w.$name",
        constraint_metadata => {} });
}

register('a', "request.args['ok'] == '1'");
register('b', "request.headers['x-none'] == '1'");


sub metadata {
    return (($t->api('GET', "/constraint/metadata/$_[0]"))[1])->{metadata};
}

sub stats {
    my ($status, $answer) = $t->api('GET', '/stats' . ($_[0] // ''));
    return wantarray ? ($status, $answer) : $answer;
}


# nothing yet

my $all = stats();
is(join(' ', map { $_->{message_type} } @{$all->{data}}), 'a b',
    'all constraints are there before anything has happened');
is($all->{data}[0]{counters}{executions}, 0, 'with nothing counted');
is($all->{data}[0]{latency}{p99_us}, 0, 'and no latency');


# exact over four workers: many connections, so that each has some

my %sent = map { $_ => 0 } qw(200 403 gate thread);
my %seen;

sub load {
    my ($n) = @_;

    for my $i (1 .. $n) {
        my $ok = $i % 3 ? 1 : 0;
        my $where = $i % 10 ? 'gate' : 'thread';
        my $answer = $t->get("/$where/?type=a&ok=$ok");

        $sent{$answer->status}++;
        $sent{$where}++;
        $seen{$answer->header('X-Constraint-Worker') // ''}++;
    }
}

load(300);
delete $seen{''};
cmp_ok(scalar(keys %seen), '>', 1, 'more than one worker has decided');

my $m = metadata('a');
is($m->{counters}{executions}, 300, 'every decision is counted');
is($m->{counters}{allows}, $sent{200}, 'the allowed ones');
is($m->{counters}{denies}, $sent{403}, 'the denied ones');
is($m->{counters}{inline}, $sent{gate}, 'those of the event loop');
is($m->{counters}{thread}, $sent{thread}, 'those of threads');
is($m->{latency}{samples}, 300, 'each is in the histogram of latency');
is($m->{cpu}{samples}, 300, 'of CPU time');
is($m->{memory}{samples}, 300, 'and of memory');
cmp_ok($m->{latency}{p50_us}, '>', 0, 'there is a median');

for my $pair ([qw(p50_us p90_us)], [qw(p90_us p99_us)],
    [qw(p99_us p99_9_us)], [qw(p99_9_us max_us)])
{
    cmp_ok($m->{latency}{$pair->[0]}, '<=', $m->{latency}{$pair->[1]},
        "$pair->[0] is not over $pair->[1]");
}

is($t->get('/gate/?type=b')->status, 403, 'an error is a deny');
is(metadata('b')->{errors}{EvaluationError}, 1, 'counted by its name');
is(metadata('b')->{counters}{errors_request}, 1, 'and its class');


# over a reload, while old workers go

ok($t->reload(), 'a reload');
load(60);
is(metadata('a')->{counters}{executions}, 360, 'nothing is lost by it');
is(metadata('a')->{latency}{samples}, 360, 'nor in histograms');


# a worker is killed, then one inside the lock

my ($pid) = $t->worker_pids();
$t->kill9($pid);
ok((wait_until { (grep { $_ != $pid } $t->worker_pids()) == 4 }),
    'a worker is killed, and there is a new one');
load(40);
is(metadata('a')->{counters}{executions}, 400, 'what it counted is there');

$t->api('PUT', '/fault/stats.kill_locked', { value => 1 });
my $killed = $t->get('/constraint/metadata/a');
ok(!$killed || !$killed->status, 'one dies inside the lock');
ok((wait_until {
    (($t->api('PUT', '/fault/stats.kill_locked', { value => 0 }))[0] // 0)
        == 200;
}), 'the fault is over');
ok((wait_until { $t->worker_pids() == 4 }), 'there are four again');
$m = metadata('a');
is($m->{counters}{executions}, 400, 'the counters are there');
is($m->{latency}{samples}, 400, 'and the histograms');
load(30);
is(metadata('a')->{counters}{executions}, 430, 'counting goes on');


# lists

is((stats('?sort=-denies'))[1]{data}[0]{message_type}, 'a',
    'the most denied first');
is((stats('?sort=denies'))[1]{data}[0]{message_type}, 'b', 'or last');

my ($slow) = map { $_->{message_type} } sort { $b->{latency}{p99_us}
    <=> $a->{latency}{p99_us} } @{stats()->{data}};
is((stats('?sort=-p99'))[1]{data}[0]{message_type}, $slow, 'the slowest');

my $page = stats('?limit=1&sort=-executions');
is(scalar(@{$page->{data}}), 1, 'a page of one');
ok($page->{next}, 'has a next one');
$page = stats("?limit=1&sort=-executions&cursor=$page->{next}");
is($page->{data}[0]{message_type}, 'b', 'which holds the other');
is($page->{next}, undef, 'and is the last');

for my $bad ('?sort=nothing', '?sort=', '?sort=-', '?sort=denies,', '?by=x',
    '?limit=0', '?limit=1001', '?cursor=x', '?x=1', '?sort=counters.denies')
{
    my ($status, $answer) = stats($bad);
    is($status, 400, "$bad is refused");
    is($answer->{code}, 'InvalidArgument', 'as an argument');
    is("?$answer->{details}[0]{path}", $bad =~ s/=.*//r, 'which one');
}

my $profiles = stats('?by=profile');
is(scalar(@{$profiles->{data}}), 1, 'there is no profile');
is($profiles->{data}[0]{profile}, undef, 'but those without one');
is($profiles->{data}[0]{counters}{executions}, 431, 'with all decisions');

is(($t->api($_, '/stats'))[0], 405, "$_ /stats") for qw(POST PUT DELETE);
is($t->request('HEAD', '/stats')->status, 200, 'HEAD /stats');
is($t->get('/reader/stats')->status, 200, 'a reader may see them');


# deleted and registered again: a new count

is(($t->api('DELETE', '/constraint/a'))[0], 200, 'a constraint is deleted');
is(scalar(@{stats()->{data}}), 1, 'it is in no list');
is(stats('?by=profile')->{data}[0]{counters}{executions}, 431,
    'what it counted stays in the sum');
register('a', 'true');
is(metadata('a')->{counters}{executions}, 0, 'the new one starts at 0');
is($t->get('/gate/?type=a&ok=1')->status, 200, 'it is asked');
is(metadata('a')->{counters}{executions}, 1, 'and counts');


# metrics

my $text = $t->get('/metrics');
is($text->status, 200, 'metrics');
is($text->header('Content-Type'), 'text/plain; version=0.0.4; charset=utf-8',
    'their type');
is($t->get('/all')->status, 200, 'of all zones');
is($t->request('HEAD', '/metrics')->status, 200, 'HEAD');
is($t->request('HEAD', '/metrics')->body // '', '', 'has no body');

my $refused = $t->request('POST', '/metrics', body => 'x');
is($refused->status, 405, 'POST is refused');
is($refused->header('Allow'), 'GET, HEAD, OPTIONS', 'and what is not');

sub metric {
    my ($name) = @_;
    my $body = $t->get('/metrics')->body;
    return $body =~ /^\Q$name\E (\S+)$/m ? $1 : undef;
}

my $of_a = 'zone="z",message_type="a"';
my $others = 'zone="z",message_type="(other)"';

is(metric("constraint_decisions_total{$of_a,effect=\"allow\"}"), 1,
    'a constraint has its own series');
is(metric('constraint_decisions_total{zone="z",message_type="b",'
    . 'effect="deny"}'), 1, 'each');
cmp_ok(metric("constraint_decisions_total{$others,effect=\"allow\"}"), '>=',
    $sent{200}, 'what is gone is in that of the others');
is(metric('constraint_zone_errors_total{zone="z",error="EvaluationError"}'),
    1, 'errors by name');
is(metric("constraint_evaluation_seconds_count{$of_a}"), 1, 'a summary');
is(metric('constraint_profile_evaluation_seconds_count{zone="z",'
    . 'profile="(none)"}'), 432, 'a histogram of all');
is(metric('constraint_store_open{zone="z"}'), 1, 'the store');

SKIP: {
    my ($promtool) = grep { -x } map { "$_/promtool" } split(/:/, $ENV{PATH});
    skip('there is no promtool', 1) unless $promtool;

    $t->write_file('metrics.txt', $t->get('/metrics')->body);
    my $dir = $t->testdir();
    my $said = `'$promtool' check metrics < '$dir/metrics.txt' 2>&1`;
    is("$? $said", '0 ', 'promtool finds nothing to say');
}


# labels are bounded, and what has none is counted as well

my @many = map { "m$_" } 1 .. 130;

for my $name (@many) {
    $t->api('POST', '/constraint', { message_type => $name,
        subject_id => '*', dsl_workflow_id => 'w.b',
        constraint_metadata => {} });
    $t->get("/gate/?type=$name");
}

my $body = $t->get('/metrics')->body;
my %labels = map { $_ => 1 } $body =~ /message_type="([^"]*)"/g;
is(scalar(keys %labels), 101, 'a hundred constraints have a label');
ok($labels{'(other)'}, 'and one is for all others');

my $sum = 0;
$sum += $_ for $body =~ /^constraint_decisions_total\{zone="z",
    message_type="(?:m\d+|\(other\))",effect="deny"\}\ (\d+)$/mgx;
cmp_ok($sum, '>=', 130, 'none is left out');

my $before = metric("constraint_decisions_total{$others,effect=\"deny\"}");
$t->api('DELETE', "/constraint/$_") for @many[0 .. 59];
my $after = metric("constraint_decisions_total{$others,effect=\"deny\"}");
cmp_ok($after, '>=', $before, 'it never goes backwards');


# a small zone: breakers keep their state, and leave room for counting

$t->api('POST', '/small/workflow', { name => 'w', rule => {
    match => [ { output => 'true' } ] } });

my @tight = map { "t$_" } 1 .. 100;

for my $name (@tight) {
    $t->api('POST', '/small/constraint', { message_type => $name,
        subject_id => '*', dsl_workflow_id => 'w',
        constraint_metadata => {}, execution => { breaker =>
            { violations => 5, window_ms => 60000, open_ms => 1000 } } });
    $t->get("/tight/?type=$name") for 1 .. 2;
}

$body = $t->get('/all')->body;
my ($lost) = $body =~ /^constraint_stats_lost_total\{zone="small"\} (\d+)$/m;
is($lost, 0, 'all decisions are counted');

my ($profiled) = @{(($t->api('GET', '/small/stats?by=profile'))[1])->{data}};
is($profiled->{counters}{executions}, 200, 'those of who gave way, too');

my ($last) = @{(($t->api('GET', '/small/stats?limit=1&sort=-executions'))[1])
    ->{data}};
is($last->{counters}{executions}, 2, 'the latest are there by name');


# more constraints than histograms, in turn: they are given away at a bounded
# rate, and counters know nothing of it

sub small {
    my ($name) = @_;

    my ($value) = $t->get('/all')->body
        =~ /^constraint_stats_${name}_total\{zone="small"\} (\d+)$/m;
    return $value;
}

my ($evicted, $began) = (small('evicted'), time());

for (1 .. 10) {
    $t->get("/tight/?type=$_") for @tight;
}

my $allowed = 64 + (time() - $began + 1) * 100;
my $given = small('evicted') - $evicted;

cmp_ok($given, '<=', $allowed + 2, 'a hundred evictions a second at most');
cmp_ok($given + small('unobserved'), '>', 0, 'there was too little memory');
is((@{(($t->api('GET', '/small/stats?by=profile'))[1])->{data}})[0]
    ->{counters}{executions}, 1200, 'each decision is counted');


# profiles that come and go: they take no more than a part of the statistics,
# and what they counted stays in the sum

sub names { return $t->api($_[0], "/names$_[1]", $_[2]) }

names('POST', '/workflow', { name => 'w', rule => {
    match => [ { output => 'true' } ] } });

names('POST', '/constraint', { message_type => $_, subject_id => '*',
    dsl_workflow_id => 'w', constraint_metadata => {} })
    for qw(steady changing);

my $decisions = 0;

sub named { $t->get("/named/?type=$_[0]"); $decisions++ }

sub profile_sum {
    my %of = map { ($_->{profile} // '') => $_->{counters}{executions} }
        @{(names('GET', '/stats?by=profile&limit=1000'))[1]->{data}};
    my $all = 0;
    $all += $_ for values %of;
    return ($all, \%of);
}

sub under {
    my ($profile) = @_;

    names('PUT', "/profiles/$profile", { max_exec_ms => 5000 });
    names('PUT', '/constraint/changing', { profile => $profile });
    named($_) for qw(changing steady);
}

# as long as all are in use, a new one is counted with the others

under("q$_") for 1 .. 20;

my ($total, $of) = profile_sum();
is($total, $decisions, 'all decisions are counted by profile');
cmp_ok(scalar(keys %$of), '<=', 17, 'a quarter of the slots are profiles');
ok($of->{q1}, 'the first have one of their own');
ok(!$of->{q20}, 'the last have not');
cmp_ok($of->{'(other)'}, '>', 0, 'but are counted');
is((names('GET', '/constraint/metadata/changing'))[1]
    ->{metadata}{counters}{executions}, 20, 'and so is the constraint');

# those that are idle give way

is(($t->api('PUT', '/fault/stats.profile_idle', { value => 60 }))[0], 200,
    'a minute has passed');

my $rest = $of->{'(other)'};

for my $n (1 .. 60) {
    under("r$n");
    names('DELETE', '/profiles/r' . ($n - 1)) if $n > 1;

    next if $n % 20;

    ($total, $of) = profile_sum();
    is($total, $decisions, "after $n more all decisions are there");
    cmp_ok(scalar(keys %$of), '<=', 17, 'there are no more profiles');
    ok($of->{"r$n"}, 'the latest has its own');
    cmp_ok($of->{'(other)'}, '>=', $rest, 'the others never go backwards');
    $rest = $of->{'(other)'};
}

ok(!$of->{q1}, 'the first have given way');
is((names('GET', '/constraint/metadata/steady'))[1]
    ->{metadata}{counters}{executions}, 80, 'one that is in use stays');

$body = $t->get('/all')->body;
($lost) = $body =~ /^constraint_stats_lost_total\{zone="names"\} (\d+)$/m;
is($lost, 0, 'no decision is lost');

my $counted = 0;
$counted += $_ for $body =~ /^constraint_profile_decisions_total\{zone=
    "names",profile="[^"]*",effect="allow"\}\ (\d+)$/mgx;
is($counted, $decisions, 'metrics have the same sum');

is(($t->api('PUT', '/fault/stats.profile_idle', { value => 0 }))[0], 200,
    'time is as it was');
ok($t->reload(wait_old => 1), 'a reload');
is((profile_sum())[0], $decisions, 'changes nothing');
