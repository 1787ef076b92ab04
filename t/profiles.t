#!/usr/bin/perl

# Copyright (C) ngx_http_constraint_module authors
# SPDX-License-Identifier: BSD-2-Clause
#
# What a profile does to decisions: a change holds on every worker from its
# answer on, also beside another binary; which level decides; keys of sampling
# wherever they come from; and what a reload takes away.

use warnings;
use strict;

use FindBin;
use Test::More;

use lib "$FindBin::RealBin/lib";
use Test::Constraint;

my $t = Test::Constraint->new(workers => 3, need => ['faults', 'http1']);

sub configure {
    my ($profiles) = @_;

    $t->conf(<<"END");
%%GLOBALS%%
events { }
http {
    %%GLOBALS_HTTP%%
    keepalive_requests 100000;
    keepalive_timeout 300s;
    constraint_zone z:1m path=%%TESTDIR%%/store;
    constraint_log_level info;
    $profiles

    server {
        listen 127.0.0.1:%%PORT_ECHO%%;
        location / { return 200 passed; }
    }

    server {
        listen 127.0.0.1:%%PORT%% reuseport;
        location /api/ { constraint_api z prefix=/api; }
        location /no {
            constraint no zone=z;
            proxy_pass http://127.0.0.1:%%PORT_ECHO%%;
        }
        location /named {
            constraint named zone=z;
            proxy_pass http://127.0.0.1:%%PORT_ECHO%%;
        }
        location /harmless {
            constraint_profile observational;
            location /harmless/no {
                constraint no zone=z;
                proxy_pass http://127.0.0.1:%%PORT_ECHO%%;
            }
            location /harmless/fast {
                constraint fast zone=z;
                proxy_pass http://127.0.0.1:%%PORT_ECHO%%;
            }
        }
        location /watched {
            constraint_profile watched;
            constraint no zone=z;
            proxy_pass http://127.0.0.1:%%PORT_ECHO%%;
        }
        location /slow {
            constraint_profile slow;
            constraint no zone=z;
            proxy_pass http://127.0.0.1:%%PORT_ECHO%%;
        }
        location /guarded {
            constraint_profile guarded;
            constraint no zone=z;
            proxy_pass http://127.0.0.1:%%PORT_ECHO%%;
        }
        location /keyed {
            constraint keyed zone=z;
            proxy_pass http://127.0.0.1:%%PORT_ECHO%%;
        }
        location /half {
            constraint_profile half;
            constraint plain zone=z;
            proxy_pass http://127.0.0.1:%%PORT_ECHO%%;
        }
    }
}
END

    return $t;
}

my $mine = 'constraint_profile_define mine observational=on;';
my $half = 'constraint_profile_define half sampling_rate=0.5 '
    . q(sampled_out_effect=allow "sampling_key=request.headers['x-who']";)
    . 'constraint_profile_define watched observational=on sampling_rate=0 '
    . 'sampled_out_effect=allow;'
    . 'constraint_profile_define slow observational=on cpu_shares=0 '
    . 'max_exec_ms=5000 fail_closed_on_timeout=off;'
    . 'constraint_profile_define guarded observational=on cpu_shares=0 '
    . 'max_exec_ms=5000 breaker.violations=1 breaker.window_ms=60000 '
    . 'breaker.open_ms=60000 breaker.effect=allow;';

configure("$mine $half")->run();

my %record = (subject_id => '*', dsl_workflow_id => 'never',
    constraint_metadata => {});

is(api('POST', '/workflow', { name => 'never',
    rule => { match => [ { output => 'false' } ] } }), 201, 'never');
is(api('PUT', '/profiles/p', {}), 201, 'a profile that blocks');
is(api('POST', '/constraint', { %record, message_type => 'no',
    profile => 'p' }), 201, 'a constraint that uses it');
is(api('POST', '/constraint', { %record, message_type => 'plain' }), 201,
    'one without');
is(api('POST', '/constraint', { %record, message_type => 'named',
    profile => 'mine' }), 201, 'one of a profile of the configuration');
is(api('POST', '/constraint', { %record, message_type => 'fast',
    profile => 'fast_rule' }), 201, 'one of a preset');

# which level decides

is($t->get('/no')->status, 403, 'what blocks denies');
is($t->get('/named')->status, 200, 'what is observational does not');
is($t->get('/harmless/no')->status, 403,
    'a profile that blocks is not made harmless by the location');
is($t->get('/harmless/fast')->status, 403, 'nor is a preset');
is($t->get('/watched')->status, 403, 'nor by how that one samples');
is($t->get('/slow')->status, 403, 'nor by how it fails');
is($t->get('/guarded')->status, 403, 'nor by its breaker: what violates');
my $open = $t->get('/guarded');
is($open->status, 403, 'opens it, and then all is denied');
like($open->body, qr/BreakerOpen/, 'as it is open');
is(api('PUT', '/constraint/no', { profile => undef }), 200, 'without it');
is($t->get('/guarded')->status, 200, 'but what never blocks does not');
is($t->get('/harmless/no')->status, 200, 'the location decides');
is(api('PUT', '/constraint/no', { profile => 'p',
    execution => { observational => \1 } }), 200, 'by itself');
is($t->get('/no')->status, 200, 'the constraint decides over its profile');
is(api('PUT', '/constraint/no', { execution => undef }), 200, 'and back');

# keys of sampling: of the location, of the constraint, of a stored profile

api('POST', '/constraint', { %record, message_type => 'keyed',
    execution => { sampling_rate => 0.5, sampled_out_effect => 'allow',
        sampling_key => "request.headers['x-who']" } });

my $location = subjects('/half');
like($location, qr/200.*403|403.*200/, 'some are in, some are out');
is(subjects('/half'), $location, 'and stay so');
is(subjects('/keyed'), $location, 'the same by the constraint itself');

api('PUT', '/profiles/keys', { sampling_rate => 0.5,
    sampled_out_effect => 'allow',
    sampling_key => "request.headers['x-who']" });
api('PUT', '/constraint/keyed', { execution => undef, profile => 'keys' });
is(subjects('/keyed'), $location, 'and by a stored profile');

api('PUT', '/profiles/keys', { sampling_rate => 0.5,
    sampled_out_effect => 'allow',
    sampling_key => "request.headers['x-who'] + '!'" });
isnt(subjects('/keyed'), $location, 'which may be changed');

# a change is seen by every worker

my $all = $t->pinned([ $t->worker_pids() ]);
is(scalar(keys %$all), 3, 'a connection to each worker');

my $round = 0;

is(rounds($all, $all, 60), '0 of 180', 'no worker decides by an older one');

change((values %$all)[0], '/fault/store.skip_generation', { value => 1 });
isnt(rounds($all, $all, 6), '0 of 18', 'without the look at the generation '
    . 'some do');
change((values %$all)[0], '/fault/store.skip_generation', { value => 0 });
is(rounds($all, $all, 6), '0 of 18', 'with it none');

# beside another binary

my $old = $t->upgrade_start();
ok($old, 'a new binary runs beside the old one');

my @olds = $t->worker_pids($old);
my @news = $t->worker_pids($t->pid());
my $olds = $t->pinned(\@olds, @news);
my $news = $t->pinned(\@news, @olds);

is(rounds($olds, $news, 20), '0 of 60', 'the new ones follow the old');
is(rounds($news, $olds, 20), '0 of 60', 'the old ones follow the new');

$_->close() for values %$olds, values %$all, values %$news;
ok($t->upgrade_finish(), 'the old one goes');

# what a reload takes away

$t->allow(qr/profile "mine" is neither stored nor configured/);

is($t->get('/named')->status, 200, 'the profile is there');

configure($half)->reload(wait_old => 1);

isnt($t->get('/named')->status, 200,
    'without its profile it does not run unbounded');

my $m = ($t->api('GET', '/api/constraint/metadata/named'))[1]{metadata};
like($m->{execution_error}, qr/neither stored nor configured/,
    'metadata says why');

my $d = ($t->api('POST', '/api/constraint/execute/named', {}))[1];
like(json($d), qr/profile \\"mine\\" is neither/, 'as does an execution');

is(api('PUT', '/constraint/named', { on_error => 'allow' }), 422,
    'a change of it is told, too');
is(api('PUT', '/profiles/mine', { observational => \1 }), 201,
    'its name is free now');
is($t->get('/named')->status, 200, 'and holds at once');

configure("constraint_profile_define mine max_exec_ms=50; $half")
    ->reload(wait_old => 1);

is($t->get('/named')->status, 403, 'the configuration comes first');
is(api('DELETE', '/profiles/mine'), 409, 'and hides the stored one');
my $data = ($t->api('GET', '/api/profiles/mine'))[1]{data};
is($data->{source}, 'configuration', 'which cannot be seen');

configure($half)->reload(wait_old => 1);
is($t->get('/named')->status, 200, 'but rests');

done_testing();


sub api {
    my ($method, $path, $body) = @_;
    return ($t->api($method, "/api$path", $body))[0];
}


# statuses of the same thirty subjects

sub subjects {
    my ($path) = @_;

    return join(' ', map { $t->get($path,
        headers => { 'X-Who' => "subject $_" })->status } 1 .. 30);
}


sub change {
    my ($client, $path, $data) = @_;

    my $answer = $client->request('PUT', "/api$path", body => json($data),
        headers => { 'Content-Type' => 'application/json' });

    return $answer ? $answer->status : 0;
}


# rounds(WRITERS, READERS, COUNT): "WRONG of ASKED" after every answered write

sub rounds {
    my ($writers, $readers, $count) = @_;

    my ($wrong, $asked) = (0, 0);
    my @writers = sort keys %$writers;

    for (1 .. $count) {
        my $on = ++$round % 2;

        $wrong += 1000 if change($writers->{$writers[$round % @writers]},
            '/profiles/p', { observational => $on ? \1 : \0 }) != 200;

        for my $client (values %$readers) {
            my $answer = $client->request('GET', '/no');
            $asked++;
            $wrong++ if !$answer || $answer->status != ($on ? 200 : 403);
        }
    }

    return "$wrong of $asked";
}
