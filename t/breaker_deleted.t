#!/usr/bin/perl

# Copyright (C) ngx_http_constraint_module authors
# SPDX-License-Identifier: BSD-2-Clause
#
# A constraint that is deleted while it is evaluated: its breaker and what its
# adaptive limit has learnt are gone, and the evaluation's end does not bring
# them back.  Such states are never given to another, so they would add up.

use warnings;
use strict;

use FindBin;
use IO::Select;
use Test::More;
use Time::HiRes qw(time);

use lib "$FindBin::RealBin/lib";
use Test::Constraint;

my $t = Test::Constraint->new(workers => 1, need => ['faults'])
    ->conf(<<'END')->run();
%%GLOBALS%%
events { }
http {
    %%GLOBALS_HTTP%%
    constraint_zone z:2m path=%%TESTDIR%%/store;
    constraint_timeout 20s;

    server {
        listen 127.0.0.1:%%PORT_ECHO%%;
        location / { return 200 ok; }
    }

    server {
        listen 127.0.0.1:%%PORT%%;

        location / { constraint_api z; }
        location = /metrics { constraint_metrics; }

        location /thread/ {
            constraint $arg_type zone=z;
            constraint_offload always;
            proxy_pass http://127.0.0.1:%%PORT_ECHO%%;
        }
    }
}
END

is(($t->api('POST', '/workflow', { name => 'w', rule => { match => [
    { output => "request.args['deny'] != '1'" } ] } }))[0], 201,
    'a workflow is registered');

sub free_pieces {
    return $t->get('/metrics')->body
        =~ /^constraint_stats_pieces_free\{zone="z"\} (\d+)$/m ? $1 : -1;
}


# taken(NAME, EXECUTION): how much memory of the statistics a decision takes
# for good whose constraint was deleted before it ended

sub taken {
    my ($name, %execution) = @_;

    for my $try (1 .. 5) {
        my $free = free_pieces();

        is(($t->api('POST', '/constraint', { message_type => "$name$try",
            subject_id => '*', dsl_workflow_id => 'w',
            constraint_metadata => {}, execution => \%execution }))[0], 201,
            "$name is registered");

        my $start = time();
        my $client = $t->connect();
        $t->api('PUT', '/fault/task.delay_ms', { value => 1500 });
        $client->send('GET', "/thread/?type=$name$try&deny=0");

        # it has begun by the next answer, or it is tried again

        $t->api('GET', '/status');
        $t->api('PUT', '/fault/task.delay_ms', { value => 0 });

        is(($t->api('DELETE', "/constraint/$name$try"))[0], 200,
            'it is deleted');

        my $late = !IO::Select->new($client->socket)->can_read(0);
        is($client->read_response()->status, 200, 'its evaluation ends');
        $client->close();

        return $free - free_pieces() if $late && time() - $start > 1;
    }

    return -1;
}

my $plain = taken('plain');
cmp_ok($plain, '>', 0, 'it ended later than that, and is counted');

is(taken('breaker', breaker => { violations => 5, window_ms => 60000,
    open_ms => 60000 }), $plain, 'a breaker leaves nothing');
is(taken('adaptive', adaptive => { factor => 2, min_ms => 5000,
    max_ms => 10000 }), $plain, 'nor does an adaptive limit');
