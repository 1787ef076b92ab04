/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * Faults of test builds: a small table of names and numbers in memory that
 * every process of one nginx shares.  Nothing of it is in other builds.
 */


#include "ngx_constraint_base.h"


#if (NGX_CONSTRAINT_FAULTS)


#include <sys/mman.h>


#define NGX_CONSTRAINT_FAULTS_MAX  64


typedef struct {
    char             name[56];
    ngx_atomic_t     value;
} ngx_constraint_fault_entry_t;

typedef struct {
    ngx_atomic_t                  count;
    ngx_constraint_fault_entry_t  faults[NGX_CONSTRAINT_FAULTS_MAX];
} ngx_constraint_fault_table_t;


static ngx_constraint_fault_entry_t *ngx_constraint_fault_lookup(
    const char *name, size_t len);


/* made before the fork, kept for the life of the process */

static ngx_constraint_fault_table_t  *ngx_constraint_faults;


ngx_int_t
ngx_constraint_fault_init(ngx_log_t *log)
{
    void  *p;

    if (ngx_constraint_faults) {
        return NGX_OK;
    }

    p = mmap(NULL, sizeof(ngx_constraint_fault_table_t),
             PROT_READ|PROT_WRITE, MAP_ANON|MAP_SHARED, -1, 0);
    if (p == MAP_FAILED) {
        ngx_log_error(NGX_LOG_EMERG, log, ngx_errno,
                      "constraint: mmap() of the fault table failed");
        return NGX_ERROR;
    }

    ngx_constraint_faults = p;

    return NGX_OK;
}


ngx_int_t
ngx_constraint_fault(const char *name)
{
    ngx_constraint_fault_entry_t  *fault;

    fault = ngx_constraint_fault_lookup(name, ngx_strlen(name));

    return fault ? (ngx_int_t) fault->value : 0;
}


ngx_int_t
ngx_constraint_fault_set(const ngx_str_t *name, ngx_int_t value)
{
    ngx_uint_t                     n;
    ngx_constraint_fault_entry_t  *fault;

    if (ngx_constraint_faults == NULL
        && ngx_constraint_fault_init(ngx_cycle->log) != NGX_OK)
    {
        return NGX_ERROR;
    }

    fault = ngx_constraint_fault_lookup((char *) name->data, name->len);

    if (fault == NULL) {
        n = ngx_constraint_faults->count;

        if (n == NGX_CONSTRAINT_FAULTS_MAX || name->len == 0
            || name->len >= sizeof(fault->name))
        {
            return NGX_ERROR;
        }

        fault = &ngx_constraint_faults->faults[n];
        ngx_memcpy(fault->name, name->data, name->len);
        ngx_memory_barrier();
        ngx_constraint_faults->count = n + 1;
    }

    fault->value = value;

    return NGX_OK;
}


static ngx_constraint_fault_entry_t *
ngx_constraint_fault_lookup(const char *name, size_t len)
{
    ngx_uint_t                     i;
    ngx_constraint_fault_entry_t  *fault;

    if (ngx_constraint_faults == NULL) {
        return NULL;
    }

    for (i = 0; i < ngx_constraint_faults->count; i++) {
        fault = &ngx_constraint_faults->faults[i];

        if (ngx_strncmp(fault->name, name, len) == 0
            && fault->name[len] == '\0')
        {
            return fault;
        }
    }

    return NULL;
}


#endif
