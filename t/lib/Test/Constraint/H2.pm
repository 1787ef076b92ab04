package Test::Constraint::H2;

# Copyright (C) ngx_http_constraint_module authors
# SPDX-License-Identifier: BSD-2-Clause
#
# A small HTTP/2 client with prior knowledge: frames, header compression as
# far as answers need it, flow control of uploads.  Requests are sent as
# written, so malformed ones can be tried.
#
#     my $h = $t->h2(port => 'H2');
#     my $r = $h->request('POST', '/x', body => '{}');
#     my $id = $h->start('POST', '/y', end => 0);
#     $h->data($id, 'abc', 1);
#     $r = $h->read($id);
#
# A stream that nginx resets reads as a response with status 0 and the error
# code in reset().

use warnings;
use strict;

use IO::Select;
use IO::Socket::INET;

use Test::Constraint::Deadline qw(deadline);

use constant {
    DATA => 0, HEADERS => 1, RST_STREAM => 3, SETTINGS => 4, PING => 6,
    GOAWAY => 7, WINDOW_UPDATE => 8, CONTINUATION => 9,
    END_STREAM => 1, END_HEADERS => 4, PADDED => 8, PRIORITY => 32,
};


# RFC 7541, appendix A

my @STATIC = ([ '', '' ], map { [ split(/=/, $_, 2) ] } qw(
    :authority= :method=GET :method=POST :path=/ :path=/index.html
    :scheme=http :scheme=https :status=200 :status=204 :status=206
    :status=304 :status=400 :status=404 :status=500 accept-charset=
    accept-encoding= accept-language= accept-ranges= accept=
    access-control-allow-origin= age= allow= authorization= cache-control=
    content-disposition= content-encoding= content-language=
    content-length= content-location= content-range= content-type= cookie=
    date= etag= expect= expires= from= host= if-match= if-modified-since=
    if-none-match= if-range= if-unmodified-since= last-modified= link=
    location= max-forwards= proxy-authenticate= proxy-authorization= range=
    referer= refresh= retry-after= server= set-cookie=
    strict-transport-security= transfer-encoding= user-agent= vary= via=
    www-authenticate=));


# RFC 7541, appendix B: the code is canonical, so the lengths are enough

my %LENGTHS = (
    5 => '48-50 97 99 101 105 111 115-116',
    6 => '32 37 45-47 51-57 61 65 95 98 100 102-104 108-110 112 114 117',
    7 => '58 66-87 89 106-107 113 118-122',
    8 => '38 42 44 59 88 90',
    10 => '33-34 40-41 63',
    11 => '39 43 124',
    12 => '35 62',
    13 => '0 36 64 91 93 126',
    14 => '94 125',
    15 => '60 96 123',
    19 => '92 195 208',
    20 => '128 130-131 162 184 194 224 226',
    21 => '153 161 167 172 176-177 179 209 216-217 227 229-230',
    22 => '129 132-134 136 146 154 156 160 163-164 169-170 173 178 181 '
        . '185-187 189-190 196 198 228 232-233',
    23 => '1 135 137-141 143 147 149-152 155 157-158 165-166 168 174-175 '
        . '180 182-183 188 191 197 231 239',
    24 => '9 142 144-145 148 159 171 206 215 225 236-237',
    25 => '199 207 234-235',
    26 => '192-193 200-202 205 210 213 218-219 238 240 242-243 255',
    27 => '203-204 211-212 214 221-223 241 244-248 250-254',
    28 => '2-8 11-12 14-21 23-31 127 220 249',
    30 => '10 13 22 256',
);

my %HUFFMAN;

{
    my ($code, $previous) = (0, 5);

    for my $length (sort { $a <=> $b } keys %LENGTHS) {
        $code <<= $length - $previous;
        $previous = $length;

        for my $range (split(/ /, $LENGTHS{$length})) {
            my ($first, $last) = split(/-/, $range);

            for my $symbol ($first .. $last // $first) {
                $HUFFMAN{sprintf("%0${length}b", $code++)} = $symbol;
            }
        }
    }
}


sub new {
    my ($class, %opt) = @_;

    my $socket = IO::Socket::INET->new(Proto => 'tcp', Timeout => 10,
        PeerAddr => "127.0.0.1:$opt{port}") or return undef;

    $socket->autoflush(1);
    $SIG{PIPE} = 'IGNORE';

    my $self = bless {
        socket => $socket,
        port => $opt{port},
        timeout => $opt{timeout} // 30,
        buffer => '',
        eof => 0,
        next_id => 1,
        streams => {},
        table => [],
        window => 65535,
        initial => 65535,
        goaway => undef,
    }, $class;

    # our side takes anything: windows as large as they get

    $self->_put("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
    $self->frame(SETTINGS, 0, 0, pack('nN', 4, 0x7fffffff));
    $self->frame(WINDOW_UPDATE, 0, 0, pack('N', 0x7fffffff - 65535));

    return $self;
}


sub _put {
    my ($self, $bytes) = @_;

    while (length($bytes)) {
        my $n = syswrite($self->{socket}, $bytes);
        return 0 unless defined $n;
        substr($bytes, 0, $n, '');
    }

    return 1;
}


# frame(TYPE, FLAGS, STREAM, PAYLOAD): any frame, also a wrong one

sub frame {
    my ($self, $type, $flags, $stream, $payload) = @_;

    my $size = length($payload);

    return $self->_put(pack('CnCCN', $size >> 16, $size & 0xffff, $type,
        $flags, $stream) . $payload);
}


# start(METHOD, PATH, headers => {} or [[name, value]...], end => 0,
# authority => , scheme => ): the id of the new stream

sub start {
    my ($self, $method, $path, %opt) = @_;

    my $id = $self->{next_id};
    $self->{next_id} += 2;

    my @fields;
    push @fields, [ ':method', $method ] if defined $method;
    push @fields, [ ':scheme', $opt{scheme} // 'http' ];
    push @fields, [ ':path', $path ] if defined $path;

    if (!exists $opt{authority} || defined $opt{authority}) {
        push @fields, [ ':authority', $opt{authority} // 'localhost' ];
    }

    my $headers = $opt{headers} // {};

    if (ref($headers) eq 'HASH') {
        for my $name (sort keys %$headers) {
            my $value = $headers->{$name};
            push @fields, map { [ lc($name), $_ ] }
                ref($value) ? @$value : $value;
        }

    } else {
        push @fields, @$headers;
    }

    $self->{streams}{$id} = { head => undef, body => '', done => 0,
        window => $self->{initial} };

    my $block = join('', map { "\0" . _string($_->[0]) . _string($_->[1]) }
        @fields);
    my $flags = ($opt{end} // 1) ? END_STREAM : 0;
    my $first = substr($block, 0, 16384, '');

    $self->frame(HEADERS, $flags | (length($block) ? 0 : END_HEADERS), $id,
        $first);

    while (length($block)) {
        my $part = substr($block, 0, 16384, '');
        $self->frame(CONTINUATION, length($block) ? 0 : END_HEADERS, $id,
            $part);
    }

    return $id;
}


sub _string {
    my ($text) = @_;
    return _integer(length($text), 7, 0) . $text;
}


sub _integer {
    my ($value, $bits, $high) = @_;

    my $max = (1 << $bits) - 1;
    return pack('C', $high | $value) if $value < $max;

    my $out = pack('C', $high | $max);
    $value -= $max;

    while ($value >= 128) {
        $out .= pack('C', ($value & 127) | 128);
        $value >>= 7;
    }

    return $out . pack('C', $value);
}


# data(ID, BYTES, END): waits for the window; false when the stream has ended
# on nginx's side before all was sent

sub data {
    my ($self, $id, $bytes, $end) = @_;

    my $stream = $self->{streams}{$id};
    my $over = deadline($self->{timeout});

    while (1) {
        my $room = $self->{window} < $stream->{window}
            ? $self->{window} : $stream->{window};
        my $size = length($bytes);

        $size = $room if $size > $room;
        $size = 16384 if $size > 16384;

        if ($size > 0 || length($bytes) == 0) {
            my $part = substr($bytes, 0, $size, '');
            my $last = length($bytes) == 0;

            $self->{window} -= $size;
            $stream->{window} -= $size;
            $self->frame(DATA, $last && $end ? END_STREAM : 0, $id, $part)
                or return 0;
            return 1 if $last;
            next;
        }

        return 0 if $stream->{done} || $self->{eof} || $over->();
        $self->_fill(0.2);
    }
}


sub reset {
    my ($self, $id, $code) = @_;
    return $self->frame(RST_STREAM, 0, $id, pack('N', $code // 8));
}


sub close {
    my ($self) = @_;
    CORE::close($self->{socket});
    $self->{eof} = 1;
}


# request(METHOD, PATH, body => , headers => ): no content-length is sent
# unless the headers hold one

sub request {
    my ($self, $method, $path, %opt) = @_;

    my $has_body = defined $opt{body};
    my $id = $self->start($method, $path, %opt, end => !$has_body);

    $self->data($id, $opt{body}, 1) if $has_body;

    return $self->read($id);
}


# read(ID, SECONDS): the response, or undef when none came

sub read {
    my ($self, $id, $seconds) = @_;

    my $stream = $self->{streams}{$id};
    my $over = deadline($seconds // $self->{timeout});

    while (!$stream->{done}) {
        last if $self->{eof} || $over->();
        $self->_fill(0.2);
    }

    return undef unless $stream->{done};

    my (%headers, @lines);

    for my $field (@{$stream->{head} // []}) {
        my ($name, $value) = @$field;
        push @lines, $field;
        $headers{$name} = defined $headers{$name}
            ? "$headers{$name}, $value" : $value;
    }

    return bless {
        status => $headers{':status'} // 0,
        head => join('', map { "$_->[0]: $_->[1]\r\n" } @lines),
        headers => \%headers,
        lines => \@lines,
        body => $stream->{body},
        reset => $stream->{reset},
    }, 'Test::Constraint::Response';
}


sub Test::Constraint::Response::reset { return $_[0]{reset} }


sub goaway { return $_[0]{goaway} }


# untouched(ID): nginx went away before it took this stream up, so the request
# may be sent again (RFC 9113, 6.8); a worker that ends does so to connections
# that have come too late

sub untouched {
    my ($self, $id) = @_;
    return defined $self->{last} && $self->{last} < $id
        && !$self->{streams}{$id}{done};
}


# closed(SECONDS): has nginx closed the connection

sub closed {
    my ($self, $seconds) = @_;

    my $over = deadline($seconds // 10);

    while (!$self->{eof} && !$over->()) {
        $self->_fill(0.2);
    }

    return $self->{eof};
}


sub _fill {
    my ($self, $wait) = @_;

    IO::Select->new($self->{socket})->can_read($wait) or return;

    my $n = sysread($self->{socket}, $self->{buffer}, 65536,
        length($self->{buffer}));

    $self->{eof} = 1 unless $n;

    while (length($self->{buffer}) >= 9) {
        my ($high, $low, $type, $flags, $id) =
            unpack('CnCCN', $self->{buffer});
        my $size = ($high << 16) + $low;

        last if length($self->{buffer}) < 9 + $size;

        my $payload = substr($self->{buffer}, 9, $size);
        substr($self->{buffer}, 0, 9 + $size, '');
        $self->_take($type, $flags, $id & 0x7fffffff, $payload);
    }
}


sub _take {
    my ($self, $type, $flags, $id, $payload) = @_;

    my $stream = $self->{streams}{$id};

    if ($type == SETTINGS && !($flags & 1)) {
        while (length($payload) >= 6) {
            my ($name, $value) = unpack('nN', substr($payload, 0, 6, ''));
            next unless $name == 4;
            $_->{window} += $value - $self->{initial}
                for values %{$self->{streams}};
            $self->{initial} = $value;
        }

        $self->frame(SETTINGS, 1, 0, '');

    } elsif ($type == PING && !($flags & 1)) {
        $self->frame(PING, 1, 0, $payload);

    } elsif ($type == GOAWAY) {
        ($self->{last}, $self->{goaway}) = unpack('NN', $payload);

    } elsif ($type == WINDOW_UPDATE) {
        my $step = unpack('N', $payload) & 0x7fffffff;
        $id == 0 ? $self->{window} += $step
            : $stream && ($stream->{window} += $step);

    } elsif ($type == RST_STREAM && $stream) {
        $stream->{reset} = unpack('N', $payload);
        $stream->{done} = 1;

    } elsif (($type == HEADERS || $type == CONTINUATION) && $stream) {
        $payload = _unpad($payload) if $type == HEADERS && $flags & PADDED;
        $payload = substr($payload, 5)
            if $type == HEADERS && $flags & PRIORITY;
        $stream->{end} = 1 if $type == HEADERS && $flags & END_STREAM;
        $stream->{block} .= $payload;

        if ($flags & END_HEADERS) {
            my $fields = $self->_fields(delete $stream->{block});
            $stream->{head} //= $fields;
            $stream->{done} = 1 if $stream->{end};
        }

    } elsif ($type == DATA && $stream) {
        $payload = _unpad($payload) if $flags & PADDED;
        $stream->{body} .= $payload;
        $stream->{done} = 1 if $flags & END_STREAM;
    }
}


sub _unpad {
    my ($payload) = @_;
    my $pad = unpack('C', $payload);
    return substr($payload, 1, length($payload) - 1 - $pad);
}


sub _fields {
    my ($self, $block) = @_;

    my @fields;

    while (length($block)) {
        my $first = unpack('C', $block);

        if ($first & 0x80) {
            push @fields, $self->_entry(_take_integer(\$block, 7));
            next;
        }

        if (($first & 0xe0) == 0x20) {
            _take_integer(\$block, 5);
            next;
        }

        my $keep = ($first & 0xc0) == 0x40;
        my $index = _take_integer(\$block, $keep ? 6 : 4);
        my $name = $index ? $self->_entry($index)->[0]
            : _take_string(\$block);
        my $field = [ $name, _take_string(\$block) ];

        unshift @{$self->{table}}, $field if $keep;
        push @fields, $field;
    }

    return \@fields;
}


sub _entry {
    my ($self, $index) = @_;
    return $index < @STATIC ? $STATIC[$index]
        : $self->{table}[$index - @STATIC] // [ '?', '?' ];
}


sub _take_integer {
    my ($block, $bits) = @_;

    my $max = (1 << $bits) - 1;
    my $value = unpack('C', substr($$block, 0, 1, '')) & $max;

    return $value if $value < $max;

    for (my $shift = 0; length($$block); $shift += 7) {
        my $byte = unpack('C', substr($$block, 0, 1, ''));
        $value += ($byte & 127) << $shift;
        last unless $byte & 128;
    }

    return $value;
}


sub _take_string {
    my ($block) = @_;

    my $huffman = unpack('C', $$block) & 0x80;
    my $size = _take_integer($block, 7);
    my $bytes = substr($$block, 0, $size, '');

    return $bytes unless $huffman;

    my ($text, $code) = ('', '');

    for my $bit (split(//, unpack('B*', $bytes))) {
        $code .= $bit;

        if (defined(my $symbol = $HUFFMAN{$code})) {
            $text .= chr($symbol);
            $code = '';
        }
    }

    return $text;
}


1;
