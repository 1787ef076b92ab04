
/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * cel_library.c - the list of all function libraries.
 */


#include "cel_function.h"


const cel_overload_spec_t *const  cel_libraries[] = {
    cel_lib_operators,
    cel_lib_convert,
    cel_lib_string,
    cel_lib_collection,
    cel_lib_time,
    cel_lib_strings_ext,
    cel_lib_optional,
    cel_lib_message,
    cel_lib_math,
    cel_lib_encoders,
    cel_lib_lists,
    cel_lib_sets,
    cel_lib_network,
    cel_lib_regex,
    cel_lib_url,
    cel_lib_quantity,
    cel_lib_semver,
    cel_lib_formats,
    NULL
};
