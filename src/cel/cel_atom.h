
/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * cel_atom.h - atoms: parts that many conditions have in common, for whoever
 * evaluates many conditions on the same facts.  An atom is compiled once, as
 * a program of its own whose value is a fact with a slot; the conditions read
 * the slot.  A condition's leading tests of slots are told besides, so that
 * an index can tell that it is false without evaluating it.
 *
 * An atom is fetched where it would have been computed, so the order in which
 * facts are read, and what && and || absorb, stay as they are.  Two parts are
 * one atom when they are the same after name resolution and their nodes are
 * equally far apart in the source: so an error is where it would have been.
 *
 * First cel_atoms_count() for all conditions, then cel_compile_tests() for
 * each.  One thread at a time.
 */


#ifndef CEL_ATOM_H_INCLUDED
#define CEL_ATOM_H_INCLUDED


#include "cel.h"


#define CEL_ATOMS_MAX   64     /* of one cel_atoms_t */
#define CEL_TESTS_MAX   4      /* of one condition */

/* whole numbers that every type of number represents, so == is exact */
#define CEL_TEST_WHOLE  9007199254740992


typedef struct cel_atoms_s  cel_atoms_t;


/*
 * The condition is false when the fact of slot has a value that is none of
 * these; a truth is the fact itself, or its negation, and tells so only of a
 * value that is bool.  What it reads besides is the fact alone, and nothing
 * comes before it in the condition but the tests before it.
 */
typedef struct {
    cel_slot_t            slot;
    bool                  truth;
    uint32_t              nvalues;
    const cel_value_t    *values;      /* string, int, uint within
                                        * CEL_TEST_WHOLE, bool */
} cel_test_t;

typedef struct {
    bool                  shared;      /* the program reads atoms */
    uint32_t              count;
    cel_test_t            items[CEL_TESTS_MAX];
} cel_tests_t;


/*
 * Atoms take the slots from first on, at most CEL_ATOMS_MAX.  The allocator is
 * borrowed.  NULL: no memory.
 */
cel_atoms_t *cel_atoms_create(const cel_allocator_t *allocator,
    cel_slot_t first);

/* Destroys the programs that were not taken, and what tests borrow. */
void cel_atoms_destroy(cel_atoms_t *atoms);

/*
 * Notes the parts of a condition; one that does not parse has none.  CEL_OK,
 * or CEL_ERROR when memory is out.
 */
cel_status_t cel_atoms_count(cel_atoms_t *atoms, const cel_env_t *env,
    const char *source, size_t len);

/*
 * As cel_compile(), with *tests filled; their values live as long as atoms.
 * What the program costs by its estimate is what it would cost without atoms:
 * one unit more for each atom whose value it is the first to want.
 */
cel_program_t *cel_compile_tests(cel_env_t *env, const char *source,
    size_t len, cel_atoms_t *atoms, cel_issues_t *issues,
    cel_tests_t *tests);

uint32_t cel_atoms_made(const cel_atoms_t *atoms);

/*
 * Hands the program of the i-th atom, that of slot first + i, over to the
 * caller.  Its errors have no line; their offset less *offset is what the
 * fetch of the slot has to leave in error.offset, line 0: the program that
 * reads the slot makes a position of it.
 */
cel_program_t *cel_atoms_take(cel_atoms_t *atoms, uint32_t i,
    uint32_t *offset);


/*
 * That the program will run soon: brings its head, or then what the head
 * points to, nearer to the processor.  For whoever runs thousands in a row.
 */
void cel_program_expect(const cel_program_t *program);
void cel_program_expect_code(const cel_program_t *program);


#endif /* CEL_ATOM_H_INCLUDED */
