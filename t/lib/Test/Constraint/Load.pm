package Test::Constraint::Load;

# Copyright (C) ngx_http_constraint_module authors
# SPDX-License-Identifier: BSD-2-Clause
#
# Gated traffic that notices what a reload or an upgrade must not do: a
# request that fails, one decided by a mixture of revisions, one decided by a
# revision older than a write answered before it began.
#
# One writer switches the constraint `load` between workflows, in one PUT
# together with its metadata; each workflow says its number and that of the
# metadata in headers to the upstream, which echoes them.  Clients ask on new
# and on kept connections, without and with a body, inline and in threads.
#
#     my $load = Test::Constraint::Load->new($t, clients => 3);
#     $load->start(); ...; my $seen = $load->stop();
#     $seen->{requests}, {failed}, {mixed}, {stale}, {writes}: numbers;
#     {said}: the first few of what was wrong

use warnings;
use strict;

use JSON::PP;
use POSIX ();
use Time::HiRes qw(sleep time);

use constant WORKFLOWS => 4;


# http(): what the http block of the test needs besides the zone `z`

sub http {
    return <<'END';
    server {
        listen 127.0.0.1:%%PORT_API%%;
        location / { constraint_api z; }
    }

    server {
        listen 127.0.0.1:%%PORT_ECHO%%;
        location / { return 200 "$http_x_workflow $http_x_metadata"; }
    }

    server {
        listen 127.0.0.1:%%PORT%% backlog=1024;
        proxy_http_version 1.0;
        constraint_timeout 10s;

        location /plain {
            constraint load zone=z;
            proxy_pass http://127.0.0.1:%%PORT_ECHO%%;
        }

        location /body {
            constraint load.body zone=z;
            constraint load zone=z;
            proxy_pass http://127.0.0.1:%%PORT_ECHO%%;
        }

        location /thread {
            constraint load zone=z;
            constraint_offload always;
            proxy_pass http://127.0.0.1:%%PORT_ECHO%%;
        }
    }
END
}


# new(TEST, clients => N): registers what is needed

sub new {
    my ($class, $t, %opt) = @_;

    my $self = bless {
        t => $t,
        clients => $opt{clients} // 3,
        dir => $t->testdir() . '/load',
        pids => [],
    }, $class;

    mkdir($self->{dir});

    for my $n (0 .. WORKFLOWS - 1) {
        _must($t->api('POST', '/workflow', { name => "load_$n", rule => {
            match => [ { output => "{'effect': 'allow', 'headers': {"
                . "'x-workflow': '$n',"
                . " 'x-metadata': string(constraint.metadata.n)}}" } ] } }));
    }

    _must($t->api('POST', '/workflow', { name => 'load_body', rule => {
        match => [ { condition => "input.name == 'body'",
            output => 'true' } ] } }));

    _must($t->api('POST', '/constraint', { message_type => 'load',
        subject_id => '*', dsl_workflow_id => 'load_0',
        constraint_metadata => { n => 0 } }));
    _must($t->api('POST', '/constraint', { message_type => 'load.body',
        subject_id => '*', dsl_workflow_id => 'load_body',
        constraint_metadata => {} }));

    return $self;
}


sub _must {
    my ($status, $answer) = @_;
    die "load: $status " . JSON::PP->new->encode($answer // {}) . "\n"
        unless $status == 201;
}


sub start {
    my ($self) = @_;

    unlink(glob("$self->{dir}/*"));
    $self->_acknowledge(0);

    $self->_child('writer', sub { $self->_write(@_) });

    for my $i (1 .. $self->{clients}) {
        $self->_child("client.$i", sub { $self->_ask(@_) });
    }

    return $self;
}


sub _child {
    my ($self, $name, $code) = @_;

    my $pid = fork() // die "cannot fork: $!\n";

    if ($pid) {
        push @{$self->{pids}}, $pid;
        return;
    }

    $SIG{$_} = 'DEFAULT' for qw(INT TERM HUP);

    my %seen = map { $_ => 0 } qw(requests failed mixed stale writes);
    $seen{said} = [];

    eval { $code->(\%seen); 1 } or push @{$seen{said}}, "$name: $@";

    my $file = "$self->{dir}/$name";
    open(my $fh, '>', "$file.new");
    print $fh JSON::PP->new->latin1->encode(\%seen);
    close($fh);
    rename("$file.new", $file);
    POSIX::_exit(0);
}


# done(): how many requests clients have finished; for waiting until the
# load is really there

sub done {
    my ($self) = @_;

    my $sum = 0;
    $sum += -s $_ || 0 for glob("$self->{dir}/count.*");

    return $sum;
}


sub stop {
    my ($self) = @_;

    open(my $fh, '>', "$self->{dir}/stop");
    close($fh);

    waitpid($_, 0) for splice(@{$self->{pids}});

    my %sum = map { $_ => 0 } qw(requests failed mixed stale writes);
    $sum{said} = [];

    for my $file (glob("$self->{dir}/writer $self->{dir}/client.*")) {
        my $seen = JSON::PP->new->latin1->decode(_slurp($file));
        $sum{$_} += $seen->{$_}
            for qw(requests failed mixed stale writes);
        push @{$sum{said}}, @{$seen->{said}};
    }

    splice(@{$sum{said}}, 10) if @{$sum{said}} > 10;

    return \%sum;
}


sub DESTROY {
    my ($self) = @_;
    local ($?, $!);

    for my $pid (@{$self->{pids}}) {
        kill('KILL', $pid);
        waitpid($pid, 0);
    }
}


sub _slurp {
    my ($file) = @_;
    open(my $fh, '<', $file) or return '{}';
    local $/;
    return scalar(<$fh>) // '{}';
}


sub _stopping { return -e "$_[0]{dir}/stop" }


# the number of the last write that was answered

sub _acknowledge {
    my ($self, $n) = @_;

    open(my $fh, '>', "$self->{dir}/ack.new") or die "ack: $!\n";
    print $fh $n;
    close($fh);
    rename("$self->{dir}/ack.new", "$self->{dir}/ack") or die "ack: $!\n";
}


sub _acknowledged { return _slurp("$_[0]{dir}/ack") + 0 }


sub _write {
    my ($self, $seen) = @_;

    my $t = $self->{t};
    my ($n, $client) = (0, undef);

    while (!$self->_stopping()) {
        $n++;

        my ($status, $answer) = $t->api('PUT', '/constraint/load', {
            dsl_workflow_id => 'load_' . $n % WORKFLOWS,
            constraint_metadata => { n => $n } });

        if ($status == 200) {
            $seen->{writes}++;
            $self->_acknowledge($n);

        } else {
            $seen->{failed}++;
            push @{$seen->{said}}, "PUT: $status "
                . JSON::PP->new->encode($answer // {});
        }

        sleep(0.01);
    }
}


sub _ask {
    my ($self, $seen) = @_;

    my @kinds = (
        [ 'GET', '/plain' ], [ 'GET', '/thread' ],
        [ 'POST', '/body', body => '{"name": "body"}' ],
    );

    my ($kept, $i) = (undef, $$);
    open(my $count, '>', "$self->{dir}/count.$$") or die "count: $!\n";
    $count->autoflush(1);

    while (!$self->_stopping()) {
        my ($method, $path, %opt) = @{$kinds[$i++ % 3]};
        my $floor = $self->_acknowledged();
        my $answer;

        if ($i % 2) {
            $answer = $self->{t}->request($method, $path, %opt);

        } else {
            ($answer, $kept) = $self->_on_kept($kept, $method, $path, %opt);
        }

        $self->_judge($seen, "$method $path", $floor, $answer);
        print $count '.';
    }
}


# A kept connection may be closed by the server at any time between requests;
# a client then asks again on a new one, as all clients do.

sub _on_kept {
    my ($self, $kept, $method, $path, %opt) = @_;

    for my $fresh ($kept ? (0, 1) : (1)) {
        $kept = $self->{t}->connect() if $fresh;
        next unless $kept;

        my $answer = $kept->request($method, $path, %opt);

        if ($answer) {
            my $close = ($answer->header('connection') // '') =~ /close/i;
            return ($answer, $close ? undef : $kept);
        }
    }

    return (undef, undef);
}


sub _judge {
    my ($self, $seen, $what, $floor, $answer) = @_;

    $seen->{requests}++;

    my $wrong;

    if (!$answer || $answer->status != 200) {
        $wrong = 'failed';

    } elsif ($answer->body !~ /^(\d+) (\d+)$/ || $1 != $2 % WORKFLOWS) {
        $wrong = 'mixed';

    } elsif ($2 < $floor) {
        $wrong = 'stale';
    }

    return unless $wrong;

    $seen->{$wrong}++;
    push @{$seen->{said}}, "$wrong: $what: "
        . ($answer ? $answer->status . ' ' . $answer->body : 'no answer')
        . ", acknowledged $floor" if @{$seen->{said}} < 3;
}


1;
