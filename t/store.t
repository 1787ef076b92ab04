#!/usr/bin/perl

# Copyright (C) ngx_http_constraint_module authors
# SPDX-License-Identifier: BSD-2-Clause
#
# What can go wrong with the store: files that are missing, short, damaged,
# not ours or not readable, values with a wrong checksum, a schema of the
# future, a map or a disk that is full, a write lock held by a stopped
# process.  A worker goes on, the gate answers by on_error, the API says why,
# nothing damaged is decided from, and what is mended is used again.

use warnings;
use strict;

use FindBin;
use File::Copy qw(copy);
use Test::More;
use Time::HiRes qw(time);

use lib "$FindBin::RealBin/lib";
use Test::Constraint;

my $conf = <<'END';
%%GLOBALS%%
events { }
http {
    %%GLOBALS_HTTP%%
    keepalive_timeout 300s;
    keepalive_requests 1000000;
    constraint_zone z:1m path=%%TESTDIR%%/store map_size=MAP revisions=2;
    constraint_timeout 10s;

    server {
        listen 127.0.0.1:%%PORT_ECHO%%;
        location / { return 200 "passed $http_x_n"; }
    }

    server {
        listen 127.0.0.1:%%PORT%%;
        location / { constraint_api z; }
        location /gate/ {
            constraint $arg_type zone=z;
            proxy_pass http://127.0.0.1:%%PORT_ECHO%%;
        }
        location /open/ {
            constraint $arg_type zone=z;
            constraint_on_error allow;
            proxy_pass http://127.0.0.1:%%PORT_ECHO%%;
        }
    }
}
END

my $t = Test::Constraint->new(workers => 2, need => ['faults'])
    ->allow(qr/store is not available/, qr/cannot be read from/,
        qr/is of schema 2/, qr/is the path of/, qr/the same path name/,
        qr/must be absolute/, qr/map_size must/, qr/duplicate/,
        qr/is damaged, it must hold/);

my $dir = $t->testdir() . '/store';
my $data = "$dir/data.mdb";

sub configure { $t->conf($conf =~ s/MAP/$_[0]/r) }


sub record {
    my ($name, $n, $workflow) = @_;
    return { message_type => $name, subject_id => '*',
        dsl_workflow_id => $workflow // 'w',
        constraint_metadata => { n => $n } };
}

sub workflow {
    my ($name, $mark) = @_;
    return { name => $name, description => $mark // '', rule => { match => [
        { output => "{'effect': 'allow', 'headers': {'x-n': "
            . "string(constraint.metadata.n)}}" } ] } };
}

sub gate { my $a = $t->get("/gate/?type=$_[0]"); $a ? $a->status : 0 }
sub open_gate { my $a = $t->get("/open/?type=$_[0]"); $a ? $a->body : '' }
sub state { return (($t->api('GET', '/status'))[1])->{data}{store} }

sub fault {
    my ($name, $value) = @_;
    my ($status) = $t->api('PUT', "/fault/$name", { value => $value });
    is($status, 200, "fault $name = $value");
}


# --- a good store -----------------------------------------------------------

configure('8m');
$t->run();

is(($t->api('POST', '/workflow', workflow('w')))[0], 201, 'a workflow');
is(($t->api('POST', '/constraint', record('good', 1)))[0], 201,
    'a constraint');
is(gate('good'), 200, 'the gate decides by it');

is((stat($dir))[2] & 0777, 0700, 'the folder is the workers\' alone');
is((stat($data))[2] & 0777, 0600, 'and so are the data');
is($t->read_file('store/schema'), "1\n", 'the schema is written beside them');


# --- the configuration ------------------------------------------------------

my $zone = qr/constraint_zone z:1m[^;]*;/;

for my $case (
    [ "constraint_zone y:1m path=$dir; constraint_zone z:1m path=$dir;",
        qr/the same path name/, 'two zones on one path' ],
    [ "constraint_zone y:1m path=$dir/; constraint_zone z:1m path=$dir;",
        qr/the same path name/, 'two zones on one path, with a slash' ],
    [ "constraint_zone y:1m path=$dir-link; constraint_zone z:1m path=$dir;",
        qr/is the path of constraint zone "y"/, 'two, by a link' ],
    [ "constraint_zone z:1m path=$dir map_size=512k;",
        qr/map_size must be at least 1m/, 'a map too small' ],
    [ "constraint_zone z:1m path=$dir; constraint_zone z:1m path=$dir-b;",
        qr/duplicate/, 'two zones of one name' ],
) {
    my ($zones, $why, $what) = @$case;

    symlink($dir, "$dir-link");
    $t->conf($conf =~ s/$zone/$zones/r);
    my ($good, $said) = $t->test_conf();
    ok(!$good, "$what is refused");
    like($said, $why, 'and why');
}

configure('8m');

{
    # nginx ends a good test with all of its configuration still there

    local $ENV{ASAN_OPTIONS} = 'detect_leaks=0';
    ok(($t->test_conf())[0], 'a configuration test beside a running nginx');
}

is(gate('good'), 200, 'disturbs nothing');


# --- a schema of the future -------------------------------------------------

$t->stop();
$t->write_file('store/schema', "2\n");
my ($good, $said) = $t->try_run();
ok(!$good, 'a newer schema is refused at load');
like($said, qr/is of schema 2, this module knows up to 1/, 'and why');

$t->write_file('store/schema', "two\n");
($good, $said) = $t->test_conf();
ok(!$good, 'a schema that is no number is refused');
like($said, qr/is damaged, it must hold the schema's number/, 'and why');

$t->write_file('store/schema', "1\n");


# damage(WHAT, CODE): the data file is changed while nginx is stopped; the
# gate answers by on_error, the API says why; with the file back all is well

my $spare = $t->testdir() . '/spare.mdb';

sub damage {
    my ($what, $why, $code) = @_;

    $t->stop();
    copy($data, $spare) or die "cannot copy: $!\n";
    $code->();
    $t->run();

    is(gate('good'), 403, "$what: the gate refuses");
    is(open_gate('good'), 'passed ', "$what: or lets pass if told so");

    my ($status, $answer) = $t->api('GET', '/constraint/good');
    is($status, 503, "$what: the API is not available");
    like(json($answer), $why, "$what: and says why");
    ($status) = $t->api('POST', '/constraint', record("new", 1));
    is($status, 503, "$what: nothing is written");
    is(state()->{state}, 'unavailable', "$what: the status shows it");
    is(scalar($t->worker_pids()), 2, "$what: the workers live");

    $t->stop();
    unlink($data);
    my ($uid, $gid) = (stat($dir))[4, 5];
    copy($spare, $data) or die "cannot copy: $!\n";
    chmod(0600, $data);
    chown($uid, $gid, $data);
    $t->run();

    is(gate('good'), 200, "$what: mended, the gate decides");
}

sub patch {
    my ($file, $code) = @_;

    open(my $fh, '+<:raw', $file) or die "cannot open $file: $!\n";
    local $/;
    my $bytes = <$fh>;
    $bytes = $code->($bytes);
    seek($fh, 0, 0);
    print $fh $bytes;
    close($fh);
}

damage('a short file', qr/shorter than its header says/,
    sub { truncate($data, 12288) });
damage('a very short file', qr/shorter than its header/,
    sub { truncate($data, 100) });
damage('an empty file', qr/is empty although the store had data/,
    sub { truncate($data, 0) });
damage('a missing file', qr/is missing although the store had data/,
    sub { unlink($data) });
damage('a damaged header', qr/damaged in its header/,
    sub { patch($data, sub { substr($_[0], 16, 4) = "\0\1\2\3"; $_[0] }) });
damage('a page size gone wild', qr/damaged in its header/, sub {
    patch($data, sub { substr($_[0], 40, 4) = pack('L', 0x7fff0000); $_[0] })
});
damage('a root page beyond the end', qr/damaged in its header/, sub {
    patch($data, sub {
        for my $page (0, 4096) {
            substr($_[0], $page + 40 + 48 + 40, 8) = pack('Q', 1 << 40);
        }
        $_[0];
    });
});
damage('another format', qr/of another LMDB's format/, sub {
    patch($data, sub { substr($_[0], 20, 4) = pack('L', 999); $_[0] })
});


# --- unreadable, and readable again while nginx runs ------------------------

$t->stop();
chmod(0000, $data);

if ($> == 0) {
    # the workers are another user: 0600 of root is as good
    chown(0, 0, $data);
}

$t->run();
is(gate('good'), 403, 'files that cannot be read: the gate refuses');
like(json(($t->api('GET', '/constraint/good'))[1]), qr/Permission denied/,
    'and the API says why');

my ($uid, $gid) = (stat($dir))[4, 5];
chown($uid, $gid, $data);
chmod(0600, $data);

ok((wait_until { gate('good') == 200 && gate('good') == 200
    && gate('good') == 200 } 10), 'once they can, all is well by itself');
ok($t->wait_log(qr/store .* is available/), 'the log tells it');

fault('store.open_fails', 1);
ok($t->reload(wait_old => 1), 'a store that cannot be opened stops no worker');
is(gate('good'), 403, 'the gate refuses');
fault('store.open_fails', 0);
ok((wait_until { gate('good') == 200 && gate('good') == 200 } 10),
    'it is tried every second');


# --- a schema key of the future, and data that are not ours -----------------

sub crc32c {
    my $crc = 0xffffffff;

    for my $byte (unpack('C*', $_[0])) {
        $crc ^= $byte;
        $crc = $crc & 1 ? ($crc >> 1) ^ 0x82f63b78 : $crc >> 1 for 1 .. 8;
    }

    return $crc ^ 0xffffffff;
}

damage('a newer schema inside', qr/is of schema 2/, sub {
    patch($data, sub {
        my ($bytes) = @_;
        my $key = "default\0S";
        my $value = pack('Q>', 2);
        my $new = $key . "\1" . pack('L<', crc32c($key . $value)) . $value;
        my $found = $bytes =~ s/\Q$key\E\x01....\0{7}\x01/$new/gs;
        die "no schema key\n" unless $found;
        $bytes;
    });
});


# --- values with a wrong checksum -------------------------------------------

is(($t->api('POST', '/workflow', workflow('bad_workflow', 'marked-w')))[0],
    201, 'another workflow');
is(($t->api('POST', '/constraint', record('by_bad', 1, 'bad_workflow')))[0],
    201, 'a constraint with it');
is(($t->api('POST', '/constraint', record('broken', 'marked-c')))[0], 201,
    'another constraint');
is(gate('broken') . gate('by_bad'), '200200', 'they are decided');

$t->stop();
patch($data, sub { $_[0] =~ s/marked-(c|w)/Marked-$1/g; $_[0] });
$t->run();

for (1 .. 4) {
    is(gate('broken'), 403, 'a damaged record is not decided from');
}

is(open_gate('broken'), 'passed ', 'it is an error of ours');
is(gate('by_bad'), 403, 'nor is one whose workflow is damaged');
is(open_gate('by_bad'), 'passed ', 'that is an error of ours, too');
is(gate('good'), 200, 'all others are');

my ($status, $answer) = $t->api('GET', '/constraint/broken');
is($status, 503, 'the API does not show it');
like(json($answer), qr/damaged/, 'and says why');
for my $list (['POST', '/constraints', {}], ['GET', '/stats'],
    ['GET', '/breakers'], ['POST', '/constraints?sort=-revision', {}])
{
    ($status, $answer) = $t->api(@$list);
    is($status, 503, "$list->[0] $list->[1] cannot be read");
    like(json($answer), qr/the constraint \\"broken\\" is damaged.*DELETE/,
        'which one it is, and what helps');
}

($status, $answer) = $t->api('POST', '/workflows', {});
is($status, 503, 'nor can that of workflows');
like(json($answer), qr/the workflow \\"bad_workflow\\" is damaged.*PUT/,
    'which one it is, and what helps');

($status, $answer) = $t->api('POST', '/constraints',
    { message_type => 'by_bad' });
is($status, 200, 'one beside it can be listed');
is($answer->{data}[0]{message_type}, 'by_bad', 'by its name');

for my $method ('PUT', 'DELETE') {
    ($status, $answer, my $headers) = $t->api($method, '/constraint/broken',
        {}, headers => { 'If-Match' => '"7"' });
    is($status, 412, "$method: it has no revision to match");
    is($headers->{etag}, undef, 'and no tag');
    like($answer->{error}, qr/is damaged and has no revision/, 'as is said');
}

is(($t->api('PUT', '/constraint/broken', { enabled => \1 }))[0], 503,
    'it cannot be changed');
is(($t->api('POST', '/constraint', record('broken', 2)))[0], 409,
    'nor made');
is(($t->api('DELETE', '/constraint/broken'))[0], 200,
    'it can be deleted');
is(($t->api('POST', '/constraint', record('broken', 2)))[0], 201,
    'and made again');
is(gate('broken'), 200, 'and is decided');
is(($t->api('PUT', '/workflow/bad_workflow', workflow('bad_workflow')))[0],
    200, 'a new revision mends a workflow');
is(gate('by_bad'), 200, 'its constraints are decided');


# --- a workflow in use, revisions -------------------------------------------

($status, $answer) = $t->api('DELETE', '/workflow/bad_workflow');
is($status, 409, 'a workflow in use is not deleted');
like(json($answer), qr/by_bad/, 'its users are told');

for (1 .. 5) {
    $t->api('PUT', '/workflow/bad_workflow', workflow('bad_workflow',
        "revision-$_-of-five"));
}

$t->stop();
my %revisions = map { $_ => 1 }
    slurp($data) =~ /default\0Rbad_workflow\0(.{8})/gs;
$t->run();
cmp_ok(scalar(keys %revisions), '>=', 3, 'revisions are kept');
is(gate('by_bad'), 200, 'the latest is used');


# --- the disk is full -------------------------------------------------------

fault('store.disk_full', 1);
($status, $answer) = $t->api('POST', '/constraint', record('full', 1));
is($status, 507, 'a full disk: nothing is made');
like(json($answer), qr/StoreFull/, 'and why');
is(($t->api('PUT', '/constraint/good',
    { constraint_metadata => { n => 5 } }))[0], 507, 'nothing is changed');
is(($t->api('DELETE', '/constraint/broken'))[0], 200, 'deletes go on');
is($t->get('/gate/?type=good')->body, 'passed 1', 'decisions go on');
fault('store.disk_full', 0);
is(($t->api('POST', '/constraint', record('full', 1)))[0], 201,
    'there is room again');


# --- the map is full --------------------------------------------------------

configure('1m');
$t->stop();
unlink(glob("$dir/*"));
$t->run();
is(($t->api('POST', '/workflow', workflow('w')))[0], 201, 'a small store');

my $pad = 'x' x 3000;
my @made;

for my $n (1 .. 1000) {
    my $record = record("m$n", $n);
    $record->{constraint_metadata}{pad} = $pad;
    ($status, $answer) = $t->api('POST', '/constraint', $record);
    last if $status != 201;
    push @made, "m$n";
}

is($status, 507, 'a full store answers 507');
like(json($answer), qr/StoreFull/, 'and why');
cmp_ok(scalar(@made), '>', 100, 'after many records');

my $used = state();
cmp_ok($used->{map_used} / $used->{map_size}, '>', 0.6, 'the map is used');
cmp_ok($used->{map_used} / $used->{map_size}, '<=', 0.95,
    'up to 95 % at most');
is(($t->api('PUT', "/constraint/$made[0]", { description => $pad }))[0], 507,
    'an update is refused as well');
is(gate($made[0]) . gate($made[-1]), '200200', 'decisions go on');

my $deleted = 0;

for my $name (@made) {
    $deleted++ if ($t->api('DELETE', "/constraint/$name"))[0] == 200;
}

is($deleted, scalar(@made), 'every delete fits');
is(($t->api('POST', '/constraint', record('again', 1)))[0], 201,
    'there is room again');
is(gate('again'), 200, 'and it is decided');

fault('store.map_full', 1);
is(($t->api('POST', '/constraint', record('never', 1)))[0], 507,
    'by fault, too');
fault('store.map_full', 0);


# --- the map made larger by a reload, while the old workers run -------------

my $slow = $t->connect();
my $old = $slow->request('GET', '/status')->json->{data}{worker}{pid};
configure('16m');
ok($t->reload(), 'the map is made larger by a reload');
is(state()->{map_size}, 16777216, 'it is larger');

my $room = 0;

for my $n (1 .. 400) {
    my $record = record("l$n", $n);
    $record->{constraint_metadata}{pad} = $pad;
    $room++ if ($t->api('POST', '/constraint', $record))[0] == 201;
}

is($room, 400, 'there is room for more than before');
is(gate('l400'), 200, 'it is decided');


# --- a write lock held by a stopped process ---------------------------------

my @pids = $t->worker_pids();
my %at;

wait_until {
    my $client = $t->connect();
    my $pid = $client->request('GET', '/status')->header(
        'x-constraint-worker');
    push @{$at{$pid}}, $client if @{$at{$pid} // []} < 3;
    keys %at == 2 && !grep { @$_ < 3 } values %at;
} 20;

my ($held, $free) = sort keys %at;

fault('store.hold_write_ms', 4000);

$at{$held}[0]->send('PUT', '/constraint/again', body => json(
    { constraint_metadata => { n => 2 } }),
    headers => { 'Content-Type' => 'application/json' });

ok((wait_until {
    (($t->api('GET', '/fault/store.holding'))[1])->{data}{value};
}), 'a write has begun');

# of the next writes none is held by itself

fault('store.hold_write_ms', 0);
kill('STOP', $held);
$t->{stopped} = $held;

# until it has stopped it may be the one that is woken for a connection, which
# nobody else would accept then

ok((wait_until { slurp("/proc/$held/stat") =~ /\) T / } 10), 'it stops');

my $seconds = $t->long() ? 5 : 2;
my $end = time() + $seconds;
my ($asked, $passed, $slowest) = (0, 0, 0);

$at{$free}[0]->send('PUT', '/constraint/l1', body => json(
    { constraint_metadata => { n => 'later' } }),
    headers => { 'Content-Type' => 'application/json' });

while (time() < $end) {
    my $start = time();
    my $answer = $at{$free}[1]->request('GET', '/gate/?type=again');
    my $took = time() - $start;

    $asked++;
    $passed++ if $answer && $answer->body eq 'passed 1';
    $slowest = $took if $took > $slowest;
}

cmp_ok($asked, '>', 50, "decisions while the lock is held for $seconds s");
is($passed, $asked, 'all are right');
cmp_ok($slowest, '<', 0.5, 'none waited for the lock');
is($at{$free}[2]->request('GET', '/status')->json
    ->{data}{worker}{writes_queued}, 1, 'the other write waits');

kill('CONT', $held);
delete $t->{stopped};

is($at{$held}[0]->read_response()->status, 200, 'the held write is done');
is($at{$free}[0]->read_response()->status, 200, 'and the one that waited');
is($t->get('/gate/?type=again')->body, 'passed 2', 'decided by it at once');
is($t->get('/gate/?type=l1')->status, 200, 'and by the other');


# --- more writes than may wait ----------------------------------------------

fault('store.hold_write_ms', 30);

my @many;

for my $n (1 .. 80) {
    my $client = $t->connect();
    $client->send('PUT', '/constraint/again', close => 1, body => json(
        { constraint_metadata => { n => $n } }),
        headers => { 'Content-Type' => 'application/json' });
    push @many, $client;
}

my %statuses;
$statuses{$_->read_response()->status}++ for @many;
is(join(' ', sort keys %statuses), $statuses{503} ? '200 503' : '200',
    'writes are done, or told at once that too many wait');
cmp_ok($statuses{200}, '>=', 65, 'a worker keeps 64 of them waiting');
fault('store.hold_write_ms', 0);

$_->close() for $slow, map { @$_ } values %at;

done_testing();

END {
    kill('CONT', $t->{stopped}) if $t && $t->{stopped};
}
