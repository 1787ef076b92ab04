#!/usr/bin/perl

# Copyright (C) ngx_http_constraint_module authors
# SPDX-License-Identifier: BSD-2-Clause
#
# Freshness: once a write has been answered, no worker decides by the older
# record.  Connections are pinned to workers, each names its own by a header;
# what is written through one worker is asked of every other, within one
# nginx and across a binary upgrade in both directions.  With the look at the
# generation switched off the same rounds see old records: they can fail.

use warnings;
use strict;

use FindBin;
use Test::More;

use lib "$FindBin::RealBin/lib";
use Test::Constraint;

my $t = Test::Constraint->new(workers => 4, need => ['faults', 'http1'])
    ->conf(<<'END')->run();
%%GLOBALS%%
events { }
http {
    %%GLOBALS_HTTP%%
    keepalive_requests 100000;
    keepalive_timeout 300s;
    constraint_zone z:1m path=%%TESTDIR%%/store;

    server {
        listen 127.0.0.1:%%PORT_ECHO%%;
        location / { return 200 $http_x_n; }
    }

    server {
        listen 127.0.0.1:%%PORT%% reuseport;
        location /api/ { constraint_api z prefix=/api; }
        location /gate {
            constraint fresh zone=z;
            proxy_pass http://127.0.0.1:%%PORT_ECHO%%;
        }
    }
}
END

my $pass = "{'effect': 'allow', 'headers': {'x-n': "
    . "string(constraint.metadata.n)}}";

sub workflow { return { name => 'fresh', rule => { match => [ @_ ] } } }

my ($status) = $t->api('POST', '/api/workflow', workflow({ output => $pass }));
is($status, 201, 'a workflow is registered');

my $number = 0;


# change(CLIENT, METHOD, PATH, DATA): one answered write

sub change {
    my ($client, $method, $path, $data) = @_;
    my $answer = $client->request($method, "/api$path",
        defined $data ? (body => json($data),
            headers => { 'Content-Type' => 'application/json' }) : ());
    return $answer ? $answer->status : 0;
}


# rounds(WRITERS, READERS, COUNT): answers that were not of the last write

sub rounds {
    my ($writers, $readers, $count) = @_;

    my ($stale, $failed, $asked) = (0, 0, 0);
    my @writers = sort keys %$writers;

    for my $round (1 .. $count) {
        my $writer = $writers->{$writers[$round % @writers]};

        $number++;
        $failed++ unless change($writer, 'PUT', '/constraint/fresh',
            { constraint_metadata => { n => $number } }) == 200;

        for my $pid (keys %$readers) {
            my $answer = $readers->{$pid}->request('GET', '/gate');
            $asked++;

            if (!$answer || $answer->status != 200) {
                $failed++;

            } elsif ($answer->body ne $number) {
                $stale++;
            }
        }
    }

    return ($stale, $failed, $asked);
}


my $all = $t->pinned([ $t->worker_pids() ]);
is(scalar(keys %$all), 4, 'a connection to each worker');

my ($one) = sort keys %$all;

is(change($all->{$one}, 'POST', '/constraint', { message_type => 'fresh',
    subject_id => '*', dsl_workflow_id => 'fresh',
    constraint_metadata => { n => 0 } }), 201, 'a constraint is registered');

my $count = $t->long() ? 2000 : 100;
my ($stale, $failed, $asked) = rounds($all, $all, $count);

cmp_ok($asked, '==', 4 * $count, 'every worker was asked after every write');
is($failed, 0, 'every request was answered');
is($stale, 0, 'no worker decided by an older record');


# a workflow's new revision, a delete, a create

is(change($all->{$one}, 'PUT', '/workflow/fresh', workflow(
    { output => "'DENY'" })), 200, 'the workflow is changed');
is(join(' ', map { $_->request('GET', '/gate')->status } values %$all),
    '403 403 403 403', 'every worker decides by its new revision');
is(change($all->{$one}, 'PUT', '/workflow/fresh', workflow(
    { output => $pass })), 200, 'and back');
is(join(' ', map { $_->request('GET', '/gate')->status } values %$all),
    '200 200 200 200', 'every worker follows');

is(change($all->{$one}, 'DELETE', '/constraint/fresh'), 200,
    'the constraint is deleted');
is(scalar(grep { $_->request('GET', '/gate')->status == 200 } values %$all),
    0, 'no worker lets anything pass by it');
is(change($all->{$one}, 'POST', '/constraint', { message_type => 'fresh',
    subject_id => '*', dsl_workflow_id => 'fresh',
    constraint_metadata => { n => $number } }), 201, 'it is made again');
is(join(' ', map { $_->request('GET', '/gate')->body } values %$all),
    "$number $number $number $number", 'every worker has the new one');


# the check itself: without the generation old records are seen

is(change($all->{$one}, 'PUT', '/fault/store.skip_generation',
    { value => 1 }), 200, 'the generation is not looked at');
($stale) = rounds($all, $all, 10);
cmp_ok($stale, '>', 0, 'then workers decide by older records');
is(change($all->{$one}, 'PUT', '/fault/store.skip_generation',
    { value => 0 }), 200, 'the generation is looked at again');
($stale) = rounds($all, $all, 10);
is($stale, 0, 'then none does');


# a binary upgrade: both masters' workers, in both directions, and back

my $old = $t->upgrade_start();
ok($old, 'a new binary runs beside the old one');

my @olds = $t->worker_pids($old);
my @news = $t->worker_pids($t->pid());
my $olds = $t->pinned(\@olds, @news);
my $news = $t->pinned(\@news, @olds);

is(scalar(keys %$olds), 4, 'a connection to each old worker');
is(scalar(keys %$news), 4, 'a connection to each new worker');

($stale, $failed) = rounds($olds, $news, $count / 2);
is("$stale $failed", '0 0', 'what an old worker writes, a new one knows');
($stale, $failed) = rounds($news, $olds, $count / 2);
is("$stale $failed", '0 0', 'what a new worker writes, an old one knows');

$_->close() for values %$news;
ok($t->upgrade_back(), 'the new binary goes again');

($stale, $failed) = rounds($olds, $olds, 10);
is("$stale $failed", '0 0', 'the old one goes on');

ok($t->upgrade_start(), 'a new binary comes');
$_->close() for values %$olds, values %$all;
ok($t->upgrade_finish(), 'the old one goes');

$news = $t->pinned([ $t->worker_pids() ]);
($stale, $failed) = rounds($news, $news, 10);
is("$stale $failed", '0 0', 'the new one goes on');

done_testing();
