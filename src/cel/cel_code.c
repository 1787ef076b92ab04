
/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * cel_code.c - emission of instructions, constants and handlers into the
 * program being built.  Knows nothing of the tree.
 */


#include "cel_code.h"

#include <stdio.h>


#define CEL_CODE_MAX  (1u << 24)


static bool cel_code_room(cel_code_t *c, void *items, uint32_t count,
    uint32_t *room, size_t size);
static bool cel_code_grow(cel_code_t *c);


void
cel_code_fail(cel_code_t *c, cel_error_kind_t kind, const char *message)
{
    if (!c->failed) {
        cel_issue(c->issues, kind, c->ast, c->offset, "%s", message);
    }

    c->failed = true;
}


void
cel_code_no_memory(cel_code_t *c)
{
    char               message[CEL_MESSAGE_MAX];
    const cel_arena_t  *arena;

    if (c->program == NULL || c->program->arena.refused == 0) {
        cel_code_fail(c, CEL_E_MEMORY, "out of memory while compiling");
        return;
    }

    arena = &c->program->arena;

    snprintf(message, sizeof(message), "the program gets %zu bytes, at most "
             "%zu are allowed", arena->refused, arena->limit);
    cel_code_fail(c, CEL_E_TOO_LARGE, message);
}


/* items is the address of the array's pointer; *room is what it holds. */

static bool
cel_code_room(cel_code_t *c, void *items, uint32_t count, uint32_t *room,
    size_t size)
{
    void      *p, *old;
    uint32_t   more;

    if (c->failed) {
        return false;
    }

    if (count < *room) {
        return true;
    }

    more = *room != 0 ? *room * 2 : 16;

    if (more > CEL_CODE_MAX) {
        cel_code_fail(c, CEL_E_TOO_LARGE, "the program gets too large");
        return false;
    }

    p = cel_arena_alloc(c->arena, more * size);
    if (p == NULL) {
        cel_code_no_memory(c);
        return false;
    }

    memcpy(&old, items, sizeof(old));

    if (count != 0) {
        memcpy(p, old, count * size);
    }

    memcpy(items, &p, sizeof(p));
    *room = more;

    return true;
}


/* The three arrays per instruction grow as one. */

static bool
cel_code_grow(cel_code_t *c)
{
    uint32_t  room;

    room = c->code_room;

    if (!cel_code_room(c, &c->offsets, c->ncode, &room, sizeof(uint32_t))) {
        return false;
    }

    room = c->code_room;

    if (!cel_code_room(c, &c->handler_of, c->ncode, &room,
                       sizeof(uint32_t)))
    {
        return false;
    }

    return cel_code_room(c, &c->code, c->ncode, &c->code_room,
                         sizeof(cel_instr_t));
}


uint32_t
cel_emit(cel_code_t *c, cel_opcode_t op, uint32_t a, uint32_t b, int effect)
{
    cel_instr_t  *instr;

    if (!cel_code_grow(c)) {
        return 0;
    }

    if (a > UINT16_MAX) {
        cel_code_fail(c, CEL_E_TOO_LARGE, "the expression nests too deep");
        return 0;
    }

    instr = &c->code[c->ncode];

    instr->op = (uint16_t) op;
    instr->a = (uint16_t) a;
    instr->b = b;

    c->offsets[c->ncode] = c->offset;
    c->handler_of[c->ncode] = c->handler;
    c->depth = (uint32_t) ((int) c->depth + effect);

    if (c->depth > c->program->nstack) {
        c->program->nstack = c->depth;
    }

    return c->ncode++;
}


void
cel_emit_arg(cel_code_t *c, uint32_t a, uint32_t b)
{
    cel_emit(c, CEL_OP_ARG, a, b, 0);
}


void
cel_emit_const(cel_code_t *c, const cel_value_t *v)
{
    cel_emit(c, CEL_OP_CONST, 0, cel_code_constant(c, v), 1);
}


void
cel_code_land(cel_code_t *c, uint32_t pc)
{
    if (!c->failed) {
        c->code[pc].b = c->ncode;
    }
}


uint32_t
cel_code_constant(cel_code_t *c, const cel_value_t *v)
{
    if (!cel_code_room(c, &c->constants, c->nconstants, &c->constants_room,
                       sizeof(cel_value_t)))
    {
        return 0;
    }

    c->constants[c->nconstants] = *v;

    return c->nconstants++;
}


uint32_t
cel_code_call(cel_code_t *c, const cel_call_t *call)
{
    if (!cel_code_room(c, &c->calls, c->ncalls, &c->calls_room,
                       sizeof(cel_call_t)))
    {
        return 0;
    }

    c->calls[c->ncalls] = *call;

    return c->ncalls++;
}


void
cel_code_slot(cel_code_t *c, cel_slot_t slot)
{
    if (!cel_code_room(c, &c->slots, c->nslots, &c->slots_room,
                       sizeof(cel_slot_t)))
    {
        return;
    }

    c->slots[c->nslots++] = slot;
}


bool
cel_code_keep(cel_code_t *c, const cel_value_t *v, cel_value_t *out)
{
    char              *s;
    const cel_type_t  *type;

    *out = *v;
    out->flags = 0;

    if (v->kind == CEL_STRING || v->kind == CEL_BYTES) {
        s = cel_program_alloc(c, (size_t) v->len + 1);
        if (s == NULL) {
            return false;
        }

        memcpy(s, v->s, v->len);
        s[v->len] = '\0';
        out->s = s;

        return true;
    }

    if (v->kind == CEL_TYPE) {
        type = cel_program_keep_type(c, v->t);
        if (type == NULL) {
            return false;
        }

        out->t = type;
    }

    return true;
}


uint32_t
cel_handler_open(cel_code_t *c, uint32_t up)
{
    uint32_t        outer, slot;
    cel_handler_t  *handler;

    outer = c->handler;
    slot = c->level + up;

    if (!cel_code_room(c, &c->handlers, c->nhandlers, &c->handlers_room,
                       sizeof(cel_handler_t)))
    {
        return outer;
    }

    if (slot >= c->program->nerrors) {
        c->program->nerrors = slot + 1;
    }

    handler = &c->handlers[c->nhandlers];

    handler->target = 0;
    handler->depth = c->depth;
    handler->slot = slot;

    c->handler = c->nhandlers++;

    return outer;
}


void
cel_handler_close(cel_code_t *c, uint32_t outer)
{
    if (!c->failed) {
        c->handlers[c->handler].target = c->ncode;
    }

    c->handler = outer;
}


void
cel_handler_undo(cel_code_t *c, const cel_mark_t *mark, uint32_t outer)
{
    uint32_t  i;

    for (i = mark->ncode; i < c->ncode; i++) {
        if (c->handler_of[i] == mark->nhandlers) {
            c->handler_of[i] = outer;
        }
    }
}


void
cel_code_mark(const cel_code_t *c, cel_mark_t *mark)
{
    mark->ncode = c->ncode;
    mark->nconstants = c->nconstants;
    mark->nhandlers = c->nhandlers;
    mark->nslots = c->nslots;
    mark->depth = c->depth;
}


void
cel_code_rewind(cel_code_t *c, const cel_mark_t *mark)
{
    c->ncode = mark->ncode;
    c->nconstants = mark->nconstants;
    c->nhandlers = mark->nhandlers;
    c->nslots = mark->nslots;
    c->depth = mark->depth;
}
