#!/usr/bin/perl

# Copyright (C) ngx_http_constraint_module authors
# SPDX-License-Identifier: BSD-2-Clause
#
# once: no nginx in it
# deps: conformance
#
# The conformance tests of cel-spec through `constraintctl eval --jsonl`.  The
# data is the npm package below, fetched into the build folder.  A test is
# skipped when it names a message type of a schema, which
# conformance/export.mjs finds out; there are no lists of tests.  What each
# area passes, skips and fails is pinned in conformance/totals.txt: to change
# it, put what this test prints there.

use warnings;
use strict;

use Digest::SHA;
use File::Path qw(make_path remove_tree);
use FindBin;
use IPC::Open2;
use JSON::PP;
use POSIX ();
use Test::More;

use lib "$FindBin::RealBin/../lib";
use Test::Constraint;

my $package = '@bufbuild/cel-spec';
my $version = '0.6.1';
my $sha256 =
    '37e4b203f5ca5192db73a6095d129fb5e58a262a89309ba32e1840e7a80270e1';

my $root = root_dir();
my $build = Test::Constraint::build_dir();
my $ctl = "$build/constraintctl";
my $home = "$build/conformance";
my $json = JSON::PP->new->utf8->canonical->allow_nonref;

my $folder = fetch();
my @tests = export($folder);
my @answers = evaluate(map { $_->{test} } grep { runs($_) } @tests);
my (%areas, @failed);

for my $test (@tests) {
    my $area = $areas{$test->{area}} //= { passed => 0, skipped => 0,
        failed => 0 };

    next if !$test->{test};

    if (!runs($test)) {
        $area->{skipped}++;
        next;
    }

    my $answer = shift @answers;
    my $wrong = judge($test->{test}, $answer);

    $area->{$wrong ? 'failed' : 'passed'}++;
    push @failed, [$test, $answer, $wrong] if $wrong;
}

is(scalar(@answers), 0, 'one answer for each test');

my $table = table(\%areas);
diag($table);

is($table, slurp("$root/t/cel/conformance/totals.txt"),
    'the totals are those of conformance/totals.txt');
is(scalar(@failed), 0, 'no test fails');

for my $failure (@failed) {
    my ($test, $answer, $wrong) = @$failure;
    my $text = "$test->{area}/$test->{name}: $test->{test}{expr}\n"
        . "    expected $wrong, is " . $json->encode($answer);
    $text =~ s/([^\n\x20-\x7e])/sprintf('\\x%02x', ord($1))/ge;
    $ENV{CONFORMANCE_FAILED} ? diag($text) : note($text);
}

done_testing();


sub runs {
    my ($test) = @_;

    return $test->{test} && !defined $test->{skip};
}


# The folder of the unpacked package.

sub fetch {
    my $dir = "$home/$version";

    return "$dir/package" if -f "$dir/ready";

    remove_tree($dir);
    make_path($dir);

    my $pack = 'npm pack --loglevel=error --fetch-retries=1';
    my $log = `cd '$dir' && $pack $package\@$version 2>&1`;
    my ($file) = glob("$dir/*.tgz");

    if (!defined $file) {
        my ($why) = $log =~ /(?:^npm .*?|: )((?:request|network) .+)/m;
        plan(skip_all => "npm cannot fetch $package: "
            . ($why // (split(/\n/, $log))[0]));
    }

    is(Digest::SHA->new(256)->addfile($file, 'b')->hexdigest(), $sha256,
        'the package is the one that was pinned') or return give_up();

    system('tar', 'xzf', $file, '-C', $dir) == 0 or return give_up();
    open(my $fh, '>', "$dir/ready") or die "$dir/ready: $!\n";
    close($fh);

    return "$dir/package";
}


sub give_up {
    fail('the conformance tests are there');
    done_testing();
    exit(1);
}


sub export {
    my ($dir) = @_;

    open(my $pipe, '-|', 'node', "$root/t/cel/conformance/export.mjs", $dir)
        or die "node: $!\n";
    my @lines = map { $json->decode($_) } <$pipe>;
    ok(close($pipe), 'the package is read') or give_up();

    cmp_ok(scalar(grep { $_->{test} } @lines), '>', 2000,
        'it holds the tests');

    return @lines;
}


sub evaluate {
    my @lines = map { $json->encode($_) } @_;

    my $pid = open2(my $out, my $in, $ctl, 'eval', '--jsonl');
    my $writer = fork() // die "fork: $!\n";

    if ($writer == 0) {
        print $in "$_\n" for @lines;
        close($in);
        POSIX::_exit(0);
    }

    close($in);
    my @got = map { $json->decode($_) } <$out>;

    waitpid($writer, 0);
    waitpid($pid, 0);
    is($?, 0, 'constraintctl ends well');

    return @got;
}


# What was expected, when it is not what came; undef when it is.

sub judge {
    my ($test, $answer) = @_;

    if (exists $test->{evalError} || exists $test->{anyEvalErrors}) {
        return $answer->{error} ? undef : 'an error';
    }

    my $typed = $test->{typedResult};

    if ($typed && $typed->{deducedType}) {
        my $type = type_text($typed->{deducedType});
        return "type $type" if ($answer->{type} // '') ne $type;
        return undef if $test->{checkOnly};
    }

    my $expected = $test->{value} // ($typed && $typed->{result})
        // { boolValue => JSON::PP::true };
    my $text = text($expected);

    return undef if $answer->{value} && text($answer->{value}) eq $text;
    return $text;
}


# A type in CEL's own notation.

sub type_text {
    my ($type) = @_;

    my ($kind) = keys %$type;
    my $body = defined $kind ? $type->{$kind} : undef;
    my %words = (INT64 => 'int', UINT64 => 'uint', TIMESTAMP => 'timestamp',
        DURATION => 'duration', ANY => 'dyn');

    return 'dyn' if !defined $kind || $kind eq 'dyn';
    return 'null' if $kind eq 'null';
    return 'type(' . type_text($body) . ')' if $kind eq 'type';
    return $words{$body} // lc($body)
        if $kind eq 'primitive' || $kind eq 'wellKnown';
    return 'wrapper(' . ($words{$body} // lc($body)) . ')'
        if $kind eq 'wrapper';
    return 'list(' . type_text($body->{elemType}) . ')'
        if $kind eq 'listType';
    return 'map(' . type_text($body->{keyType}) . ', '
        . type_text($body->{valueType}) . ')' if $kind eq 'mapType';

    if ($kind eq 'abstractType') {
        my @params = map { type_text($_) } @{ $body->{parameterTypes} // [] };
        return $body->{name} . (@params ? '(' . join(', ', @params) . ')'
            : '');
    }

    return $body;
}


# A value as a text that equal values share: messages that are values of CEL
# are unwrapped, entries sorted, numbers in one form.

sub text {
    my ($value) = @_;

    my ($kind, $body) = %$value;

    return 'null' if $kind eq 'nullValue';
    return $body ? 'true' : 'false' if $kind eq 'boolValue';
    return "int $body" if $kind eq 'int64Value';
    return "uint $body" if $kind eq 'uint64Value';
    return 'double ' . number($body) if $kind eq 'doubleValue';
    return 'string ' . $json->encode($body) if $kind eq 'stringValue';
    return "bytes $body" if $kind eq 'bytesValue';
    return "type $body" if $kind eq 'typeValue';
    return message($body) if $kind eq 'objectValue';

    if ($kind eq 'listValue') {
        return '[' . join(', ', map { text($_) } @{ $body->{values} // [] })
            . ']';
    }

    if ($kind eq 'mapValue') {
        return '{' . join(', ', sort map { text($_->{key}) . ': '
            . text($_->{value}) } @{ $body->{entries} // [] }) . '}';
    }

    return $json->encode($value);
}


sub message {
    my ($body) = @_;

    my $type = $body->{'@type'} // '';
    my $value = $body->{value};

    return $json->encode($body)
        if $type !~ s{^type\.googleapis\.com/google\.protobuf\.}{};

    return message($value) if $type eq 'Any';
    return plain($value) if $type =~ /^(?:Value|Struct|ListValue)$/;
    return $value ? 'true' : 'false' if $type eq 'BoolValue';
    return "int $value" if $type =~ /^Int(?:32|64)Value$/;
    return "uint $value" if $type =~ /^UInt(?:32|64)Value$/;
    return 'double ' . number($value) if $type =~ /^(?:Float|Double)Value$/;
    return 'string ' . $json->encode($value) if $type eq 'StringValue';
    return "bytes $value" if $type eq 'BytesValue';

    # 1.500s is 1.5s

    if ($type =~ /^(?:Timestamp|Duration)$/) {
        $value =~ s/(\.\d*?)0+([sZ])$/$1$2/;
        $value =~ s/\.([sZ])$/$1/;
    }

    return "$type " . $json->encode($value);
}


# JSON as google.protobuf.Value has it

sub plain {
    my ($value) = @_;

    return 'null' if !defined $value;
    return $value ? 'true' : 'false' if JSON::PP::is_bool($value);
    return '[' . join(', ', map { plain($_) } @$value) . ']'
        if ref $value eq 'ARRAY';
    return '{' . join(', ', sort map { 'string ' . $json->encode($_) . ': '
        . plain($value->{$_}) } keys %$value) . '}' if ref $value eq 'HASH';
    return 'double ' . number($value) if $json->encode($value) !~ /^"/;
    return 'string ' . $json->encode($value);
}


sub number {
    my ($body) = @_;

    return $body if $body =~ /^-?(?:NaN|Infinity)$/;
    return sprintf('%.17g', $body == 0 ? 0 : $body);
}


sub table {
    my ($areas) = @_;

    my %sum;
    my $text = sprintf("%-16s %7s %7s %7s\n", 'area', 'passed', 'skipped',
        'failed');

    for my $area (sort keys %$areas) {
        my $counts = $areas->{$area};
        $sum{$_} += $counts->{$_} for keys %$counts;
        $text .= line($area, $counts);
    }

    return $text . line('total', \%sum);
}


sub line {
    my ($name, $counts) = @_;

    return sprintf("%-16s %7d %7d %7d\n", $name,
        @$counts{qw(passed skipped failed)});
}
