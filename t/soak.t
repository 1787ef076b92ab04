#!/usr/bin/perl

# Copyright (C) ngx_http_constraint_module authors
# SPDX-License-Identifier: BSD-2-Clause
#
# Mixed traffic with aborts: 20 seconds, with TEST_NGINX_LONG=1 10 minutes,
# with TEST_NGINX_SOAK=N N seconds.
# Decisions, reads and writes, bodies good, broken and abandoned, evaluations
# in threads whose client goes away, half-closed connections, HTTP/2 streams
# that are reset.  Afterwards nothing has been lost or kept: no alert, the
# anonymous memory of the workers, the free pages of the zone and the open
# files are what they were, and decisions are right.

use warnings;
use strict;

use FindBin;
use JSON::PP;
use POSIX ();
use Test::More;
use Time::HiRes qw(sleep time);

use lib "$FindBin::RealBin/lib";
use Test::Constraint;

use constant CLIENTS => 4;

my $t = Test::Constraint->new(workers => 2)->conf(<<'END')->run();
%%GLOBALS%%
events { worker_connections 1024; }
http {
    %%GLOBALS_HTTP%%
    access_log off;
    client_header_timeout 3s;
    client_body_timeout 3s;
    keepalive_timeout 3s;
    lingering_timeout 1s;
    constraint_zone z:8m path=%%TESTDIR%%/store revisions=5;

    server {
        listen 127.0.0.1:%%PORT_API%%;
        location / { constraint_api z; }
    }

    server {
        listen 127.0.0.1:%%PORT_ECHO%%;
        location / { return 200 passed; }
    }

    server {
        listen 127.0.0.1:%%PORT%% backlog=1024;
        listen 127.0.0.1:%%PORT_H2%% http2 backlog=1024;

        constraint_body_max 64k;

        # a busy machine is no failure; /heavy has the deadline to be met
        constraint_timeout 30s;

        location /header { constraint header zone=z;
                           proxy_pass http://127.0.0.1:%%PORT_ECHO%%; }
        location /body   { constraint body zone=z;
                           proxy_pass http://127.0.0.1:%%PORT_ECHO%%; }
        location /thread { constraint body zone=z; constraint_offload always;
                           proxy_pass http://127.0.0.1:%%PORT_ECHO%%; }
        location /heavy  { constraint heavy zone=z; constraint_timeout 50ms;
                           proxy_pass http://127.0.0.1:%%PORT_ECHO%%; }
        location /named  { constraint $http_x_type zone=z;
                           proxy_pass http://127.0.0.1:%%PORT_ECHO%%; }
    }
}
END

my $dir = $t->testdir();

sub workflow {
    my ($name, $condition) = @_;
    return { name => $name, rule => { match => [
        { condition => $condition, output => "'ALLOW'" },
        { output => "'DENY'" } ] } };
}

sub record {
    my ($name, $workflow) = @_;
    return { message_type => $name, subject_id => '*',
        dsl_workflow_id => $workflow, constraint_metadata => {} };
}

my %conditions = (
    header => "request.headers['x-role'] in ['editor', 'admin']",
    body => "input.policy.type == 'ACCESS' && input.policy.value <= 5",
    heavy => 'input.items.all(a, input.items.all(b, input.items.all(c,'
        . ' a + b + c >= 0)))',
);

for my $name (sort keys %conditions) {
    my ($status) = $t->api('POST', '/workflow',
        workflow($name, $conditions{$name}));
    is($status, 201, "workflow $name");
    ($status) = $t->api('POST', '/constraint', record($name, $name));
    is($status, 201, "constraint $name");
}

my $good = '{"policy": {"type": "ACCESS", "value": 3}}';
my $big = json({ items => [ 1 .. 1000 ] });


# --- what clients do: each gives true when the answer was a right one -------

my %acts = (
    allowed => sub {
        return status_of('GET', '/header', {}, 'X-Role' => 'admin') == 200;
    },
    denied => sub {
        return status_of('GET', '/header', {}, 'X-Role' => 'guest') == 403;
    },
    body => sub {
        return status_of('POST', '/body', { body => $good }) == 200;
    },
    chunked => sub {
        return status_of('POST', '/body',
            { body => $good, chunked => 1 }) == 200;
    },
    broken_body => sub {
        return status_of('POST', '/body', { body => '{"policy": {' }) == 400;
    },
    duplicate_key => sub {
        return status_of('POST', '/body',
            { body => '{"a": 1, "a": 2}' }) == 400;
    },
    large_body => sub {
        return status_of('POST', '/body', { body => 'x' x 100000 }) == 413;
    },
    thread => sub {
        return status_of('POST', '/thread', { body => $good }) == 200;
    },
    heavy => sub {
        return status_of('POST', '/heavy', { body => $big }) == 403;
    },
    unknown_type => sub {
        return status_of('GET', '/named', {},
            'X-Type' => 'none.' . int(rand(1000000))) == 403;
    },

    heavy_then_gone => sub {
        my $c = $t->connect() or return 0;
        $c->send('POST', '/heavy', body => $big);
        sleep(rand(0.06));
        rand() < 0.5 ? $c->reset() : $c->close();
        return 1;
    },
    thread_then_gone => sub {
        my $c = $t->connect() or return 0;
        $c->send('POST', '/thread', body => $good);
        $c->reset();
        return 1;
    },
    abandoned_body => sub {
        my $c = $t->connect() or return 0;
        $c->write("POST /body HTTP/1.1\r\nHost: a\r\n"
            . "Content-Length: 5000\r\n\r\n{\"policy\": ");
        sleep(rand(0.02));
        rand() < 0.5 ? $c->reset() : $c->close();
        return 1;
    },
    abandoned_head => sub {
        my $c = $t->connect() or return 0;
        $c->write("GET /header HTTP/1.1\r\nHost: a\r\nX-Ro");
        $c->close();
        return 1;
    },
    half_closed => sub {
        my $c = $t->connect() or return 0;
        $c->send('GET', '/header', headers => { 'X-Role' => 'admin' },
            close => 1);
        $c->shutdown();
        my $answer = $c->read_response();

        # a half-closed client counts as gone for nginx when it waits

        return !$answer || $answer->status == 200;
    },
    pipelined => sub {
        my $c = $t->connect() or return 0;
        $c->write("GET /header HTTP/1.1\r\nHost: a\r\nX-Role: admin\r\n\r\n"
            . "POST /body HTTP/1.1\r\nHost: a\r\nContent-Length: "
            . length($good) . "\r\n\r\n$good"
            . "GET /header HTTP/1.1\r\nHost: a\r\nConnection: close\r\n"
            . "X-Role: guest\r\n\r\n");
        return join(' ', map { ($c->read_response()
            // return 0)->status } 1 .. 3) eq '200 200 403';
    },

    h2 => sub {
        my $h = $t->h2(port => 'H2') or return 0;
        my $get = $h->request('GET', '/header',
            headers => { 'x-role' => 'admin' });
        my $post = $h->request('POST', '/thread', body => $good);
        $h->close();
        return $get && $get->status == 200 && $post && $post->status == 200;
    },
    h2_reset => sub {
        my $h = $t->h2(port => 'H2') or return 0;
        my $id = $h->start('POST', '/heavy', end => 0);
        $h->data($id, $big, 1);
        $h->reset($id);
        my $get = $h->request('GET', '/header',
            headers => { 'x-role' => 'guest' });
        $h->close();
        return $get && $get->status == 403;
    },
    h2_gone => sub {
        my $h = $t->h2(port => 'H2') or return 0;
        my $id = $h->start('POST', '/body', end => 0);
        $h->data($id, '{"policy"', 0);
        $h->close();
        return 1;
    },

    api_read => sub {
        return api_status('GET', '/constraint/header') == 200
            && api_status('GET', '/constraint/metadata/body') == 200
            && api_status('GET', '/status') == 200
            && api_status('POST', '/constraints',
                { message_type => { '$in' => [ 'body', 'heavy' ] } }) == 200;
    },
    api_write => sub {
        return api_status('PUT', '/constraint/header',
            { description => 'changed ' . rand() }) == 200;
    },
    api_create_delete => sub {
        my $name = "soak.$$." . int(rand(1e9));
        return api_status('POST', '/constraint', record($name, 'header'))
                == 201
            && status_of('GET', '/named', {}, 'X-Type' => $name,
                'X-Role' => 'admin') == 200
            && api_status('DELETE', "/constraint/$name") == 200
            && status_of('GET', '/named', {}, 'X-Type' => $name,
                'X-Role' => 'admin') == 403;
    },
    api_revise => sub {
        return api_status('PUT', '/workflow/body',
            { %{workflow('body', $conditions{body})},
                description => 'revised ' . rand() }) == 200;
    },
    api_refused => sub {
        return api_status('POST', '/constraint', '{"a": ') == 400
            && api_status('POST', '/workflow',
                workflow('bad', 'input. ==')) == 422
            && api_status('PUT', '/constraint/none', {}) == 404;
    },
    api_execute => sub {
        return api_status('POST', '/constraint/execute/body',
            { input_data => decode_json($good) }) == 200;
    },
    api_unload => sub {
        return api_status('POST', '/constraint/unload/body') == 200;
    },
    api_gone => sub {
        my $c = $t->connect(port => 'API') or return 0;
        $c->send('PUT', '/constraint/heavy',
            body => json({ description => 'gone ' . rand() }),
            headers => { 'Content-Type' => 'application/json' });
        $c->reset();
        return 1;
    },
);


sub status_of {
    my ($method, $path, $opt, %headers) = @_;
    my $answer = $t->request($method, $path, %$opt, headers => \%headers);
    return $answer ? $answer->status : 0;
}


sub api_status {
    my ($method, $path, $data) = @_;
    my ($status) = $t->api($method, $path, $data);
    return $status;
}


# Writes may be answered 503 when their queue is full and evaluations
# refused when theirs is: neither can happen with so few clients.

sub client {
    my ($seed, $until) = @_;

    my (%done, %wrong);
    my @names = sort keys %acts;

    srand($seed);

    while (time() < $until) {
        my $name = $names[rand(@names)];
        $done{$name}++;
        $acts{$name}->() or $wrong{$name}++;
    }

    return { done => \%done, wrong => \%wrong };
}


# traffic(SECONDS): by CLIENTS processes; gives the sums of both kinds

my $turn = 0;

sub traffic {
    my ($seconds) = @_;

    my %pids;
    my $until = time() + $seconds;
    $turn++;

    for my $i (1 .. CLIENTS) {
        my $pid = fork() // die "cannot fork: $!\n";

        if ($pid == 0) {
            $SIG{$_} = 'DEFAULT' for qw(INT TERM HUP);
            my $seen = eval { client($turn * 100 + $i, $until) }
                // { done => {}, wrong => { "died: $@" => 1 } };
            $t->write_file("soak.$turn.$i", json($seen));
            POSIX::_exit(0);
        }

        $pids{$pid} = $i;
    }

    my %sum = (done => {}, wrong => {});

    for my $pid (keys %pids) {
        waitpid($pid, 0);
        my $seen = decode_json($t->read_file("soak.$turn.$pids{$pid}"));

        for my $kind (qw(done wrong)) {
            $sum{$kind}{$_} += $seen->{$kind}{$_} for keys %{$seen->{$kind}};
        }
    }

    return \%sum;
}


# --- what is measured when all clients have gone ----------------------------

sub anonymous_kb {
    my ($pid) = @_;
    return slurp("/proc/$pid/status") =~ /^RssAnon:\s+(\d+) kB/m ? $1 : 0;
}


sub sockets {
    my ($pid) = @_;
    return scalar(grep { (readlink($_) // '') =~ /^socket:/ }
        glob("/proc/$pid/fd/*"));
}


sub find_key {
    my ($data, $key) = @_;

    for my $item (ref($data) eq 'HASH' ? %$data
        : ref($data) eq 'ARRAY' ? @$data : ())
    {
        return $data->{$key} if ref($data) eq 'HASH' && exists $data->{$key};
        my $found = ref($item) ? find_key($item, $key) : undef;
        return $found if defined $found;
    }

    return undef;
}


sub measure {
    my ($workers, $sockets) = @_;

    # requests of clients that went away end by nginx's own timeouts

    ok((wait_until {
        !grep { sockets($_) > $sockets->{$_} } @$workers;
    } 20), 'no connection is left');

    my ($status, $answer) = $t->api('GET', '/status');
    is($status, 200, 'the status answers');

    return {
        anonymous => { map { $_ => anonymous_kb($_) } @$workers },
        zone_free => find_key($answer, 'zone_free') // find_key($answer,
            'free'),
        queued => find_key($answer, 'writes_queued') // 0,
    };
}


my @workers = $t->worker_pids();
my $seconds = $ENV{TEST_NGINX_SOAK} || ($t->long() ? 600 : 20);

# connections of one worker may be counted by the other only when they are
# made; all of these are idle now

wait_until { 0 } 0.2;
my %sockets = map { $_ => sockets($_) } @workers;

my $warm = traffic($seconds * 0.3);
my $before = measure(\@workers, \%sockets);
my $seen = traffic($seconds * 0.7);
my $after = measure(\@workers, \%sockets);

my $count = 0;
$count += $_ for values %{$seen->{done}};

for my $sum ($warm, $seen) {
    is(json($sum->{wrong}), '{}', 'every answer was right');
}

cmp_ok($count, '>', 10 * $seconds, 'there was traffic');
is(join(' ', grep { !$seen->{done}{$_} && !$warm->{done}{$_} }
    sort keys %acts), '', 'of all kinds');
note("$count acts in the second part");

is(join(' ', sort($t->worker_pids())), join(' ', sort(@workers)),
    'the workers are the same');

for my $pid (@workers) {
    my ($b, $a) = map { $_->{anonymous}{$pid} } $before, $after;
    note("worker $pid: $b KB, then $a KB");

    SKIP: {
        skip 'a sanitizer keeps freed memory', 1
            if Test::Constraint::sanitized();
        cmp_ok($a, '<=', $b * 1.1 + 2048, 'anonymous memory is flat');
    }
}

ok(defined $after->{zone_free}, 'the status tells the free memory of the zone');
cmp_ok($after->{zone_free} // 0, '>=', ($before->{zone_free} // 0) - 32 * 1024,
    'the pages of the zone are not used up');
note("zone: $before->{zone_free}, then $after->{zone_free} bytes free");
is($after->{queued}, 0, 'no write is left in the queue');

ok($acts{$_}->(), "decisions are right afterwards: $_")
    for qw(allowed denied body broken_body thread heavy api_create_delete);
