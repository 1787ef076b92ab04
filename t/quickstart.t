#!/usr/bin/perl

# Copyright (C) ngx_http_constraint_module authors
# SPDX-License-Identifier: BSD-2-Clause
#
# once: builds and runs the module as shipped
#
# The first command of the README, as a stranger runs it: what it prints, a
# second run, --stop, and what it says when something is in the way.

use warnings;
use strict;

use File::Temp qw(tempdir);
use FindBin;
use IO::Socket::INET;
use Test::More;

use lib "$FindBin::RealBin/lib";
use Test::Constraint;

my $script = root_dir() . '/conf-examples/quickstart.sh';
my $t = Test::Constraint->new();

chmod(0755, $t->testdir());
my $dir = $t->testdir() . '/quick';

# two ports, N and N + 1

my $port;

for my $try (1 .. 200) {
    my $n = $t->port("try$try");

    if (eval { $t->port_is_free($n + 1) }) {
        $port = $n;
        last;
    }
}

ok($port, 'two free ports in a row') or BAIL_OUT('no ports');

sub quickstart {
    my (@args) = @_;
    my $out = `'$script' --port $port --dir '$dir' @args 2>&1`;
    return ($? >> 8, $out);
}

END { system("'$script' --dir '$dir' --stop >/dev/null 2>&1") if $dir }

my ($status, $out) = quickstart();
is($status, 0, 'quickstart ends well') or diag($out);

like($out, qr{> POST http://127\.0\.0\.1:$port/workflow\n},
    'a workflow is sent');
like($out, qr{> name: policy_workflow_v1\n}, 'and shown');
like($out, qr/< 201\n< \{"success":\s*true,.*"id":/, 'it is registered');
like($out, qr{> POST \S+/constraint\n.*?< 201\n}s, 'so is a constraint');
like($out, qr{> POST \S+/constraint/execute/policy_check\n.*?< 200\n.*?ALLOW}s,
    'it is executed once');
like($out, qr{> POST \S+/api/policies\n.*?"value": 3.*?< 200\n.*?reached}s,
    'a request passes the gate');
like($out, qr{"value": 9.*?< 403\n.*?value 9 is over 5.*?HOLD}s,
    'a request is refused');
like($out, qr{API at http://127\.0\.0\.1:$port/}, 'the URL is told');
like($out, qr{\Q$dir\E}, 'the folder is told');
like($out, qr{quickstart\.sh --dir \Q$dir\E --stop\n}, 'and how to stop it');

is(($t->api('GET', '/constraint/policy_check', undef, port => $port))[0], 200,
    'the server stays');

($status, $out) = quickstart();
is($status, 0, 'a second run ends well') or diag($out);
like($out, qr{< 409\n.*> PUT \S+/workflow/policy_workflow_v1\n.*< 200\n}s,
    'what is there is stored anew');

# a machine with a proxy, a curl with habits, files that are for their owner

{
    $t->write_file('.curlrc', "fail\ninclude\n");

    local @ENV{qw(HOME http_proxy ALL_PROXY)}
        = ($t->testdir(), ('http://127.0.0.1:1') x 2);
    my $umask = umask(077);

    quickstart('--stop');
    ($status, $out) = quickstart("--dir '$dir-077/deep'");
    is($status, 0, 'with a proxy, a .curlrc and umask 077 it ends well')
        or diag($out);
    quickstart("--dir '$dir-077/deep' --stop");
    umask($umask);
}

($status, $out) = quickstart();
is($status, 0, 'the first folder again') or diag($out);

($status, $out) = quickstart('--stop');
is($status, 0, '--stop ends well');
like($out, qr/^stopped, the data stays in \Q$dir\E\n$/, 'and says so');
ok((wait_until { !IO::Socket::INET->new(PeerAddr => "127.0.0.1:$port") } 5),
    'nobody listens any more');

($status, $out) = quickstart('--stop');
is($status, 0, '--stop again is no error');
like($out, qr/^nothing runs in \Q$dir\E\n$/, 'and says so');

# one folder by another name, characters that mean something to a shell, to
# grep or to nginx, and a process that is not there any more

{
    my $odd = "$dir-q'x[*";

    ($status, $out) = quickstart(qq(--dir "$odd"));
    is($status, 0, 'an odd folder will do') or diag($out);
    my ($stop) = $out =~ /(\S+quickstart\.sh --dir .*--stop)\n/;
    like(`$stop 2>&1`, qr/^stopped, .* in \Q$odd\E\n$/,
        'what is told to stop it does');

    ($status, $out) = quickstart(qq(--dir "$odd/"));
    is($status, 0, 'a slash behind it') or diag($out);
    ($status, $out) = quickstart(qq(--dir "$odd/.//" --stop));
    like($out, qr/^stopped, .* in \Q$odd\E\n$/, 'is the same folder');

    $t->write_file("quick-q'x[*/nginx.pid", "99999999\n");
    ($status, $out) = quickstart(qq(--dir "$odd" --stop));
    is($out, "nothing runs in $odd\n", 'a process that is gone is nothing');

    ($status, $out) = quickstart(qq(--dir "$dir;x"));
    is($status, 1, 'a semicolon would end the directive');
    is(said($out), 'quickstart: --dir must not hold spaces, commas, '
        . "semicolons, braces, & or backslashes: $dir;x\n", 'and is refused');
}

# what is in the way gets one line

for my $offset (0, 1) {
    my $number = $port + $offset;
    my $taken = IO::Socket::INET->new(Listen => 1, ReuseAddr => 1,
        LocalAddr => "127.0.0.1:$number");

    ok($taken, "port N + $offset is taken by a test");
    ($status, $out) = quickstart();
    is($status, 1, "a taken port N + $offset ends it");
    is(said($out), "quickstart: port $number is taken, choose another with"
        . " --port (two are used, N and N + 1)\n", 'with one line');
    close($taken);
}

for my $bad ('0', '65535', '08', 'x', '-1', "''") {
    my $out = `'$script' --port $bad 2>&1`;
    is($? >> 8, 1, "--port $bad is refused");
    like($out, qr/^quickstart: --port must be a number.*\n$/, 'with one line');
}

$out = `'$script' --nonsense 2>&1`;
is($? >> 8, 1, 'an unknown option is refused');
is($out, "quickstart: unknown option \"--nonsense\", see --help\n",
    'with one line');

$out = `'$script' --help 2>&1`;
is($? >> 8, 0, '--help ends well');
like($out, qr/--port N.*--dir DIR.*--stop.*--help/s, 'and names the options');

$out = `'$script' --port $port --dir /proc/nowhere 2>&1`;
is($? >> 8, 1, 'a folder that cannot be made ends it');
is(said($out), "quickstart: cannot create /proc/nowhere, choose another place"
    . " with --dir\n", 'with one line');

# a missing package, and nobody who could install it

my $fake = $t->testdir() . '/fake';
mkdir($fake);

for my $path (glob('/usr/bin/* /bin/* /usr/sbin/* /sbin/*')) {
    my ($name) = $path =~ m{([^/]+)$};
    symlink($path, "$fake/$name") if $name !~ /^(?:sudo|id|dpkg-query)$/;
}

$t->write_file('fake/dpkg-query', <<'END');
#!/bin/sh
case "$*" in *liblmdb-dev*) echo not-installed ;; *) echo installed ;; esac
END
$t->write_file('fake/id', "#!/bin/sh\necho 1000\n");
chmod(0755, "$fake/dpkg-query", "$fake/id");

$out = `PATH='$fake' '$script' --port $port --dir '$dir' 2>&1`;
is($? >> 8, 1, 'a missing package without privilege ends it');
is($out, 'deps.sh: run this as root (there is no sudo), or install:'
    . " apt-get install liblmdb-dev\n", 'with one line');


# said(TEXT): without the progress of the build

sub said {
    my ($text) = @_;
    return join('', grep { !/^building|^configuring/ } split(/^/, $text));
}
