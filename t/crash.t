#!/usr/bin/perl

# Copyright (C) ngx_http_constraint_module authors
# SPDX-License-Identifier: BSD-2-Clause
#
# Deaths: of a worker, of all processes at once, of the master alone, while
# writers write.  Afterwards every acknowledged write is there, and none is
# half-written: each record carries its number twice and a text made from it.
# Ten thousand acknowledged writes with TEST_NGINX_LONG=1.

use warnings;
use strict;

use FindBin;
use POSIX ();
use Test::More;
use Time::HiRes qw(sleep time);

use lib "$FindBin::RealBin/lib";
use Test::Constraint;

use constant {
    WRITERS => 3,
    KEYS => 40,                # constraints a writer has
};

my $t = Test::Constraint->new(workers => 2, need => ['faults'])
    ->allow(qr/exited on signal 9/, qr/was locked by/)
    ->conf(<<'END')->run();
%%GLOBALS%%
events { }
http {
    %%GLOBALS_HTTP%%
    access_log off;
    constraint_zone z:1m path=%%TESTDIR%%/store revisions=3;

    server {
        listen 127.0.0.1:%%PORT_ECHO%%;
        location / { return 200 $http_x_n; }
    }

    server {
        listen 127.0.0.1:%%PORT%%;
        location / { constraint_api z; }
        location /gate/ {
            constraint $arg_type zone=z;
            proxy_pass http://127.0.0.1:%%PORT_ECHO%%;
        }
    }
}
END

my $dir = $t->testdir() . '/writers';
mkdir($dir);

my ($status) = $t->api('POST', '/workflow', { name => 'w', rule => {
    match => [ { output => "{'effect': 'allow', 'headers': {'x-n': "
        . "string(constraint.metadata.n)}}" } ] } });
is($status, 201, 'a workflow is registered');


sub metadata {
    my ($n) = @_;
    return { n => $n, again => $n, text => "$n " x (1 + $n % 100) };
}


# write_one(NAME, N): the status, 0 when there was no answer

sub write_one {
    my ($name, $n) = @_;

    my ($status) = $t->api('PUT', "/constraint/$name",
        { constraint_metadata => metadata($n) }, timeout => 5);

    if ($status == 404) {
        ($status) = $t->api('POST', '/constraint', { message_type => $name,
            subject_id => '*', dsl_workflow_id => 'w',
            constraint_metadata => metadata($n) }, timeout => 5);
    }

    return $status;
}


# writer(ID): writes until it is told to end; its file holds "T key n" before
# each try and "A key n" after each acknowledgement

sub writer {
    my ($id) = @_;

    open(my $log, '>>', "$dir/$id") or die "cannot write: $!\n";
    $log->autoflush(1);

    my $n = $id;
    my $end = 0;

    local $SIG{TERM} = sub { $end = 1 };

    while (!$end) {
        $n += WRITERS;

        my $key = $n % KEYS;
        print $log "T $key $n\n";

        my $status = write_one("c.$id.$key", $n);

        if ($status == 200 || $status == 201) {
            print $log "A $key $n\n";

        } elsif ($status != 0 && $status != 503) {
            print $log "E $key $status\n";

        } else {
            sleep(0.02);
        }
    }

    POSIX::_exit(0);
}


my %writers;

sub start_writers {
    for my $id (0 .. WRITERS - 1) {
        my $pid = fork() // die "cannot fork: $!\n";
        writer($id) if $pid == 0;
        $writers{$id} = $pid;
    }
}

sub stop_writers {
    kill('TERM', values %writers);
    waitpid($_, 0) for values %writers;
    %writers = ();
}

END {
    if (%writers && ($t->{owner} // 0) == $$) {
        my $kept = $?;
        kill('KILL', values %writers);
        $? = $kept;
    }
}

sub acknowledged {
    my $count = 0;
    $count += () = slurp("$dir/$_") =~ /^A/mg for 0 .. WRITERS - 1;
    return $count;
}


# check(WHAT): each constraint has the last acknowledged number or one tried
# after it, and all of it

sub check {
    my ($what) = @_;

    my ($keys, $lost, $torn, $wrong) = (0, 0, 0, 0);

    for my $id (0 .. WRITERS - 1) {
        my (%last, %tried);

        for my $line (split(/\n/, slurp("$dir/$id"))) {
            my ($kind, $key, $n) = split(/ /, $line);

            if ($kind eq 'E') {
                diag("writer $id was answered $n");
                $wrong++;

            } elsif ($kind eq 'A') {
                $last{$key} = $n;
                $tried{$key} = {};

            } else {
                $tried{$key}{$n} = 1;
            }
        }

        for my $key (sort keys %last) {
            my ($status, $answer) = $t->api('GET', "/constraint/c.$id.$key");
            my $got = $status == 200
                ? $answer->{data}{constraint_metadata} : { n => -1 };

            $keys++;
            $lost++ unless $got->{n} == $last{$key}
                || $tried{$key}{$got->{n}};
            $torn++ if json($got) ne json(metadata($got->{n}));

            my $gate = $t->get("/gate/?type=c.$id.$key");
            $wrong++ unless $gate && $gate->status == 200
                && $gate->body eq $got->{n};
        }
    }

    cmp_ok($keys, '>', 0, "$what: there is something to check");
    is($lost, 0, "$what: every acknowledged write is there");
    is($torn, 0, "$what: none is half-written");
    is($wrong, 0, "$what: nothing else is wrong, the gate agrees");
}


sub wait_writes {
    my ($count) = @_;
    my $want = acknowledged() + $count;
    return wait_until { acknowledged() >= $want } 120;
}


my $some = $t->long() ? 1100 : 60;
my $turns = $t->long() ? 3 : 1;

start_writers();
ok(wait_writes($some), 'writes are acknowledged');

for my $turn (1 .. $turns) {

    # a worker

    my @workers = $t->worker_pids();
    ok($t->kill9($workers[0]), 'a worker is killed');
    ok(wait_writes($some), 'writes go on');
    ok((wait_until { $t->worker_pids() == 2 }), 'there is a new worker');

    # all of them

    ok($t->kill9_all(), 'master and workers are killed at once');
    stop_writers();
    $t->run();
    check("all killed, turn $turn");
    start_writers();
    ok(wait_writes($some), 'writes go on');

    # the master: its workers serve on, and keep the port

    my @orphans = $t->worker_pids();
    ok($t->kill9($t->pid()), 'the master alone is killed');
    unlink($t->testdir() . '/nginx.pid');
    ok(wait_writes($some), 'its workers serve on');
    kill('QUIT', @orphans);
    ok((wait_until { !grep { Test::Constraint::Process::alive($_) } @orphans }
        30), 'they end when they are told');
    stop_writers();
    $t->run();
    check("master killed, turn $turn");
    start_writers();
    ok(wait_writes($some), 'writes go on');
}

if ($t->long()) {
    ok((wait_until { acknowledged() >= 10000 } 600), 'ten thousand writes');
}

stop_writers();
check('at the end');
note(acknowledged() . ' writes were acknowledged');


# at the very point: just before and just after the commit

for my $point (qw(before after)) {
    my $name = "at.$point";
    is(write_one($name, 1), 201, 'a write that is acknowledged');

    my ($set) = $t->api('PUT', "/fault/store.kill_${point}_commit",
        { value => 1 });
    is($set, 200, "a worker will die $point the commit");
    is(write_one($name, 2), 0, 'the write is not answered');

    ok((wait_until {
        my ($status) = $t->api('PUT', "/fault/store.kill_${point}_commit",
            { value => 0 });
        $status == 200;
    }), 'another worker answers');

    my (undef, $answer) = $t->api('GET', "/constraint/$name");
    is_deeply($answer->{data}{constraint_metadata},
        metadata($point eq 'before' ? 1 : 2), $point eq 'before'
        ? 'nothing of the write is there' : 'all of the write is there');
    is($t->get("/gate/?type=$name")->body, $point eq 'before' ? 1 : 2,
        'the gate agrees');
    is(write_one($name, 3), 200, 'the next write is done');
}

done_testing();
