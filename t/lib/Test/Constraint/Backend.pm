package Test::Constraint::Backend;

# Copyright (C) ngx_http_constraint_module authors
# SPDX-License-Identifier: BSD-2-Clause
#
# The service behind the gate: answers every request and records what came,
# byte for byte, so that a test asserts what the backend saw and not only what
# the client was told.  It checks nothing.
#
#     my $b = $t->backend('B', sub {
#         my ($request) = @_;
#         return (200, { 'X-A' => 'b' }, 'body');
#     });
#     is($b->count, 0, 'nothing has come through');
#     $b->requests: [{ line, method, uri, headers => [[name, value]...],
#                      body, complete, raw }...]

use warnings;
use strict;

use Fcntl qw(:flock);
use IO::Select;
use IO::Socket::INET;
use JSON::PP;
use POSIX ();
use Time::HiRes qw(sleep);


sub new {
    my ($class, %opt) = @_;

    my $server = IO::Socket::INET->new(Proto => 'tcp', Listen => 128,
        LocalAddr => "127.0.0.1:$opt{port}", ReuseAddr => 1)
        or die "backend cannot listen on $opt{port}: $!\n";

    my $self = bless { port => $opt{port}, file => $opt{file} }, $class;

    open(my $fh, '>', $self->{file}) or die "backend: $self->{file}: $!\n";

    my $pid = fork() // die "cannot fork: $!\n";

    if ($pid == 0) {
        $SIG{$_} = 'DEFAULT' for qw(INT TERM HUP PIPE);
        $SIG{CHLD} = 'IGNORE';
        setpgrp(0, 0);

        while (1) {
            my $socket = $server->accept() or next;
            my $child = fork() // 1;

            if ($child == 0) {
                CORE::close($server);
                eval { _serve($socket, $self->{file}, $opt{reply}) };
                POSIX::_exit(0);
            }

            CORE::close($socket);
        }
    }

    setpgrp($pid, $pid);
    CORE::close($server);
    $self->{pid} = $pid;

    return $self;
}


# stop(): not while one of its processes writes down what has come

sub stop {
    my ($self) = @_;

    my $pid = delete $self->{pid} or return;
    my $fh;

    if (open($fh, '<', $self->{file})) {
        flock($fh, LOCK_SH);
    }

    kill('KILL', -$pid);
    waitpid($pid, 0);
}


# requests(): what has come, in order of completion

sub requests {
    my ($self) = @_;

    open(my $fh, '<', $self->{file}) or return ();
    flock($fh, LOCK_SH);
    return map { JSON::PP->new->latin1->decode($_) } <$fh>;
}


sub count { return scalar($_[0]->requests) }
sub last { return ($_[0]->requests)[-1] }


# clear(): forgets what has come

sub clear {
    my ($self) = @_;

    open(my $fh, '>>', $self->{file}) or return;
    flock($fh, LOCK_EX);
    truncate($fh, 0);
}


# header(REQUEST, NAME): all values of a header of a recorded request

sub header {
    my ($self, $request, $name) = @_;
    return map { $_->[1] } grep { lc($_->[0]) eq lc($name) }
        @{$request->{headers}};
}


# _serve: requests on one connection until either side has enough

sub _serve {
    my ($socket, $file, $reply) = @_;

    my $buffer = '';

    while (1) {
        while ($buffer !~ /\r\n\r\n/) {
            if (!sysread($socket, $buffer, 65536, length($buffer))) {
                _record($file, { line => $buffer, raw => $buffer,
                    headers => [], body => '', complete => 0 })
                    if length($buffer);
                return;
            }
        }

        my ($head) = $buffer =~ /^(.*?\r\n\r\n)/s;
        substr($buffer, 0, length($head), '');

        my ($line, @rest) = split(/\r\n/, $head);
        my @headers = map { [ /^([^:]*):[ \t]*(.*?)[ \t]*$/s ] } @rest;
        my ($method, $uri, $version) = split(/ /, $line);
        my %first = map { lc($_->[0] // '') => $_->[1] } reverse @headers;

        my ($body, $raw) = _body($socket, \$buffer, \%first);

        my $request = {
            line => $line,
            method => $method,
            uri => $uri,
            headers => \@headers,
            body => $body // '',
            complete => defined $body ? 1 : 0,
            raw => $head . $raw,
        };

        _record($file, $request);
        return unless defined $body;

        my ($status, $extra, $content) = $reply ? $reply->($request)
            : (200, {}, "backend: $line\n");

        my $close = ($version // '') ne 'HTTP/1.1'
            || ($first{connection} // '') =~ /close/i;

        my $text = "HTTP/1.1 $status X\r\n"
            . 'Connection: ' . ($close ? 'close' : 'keep-alive') . "\r\n"
            . 'Content-Length: ' . length($content) . "\r\n";

        for my $name (sort keys %$extra) {
            my $value = $extra->{$name};
            $text .= "$name: $_\r\n" for ref($value) ? @$value : $value;
        }

        $text .= "\r\n";
        $text .= $content unless $method eq 'HEAD';

        while (length($text)) {
            my $n = syswrite($socket, $text) or return;
            substr($text, 0, $n, '');
        }

        return if $close;
    }
}


# _body: (the decoded body or undef when it was torn, its raw bytes)

sub _body {
    my ($socket, $buffer, $headers) = @_;

    my $more = sub {
        return sysread($socket, $$buffer, 65536, length($$buffer));
    };

    if (($headers->{'transfer-encoding'} // '') =~ /chunked/i) {
        my ($body, $raw) = ('', '');

        while (1) {
            while ($$buffer !~ /\r\n/) {
                $more->() or return (undef, $raw . $$buffer);
            }

            # what a loop's condition has captured is gone behind the loop

            $$buffer =~ /^([0-9a-fA-F]+)[^\r\n]*\r\n/
                or return (undef, $raw . $$buffer);

            my ($skip, $size) = (length($&), hex($1));

            while (length($$buffer) < $skip + $size + 2) {
                $more->() or return (undef, $raw . $$buffer);
            }

            $body .= substr($$buffer, $skip, $size);
            $raw .= substr($$buffer, 0, $skip + $size + 2, '');
            return ($body, $raw) if $size == 0;
        }
    }

    my $size = $headers->{'content-length'} // 0;

    while (length($$buffer) < $size) {
        $more->() or return (undef, $$buffer);
    }

    my $body = substr($$buffer, 0, $size, '');
    return ($body, $body);
}


sub _record {
    my ($file, $request) = @_;

    open(my $fh, '>>', $file) or return;
    flock($fh, LOCK_EX);
    print $fh JSON::PP->new->canonical->latin1->encode($request), "\n";
    CORE::close($fh);
}


1;
