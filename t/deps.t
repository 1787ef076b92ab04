#!/usr/bin/perl

# Copyright (C) ngx_http_constraint_module authors
# SPDX-License-Identifier: BSD-2-Clause
#
# once: starts no nginx
#
# deps.sh on machines that are not this one: dpkg-query, apt-get, id and sudo
# are replaced by scripts, and nothing is installed.  Whatever is in the way is
# one line that names what is missing and why.

use warnings;
use strict;

use File::Temp qw(tempdir);
use FindBin;
use Test::More;

my $deps = "$FindBin::RealBin/deps.sh";
my $dir = tempdir(CLEANUP => 1);
my $log = "$dir/asked";

# all programs of this machine, so that one can be missing

mkdir("$dir/bin");

for my $folder (qw(/usr/bin /bin /usr/sbin /sbin)) {
    for my $path (glob("$folder/*")) {
        my ($name) = $path =~ m{([^/]+)$};
        next if $name =~ /^(?:sudo|apt-get|systemctl)$/;
        symlink($path, "$dir/bin/$name");
    }
}

mkdir("$dir/tmp");

program('systemctl', 'echo "systemctl $*" >> ' . $log);
program('dpkg-query', 'case "$*" in *liblmdb-dev*|*libre2-dev*|*prometheus*)'
    . ' [ -e ' . "$dir/there" . ' ] && echo installed ;; '
    . '*) echo installed ;; esac');

my $apt = 'echo "apt-get $*" >> ' . $log;
my $missing = 'liblmdb-dev libre2-dev';


# nobody installs

root(1);
my ($status, $out) = deps('build');
is($status, 1, 'without apt-get it ends');
is($out, 'deps.sh: these Debian packages are missing and there is no apt-get'
    . " to install them: $missing\n", 'with one line');

program('apt-get', $apt);
root(0);
($status, $out) = deps('build');
is($status, 1, 'without root and sudo it ends');
is($out, 'deps.sh: run this as root (there is no sudo), or install:'
    . " apt-get install $missing\n", 'with one line');
is(asked(), '', 'and nothing is tried');

program('sudo', 'echo "sudo: a terminal is required" >&2; '
    . 'echo "sudo: a password is required" >&2; exit 1');
($status, $out) = deps('build');
is($status, 1, 'where sudo refuses it ends');
is($out, 'deps.sh: run this as root (sudo: a password is required), or'
    . " install: apt-get install $missing\n", 'with one line');
is(asked(), '', 'and nothing is tried');

# somebody does

program('sudo', 'echo sudo >> ' . $log . '; exec "$@"');
program('apt-get', "$apt; case \"\$*\" in *install*) touch $dir/there ;; esac");
($status, $out) = deps('build', 'build');
is("$status $out", "0 installing: $missing\n", 'sudo installs');
like(asked(), qr/^sudo\nsudo\napt-get .*install.* liblmdb-dev libre2-dev\n$/,
    'what is missing, once');
is(join(' ', glob("$dir/tmp/*")), '', 'and leaves nothing behind');

($status, $out) = deps('build', 'test');
is("$status $out", '0 ', 'what is there is not mentioned');
is(asked(), '', 'nor installed');

unlink("$dir/there");
root(1);
($status, $out) = deps('test');
is("$status $out", "0 installing: prometheus\n", 'root needs no sudo');
like(asked(), qr/^apt-get .*prometheus\nsystemctl disable --now prometheus\n$/,
    'a service that only the tests asked for is not left running');
unlink("$dir/there");

# npm that came with another Node.js

program('dpkg-query', 'case "$*" in *npm*) ;; *) echo installed ;; esac');
program('apt-get', $apt);
program('npm', 'exit 0');
($status, $out) = deps('conformance');
is("$status $out", '0 ', 'npm of another package is as good');

unlink("$dir/bin/npm");
($status, $out) = deps('conformance');
is("$status $out", "0 installing: npm\n", 'without one it is installed');
like(asked(), qr/^apt-get .*install.* npm\n$/, 'by apt-get');

program('dpkg-query', 'case "$*" in *liblmdb-dev*|*libre2-dev*)'
    . ' [ -e ' . "$dir/there" . ' ] && echo installed ;; '
    . '*) echo installed ;; esac');

# a fresh image has no lists of packages

program('apt-get', "$apt; case \"\$*\" in *update*) touch $dir/lists ;; *)"
    . " [ -e $dir/lists ] || { echo 'E: Unable to locate package' >&2;"
    . ' exit 100; } ;; esac');
($status, $out) = deps('build');
is("$status $out", "0 installing: $missing\n", 'lists are fetched');
like(asked(), qr/^\S+ .*install.*\n\S+ .*update\n\S+ .*install.*\n$/,
    'when the first try fails');

# nothing can be had

program('apt-get', <<'END');
case "$*" in
    *update*)
        echo "W: Failed to fetch http://mirror/InRelease  Could not resolve"
        exit 0 ;;
esac
echo "E: Unable to locate package liblmdb-dev" >&2
echo "E: Unable to locate package libre2-dev" >&2
exit 100
END
fails('Failed to fetch http://mirror/InRelease Could not resolve',
    'a mirror that is dead');

program('apt-get', <<'END');
case "$*" in *update*) exit 0 ;; esac
echo "E: Unable to locate package libre2-dev" >&2
exit 100
END
fails('Unable to locate package libre2-dev', 'a package that is unknown');

program('apt-get', <<'END');
echo "dpkg: error processing package libre2-dev (--configure):"
echo "E: Sub-process /usr/bin/dpkg returned an error code (1)" >&2
exit 100
END
fails('dpkg: error processing package libre2-dev (--configure):',
    'a package that does not install');

program('apt-get', 'exit 1');
fails('apt-get says nothing', 'silence');

done_testing();


sub program {
    my ($name, $text) = @_;

    unlink("$dir/bin/$name");
    open(my $fh, '>', "$dir/bin/$name") or die "$name: $!\n";
    print $fh "#!/bin/sh\n$text\n";
    close($fh);
    chmod(0755, "$dir/bin/$name");

    return;
}


sub root { return program('id', 'echo ' . ($_[0] ? 0 : 1000)) }


sub deps {
    my (@sets) = @_;
    my $said = `PATH='$dir/bin' TMPDIR='$dir/tmp' '$deps' @sets 2>&1`;
    return ($? >> 8, $said);
}


# asked(): what the scripts noted since the last time

sub asked {
    my $text = '';

    if (open(my $fh, '<', $log)) {
        local $/;
        $text = <$fh> // '';
    }

    unlink($log);

    return $text;
}


sub fails {
    my ($why, $what) = @_;

    ($status, $out) = deps('build');
    is($status, 1, "$what ends it");
    $out =~ s/^installing: \Q$missing\E\n//;
    my $line = "deps.sh: could not install $missing: $why (all of it: ";
    like($out, qr/^\Q$line\E\S+\)\n$/, 'with one line');

    my ($file) = $out =~ /\(all of it: (\S+)\)/;
    ok(defined $file && -f $file, 'and all that apt said is kept');

    return;
}
