#!/usr/bin/env bash
# Copyright (C) ngx_http_constraint_module authors
# SPDX-License-Identifier: BSD-2-Clause
#
# Builds the module; run.sh, quickstart.sh and matrix.sh all come here.
# Installs nothing (see deps.sh) and writes only below the build folder.

set -eu

usage() {
    cat <<END
usage: t/build.sh MODE...

  module   build/ngx_http_constraint_module.so for the distribution's nginx,
           and build/constraintctl
  ctl      build/constraintctl alone
  debug    build/debug/nginx: Debian's nginx source, module inside, fault
           directives on
  asan     build/asan/nginx: the same with ASan, UBSan and one malloc per
           pool allocation
  clang    build/clang/nginx: the same compiled by clang
  dynamic  build/dynamic/: the module alone, by --add-dynamic-module in
           nginx's source tree
  next     build/next/nginx: the same as debug with the nginx of the next
           Debian release, 1.26, and HTTP/3
  next-dynamic
           build/next_dynamic/: that nginx, and the module as a dynamic one
  unit     build/unit/: libraries and unit tests
  unit-asan, unit-clang
           the same with ASan and UBSan, and compiled by clang
  unit-tsan
           build/unit-tsan/t/cel/test_threads by clang with TSan
  fuzz     build/fuzz/: the targets of t/fuzz by clang, with libFuzzer, ASan
           and UBSan
  source   build/src/nginx: nginx's source tree alone

Prints what each mode made.  BUILD=DIR takes another build folder, JOBS=N
another number of compilers at once (2).
END
}

root=$(cd "$(dirname "$0")/.." && pwd)
build=${BUILD:-$root/build}
jobs=${JOBS:-2}

if ! mkdir -p "$build" 2>/dev/null || [ ! -w "$build" ]; then
    echo "build.sh: $build cannot be written to by $(id -un), who builds;" \
         "make it theirs or choose another folder by BUILD=DIR" >&2
    exit 1
fi

build=$(cd "$build" && pwd)

case "$root$build" in
    *[[:space:]]*)
        echo "build.sh: nginx's make cannot work in a folder whose name" \
             "holds spaces: $root" >&2
        exit 1 ;;
esac


# fail MODE LOG: the compiler's own words first, then one line

fail() {
    grep -E 'error:|warning:|undefined reference|multiple definition' "$2" \
        | head -n 40 >&2 || true
    tail -n 15 "$2" >&2
    echo "build.sh: $1 failed, all of it is in $2" >&2
    exit 1
}


# lock NAME: one build of a kind at a time, others wait

lock() {
    exec 9>"$build/.lock-$1"
    flock 9
}


# only_suite FROM TO: of the lists of a machine those of suite FROM, as TO

only_suite() {
    local tmp=$1 from=$2 to=$3 file

    for file in "$tmp"/sources/*; do
        if [ ! -f "$file" ]; then
            continue
        fi

        case "$file" in
            *.list)
                sed -nE "s/^(.*[[:space:]])$from([[:space:]])/\\1$to\\2/p" \
                    "$file" > "$file.new" ;;

            *)
                # a stanza without the suite goes

                awk -v from="$from" -v to="$to" '
                    BEGIN { RS = ""; ORS = "\n\n" }
                    {
                        n = split($0, lines, "\n")
                        found = 0
                        text = ""

                        for (i = 1; i <= n; i++) {
                            if (lines[i] ~ /^Suites:/) {
                                found = (" " lines[i] " ") ~ (" " from " ")
                                lines[i] = "Suites: " to
                            }

                            text = text (i > 1 ? "\n" : "") lines[i]
                        }

                        if (found) print text
                    }' "$file" > "$file.new" ;;
        esac

        mv "$file.new" "$file"
    done
}


# fetch_source [SUITE]: Debian's source package through a deb-src list of our
# own, made from the machine's lists; apt's own state is not touched.  SUITE
# is another release than the machine's, unpacked beside.

fetch_source() {
    local suite=${1:-} src=$build/src${1:+-$1} tmp apt file
    local version installed others

    if [ -f "$src/nginx/configure" ]; then
        return
    fi

    tmp=$src/apt
    rm -rf "$src"
    mkdir -p "$tmp/lists/partial" "$tmp/sources"

    for file in /etc/apt/sources.list /etc/apt/sources.list.d/*.list; do
        if [ -f "$file" ]; then
            sed -nE 's/^[[:space:]]*deb([[:space:]])/deb-src\1/p' "$file" \
                > "$tmp/sources/${file##*/}"
        fi
    done

    for file in /etc/apt/sources.list.d/*.sources; do
        if [ -f "$file" ]; then
            sed -E 's/^Types:.*/Types: deb-src/; /^Architectures:/d' "$file" \
                > "$tmp/sources/${file##*/}"
        fi
    done

    if [ -n "$suite" ]; then
        only_suite "$tmp" "$(. /etc/os-release && echo "$VERSION_CODENAME")" \
            "$suite"
    fi

    apt="apt-get -o Dir::Etc::sourcelist=/dev/null
         -o Dir::Etc::sourceparts=$tmp/sources
         -o Dir::State::lists=$tmp/lists
         -o Dir::Cache::pkgcache= -o Dir::Cache::srcpkgcache=
         -o APT::Sandbox::User=root"

    echo "fetching nginx's source package${suite:+ of $suite}" >&2

    # lists of other projects may hold no sources: the download decides

    $apt update > "$tmp/log" 2>&1 || true

    # the version that is installed, else the newest, else any: a mirror may
    # tell of one that it does not have yet

    installed=$(dpkg-query -W -f '${source:Version}' nginx 2>/dev/null) || true
    others=$(${apt/#apt-get/apt-cache} showsrc --only-source nginx 2>/dev/null \
             | sed -n 's/^Version: /=/p' | sort -Vr) || true

    (cd "$src" || exit 1

     for version in "=$installed" "" $others; do
         if $apt source --download-only -qq "nginx$version"; then
             break
         fi

         rm -f nginx_*.dsc
     done

     dpkg-source --no-check -x nginx_*.dsc nginx) \
        >> "$tmp/log" 2>&1 || fail "apt-get source nginx" "$tmp/log"
}


# configured DIR ARGS...: is DIR configured from the same things as now

configured() {
    local dir=$1

    shift

    stamp=$({ printf '%s\n' "$@"
              cat "$root/config" "$root/src/config.make"
              cd "$root" && LC_ALL=C ls src/*/*.c src/*/*.cc src/*/*.h
            } 2>/dev/null | sha256sum)

    [ -f "$dir/Makefile" ] && [ -f "$dir/stamp" ] \
        && [ "$stamp" = "$(cat "$dir/stamp")" ]
}


# configure_quietly DIR LOG ARGS...: a new source file asks for a new Makefile,
# but must not make all of nginx older than its generated headers

configure_quietly() {
    local dir=$1 log=$2 name

    shift 2

    for name in ngx_auto_config.h ngx_auto_headers.h; do
        if [ -f "$dir/$name" ]; then
            cp -p "$dir/$name" "$dir/$name.old"
        fi
    done

    ./configure "$@" > "$log" 2>&1 || return 1

    # configuring with other flags has to compile everything anew

    printf '%s\n' "$@" > "$dir/flags.new"

    for name in ngx_auto_config.h ngx_auto_headers.h; do
        if cmp -s "$dir/$name" "$dir/$name.old" \
           && cmp -s "$dir/flags" "$dir/flags.new"
        then
            mv "$dir/$name.old" "$dir/$name"
        fi
    done

    mv "$dir/flags.new" "$dir/flags"
}


# build_nginx MODE WAY CC OPTIMISE SANITIZE: nginx from source in build/MODE,
# the module added by --WAY; the modes next take the next release's

build_nginx() {
    local mode=$1 way=$2 cc=$3 opt=$4 san=$5 dir=$build/$1
    local log=$build/$1/log target=binary product=nginx suite= more= objs

    if [ "$way" = add-dynamic-module ]; then
        target=modules
        product=ngx_http_constraint_module.so
    fi

    case "$mode" in
        next*)
            suite=$next
            more=--with-http_v3_module
            [ "$target" = binary ] || target="binary modules" ;;
    esac

    lock source
    fetch_source $suite
    lock "$mode"
    mkdir -p "$dir"

    cd "$build/src${suite:+-$suite}/nginx"

    # nginx's make edits these names by their suffixes, so keep them short

    objs=$(realpath --relative-to="$(pwd -P)" "$dir")

    set -- --builddir="$objs" --prefix="$dir" --error-log-path=stderr \
        --with-cc="$cc" --with-cc-opt="$opt $san" --with-ld-opt="$san" \
        --with-compat --with-debug --with-threads --with-pcre-jit \
        --with-http_ssl_module --with-http_v2_module \
        --with-http_realip_module --with-http_auth_request_module \
        --with-http_slice_module --with-http_stub_status_module \
        --with-http_dav_module --with-http_addition_module \
        --with-http_sub_module --with-http_gunzip_module \
        --with-http_random_index_module --with-http_secure_link_module \
        $more --"$way"="$root"

    if ! configured "$dir" "$@"; then
        echo "configuring nginx ($mode)" >&2
        rm -f "$dir/stamp"
        CONSTRAINT_FAULTS=1 configure_quietly "$dir" "$log" "$@" \
            || fail "configure ($mode)" "$log"
        echo "$stamp" > "$dir/stamp"
    fi

    echo "building nginx ($mode)" >&2
    make -j"$jobs" -f "$objs/Makefile" $target > "$log" 2>&1 \
        || fail "build ($mode)" "$log"

    echo "$dir/$product"
}


# the module for the distribution's nginx, by the distribution's flags

build_module() {
    local dir=$build/module src=/usr/share/nginx/src log=$build/module/log
    local so=ngx_http_constraint_module.so

    if [ ! -f $src/configure ]; then
        echo "build.sh: $src is missing, install the package nginx-dev" >&2
        exit 1
    fi

    lock module
    mkdir -p "$dir"
    cd $src

    # conf_flags sets NGX_CONF_FLAGS, with which the distribution was built

    . ./conf_flags

    set -- "${NGX_CONF_FLAGS[@]}" \
        --with-cc-opt="$(dpkg-buildflags --get CFLAGS) -fPIC \
                       $(dpkg-buildflags --get CPPFLAGS)" \
        --with-ld-opt="$(dpkg-buildflags --get LDFLAGS) -fPIC" \
        --add-dynamic-module="$root" --builddir="$dir"

    if ! configured "$dir" "$@"; then
        echo "configuring the module" >&2
        rm -f "$dir/stamp"
        unset CONSTRAINT_FAULTS
        configure_quietly "$dir" "$log" "$@" \
            || fail "configure (module)" "$log"
        echo "$stamp" > "$dir/stamp"
    fi

    echo "building the module" >&2
    make -j"$jobs" -f "$dir/Makefile" modules > "$log" 2>&1 \
        || fail "build (module)" "$log"

    cp "$dir/$so" "$build/$so.new"
    mv "$build/$so.new" "$build/$so"
    echo "$build/$so"
}


# build_libs MODE TARGET ARGS...: the part that knows no nginx

build_libs() {
    local mode=$1 target=$2 log=$build/$1/log

    shift 2
    lock "$mode"
    mkdir -p "$build/$mode"

    echo "building $target ($mode)" >&2
    make -j"$jobs" -C "$root/src" OUT="$build/$mode" "$@" "$target" \
        > "$log" 2>&1 || fail "build ($mode)" "$log"
}


build_ctl() {
    build_libs unit constraintctl
    cp "$build/unit/constraintctl" "$build/constraintctl.new"
    mv "$build/constraintctl.new" "$build/constraintctl"
    echo "$build/constraintctl"
}


if [ $# -eq 0 ]; then
    usage
    exit 2
fi

asan="-fsanitize=address,undefined -fno-omit-frame-pointer"
stop=-fno-sanitize-recover=all

# the Debian release after the one that is supported

next=trixie

for mode in "$@"; do
    case "$mode" in
        module)
            (build_module)
            (build_ctl) ;;
        ctl)
            (build_ctl) ;;
        debug)
            (build_nginx debug add-module gcc "-O1 -g" "") ;;
        asan)
            (build_nginx asan add-module gcc \
                "-O1 -g -DNGX_DEBUG_PALLOC=1" "$asan") ;;
        clang)
            (build_nginx clang add-module clang "-O1 -g" "") ;;
        dynamic)
            (build_nginx dynamic add-dynamic-module gcc "-O1 -g" "") ;;
        next)
            (build_nginx next add-module gcc "-O1 -g" "") ;;
        next-dynamic)
            (build_nginx next_dynamic add-dynamic-module gcc "-O1 -g" "") ;;
        unit)
            (build_libs unit units)
            echo "$build/unit" ;;
        unit-asan)
            (build_libs unit-asan units OPT="-O1" SANITIZE="$asan")
            echo "$build/unit-asan" ;;
        unit-clang)
            (build_libs unit-clang units CC=clang CXX=clang++ \
                OPT="-O2 -Wconditional-uninitialized")
            echo "$build/unit-clang" ;;
        unit-tsan)
            (build_libs unit-tsan "$build/unit-tsan/t/cel/test_threads" \
                CC=clang CXX=clang++ OPT="-O1" SANITIZE="-fsanitize=thread")
            echo "$build/unit-tsan" ;;
        fuzz)
            (build_libs fuzz fuzz CC=clang CXX=clang++ OPT="-O1" \
                SANITIZE="-fsanitize=fuzzer-no-link $asan $stop")
            echo "$build/fuzz" ;;
        source)
            (lock source && fetch_source)
            echo "$build/src/nginx" ;;
        -h|--help)
            usage
            exit 0 ;;
        *)
            echo "build.sh: unknown mode \"$mode\"" >&2
            usage >&2
            exit 2 ;;
    esac
done
