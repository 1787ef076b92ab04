package Test::Constraint;

# Copyright (C) ngx_http_constraint_module authors
# SPDX-License-Identifier: BSD-2-Clause
#
# Runs one nginx for one test file: a folder of its own, free ports, a
# configuration with placeholders, signals, and the two assertions that end
# every file.  It knows nothing of constraints but how to talk to the API.
#
#     use Test::More;
#     use Test::Constraint;
#
#     my $t = Test::Constraint->new()->conf(<<'END')->run();
#     %%GLOBALS%%
#     events { }
#     http {
#         %%GLOBALS_HTTP%%
#         constraint_zone z:8m path=%%TESTDIR%%/store;
#         server {
#             listen 127.0.0.1:%%PORT%%;
#             location / { constraint_api z; }
#         }
#     }
#     END
#
#     is($t->get('/status')->status, 200, 'the status is there');
#
# Neither a plan nor done_testing() is needed.  When the file ends nginx is
# stopped and two assertions follow: nothing at [crit] or above in the error
# log, and not a word from a sanitizer.
#
# Environment: TEST_NGINX_BINARY, TEST_NGINX_GLOBALS (a load_module line),
# TEST_NGINX_WORKERS, TEST_NGINX_LONG=1 (long forms), TEST_NGINX_LEAVE=1
# (keep the folder), TEST_NGINX_DEBUG=1 (debug log), TEST_NGINX_H2=1 (what
# request() and its kin send goes over HTTP/2), TEST_NGINX_RELOAD=1 (every
# start is followed by a reload).

use warnings;
use strict;

use Cwd qw(abs_path);
use Exporter qw(import);
use Fcntl qw(:flock O_CREAT O_RDWR);
use File::Basename qw(dirname);
use File::Path qw(make_path);
use File::Spec;
use File::Temp qw(tempdir);
use IO::Handle;
use IO::Socket::INET;
use JSON::PP;
use POSIX qw(:sys_wait_h);
use Test::Builder;
use Test::More ();
use Time::HiRes qw(sleep time);

use Test::Constraint::Backend;
use Test::Constraint::Client;
use Test::Constraint::H2;
use Test::Constraint::Process qw(wait_until slurp);

use parent -norequire, 'Test::Constraint::Process';

our @EXPORT = qw(wait_until json root_dir slurp http_escape);

my $ROOT = abs_path(dirname(__FILE__) . '/../../..');
my $BUILD = $ENV{BUILD} || "$ROOT/build";

my $SEVERE = qr/\[(?:crit|alert|emerg)\]/;

my @live;
my %port_locks;


# --- general helpers --------------------------------------------------------

sub root_dir { return $ROOT }
sub build_dir { return $BUILD }


sub json {
    my ($data) = @_;
    return JSON::PP->new->canonical->allow_nonref->utf8->encode($data);
}


sub http_escape {
    my ($text) = @_;
    $text =~ s/([^A-Za-z0-9._~:-])/sprintf('%%%02X', ord($1))/ge;
    return $text;
}


# --- which nginx ------------------------------------------------------------

sub binary {
    return $ENV{TEST_NGINX_BINARY} if $ENV{TEST_NGINX_BINARY};
    return "$BUILD/debug/nginx" if -x "$BUILD/debug/nginx";
    return '/usr/sbin/nginx';
}


sub globals_line {
    return $ENV{TEST_NGINX_GLOBALS} if defined $ENV{TEST_NGINX_GLOBALS};
    return '' if _holds(binary(), 'ngx_http_constraint_module');
    return "load_module $BUILD/ngx_http_constraint_module.so;";
}


sub sanitized {
    return _holds(binary(), '__asan_init');
}


# has_faults(): are the fault directives of test builds compiled in

sub has_faults {
    my $so = globals_line() =~ /load_module\s+(\S+);/ ? $1 : undef;
    return _holds(binary(), "\0constraint_fault\0")
        || (defined $so && _holds($so, "\0constraint_fault\0"));
}


my %holds;

sub _holds {
    my ($file, $text) = @_;
    $holds{"$file $text"} //= index(slurp($file), $text) >= 0 ? 1 : 0;
    return $holds{"$file $text"};
}


# --- life -------------------------------------------------------------------

# new(workers => N, pools => 0, need => [...]): N worker processes; pools => 0
# leaves the thread pools to the configuration; need as in need()

sub new {
    my ($class, %opt) = @_;

    my $self = bless {
        workers => $opt{workers} // $ENV{TEST_NGINX_WORKERS} // 1,
        pools => $opt{pools} // 1,
        ports => {},
        allowed => [],
        backends => [],
        files => 0,
        owner => $$,
    }, $class;

    $self->need(@{$opt{need}}) if $opt{need};

    if (!-x binary()) {
        Test::More::BAIL_OUT("no nginx at " . binary()
            . ", run t/build.sh debug");
    }

    my $dir = tempdir('ngx-constraint-XXXXXX', TMPDIR => 1,
        CLEANUP => !$ENV{TEST_NGINX_LEAVE});

    $self->{dir} = abs_path($dir);

    # workers of a root master are another user

    chmod(0755, $self->{dir});
    mkdir("$self->{dir}/sanitizer");
    chmod(0777, "$self->{dir}/sanitizer");

    push @live, $self;

    return $self;
}


# need('faults'|'root'|'long'|'h2'...): skips the whole file, with the reason

sub need {
    my ($self, @what) = @_;

    my %have = (
        faults => [ has_faults(), 'needs a build with fault directives' ],
        http1 => [ !$ENV{TEST_NGINX_H2}, 'means nothing over HTTP/2' ],
        root => [ $> == 0, 'needs root' ],
        user => [ $> != 0, 'cannot be shown as root' ],
        long => [ $ENV{TEST_NGINX_LONG}, 'long form, TEST_NGINX_LONG=1' ],
        plain => [ !sanitized(), 'means nothing under a sanitizer' ],
    );

    for my $what (@what) {
        die "need(): unknown \"$what\"\n" unless $have{$what};
        next if $have{$what}[0];
        @live = grep { $_ != $self } @live;
        Test::More::plan(skip_all => $have{$what}[1]);
    }

    return $self;
}


sub long { return $ENV{TEST_NGINX_LONG} ? 1 : 0 }
sub testdir { return $_[0]{dir} }
sub workers_wanted { return $_[0]{workers} }


# plan(N): for files that want one; counts the two assertions of the end

sub plan {
    my ($self, $count) = @_;
    Test::More::plan(tests => $count + 2 * scalar(@live));
    $self->{planned} = 1;
    return $self;
}


# allow(QR): lines of the error log that this test provokes on purpose

sub allow {
    my ($self, @patterns) = @_;
    push @{$self->{allowed}}, @patterns;
    return $self;
}


# --- files and ports --------------------------------------------------------

sub write_file {
    my ($self, $name, $content) = @_;

    my $path = "$self->{dir}/$name";
    make_path(dirname($path));
    open(my $fh, '>:raw', $path) or die "cannot write $path: $!\n";
    print $fh $content;
    close($fh) or die "cannot write $path: $!\n";

    return $path;
}


sub read_file {
    my ($self, $name) = @_;
    return slurp("$self->{dir}/$name");
}


# port(NAME): a port nobody else has, the same for the same name; the lock is
# held until this process ends, so that parallel tests do not collide

sub port {
    my ($self, $name) = @_;

    $name //= 0;
    return $self->{ports}{$name} if $self->{ports}{$name};

    for (1 .. 2000) {
        my $port = 20000 + int(rand(10000));

        if ($self->port_is_free($port)) {
            $self->{ports}{$name} = $port;
            return $port;
        }
    }

    die "no free port\n";
}


# port_is_free(NUMBER): nobody has it, and from now on it is ours

sub port_is_free {
    my ($self, $port) = @_;

    return 0 if $port_locks{$port};

    my $dir = File::Spec->tmpdir() . "/ngx-constraint-ports-$>";
    make_path($dir);

    sysopen(my $lock, "$dir/$port", O_CREAT | O_RDWR) or return 0;
    flock($lock, LOCK_EX | LOCK_NB) or return 0;

    my $socket = IO::Socket::INET->new(Proto => 'tcp', Listen => 1,
        LocalAddr => "127.0.0.1:$port", ReuseAddr => 1) or return 0;
    close($socket);

    $port_locks{$port} = $lock;

    return 1;
}


# expand(TEXT): replaces %%GLOBALS%%, %%GLOBALS_HTTP%%, %%TESTDIR%%, %%PORT%%
# and %%PORT_name%%

sub expand {
    my ($self, $text) = @_;

    $text =~ s/%%GLOBALS%%/$self->_globals()/ge;
    my $patient = $text =~ /\bconstraint\b/ && $text !~ /constraint_timeout/;

    $text =~ s/%%GLOBALS_HTTP%%/$self->_globals_http($patient)/ge;
    $text =~ s/%%TESTDIR%%/$self->{dir}/g;
    $text =~ s/%%PORT%%/$self->port(0)/ge;
    $text =~ s/%%PORT_(\w+)%%/$self->port($1)/ge;

    if ($text =~ /(%%\w+%%)/) {
        die "unknown placeholder $1\n";
    }

    return $text;
}


sub _globals {
    my ($self) = @_;

    my $level = $ENV{TEST_NGINX_DEBUG} ? 'debug' : 'info';
    my $text = globals_line() . "\n"
        . "pid $self->{dir}/nginx.pid;\n"
        . "error_log $self->{dir}/error.log $level;\n"
        . "worker_processes $self->{workers};\n"
        . "worker_shutdown_timeout 20s;\n";

    # kept for the new binary of an upgrade

    for my $name (qw(ASAN_OPTIONS UBSAN_OPTIONS LSAN_OPTIONS)) {
        $text .= "env $name;\n";
    }

    if ($self->{pools}) {
        $text .= "thread_pool constraint threads=4;\n"
            . "thread_pool constraint_store threads=1;\n";
    }

    return $text;
}


# A test that says nothing of deadlines is not about them: the default of
# 100 ms would make it fail on a busy machine.

sub _globals_http {
    my ($self, $patient) = @_;

    my $text = "root $self->{dir};\n"
        . "access_log $self->{dir}/access.log;\n";

    for my $name (qw(client_body proxy fastcgi uwsgi scgi)) {
        $text .= "${name}_temp_path $self->{dir}/${name}_temp;\n";
    }

    $text .= "constraint_timeout 30s;\n" if $patient;

    return $text;
}


# conf(TEXT): the configuration, written as nginx.conf

sub conf {
    my ($self, $text) = @_;

    $text = $self->expand($text);
    $text = $self->_add_h2($text) if $ENV{TEST_NGINX_H2};
    $self->write_file('nginx.conf', $text);

    return $self;
}


# _add_h2(TEXT): beside every port one that speaks HTTP/2

sub _add_h2 {
    my ($self, $text) = @_;

    $text =~ s{(listen\s+127\.0\.0\.1:)(\d+)([^;]*);}{
        my ($listen, $port, $options) = ($1, $2, $3);
        $options =~ /\b(?:http2|ssl|proxy_protocol)\b/
            ? "$listen$port$options;"
            : do {
                $self->{h2}{$port} = $self->port("h2_$port");
                "$listen$port$options; $listen$self->{h2}{$port}$options"
                    . ' http2;';
            };
    }gex;

    return $text;
}


# --- talking to it ----------------------------------------------------------

# client methods take port => NAME or number; see Test::Constraint::Client

sub _port_number {
    my ($self, $port) = @_;
    $port //= 0;
    return $port =~ /^\d{4,}$/ ? $port : $self->port($port);
}


# connect(port => ...): a connection that stays, so on one worker

sub connect {
    my ($self, %opt) = @_;
    return Test::Constraint::Client->new(
        port => $self->_port_number($opt{port}), timeout => $opt{timeout});
}


# pinned(PIDS, OTHERS): for each worker a connection that stays with it; the
# others are stopped meanwhile, so that they take none.  The API is at /api/.

sub pinned {
    my ($self, $wanted, @others) = @_;

    my %wanted = map { $_ => 1 } @$wanted;
    my %pinned;

    kill('STOP', @others);
    wait_until { !grep { slurp("/proc/$_/stat") !~ /\) T / } @others } 10;

    wait_until {
        my $client = $self->connect();
        my $answer = $client && $client->request('GET', '/api/status');
        my $pid = $answer && $answer->header('x-constraint-worker');
        $pinned{$pid} //= $client if $pid && $wanted{$pid};
        keys %pinned == @$wanted;
    } 20;

    kill('CONT', @others);

    return \%pinned;
}


# http(RAW, port => ...): sends bytes as they are on a new connection, reads
# till nginx closes or one response is whole; gives a response or undef

sub http {
    my ($self, $raw, %opt) = @_;

    my $client = $self->connect(%opt) or return undef;
    $client->write($raw) or return undef;
    return $client->read_response(head => $raw =~ /^HEAD / ? 1 : 0);
}


# http_all(RAW, port => ...): everything nginx answers until it closes

sub http_all {
    my ($self, $raw, %opt) = @_;

    my $client = $self->connect(%opt) or return '';
    $client->write($raw);
    return $client->read_all($opt{timeout});
}


# request(METHOD, PATH, headers => {}, body => '', port => ...)

sub request {
    my ($self, $method, $path, %opt) = @_;

    my $h2 = $self->{h2}{$self->_port_number($opt{port})};

    return $self->_request_h2($h2, $method, $path, %opt)
        if $h2 && !grep { /^(?:expect|upgrade|transfer-encoding)$/i }
            keys %{$opt{headers} // {}};

    my $client = $self->connect(%opt) or return undef;
    return $client->request($method, $path, close => 1, %opt);
}


sub _request_h2 {
    my ($self, $port, $method, $path, %opt) = @_;

    my %headers = %{$opt{headers} // {}};
    my $host = delete $headers{Host};

    delete $headers{Connection};

    for (1 .. 5) {
        my $h = Test::Constraint::H2->new(port => $port,
            timeout => $opt{timeout}) or return undef;

        my $answer = $h->request($method, $path, body => $opt{body},
            headers => \%headers, authority => $host // 'localhost');

        return $answer if $answer || !$h->untouched(1);
    }

    return undef;
}


sub get {
    my ($self, $path, %opt) = @_;
    return $self->request('GET', $path, %opt);
}


sub post {
    my ($self, $path, $body, %opt) = @_;
    return $self->request('POST', $path, body => $body, %opt);
}


# api(METHOD, PATH, DATA, headers => {}): talks to the API, on %%PORT_API%% if
# the configuration has it, else on %%PORT%%; DATA is encoded unless it is a
# string.  Gives (status, decoded answer, headers).

sub api {
    my ($self, $method, $path, $data, %opt) = @_;

    $opt{port} //= $self->{ports}{API} ? 'API' : 0;

    if (defined $data) {
        $opt{body} = ref($data) ? json($data) : $data;
        $opt{headers} = { 'Content-Type' => 'application/json',
            %{$opt{headers} // {}} };
    }

    my $answer = $self->request($method, $path, %opt);

    return (0, undef, {}) unless $answer;
    return ($answer->status, $answer->json, $answer->headers);
}


# h2(port => ...): an HTTP/2 connection with prior knowledge

sub h2 {
    my ($self, %opt) = @_;
    return Test::Constraint::H2->new(
        port => $self->_port_number($opt{port}));
}


# backend(NAME, CODE): a server that records what it gets, see
# Test::Constraint::Backend; its port is %%PORT_NAME%%

sub backend {
    my ($self, $name, $reply) = @_;

    my $backend = Test::Constraint::Backend->new(
        port => $self->port($name), reply => $reply,
        file => "$self->{dir}/backend-$name.log");

    push @{$self->{backends}}, $backend;

    return $backend;
}


# --- the end of every file --------------------------------------------------

sub finish {
    my ($self) = @_;

    return if $self->{finished} || $self->{owner} != $$;
    $self->{finished} = 1;

    my $gentle = $self->stop();
    $_->stop() for @{$self->{backends}};

    my @severe = grep { $_ =~ $SEVERE } split(/\n/, $self->error_log());

    for my $allowed (@{$self->{allowed}}) {
        @severe = grep { $_ !~ $allowed } @severe;
    }

    push @severe, 'nginx had to be killed' unless $gentle;

    local $Test::Builder::Level = $Test::Builder::Level + 1;

    Test::More::is(join("\n", @severe), '',
        'the error log holds no alert');
    Test::More::is(join("\n", $self->_sanitizer()), '',
        'no sanitizer has spoken');
}


sub _sanitizer {
    my ($self) = @_;

    my @found;
    my @files = (glob("$self->{dir}/sanitizer/*"),
        glob("$self->{dir}/stderr.*"), "$self->{dir}/error.log");

    for my $file (@files) {
        my $text = slurp($file);
        next unless $text =~ /Sanitizer|runtime error/;

        my @lines = split(/\n/, $text);
        @lines = grep { /Sanitizer|runtime error|^\s+#\d+ / } @lines
            if @lines > 60;
        push @found, @lines > 60 ? @lines[0 .. 59] : @lines;
    }

    return @found;
}


sub finish_all {
    $_->finish() for @live;
}


# done_testing() of the test file comes here first

my $done_testing = \&Test::Builder::done_testing;

{
    no warnings 'redefine';

    *Test::Builder::done_testing = sub {
        if (!Test2::API::test2_stack()->top->isa('Test2::Hub::Subtest')) {
            finish_all();
        }

        goto &$done_testing;
    };
}


# interrupted tests stop their nginx, too

$SIG{$_} = sub { exit(1) } for qw(INT TERM HUP);


END {
    my $status = $?;

    if (@live && $live[0]{owner} == $$) {
        my $builder = Test::More->builder;

        if ($status == 0) {
            finish_all();
            $builder->done_testing()
                unless $builder->has_plan || $builder->{Done_Testing}
                || Test2::API::test2_stack()->top->ended;

        } else {
            for my $t (@live) {
                $t->stop();
                $_->stop() for @{$t->{backends}};
                my @lines = split(/\n/, $t->error_log());
                splice(@lines, 0, -20) if @lines > 20;
                Test::More::diag(join("\n", @lines));
            }
        }
    }

    $? = $status;
}


1;
