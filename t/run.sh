#!/usr/bin/env bash
# Copyright (C) ngx_http_constraint_module authors
# SPDX-License-Identifier: BSD-2-Clause
#
# Installs what is missing, builds, and runs the test suite with prove.

set -eu

usage() {
    cat <<END
usage: t/run.sh [OPTION]... [PATTERN]...

Runs every t/**/*.t, or those whose path holds a PATTERN, against nginx built
with the module inside, first with ASan and UBSan, then plain; prove's summary
comes last.

  --list        tell which those are, and do nothing
  --build-only  stop after build/ngx_http_constraint_module.so and
                build/constraintctl
  --plain       against the plain build alone
  --asan        against the ASan and UBSan build alone
  --clang       against the build of clang alone
  --next        against the nginx of the next Debian release, the module inside
  --next-dynamic
                against the same, the module loaded
  --dist        against the distribution's nginx and the module as shipped
  --again       without the files that would say the same a second time
  -j N          so many test files at once (3)
  -v            show every test
  --help        this text

The long runs are t/matrix.sh.
END
}

root=$(cd "$(dirname "$0")/.." && pwd)
export BUILD=${BUILD:-$root/build}

suites="asan plain"
jobs=3
verbose=
build_only=
again=
list=
patterns=()

while [ $# -gt 0 ]; do
    case "$1" in
        --list)        list=1 ;;
        --build-only)  build_only=1 ;;
        --again)       again=1 ;;
        --plain)       suites=plain ;;
        --asan)        suites=asan ;;
        --clang)       suites=clang ;;
        --next)        suites=next ;;
        --next-dynamic)
                       suites=next_dynamic ;;
        --dist)        suites=dist ;;
        -j)            jobs=${2:-}
                       case "$jobs" in
                           ''|*[!0-9]*|0)
                               echo "run.sh: -j needs a number" >&2
                               exit 2 ;;
                       esac
                       shift ;;
        -v)            verbose=-v ;;
        -h|--help)     usage; exit 0 ;;
        -*)            echo "run.sh: unknown option \"$1\"" >&2
                       usage >&2
                       exit 2 ;;
        *)             patterns+=("$1") ;;
    esac
    shift
done

cd "$root"


# a file that says "# once: REASON" means nothing in a second build, one that
# says "# deps: SET" needs more than the others

files=()
deps="build test"

for suite in $suites; do
    while read -r file; do
        if [ -n "$again" ] \
           || { [ "$suite" = asan ] && [ "$suites" != asan ]; }
        then
            if grep -q '^# once: ' "t/$file"; then
                continue
            fi
        fi

        wanted=1

        if [ ${#patterns[@]} -gt 0 ]; then
            wanted=

            for pattern in "${patterns[@]}"; do
                case "$pattern:/t/$file" in
                    *.t:*/"$pattern")       wanted=1 ;;
                    *.t:*)                  ;;
                    *:*"$pattern"*)         wanted=1 ;;
                esac
            done
        fi

        if [ -n "$wanted" ]; then
            files+=("$suite/$file")
            deps="$deps $(sed -n 's/^# deps: //p' "t/$file")"
        fi
    done < <(cd t && find . -name '*.t' -not -path './lib/*' \
             | sed 's,^\./,,' | LC_ALL=C sort)
done

if [ -z "$build_only" ] && [ ${#files[@]} -eq 0 ]; then
    echo "run.sh: no test matches: ${patterns[*]}" >&2
    exit 2
fi

if [ -n "$list" ]; then
    printf '%s\n' "${files[@]}"
    exit 0
fi


if [ -n "$build_only" ]; then
    t/deps.sh build
    t/build.sh module
    exit 0
fi

case " $suites " in
    *" clang "*)  deps="$deps matrix" ;;
esac

# all of it before anything is built, so that what cannot be had is told first

t/deps.sh $deps
t/build.sh module

for suite in $suites; do
    case "$suite" in
        plain)  t/build.sh debug unit ;;
        asan)   t/build.sh asan unit-asan ;;
        clang)  t/build.sh clang unit-clang ;;
        next)   t/build.sh next unit ;;
        next_dynamic)
                t/build.sh next-dynamic unit ;;
        dist)   t/build.sh unit ;;
    esac
done

mkdir -p "$BUILD/suite"

for suite in $suites; do
    ln -sfn "$root/t" "$BUILD/suite/$suite"
done

cd "$BUILD/suite"
PERL5LIB="$root/t/lib${PERL5LIB:+:$PERL5LIB}" \
    exec prove $verbose --timer -j "$jobs" \
    --formatter Test::Constraint::Formatter \
    --exec "$root/t/lib/exec" "${files[@]}"
