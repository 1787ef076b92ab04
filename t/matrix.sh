#!/usr/bin/env bash
# Copyright (C) ngx_http_constraint_module authors
# SPDX-License-Identifier: BSD-2-Clause
#
# The long and combinatorial runs, and docs/MATRIX.md, the table of their last
# results.

set -u

usage() {
    cat <<END
usage: t/matrix.sh [PART]...

  clang     the suite against a build by clang
  dist      the suite against the distribution's nginx, module as shipped
  valgrind  the unit tests under valgrind
  modes1, modes4
            the suite with 1 and 4 workers, over HTTP/1 and HTTP/2, from a
            fresh start and after a reload
  crash     the crash script with 10,000 writes
  soak      10 minutes of mixed traffic
  cost      the estimate against the meter, 100,000 programs
  fuzz      24 processor minutes of the fuzz targets
  prometheus
            metrics scraped under load, the queries of the manual
  differential
            20,000 generated expressions against another implementation
  next      the tests of gate and API against nginx 1.26 of the next Debian
            release, the module inside and loaded

Without a PART all of them.  Each replaces its rows of docs/MATRIX.md.
END
}

root=$(cd "$(dirname "$0")/.." && pwd)
export BUILD=${BUILD:-$root/build}
results=$BUILD/matrix
table=$root/docs/MATRIX.md
failed=0
all="clang dist valgrind modes1 modes4 crash soak cost fuzz prometheus \
differential next"

parts=("$@")

if [ ${#parts[@]} -eq 0 ]; then
    read -ra parts <<< "$all"
fi

for part in "${parts[@]}"; do
    case "$part" in
        -h|--help)  usage; exit 0 ;;
    esac

    case " $all " in
        *" $part "*)  ;;
        *)  echo "matrix.sh: unknown part \"$part\"" >&2
            usage >&2
            exit 2 ;;
    esac
done

cd "$root" || exit 1
mkdir -p "$results"
t/deps.sh build test matrix || exit 1


# row PART NAME COMMAND...: runs it, shows it, and keeps a row of the table;
# COMMAND is env-style, so that the table tells what to type

row() {
    local part=$1 name=$2 start log seconds result summary

    shift 2
    start=$(date +%s)
    log=$results/$part-$(echo "$name" | tr -c 'A-Za-z0-9\n' '-').log

    echo
    echo "== $part: $name"
    echo "== $*"

    env "$@" 2>&1 | tee "$log"

    if [ "${PIPESTATUS[0]}" -eq 0 ]; then
        result=pass
    else
        result=FAIL
        failed=1
    fi

    seconds=$(($(date +%s) - start))
    summary=$(sed -nE 's/^(Files=[0-9]+, Tests=[0-9]+).*/\1/p' "$log" \
              | tail -n 1)
    summary="$summary$(sed -nE 's/^differential: (.*)/\1/p' "$log")"
    summary="$summary$(awk '/ executions .* crashes/ { n += $4; c += $8; t++ }
                            END { if (t) print t " targets, " n \
                                  " executions, " c " crashes" }' "$log")"
    summary="$summary$(sed -nE 's/^Skipped: (.*)/; skipped \1/p' "$log" \
                       | tail -n 1)"

    echo "| $part | $name | \`$*\` | **$result** | ${summary#; } |" \
         "$((seconds / 60)) min $((seconds % 60)) s | $(date -u +%F) |" \
        >> "$results/$part.rows"
}


run_part() {
    local workers h2 reload name

    case "$1" in
        clang)
            row clang "built by clang" t/run.sh --clang ;;

        dist)
            row dist "module as shipped" t/run.sh --dist ;;

        valgrind)
            t/build.sh unit || return
            row valgrind "unit tests" t/lib/valgrind-units ;;

        modes[14])
            workers=${1#modes}

            for h2 in "" TEST_NGINX_H2=1; do
                for reload in "" TEST_NGINX_RELOAD=1; do
                    name="$workers workers, HTTP/${h2:+2}"
                    [ -n "$h2" ] || name="${name}1"
                    name="$name, ${reload:+reloaded}"
                    [ -n "$reload" ] || name="${name}fresh"

                    row "$1" "$name" TEST_NGINX_WORKERS="$workers" \
                        $h2 $reload t/run.sh --plain --again
                done
            done ;;

        crash)
            row crash "10,000 writes" TEST_NGINX_LONG=1 t/run.sh --plain crash
            ;;

        soak)
            row soak "10 minutes" TEST_NGINX_LONG=1 t/run.sh --plain soak ;;

        cost)
            t/build.sh unit || return
            row cost "100,000 programs" t/lib/cost-programs 100000 ;;

        fuzz)
            row fuzz "24 processor minutes" t/fuzz/run 206 ;;

        prometheus)
            row prometheus "metrics under load" TEST_NGINX_LONG=1 \
                t/run.sh --plain prometheus ;;

        differential)
            t/build.sh ctl || return
            row differential "20,000 expressions" \
                t/fuzz/differential 20000 "$(date +%Y%m%d)" ;;

        next)
            row next "nginx 1.26, module inside" t/run.sh --next gate/ api/
            row next "nginx 1.26, module loaded" \
                t/run.sh --next-dynamic gate/ api/ ;;
    esac
}


write_table() {
    local part

    {
        cat <<END
# The matrix

The long and combinatorial runs, by \`t/matrix.sh\`: last results, one row per
run.  The suite itself (\`t/run.sh\`, plain and with ASan and UBSan) is what
every change has to pass; this is what a release has to pass besides.

Machine: $(uname -sr), $(nproc) processors,
$(sed -n 's/^MemTotal: *\([0-9]*\) kB/\1/p' /proc/meminfo \
  | awk '{printf "%.0f GB", $1 / 1048576}') of memory;
$(/usr/sbin/nginx -v 2>&1 | sed 's/.*: //'),
gcc $(gcc -dumpfullversion), clang $(clang -dumpversion),
$(valgrind --version).

| part | what | command | result | | time | date |
|---|---|---|---|---|---|---|
END
        for part in $all; do
            if [ -f "$results/$part.rows" ]; then
                cat "$results/$part.rows"
            else
                grep "^| $part |" "$table" 2>/dev/null
            fi
        done
    } > "$results/table"

    cp "$results/table" "$table"
}


# the rows of other parts are those of the table as committed

rm -f "$results"/*.rows

for part in "${parts[@]}"; do
    run_part "$part"
    write_table
done

echo
grep '^| ' "$table"

if [ "$failed" -ne 0 ]; then
    echo
    echo "matrix.sh: something failed, the logs are in $results"
    exit 1
fi
