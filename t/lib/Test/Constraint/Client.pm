package Test::Constraint::Client;

# Copyright (C) ngx_http_constraint_module authors
# SPDX-License-Identifier: BSD-2-Clause
#
# An HTTP/1 client on one connection: well-formed requests, or bytes as they
# are.  It follows nothing, retries nothing and repairs nothing.
#
#     my $c = $t->connect();
#     my $r = $c->request('POST', '/x', body => '{}',
#         headers => { Host => 'a', 'X-Id' => [1, 2] });
#     $r->status; $r->header('etag'); $r->body; $r->json; $r->head

use warnings;
use strict;

use IO::Select;
use IO::Socket::INET;
use JSON::PP;

use Test::Constraint::Deadline qw(deadline);


sub new {
    my ($class, %opt) = @_;

    my $socket = IO::Socket::INET->new(Proto => 'tcp', Timeout => 10,
        PeerAddr => "127.0.0.1:$opt{port}") or return undef;

    $socket->autoflush(1);
    $socket->blocking(0);
    $SIG{PIPE} = 'IGNORE';

    return bless {
        socket => $socket,
        port => $opt{port},
        timeout => $opt{timeout} // 30,
        buffer => '',
        eof => 0,
    }, $class;
}


sub socket { return $_[0]{socket} }


# write(BYTES): all of them, or false

sub write {
    my ($self, $bytes) = @_;

    my $over = deadline($self->{timeout});
    my $select = IO::Select->new($self->{socket});

    while (length($bytes)) {
        my $n = syswrite($self->{socket}, $bytes);

        if (defined $n) {
            substr($bytes, 0, $n, '');
            next;
        }

        return 0 unless $!{EAGAIN} || $!{EINTR};
        return 0 if $over->();

        # an early answer must be taken, or both sides wait

        $self->_fill(0);
        $select->can_write(0.1);
    }

    return 1;
}


sub close {
    my ($self) = @_;
    CORE::close($self->{socket});
    $self->{eof} = 1;
}


# shutdown(): we send no more

sub shutdown {
    my ($self) = @_;
    CORE::shutdown($self->{socket}, 1);
}


# reset(): closes with RST

sub reset {
    my ($self) = @_;
    setsockopt($self->{socket}, SOL_SOCKET, SO_LINGER, pack('ii', 1, 0));
    $self->close();
}


# closed(SECONDS): has nginx closed

sub closed {
    my ($self, $seconds) = @_;

    my $over = deadline($seconds // 10);

    while (!$self->{eof} && !$over->()) {
        $self->_fill(0.1);
    }

    return $self->{eof};
}


sub _fill {
    my ($self, $wait) = @_;

    return 0 if $self->{eof};

    if ($wait) {
        IO::Select->new($self->{socket})->can_read($wait) or return 0;
    }

    my $n = sysread($self->{socket}, $self->{buffer}, 65536,
        length($self->{buffer}));

    if (!defined $n) {
        return 0 if $!{EAGAIN} || $!{EINTR};
        $self->{eof} = 1;
        return 0;
    }

    $self->{eof} = 1 if $n == 0;

    return $n;
}


# request(METHOD, PATH, headers => {...}, body => '...', close => 1)

sub request {
    my ($self, $method, $path, %opt) = @_;

    $self->send($method, $path, %opt) or $self->_fill(0.1);
    return $self->read_response(head => $method eq 'HEAD');
}


# send(...): the same without reading; chunked => 1 sends the body in chunks

sub send {
    my ($self, $method, $path, %opt) = @_;

    my %headers = (Host => 'localhost', %{$opt{headers} // {}});
    my $body = $opt{body};

    $headers{Connection} //= 'close' if $opt{close};

    if ($opt{chunked}) {
        $headers{'Transfer-Encoding'} = 'chunked';
        $body = join('', map { sprintf("%x\r\n%s\r\n", length($_), $_) }
            unpack('(a4096)*', $body)) . "0\r\n\r\n";

    } elsif (defined $body
        && !grep { lc($_) eq 'content-length' } keys %headers)
    {
        $headers{'Content-Length'} = length($body);
    }

    my $text = "$method $path HTTP/1.1\r\n";

    for my $name (sort keys %headers) {
        next unless defined $headers{$name};
        my $value = $headers{$name};
        $text .= "$name: $_\r\n" for ref($value) ? @$value : $value;
    }

    return $self->write($text . "\r\n" . ($body // ''));
}


# read_response(head => 1): one response, or undef when there is none

sub read_response {
    my ($self, %opt) = @_;

    my $over = deadline($opt{timeout} // $self->{timeout});

    while (1) {
        my $response = $self->_parse($opt{head});

        if ($response) {
            next if $response->status == 100;
            return $response;
        }

        return undef if $self->{eof} || $over->();
        $self->_fill(0.5);
    }
}


# interim(): a 100 that has come, or undef

sub interim {
    my ($self, $seconds) = @_;

    my $over = deadline($seconds // 1);

    while ($self->{buffer} !~ /\r\n\r\n/ && !$self->{eof}) {
        return undef if $over->();
        $self->_fill(0.1);
    }

    return $self->{buffer} =~ s{^(HTTP/1\.1 100 .*?\r\n\r\n)}{}s ? $1 : undef;
}


# read_all(SECONDS): all that comes until nginx closes

sub read_all {
    my ($self, $seconds) = @_;
    $self->closed($seconds // $self->{timeout});
    return delete($self->{buffer}) // '';
}


sub _parse {
    my ($self, $head_only) = @_;

    my $buffer = $self->{buffer};

    # HTTP/0.9 and torn answers have no header

    return undef unless $buffer =~ /^(.*?\r\n)\r\n/s;

    my $head = $1;
    my $at = length($head) + 2;
    my ($status) = $head =~ m{^HTTP/\d\.\d (\d{3})};

    return undef unless defined $status;

    my (%headers, @lines);

    for my $line (split(/\r\n/, $head)) {
        next unless $line =~ /^([^:\s]+):[ \t]*(.*?)[ \t]*$/s;
        push @lines, [ $1, $2 ];
        my $name = lc($1);
        $headers{$name} = defined $headers{$name}
            ? "$headers{$name}, $2" : $2;
    }

    my $body = '';

    if ($head_only || $status < 200 || $status == 204 || $status == 304) {
        # no body

    } elsif (($headers{'transfer-encoding'} // '') =~ /chunked/i) {
        while (1) {
            return undef unless
                substr($buffer, $at) =~ /^([0-9a-fA-F]+)[^\r\n]*\r\n/;
            my ($skip, $size) = (length($&), hex($1));
            return undef if length($buffer) < $at + $skip + $size + 2;
            $body .= substr($buffer, $at + $skip, $size);
            $at += $skip + $size + 2;
            last if $size == 0;
        }

    } elsif (defined $headers{'content-length'}) {
        my $size = $headers{'content-length'};
        return undef if length($buffer) < $at + $size && !$self->{eof};
        $body = substr($buffer, $at, $size);
        $at += length($body);

    } else {
        return undef unless $self->{eof};
        $body = substr($buffer, $at);
        $at = length($buffer);
    }

    $self->{buffer} = substr($buffer, $at);

    return bless {
        status => $status,
        head => $head,
        headers => \%headers,
        lines => \@lines,
        body => $body,
    }, 'Test::Constraint::Response';
}


package Test::Constraint::Response;

use JSON::PP;

sub status { return $_[0]{status} }
sub head { return $_[0]{head} }
sub body { return $_[0]{body} }
sub headers { return $_[0]{headers} }
sub lines { return $_[0]{lines} }
sub header { return $_[0]{headers}{lc($_[1])} }
sub text { return "$_[0]{head}\r\n$_[0]{body}" }


# json(): the decoded body, or undef when it is not JSON

sub json {
    my ($self) = @_;
    return eval { JSON::PP->new->utf8->allow_nonref->decode($self->{body}) };
}


1;
