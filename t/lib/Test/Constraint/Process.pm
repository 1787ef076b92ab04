package Test::Constraint::Process;

# Copyright (C) ngx_http_constraint_module authors
# SPDX-License-Identifier: BSD-2-Clause
#
# The processes of one nginx: start, reload, upgrade, kill, stop, and who is
# alive.  A parent class of Test::Constraint, which holds the folder.

use warnings;
use strict;

use POSIX ();
use Test::More ();
use Time::HiRes qw(sleep);

use Exporter qw(import);

use Test::Constraint::Deadline qw(deadline);

our @EXPORT_OK = qw(wait_until slurp);


# wait_until(CODE, SECONDS): polls till CODE is true; gives its value, or
# false when the deadline has passed.  Sanitized builds get three times as
# long.

sub wait_until(&;$) {
    my ($code, $seconds) = @_;

    my $over = deadline(($seconds // 10) * _slow());

    while (1) {
        my $value = $code->();
        return $value if $value || $over->();
        sleep(0.01);
    }
}

sub _slow {
    return Test::Constraint::binary() =~ m{asan|valgrind} ? 3 : 1;
}


sub slurp {
    my ($file) = @_;

    open(my $fh, '<:raw', $file) or return '';
    local $/;
    return scalar(<$fh>) // '';
}


# test_conf(): nginx -t; gives (is it good, what nginx said)

sub test_conf {
    my ($self, @args) = @_;
    return $self->_command('-t', @args);
}


# run(): starts nginx or dies with what nginx said

sub run {
    my ($self) = @_;

    my ($good, $said) = $self->_command();
    die "nginx does not start: $said\n" unless $good;

    wait_until { $self->pid() && $self->_all_workers() } 10
        or die "nginx's workers do not start: " . $self->error_log() . "\n";

    if ($ENV{TEST_NGINX_RELOAD}) {
        $self->reload(wait_old => 1) or die "nginx does not reload\n";
    }

    return $self;
}


# try_run(): the same, but gives (started, what nginx said)

sub try_run {
    my ($self) = @_;

    my ($good, $said) = $self->_command();

    if ($good) {
        wait_until { $self->pid() && $self->_all_workers() } 10;
    }

    return ($good, $said);
}


sub _all_workers {
    my ($self) = @_;

    my $wanted = $self->{workers};

    if ($self->read_file('nginx.conf') =~ /.*^\s*worker_processes\s+(\d+)/ms) {
        $wanted = $1;
    }

    return $self->worker_pids() >= $wanted;
}


sub _command {
    my ($self, @args) = @_;

    my $dir = $self->{dir};
    my $out = "$dir/stderr." . ++$self->{files};
    my $pid = fork() // die "cannot fork: $!\n";

    if ($pid == 0) {
        $self->_environment();
        open(STDIN, '<', '/dev/null');
        open(STDOUT, '>', $out);
        open(STDERR, '>&', \*STDOUT);
        exec(Test::Constraint::binary(), '-p', "$dir/", '-c', "$dir/nginx.conf",
            '-e', "$dir/error.log", @args)
            or POSIX::_exit(127);
    }

    waitpid($pid, 0);

    my $good = $? == 0;

    $self->_forget_exit_leak($pid) if !$good || grep { $_ eq '-t' } @args;

    return ($good, slurp($out));
}


# An nginx 1.22.1 that only reads its configuration, or refuses it, leaves the
# pools of the cycle to the system.  A suppression cannot name them, as every
# stack holds main(): so the report of such a command is dropped here when all
# that leaked directly are pools made by main() or ngx_init_cycle(), which
# hold all the rest.

sub _forget_exit_leak {
    my ($self, $pid) = @_;

    my $file = "$self->{dir}/sanitizer/log.$pid";
    my $text = slurp($file);
    my @direct = $text =~ /^(Direct leak .*?)\n\n/msg;

    return if $text =~ /ERROR: AddressSanitizer|runtime error/;

    for my $leak (@direct) {
        return if $leak !~
            /in ngx_create_pool .*\n.* in (?:main|ngx_init_cycle) /;
    }

    unlink($file);
}


sub _environment {
    my ($self) = @_;

    my $log = "log_path=$self->{dir}/sanitizer/log";
    my $lib = Test::Constraint::root_dir() . '/t/lib/suppressions';

    $ENV{ASAN_OPTIONS} = join(':', $log, 'detect_leaks=1',
        'detect_stack_use_after_return=1', 'strict_string_checks=1',
        'allocator_may_return_null=1', $ENV{ASAN_OPTIONS} // ());
    $ENV{UBSAN_OPTIONS} = join(':', $log, 'print_stacktrace=1',
        "suppressions=$lib/ubsan.txt");
    $ENV{LSAN_OPTIONS} = join(':', 'exitcode=0',
        "suppressions=$lib/lsan.txt", 'print_suppressions=0');
}


sub pid {
    my ($self, $file) = @_;

    my $text = $self->read_file($file // 'nginx.pid');
    return $text =~ /^(\d+)/ ? $1 : undef;
}


# alive(PID): a zombie is dead, once its last thread has ended: till then what
# it listens on is taken.  The letter of one that is traced is a small one.

sub alive {
    my ($pid) = @_;
    $pid = $_[1] if ref($pid);

    my $stat = slurp("/proc/$pid/stat");
    my ($state, $threads) = $stat =~ /\)\s+([A-Za-z])(?:\s+\S+){16}\s+(\d+)/
        or return 0;

    return $state ne 'Z' || $threads > 1 ? 1 : 0;
}


# worker_pids(MASTER): the workers of a master that accept, not those that
# are shutting down; in list order of their age

sub worker_pids {
    my ($self, $master) = @_;
    return grep { _title($_) =~ /worker process$/ } $self->_children($master);
}


# old_worker_pids(MASTER): those that are shutting down

sub old_worker_pids {
    my ($self, $master) = @_;
    return grep { _title($_) =~ /shutting down/ } $self->_children($master);
}


sub _title {
    my ($pid) = @_;
    my $title = slurp("/proc/$pid/cmdline");
    $title =~ s/[\0\s]+$//;
    return $title;
}


sub _children {
    my ($self, $master) = @_;

    $master //= $self->pid();
    return unless $master;

    my @pids;

    for my $file (glob('/proc/[0-9]*/stat')) {
        my $stat = slurp($file);
        next unless $stat =~ /^(\d+) \(.*\) [A-Za-z] (\d+)/s;
        push @pids, $1 if $2 == $master && alive($1);
    }

    @pids = sort { $a <=> $b } @pids;

    return @pids;
}


# reload(wait_old => 1): HUP; true when new workers run (and old ones have
# gone), false when nginx refused the configuration or the deadline passed

sub reload {
    my ($self, %opt) = @_;

    my %old = map { $_ => 1 } $self->worker_pids();
    my $size = -s "$self->{dir}/error.log" || 0;

    kill('HUP', $self->pid());

    my $done = wait_until {
        my $log = substr($self->error_log(), $size);
        return -1 if $log =~ /\[emerg\]/;

        my @now = $self->worker_pids();
        return 0 if grep { $old{$_} } @now;
        return $self->_all_workers() ? 1 : 0;
    } 20;

    return 0 unless $done == 1;
    return 1 unless $opt{wait_old};

    return wait_until { !grep { alive($_) } keys %old } 30;
}


# upgrade_start(): USR2; old and new master both serve.  upgrade_finish():
# WINCH and QUIT to the old one.  upgrade_back(): the old one's workers come
# back and the new master quits.

sub upgrade_start {
    my ($self) = @_;

    my $old = $self->pid();
    kill('USR2', $old);

    my $done = wait_until {
        my $was = $self->pid('nginx.pid.oldbin');
        my $new = $self->pid();
        return $was && $new && $was == $old && $new != $old
            && $self->worker_pids($new) >= $self->{workers};
    } 20;

    return $done ? $old : 0;
}


sub upgrade_finish {
    my ($self) = @_;

    my $old = $self->pid('nginx.pid.oldbin') or return 0;
    my $new = $self->pid();

    # the new master is a child of the old one's till that has ended

    kill('WINCH', $old);
    wait_until { !grep { $_ != $new } $self->_children($old) } 30
        or return 0;
    kill('QUIT', $old);

    return wait_until { !alive($old) } 30;
}


sub upgrade_back {
    my ($self) = @_;

    my $old = $self->pid('nginx.pid.oldbin') or return 0;
    my $new = $self->pid();

    if (!$self->worker_pids($old)) {
        kill('HUP', $old);
        wait_until { scalar($self->worker_pids($old)) } 20 or return 0;
    }

    kill('QUIT', $new);

    return wait_until {
        !alive($new) && ($self->pid() // 0) == $old
    } 30;
}


sub upgrade {
    my ($self) = @_;
    return $self->upgrade_start() && $self->upgrade_finish();
}


# kill9(PID...): gone for certain when this returns.  Who is killed may have
# held a mutex, whenever that is, which nginx's master tells.

sub kill9 {
    my ($self, @pids) = @_;

    $self->allow(qr/ was locked by $_$/) for @pids;
    kill('KILL', @pids);

    return wait_until { !grep { alive($_) } @pids } 10;
}


# kill9_all(): master and workers at once

sub kill9_all {
    my ($self) = @_;

    my $master = $self->pid() or return 1;
    my @pids = ($self->_children($master), $master);

    # the master first, or it would start workers anew

    my $done = $self->kill9($master, @pids);
    unlink("$self->{dir}/nginx.pid");

    return $done;
}


# stop(): QUIT, then harder; true when QUIT was enough

sub stop {
    my ($self) = @_;

    my $gentle = 1;

    for my $file (qw(nginx.pid.oldbin nginx.pid)) {
        my $master = $self->pid($file) or next;
        next unless alive($master);

        my @pids = ($master, $self->_children($master));

        for my $signal (qw(QUIT TERM KILL)) {
            kill($signal, $signal eq 'KILL' ? @pids : $master);
            last if wait_until { !grep { alive($_) } @pids }
                $signal eq 'QUIT' ? 30 : 10;
            $gentle = 0;
            Test::More::diag("nginx did not end on SIG$signal");
        }
    }

    return $gentle;
}


sub error_log {
    my ($self) = @_;
    return $self->read_file('error.log');
}


# wait_log(QR, SECONDS): till the error log holds it

sub wait_log {
    my ($self, $pattern, $seconds) = @_;
    return wait_until { $self->error_log() =~ $pattern } $seconds;
}


1;
