#!/usr/bin/perl

# Copyright (C) ngx_http_constraint_module authors
# SPDX-License-Identifier: BSD-2-Clause
#
# The test library itself: what the other files rely on, and that its own two
# assertions can fail.

use warnings;
use strict;

use Config;
use FindBin;
use POSIX ();
use Test::More;
use Time::HiRes qw(sleep);

use lib "$FindBin::RealBin/lib";
use Test::Constraint;

my $lib = "$FindBin::RealBin/lib";

my $t = Test::Constraint->new(workers => 2)->conf(<<'END')->run();
%%GLOBALS%%
events { }
http {
    %%GLOBALS_HTTP%%

    server {
        listen 127.0.0.1:%%PORT%%;
        listen 127.0.0.1:%%PORT_H2%% http2;

        location /b/ {
            proxy_pass http://127.0.0.1:%%PORT_B%%;
            client_max_body_size 10m;
        }

        location = /json {
            default_type application/json;
            return 200 '{"a": [1, null]}';
        }

        location = /pid {
            return 200 $pid;
        }
    }
}
END

my $backend = $t->backend('B');

# plain requests

is($t->get('/json')->json->{a}[0], 1, 'an answer is decoded');
is(($t->api('GET', '/json'))[1]{a}[1], undef, 'by api() as well');
is($t->get('/none')->status, 404, 'a status is seen');
like($t->http("GET /json HTTP/1.0\r\n\r\n")->text, qr/^HTTP\/1.1 200.*null/s,
    'bytes are sent as they are');
like($t->http_all("GET /pid HTTP/1.1\r\nHost: a\r\n\r\n"
    . "GET /none HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"),
    qr/200 OK.*404 Not/s, 'pipelined requests are all answered');
is($t->request('HEAD', '/json')->status, 200, 'HEAD has no body to wait for');

# a connection stays on its worker

my $c = $t->connect();
my %pids = map { $c->request('GET', '/pid')->body => 1 } 1 .. 5;
is(scalar(keys %pids), 1, 'a connection stays on one worker');
is(scalar($t->worker_pids()), 2, 'there are two workers');

# the backend's record

is($t->post('/b/x?y=1', 'hello', headers => { 'X-A' => [1, 2] })->body,
    "backend: POST /b/x?y=1 HTTP/1.0\n", 'the backend answers');
is($backend->count, 1, 'it has seen one request');
is($backend->last->{body}, 'hello', 'it has seen the body');
is_deeply([ $backend->header($backend->last, 'x-a') ], [ 1, 2 ],
    'it has seen both headers');
$t->post('/b/z', 'x' x 100000, chunked => 1);
is(length($backend->last->{body}), 100000, 'a chunked body comes through');
$backend->clear();
is($backend->count, 0, 'the record is cleared');

# HTTP/2

my $h = $t->h2(port => 'H2');
my $r = $h->request('GET', '/json');
is($r->status, 200, 'HTTP/2: status');
is($r->header('content-type'), 'application/json', 'HTTP/2: header');
is($r->json->{a}[0], 1, 'HTTP/2: body');
is($h->request('POST', '/b/2', body => 'y' x 300000)->status, 200,
    'HTTP/2: an upload beyond the window');
is(length($backend->last->{body}), 300000, 'HTTP/2: all of it arrives');
is($h->request('GET', '/none')->status, 404, 'HTTP/2: another request');

# reload, upgrade, kill

my @old = $t->worker_pids();
ok($t->reload(wait_old => 1), 'a reload ends');
isnt(join(' ', @old), join(' ', $t->worker_pids()), 'the workers are new');

my $good = $t->read_file('nginx.conf');
$t->write_file('nginx.conf', "nonsense;\n");
$t->allow(qr/unknown directive "nonsense"/);
ok(!$t->reload(), 'a reload of a bad configuration is seen to fail');
my ($ok, $said) = $t->test_conf();
ok(!$ok, 'a bad configuration is refused');
like($said, qr/unknown directive "nonsense"/, 'with its reason');
$t->write_file('nginx.conf', $good);

my $master = $t->pid();
ok($t->upgrade_start(), 'a binary upgrade starts');
ok($t->upgrade_back(), 'and goes back');
is($t->pid(), $master, 'to the old master');
ok($t->upgrade(), 'a binary upgrade ends');
isnt($t->pid(), $master, 'with a new master');
is($t->get('/json')->status, 200, 'which answers');

ok($t->kill9(($t->worker_pids())[0]), 'a worker is killed');
$t->allow(qr/exited on signal 9/);
ok((wait_until { $t->worker_pids() == 2 } 10), 'and replaced');
ok($t->kill9_all(), 'all are killed');
$t->run();
is($t->get('/json')->status, 200, 'and started again');

# a machine that stands still takes nothing from what is waited for

my $waiting = fork() // die "cannot fork: $!";

if ($waiting == 0) {
    my $looks = 0;
    my $seen = wait_until { kill('STOP', $$) if ++$looks == 2; $looks > 5 } 2;
    POSIX::_exit($seen ? 0 : 1);
}

ok((wait_until { slurp("/proc/$waiting/stat") =~ /\) T / }),
    'one that waits stands still');
sleep(3);
kill('CONT', $waiting);
waitpid($waiting, 0);
is($?, 0, 'for longer than it waits, and sees what it waited for');
ok(!(wait_until { 0 } 0.1), 'what never comes is given up');

# who is killed is gone when his last thread is, not when his first is: a
# process whose first thread has ended, another of which still runs

SKIP: {
    my $exit = { x86_64 => 60, aarch64 => 93 }->{(POSIX::uname())[4]};

    skip 'no threads here', 3 unless $exit && $Config{useithreads};

    my $halved = fork() // die "cannot fork: $!";

    if ($halved == 0) {
        exec($^X, '-Mthreads', '-e', 'threads->create(sub { sleep(60) });'
            . " syscall($exit, 0)") or POSIX::_exit(127);
    }

    ok((wait_until { slurp("/proc/$halved/stat") =~ /\) Z / }),
        'the first thread of a process ends');
    ok($t->alive($halved), 'the process is alive as long as another runs');
    $t->kill9($halved);
    ok(!$t->alive($halved), 'and dead after that');
    waitpid($halved, 0);
}

# one that is traced is alive, though the letter of its state is a small one:
# LeakSanitizer stops a process so while it ends

SKIP: {
    my $ptrace = { x86_64 => 101, aarch64 => 117 }->{(POSIX::uname())[4]};

    skip 'no number for ptrace here', 3 unless $ptrace;

    my $traced = fork() // die "cannot fork: $!";

    if ($traced == 0) {
        exec($^X, '-e', "syscall($ptrace, 0, 0, 0, 0);"
            . " kill('STOP', \$\$); sleep(60)") or POSIX::_exit(127);
    }

    ok((wait_until { slurp("/proc/$traced/stat") =~ /\) t / }),
        'a tracer stops a process');
    ok($t->alive($traced), 'which is alive');
    $t->kill9($traced);
    ok(!$t->alive($traced), 'and dead once it is killed');
    waitpid($traced, 0);
}

# what ends every file can fail

sub file_of {
    my ($body) = @_;

    my $file = $t->write_file('inner.t', <<END . $body);
use warnings; use strict; use Test::More; use lib '$lib';
use Test::Constraint;
my \$t = Test::Constraint->new()->conf(<<'CONF')->run();
%%GLOBALS%%
events { }
http { %%GLOBALS_HTTP%% server { listen 127.0.0.1:%%PORT%%; } }
CONF
END

    my $out = `$^X $file 2>&1`;
    return ($? >> 8, $out);
}

my ($status, $out) = file_of('ok(1, "one");');
is($status, 0, 'a good file passes');
like($out, qr/^1\.\.3$/m, 'with the two assertions of the end');

($status, $out) = file_of('ok(1, "one"); done_testing();');
is($status, 0, 'done_testing() may be written');

($status, $out) = file_of('subtest s => sub { ok(1, "in") };');
is($status, 0, 'subtests do not end the file');

($status, $out) = file_of(<<'END');
$t->kill9($t->worker_pids());
wait_until { $t->error_log() =~ /signal 9/ };
ok(1, 'one');
END
isnt($status, 0, 'an alert in the error log fails the file');
like($out, qr/not ok 2 - the error log holds no alert/, 'by its name');

sub locked_by {
    my ($pid) = @_;

    return file_of(<<END);
my (\$pid) = \$t->worker_pids();
\$t->allow(qr/exited on signal 9/);
\$t->kill9(\$pid);
\$t->write_file('error.log', \$t->error_log()
    . qq{[alert] 1#1: shared memory zone "z" was locked by $pid\n});
ok(1, 'one');
END
}

is((locked_by('$pid'))[0], 0, 'who was killed may have held a mutex');
isnt((locked_by('1$pid'))[0], 0, 'nobody else may');

($status, $out) = file_of(<<'END');
$t->write_file('sanitizer/log.1', 'ERROR: AddressSanitizer: x');
ok(1, 'one');
END
isnt($status, 0, 'the word of a sanitizer fails the file');
like($out, qr/not ok 3 - no sanitizer has spoken/, 'by its name');

($status, $out) = file_of('die "oops";');
isnt($status, 0, 'a file that dies fails');

($status, $out) = file_of('$t->need("none");');
like($out, qr/unknown "none"/, 'an unknown need is refused');
