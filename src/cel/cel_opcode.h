
/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * cel_opcode.h - the instructions of the VM; private to src/cel.
 *
 * CEL_OPCODE(name, pops, pushes, units, "what it does"); -1 pops a counted
 * number.  units is what it is charged before it runs: that of the tree's
 * nodes it stands for (see cel_function.h), a call's charge comes on top.
 * An instruction is { op, a, b }; those noted "+ARG" are followed by a second
 * word { ARG, a', b' }.
 *
 * Errors: where an operand of && or || or a predicate fails, its value on the
 * stack is an error, and the instruction that wants the operand absorbs or
 * raises it; see cel_vm.c.
 */


#ifndef CEL_OPCODE_H_INCLUDED
#define CEL_OPCODE_H_INCLUDED


#define CEL_OPCODES(CEL_OPCODE)                                               \
    CEL_OPCODE(RETURN, 1, 0, 0, "the top is the result")                      \
    CEL_OPCODE(ARG, 0, 0, 0, "second word, never run")                        \
    CEL_OPCODE(CONST, 0, 1, 1, "push constant b")                             \
    CEL_OPCODE(FACT, 0, 1, 1, "push fact b, fetched when it is not there")    \
    CEL_OPCODE(SHARED, 0, 1, 1, "push fact b, which is a part of several "    \
               "programs")                                                    \
    CEL_OPCODE(LOCAL, 0, 1, 1, "push local b")                                \
    CEL_OPCODE(STORE, 1, 0, 1, "pop into local b")                            \
    CEL_OPCODE(SELECT, 1, 1, 1, "map to its entry of constant key b; a units" \
               " more")                                                       \
    CEL_OPCODE(HAS, 1, 1, 1, "map to whether it has constant key b")          \
    CEL_OPCODE(FACT_SELECT, 0, 1, 2, "push fact b, key b' selected; a units " \
               "more; +ARG")                                                  \
    CEL_OPCODE(LOCAL_SELECT, 0, 1, 2, "push local a, key b selected")         \
    CEL_OPCODE(KEPT, 0, 0, 0, "when local a is set push it and go on at b, "  \
               "for b' units; +ARG")                                          \
    CEL_OPCODE(KEEP, 1, 1, 0, "the top to local a")                           \
    CEL_OPCODE(EQ, 2, 1, 1, "equality")                                       \
    CEL_OPCODE(NE, 2, 1, 1, "inequality")                                     \
    CEL_OPCODE(LT, 2, 1, 1, "less")                                           \
    CEL_OPCODE(LE, 2, 1, 1, "less or equal")                                  \
    CEL_OPCODE(GT, 2, 1, 1, "greater")                                        \
    CEL_OPCODE(GE, 2, 1, 1, "greater or equal")                               \
    CEL_OPCODE(EQ_CONST, 1, 1, 2, "equality with constant b")                 \
    CEL_OPCODE(NE_CONST, 1, 1, 2, "inequality with constant b")               \
    CEL_OPCODE(ORDER_CONST, 1, 1, 2, "comparison a (0 < 1 <= 2 > 3 >=) with " \
               "constant b")                                                  \
    CEL_OPCODE(LOCAL_ORDER_CONST, 0, 1, 3, "push comparison a of local b "    \
               "with constant b'; +ARG")                                      \
    CEL_OPCODE(FACT_EQ_CONST, 0, 1, 3, "push whether fact b is constant b'; " \
               "+ARG")                                                        \
    CEL_OPCODE(ADD, 2, 1, 1, "sum, or concatenation")                         \
    CEL_OPCODE(SUB, 2, 1, 1, "difference")                                    \
    CEL_OPCODE(MUL, 2, 1, 1, "product")                                       \
    CEL_OPCODE(DIV, 2, 1, 1, "quotient")                                      \
    CEL_OPCODE(MOD, 2, 1, 1, "remainder")                                     \
    CEL_OPCODE(NEG, 1, 1, 1, "negation")                                      \
    CEL_OPCODE(NOT, 1, 1, 1, "logical not")                                   \
    CEL_OPCODE(INDEX, 2, 1, 1, "element of a list, entry of a map")           \
    CEL_OPCODE(INDEX_CONST, 1, 1, 2, "the same, by constant b")               \
    CEL_OPCODE(IN, 2, 1, 1, "whether a list or a map holds it")               \
    CEL_OPCODE(IN_CONST, 1, 1, 2, "whether constant set b holds it")          \
    CEL_OPCODE(FACT_IN_CONST, 0, 1, 3, "push whether constant set b' holds "  \
               "fact b; +ARG")                                                \
    CEL_OPCODE(STARTS_CONST, 1, 1, 0, "whether a string starts with "         \
               "constant b, for a units")                                     \
    CEL_OPCODE(JUMP, 0, 0, 1, "go on at b")                                   \
    CEL_OPCODE(UNLESS, 1, 0, 1, "pop; when false go on at b")                 \
    CEL_OPCODE(PRESENT, 1, 1, 1, "pop an optional; when it has a value push " \
               "it (a 0: what is in it) and go on at b")                      \
    CEL_OPCODE(AND, 1, 1, 1, "when the top is false go on at b")              \
    CEL_OPCODE(AND_END, 2, 1, 1, "left && right of what AND let through")     \
    CEL_OPCODE(OR, 1, 1, 1, "when the top is true go on at b")                \
    CEL_OPCODE(OR_END, 2, 1, 1, "left || right of what OR let through")       \
    CEL_OPCODE(LIST, -1, 1, 1, "list of the b topmost")                       \
    CEL_OPCODE(MAP, -1, 1, 1, "map of the b topmost pairs")                   \
    CEL_OPCODE(LIST_OPT, -1, 1, 1, "LIST, those marked in constant b' are "   \
               "optionals; +ARG")                                             \
    CEL_OPCODE(MAP_OPT, -1, 1, 1, "MAP, those marked in constant b' are "     \
               "optionals; +ARG")                                             \
    CEL_OPCODE(CALL, -1, 1, 0, "call b with the a topmost")                   \
    CEL_OPCODE(RAISE, -1, 1, 1, "fail: there is no name of constant b")       \
    CEL_OPCODE(ITER, 1, 0, 2, "pop a list or map to walk with iterator a")    \
    CEL_OPCODE(NEXT, 0, 0, 1, "next element to local b' and, when a' is not " \
               "0, a' - 1; at the end go on at b; +ARG")                      \
    CEL_OPCODE(ALL_STEP, 1, 0, 1, "pop a predicate of all(), loop at b")      \
    CEL_OPCODE(EXISTS_STEP, 1, 0, 1, "pop a predicate of exists(), loop at b")\
    CEL_OPCODE(FOLD_END, 1, 1, 1, "raise the error that a step noted")        \
    CEL_OPCODE(ONE_STEP, 1, 0, 1, "pop a predicate, count it, loop at b")     \
    CEL_OPCODE(ONE_END, 1, 1, 1, "whether the count is 1")                    \
    CEL_OPCODE(BUILD, 0, 0, 1, "start the list of builder a")                 \
    CEL_OPCODE(APPEND, 1, 0, 1, "pop to builder a, loop at b")                \
    CEL_OPCODE(APPEND_PAIR, 2, 0, 1, "pop key and value to builder a, loop "  \
               "at b")                                                        \
    CEL_OPCODE(APPEND_MAP, 1, 0, 1, "pop a map, its entries to builder a, "   \
               "loop at b")                                                   \
    CEL_OPCODE(FILTER, 1, 0, 1, "pop a predicate, local b' to builder a when "\
               "true, loop at b; +ARG")                                       \
    CEL_OPCODE(BUILT, 0, 1, 1, "push the list of builder a")                  \
    CEL_OPCODE(BUILT_MAP, 0, 1, 1, "push the map of builder a's pairs")


typedef enum {
#define CEL_OPCODE(name, pops, pushes, units, text)  CEL_OP_##name,
    CEL_OPCODES(CEL_OPCODE)
#undef CEL_OPCODE
    CEL_OP_COUNT
} cel_opcode_t;


#endif /* CEL_OPCODE_H_INCLUDED */
