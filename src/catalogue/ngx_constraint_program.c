/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * The compiled workflows of one worker: immutable, counted, found by workflow
 * and revision.  One that cannot be compiled is kept with its reason, so that
 * it is not tried at every request.
 */


#include "ngx_constraint_catalogue_room.h"


ngx_constraint_program_t *
ngx_constraint_program_lookup(ngx_constraint_worker_t *worker,
    const ngx_str_t *id, uint64_t revision)
{
    uint32_t                   hash;
    ngx_constraint_program_t  *program;

    hash = ngx_murmur_hash2(id->data, id->len);

    for (program = worker->programs[hash & (worker->programs_size - 1)];
         program;
         program = program->next)
    {
        if (program->hash == hash && program->revision == revision
            && program->id.len == id->len
            && ngx_memcmp(program->id.data, id->data, id->len) == 0)
        {
            return program;
        }
    }

    return NULL;
}


ngx_constraint_program_t *
ngx_constraint_program_create(const ngx_str_t *id, uint64_t revision,
    workflow_t *workflow, const u_char *error)
{
    size_t                     len;
    u_char                    *p;
    ngx_constraint_program_t  *program;

    len = workflow ? 0 : ngx_strlen(error);

    program = ngx_calloc(sizeof(ngx_constraint_program_t) + id->len + len,
                         ngx_cycle->log);
    if (program == NULL) {
        if (workflow) {
            workflow_destroy(workflow);
        }

        return NULL;
    }

    p = (u_char *) (program + 1);

    program->id.data = p;
    program->id.len = id->len;
    p = ngx_cpymem(p, id->data, id->len);

    program->error.data = p;
    program->error.len = len;

    if (workflow == NULL) {
        ngx_memcpy(p, error, len);
    }

    program->hash = ngx_murmur_hash2(id->data, id->len);
    program->revision = revision;
    program->workflow = workflow;
    program->bytes = sizeof(ngx_constraint_program_t) + id->len + len
                     + (workflow ? workflow_memory(workflow) : 0);
    program->refs = 1;

    ngx_queue_init(&program->rules);

    return program;
}


void
ngx_constraint_program_insert(ngx_constraint_worker_t *worker,
    ngx_constraint_program_t *program)
{
    ngx_constraint_program_t  **bucket;

    bucket = &worker->programs[program->hash & (worker->programs_size - 1)];
    program->next = *bucket;
    *bucket = program;

    program->listed = 1;
    program->idling = 1;
    program->refs++;

    ngx_queue_insert_head(&worker->idle, &program->idle);

    worker->nprograms++;
    worker->bytes += program->bytes;
}


void
ngx_constraint_program_release(ngx_constraint_program_t *program)
{
    if (--program->refs) {
        return;
    }

    if (program->workflow) {
        workflow_destroy(program->workflow);
    }

    ngx_free(program);
}


void
ngx_constraint_program_unlist(ngx_constraint_worker_t *worker,
    ngx_constraint_program_t *program)
{
    ngx_constraint_program_t  **place;

    place = &worker->programs[program->hash & (worker->programs_size - 1)];

    while (*place != program) {
        place = &(*place)->next;
    }

    *place = program->next;
    program->listed = 0;

    if (program->idling) {
        ngx_queue_remove(&program->idle);
        program->idling = 0;
    }

    worker->nprograms--;
    worker->bytes -= program->bytes;

    ngx_constraint_program_release(program);
}


void
ngx_constraint_program_drop(ngx_constraint_worker_t *worker,
    const ngx_str_t *id)
{
    uint32_t                   hash;
    ngx_queue_t               *q;
    ngx_constraint_loaded_t   *loaded;
    ngx_constraint_program_t  *program, *next;

    hash = ngx_murmur_hash2(id->data, id->len);

    for (program = worker->programs[hash & (worker->programs_size - 1)];
         program;
         program = next)
    {
        next = program->next;

        if (program->hash != hash || program->id.len != id->len
            || ngx_memcmp(program->id.data, id->data, id->len) != 0)
        {
            continue;
        }

        while (!ngx_queue_empty(&program->rules)) {
            q = ngx_queue_head(&program->rules);
            loaded = ngx_queue_data(q, ngx_constraint_loaded_t, siblings);
            ngx_constraint_rule_unlist(worker, loaded);
        }

        ngx_constraint_program_unlist(worker, program);
    }
}


void
ngx_constraint_program_used(ngx_constraint_worker_t *worker,
    ngx_constraint_loaded_t *loaded)
{
    ngx_constraint_program_t  *program;

    program = loaded->program;

    if (program->idling) {
        ngx_queue_remove(&program->idle);
        program->idling = 0;
    }

    ngx_queue_insert_tail(&program->rules, &loaded->siblings);
}


void
ngx_constraint_program_unused(ngx_constraint_worker_t *worker,
    ngx_constraint_loaded_t *loaded)
{
    ngx_constraint_program_t  *program;

    program = loaded->program;

    ngx_queue_remove(&loaded->siblings);

    if (program->listed && ngx_queue_empty(&program->rules)) {
        program->idling = 1;
        ngx_queue_insert_head(&worker->idle, &program->idle);
    }
}
