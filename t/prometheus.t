#!/usr/bin/perl

# Copyright (C) ngx_http_constraint_module authors
# SPDX-License-Identifier: BSD-2-Clause
#
# A real Prometheus scrapes the metrics while there is traffic, and the
# queries of docs/OPERATIONS.md return data.  Long: TEST_NGINX_LONG=1.

use warnings;
use strict;

use FindBin;
use Test::More;

use lib "$FindBin::RealBin/lib";
use Test::Constraint;

my ($prometheus) = grep { -x } map { "$_/prometheus" } split(/:/, $ENV{PATH});

# before the harness is there, whose own checks are tests

plan(skip_all => 'long, TEST_NGINX_LONG=1 runs it')
    unless $ENV{TEST_NGINX_LONG};
plan(skip_all => 'there is no prometheus') unless $prometheus;

my $t = Test::Constraint->new(workers => 4);

$t->conf(<<'END')->run();
%%GLOBALS%%
events { }
http {
    %%GLOBALS_HTTP%%
    constraint_zone z:2m path=%%TESTDIR%%/store;

    server {
        listen 127.0.0.1:%%PORT_ECHO%%;
        location / { return 200 ok; }
    }

    server {
        listen 127.0.0.1:%%PORT%%;
        location / { constraint_api z; }
        location = /metrics { constraint_metrics; }

        location /gate/ {
            constraint a zone=z;
            proxy_pass http://127.0.0.1:%%PORT_ECHO%%;
        }
    }
}
END

$t->api('POST', '/workflow', { name => 'w', rule => { match => [
    { output => "request.args['ok'] == '1'" } ] } });
$t->api('POST', '/constraint', { message_type => 'a', subject_id => '*',
    dsl_workflow_id => 'w', constraint_metadata => {} });

my $dir = $t->testdir();
my ($nginx, $port) = ($t->port(0), $t->port('PROMETHEUS'));

$t->write_file('prometheus.yml', <<"END");
global:
  scrape_interval: 1s
scrape_configs:
  - job_name: constraint
    static_configs:
      - targets: ["127.0.0.1:$nginx"]
END

my $pid = fork() // die "fork: $!\n";

if ($pid == 0) {
    open(STDOUT, '>', "$dir/prometheus.log");
    open(STDERR, '>&', \*STDOUT);
    exec($prometheus, "--config.file=$dir/prometheus.yml",
        "--storage.tsdb.path=$dir/prometheus",
        "--web.listen-address=127.0.0.1:$port");
    exit(1);
}

END { if ($pid) { kill('TERM', $pid); local $?; waitpid($pid, 0); } }

# query(TEXT): the samples it returns

sub query {
    my ($text) = @_;

    my $c = eval { Test::Constraint::Client->new(port => $port) } or return [];
    my $answer = $c->request('GET', '/api/v1/query?query='
        . http_escape($text));

    return [] unless $answer && $answer->status == 200;
    return $answer->json->{data}{result} // [];
}

my ($sent, $scrapes) = (0, 0);

ok((wait_until {
    $t->get('/gate/?ok=' . ($sent++ % 2)) for 1 .. 20;
    my $seen = query('sum(count_over_time(constraint_store_open[1h]))');
    $scrapes = @$seen ? $seen->[0]{value}[1] : 0;
    $scrapes >= 5;
} 60), 'it scrapes while there is traffic');

my $up = query('up');
is(@$up ? $up->[0]{value}[1] : undef, 1, 'without an error');

my $file = Test::Constraint::root_dir() . '/docs/OPERATIONS.md';
open(my $fh, '<', $file) or die "$file: $!\n";
my $text = do { local $/; <$fh> };

my ($section) = $text =~ /<!-- queries -->(.*)<!-- end of queries -->/s;
my @queries = $section =~ /^```promql\n(.*?)\n```/msg;

cmp_ok(scalar(@queries), '>', 4, 'there are queries');

for my $query (@queries) {
    my $result = [];
    wait_until { @{$result = query($query)} } 10;

    ok(scalar(@$result), "$query returns data");
    isnt($result->[0]{value}[1], 'NaN', 'a number') if @$result;
}

ok((wait_until {
    my $seen = query('sum(constraint_decisions_total{message_type="a"})');
    @$seen && $seen->[0]{value}[1] == $sent;
} 10), 'every decision is counted in the end');
