
/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * cel_disasm.c - a program as text, one instruction a line.
 */


#include "cel_program.h"

#include <stdarg.h>
#include <stdio.h>


typedef struct {
    char        *buf;
    size_t       size;
    size_t       len;
} cel_listing_t;


static void cel_listing_add(cel_listing_t *listing, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
static void cel_listing_constant(cel_listing_t *listing,
    const cel_program_t *program, uint32_t i);
static void cel_listing_operands(cel_listing_t *listing,
    const cel_program_t *program, const cel_instr_t *instr);


static const char *const  cel_opcode_names[] = {
#define CEL_OPCODE(name, pops, pushes, units, text)  #name,
    CEL_OPCODES(CEL_OPCODE)
#undef CEL_OPCODE
};


static const char *const  cel_order_names[] = { "<", "<=", ">", ">=" };


size_t
cel_disassemble(const cel_program_t *program, char *buf, size_t size)
{
    uint32_t            pc, handler;
    cel_listing_t       listing;
    const cel_instr_t  *instr;

    listing.buf = buf;
    listing.size = size;
    listing.len = 0;

    if (size == 0) {
        return 0;
    }

    buf[0] = '\0';

    for (pc = 0; pc < program->ncode; pc++) {
        instr = &program->code[pc];

        if (instr->op == CEL_OP_ARG) {
            continue;
        }

        cel_listing_add(&listing, "%4u  %-14s", pc,
                        cel_opcode_names[instr->op]);
        cel_listing_operands(&listing, program, instr);

        handler = program->handler_of[pc];

        if (handler != CEL_NO_HANDLER) {
            cel_listing_add(&listing, "  ; errors to %u",
                            program->handlers[handler].target);
        }

        cel_listing_add(&listing, "\n");
    }

    return listing.len;
}


static void
cel_listing_add(cel_listing_t *listing, const char *fmt, ...)
{
    int      n;
    size_t   room;
    va_list  args;

    room = listing->size - listing->len;

    va_start(args, fmt);
    n = vsnprintf(listing->buf + listing->len, room, fmt, args);
    va_end(args);

    if (n > 0) {
        listing->len += (size_t) n < room ? (size_t) n : room - 1;
    }
}


static void
cel_listing_constant(cel_listing_t *listing, const cel_program_t *program,
    uint32_t i)
{
    char                text[48];
    const cel_value_t  *v;

    v = &program->constants[i];
    cel_value_text(v, text, sizeof(text));

    cel_listing_add(listing, v->kind == CEL_STRING ? " '%s'" : " %s", text);
}


static void
cel_listing_operands(cel_listing_t *listing, const cel_program_t *program,
    const cel_instr_t *instr)
{
    switch (instr->op) {

    case CEL_OP_CONST:
    case CEL_OP_SELECT:
    case CEL_OP_HAS:
    case CEL_OP_EQ_CONST:
    case CEL_OP_NE_CONST:
    case CEL_OP_INDEX_CONST:
    case CEL_OP_IN_CONST:
    case CEL_OP_STARTS_CONST:
        cel_listing_constant(listing, program, instr->b);
        break;

    case CEL_OP_FACT:
        cel_listing_add(listing, " fact %u", instr->b);
        break;

    case CEL_OP_FACT_SELECT:
    case CEL_OP_FACT_EQ_CONST:
    case CEL_OP_FACT_IN_CONST:
        cel_listing_add(listing, " fact %u", instr->b);
        cel_listing_constant(listing, program, instr[1].b);
        break;

    case CEL_OP_LOCAL:
    case CEL_OP_STORE:
        cel_listing_add(listing, " local %u", instr->b);
        break;

    case CEL_OP_KEPT:
        cel_listing_add(listing, " local %u, to %u", instr->a, instr->b);
        break;

    case CEL_OP_KEEP:
        cel_listing_add(listing, " local %u", instr->a);
        break;

    case CEL_OP_LOCAL_SELECT:
        cel_listing_add(listing, " local %u", instr->a);
        cel_listing_constant(listing, program, instr->b);
        break;

    case CEL_OP_ORDER_CONST:
        cel_listing_add(listing, " %s", cel_order_names[instr->a]);
        cel_listing_constant(listing, program, instr->b);
        break;

    case CEL_OP_LOCAL_ORDER_CONST:
        cel_listing_add(listing, " local %u %s", instr->b,
                        cel_order_names[instr->a]);
        cel_listing_constant(listing, program, instr[1].b);
        break;

    case CEL_OP_CALL:
        cel_listing_add(listing, " %s/%u", program->calls[instr->b].name,
                        instr->a);
        break;

    case CEL_OP_JUMP:
    case CEL_OP_UNLESS:
    case CEL_OP_PRESENT:
    case CEL_OP_AND:
    case CEL_OP_OR:
    case CEL_OP_ALL_STEP:
    case CEL_OP_EXISTS_STEP:
    case CEL_OP_ONE_STEP:
    case CEL_OP_APPEND:
    case CEL_OP_APPEND_PAIR:
    case CEL_OP_APPEND_MAP:
    case CEL_OP_FILTER:
        cel_listing_add(listing, " to %u", instr->b);
        break;

    case CEL_OP_NEXT:
        cel_listing_add(listing, " iterator %u, local %u, end %u", instr->a,
                        instr[1].b, instr->b);
        break;

    case CEL_OP_LIST:
    case CEL_OP_MAP:
        cel_listing_add(listing, " %u", instr->b);
        break;

    default:
        break;
    }
}
