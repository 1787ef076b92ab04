#!/usr/bin/perl

# Copyright (C) ngx_http_constraint_module authors
# SPDX-License-Identifier: BSD-2-Clause
#
# The hot path: a header policy that allows takes no lock and no memory but
# the request's own.  Counted by a preloaded library, as the difference to
# the same location without a constraint; policies that do take memory or
# locks show that it counts.

use warnings;
use strict;

use FindBin;
use lib "$FindBin::Bin/lib";

use Test::More;
use Test::Constraint;
use Test::Constraint::Gate;

my $N = 500;

# nginx takes a block of memory when a request's pool is full: here it never
# is, so that the blocks of both sides are the same

my $t = Test::Constraint::Gate->setup(<<'END', need => ['plain'],
location /bare { root %%TESTDIR%%; }
location /gate { constraint header; root %%TESTDIR%%; }
location /body { constraint body; root %%TESTDIR%%; }
location /thread {
    constraint header;
    constraint_offload always;
    root %%TESTDIR%%;
}
END
    http => 'request_pool_size 32k; keepalive_requests 1000000; '
        . 'access_log off;');

my $dir = $t->testdir();
my $cc = $ENV{CC} || 'cc';

my $built = system("$cc -O2 -shared -fPIC -o $dir/interpose.so "
    . "$FindBin::Bin/lib/interpose.c -ldl -lpthread 2>$dir/cc.log") == 0;

ok($built, 'the counting library is built')
    or BAIL_OUT($t->read_file('cc.log'));

$t->write_file("$_/x.html", 'x') for qw(bare gate body thread);
$t->write_file('counters', "\0" x 4096);
chmod(0666, "$dir/counters");

{
    local $ENV{LD_PRELOAD} = "$dir/interpose.so";
    local $ENV{INTERPOSE_FILE} = "$dir/counters";
    $t->run();
}

$t->register_document('header', { name => 'header', rule => { match => [
    { condition => "!(request.method in ['GET', 'HEAD', 'POST'])",
      output => 'false' },
    { condition => "!request.path.startsWith('/')", output => 'false' },
    { condition =>
        "!(request.headers['x-role'] in ['admin', 'editor', 'reader'])",
      output => 'false' },
    { condition => "request.headers['x-org'] != 'acme'", output => 'false' },
    { output => 'true' },
] } });
$t->register('body', 'input.a == 1');


sub counters {
    my ($allocations, $locks) = unpack('QQ', $t->read_file('counters'));
    return ($allocations, $locks);
}


# measure(METHOD, PATH, BODY): (allocations, locks) of one request

sub measure {
    my ($method, $path, $body) = @_;

    my $c = $t->connect();
    my %opt = (headers => { 'X-Role' => 'reader', 'X-Org' => 'acme' });
    my %status;

    $opt{body} = $body if defined $body;

    $c->request($method, $path, %opt) for 1 .. 50;

    my @before = counters();

    for (1 .. $N) {
        $status{$c->request($method, $path, %opt)->status}++;
    }

    my @after = counters();

    is(join(' ', keys %status), $method eq 'GET' ? '200' : '405',
        "$path: all requests pass the gate");

    return map { ($after[$_] - $before[$_]) / $N } 0, 1;
}


my @bare = measure('GET', '/bare/x.html');
my @gate = measure('GET', '/gate/x.html');

cmp_ok($bare[0], '>=', 1, 'a request takes memory of its own');
is($gate[0], $bare[0], 'a header policy takes no memory beyond that');
is($gate[1], $bare[1], 'and no lock');

# what takes some is seen

my @body = measure('POST', '/body/x.html', '{"a":1}');
cmp_ok($body[0], '>=', $bare[0] + 1, 'a body policy takes memory');

my @thread = measure('GET', '/thread/x.html');
cmp_ok($thread[1], '>=', $bare[1] + 1, 'a thread takes locks');
cmp_ok($thread[0], '>=', $bare[0] + 1, 'and memory');

done_testing();
