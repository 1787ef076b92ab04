# Copyright (C) ngx_http_constraint_module authors
# SPDX-License-Identifier: BSD-2-Clause
#
# Sourced by nginx's auto/make: nginx compiles every source with $(CC) and
# one set of flags, so the C++ shims get their standard here, per object.
#
# nginx asks a module for its tables alone, which are in an object of nginx's
# own making: what the sources give each other is hidden, so that calls go
# straight, not by way of the dynamic linker's table.  constraint_lto is of
# ../config.

for ngx_src in $ngx_addon_dir/*/*.cc; do
    ngx_obj=`basename $ngx_src .cc`
    ngx_obj=addon/`basename \`dirname $ngx_src\``/$ngx_obj.$ngx_objext

    cat << END                                                >> $NGX_MAKEFILE

$NGX_OBJS/$ngx_obj:	CFLAGS += -std=gnu++17

END

done

for ngx_src in $ngx_addon_dir/*/*.c; do
    ngx_obj=`basename $ngx_src .c`
    ngx_obj=addon/`basename \`dirname $ngx_src\``/$ngx_obj.$ngx_objext

    cat << END                                                >> $NGX_MAKEFILE

$NGX_OBJS/$ngx_obj:	CFLAGS += -fvisibility=hidden $constraint_lto

END

done
