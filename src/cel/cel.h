
/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * cel.h - the contract of the CEL library, its one public header: it includes
 * its two parts, cel_error.h and cel_value.h.
 *
 * Compiles expressions of the Common Expression Language (google/cel-spec,
 * doc/langdef.md) to immutable programs and evaluates them, metered.  Knows
 * no nginx, does no I/O, never logs, has no global state.
 *
 * Threads: an env may be used by one thread at a time while it is declared
 * and compiled with; a program is immutable and may be evaluated by any
 * number of threads at once; a cel_eval_t, its arena and a cel_json_t belong
 * to one evaluation at a time.
 *
 * Memory: everything lives in an arena; the heaps of RE2 and simdjson are the
 * named exception and are charged before the call.  "Borrowed" means that the
 * bytes must outlive the value.
 */


#ifndef CEL_H_INCLUDED
#define CEL_H_INCLUDED


#include "cel_error.h"
#include "cel_value.h"


#ifdef __cplusplus
extern "C" {
typedef bool         cel_flag_t;      /* the shims only pass it along */
#else
#include <stdatomic.h>
typedef atomic_bool  cel_flag_t;      /* set by one thread, read by another */
#endif


/* JSON documents (simdjson behind them) */


typedef struct {
    uint32_t          max_depth;        /* 0 = 64 */
    bool              allow_duplicates; /* last one wins when read */
} cel_json_options_t;


/* Reused from document to document; one thread at a time. */
typedef struct cel_json_parser_s  cel_json_parser_t;

cel_json_parser_t *cel_json_parser_create(void);      /* NULL: no memory */
void cel_json_parser_destroy(cel_json_parser_t *parser);

/*
 * Bytes a document of len bytes may take on the heap while it is parsed and
 * afterwards; charge it before.  (simdjson takes 14 x len + 4 KiB [measured],
 * the index of large objects and lists the rest: 18 x len + 8 KiB.)
 */
size_t cel_json_memory(size_t len);

/*
 * The parser's own memory for a text of len bytes: parsed there it is not
 * copied.  It is the next text's after that.  NULL: it is too long for that,
 * or memory is out.
 */
char *cel_json_parser_room(cel_json_parser_t *parser, size_t len);

/*
 * Parses and validates the whole text (RFC 8259: syntax, UTF-8, depth,
 * numbers within 64 bits or double, duplicate keys compared unescaped).
 * The text is copied as needed: it may be freed afterwards.  Returns the
 * document, owned by the caller, or NULL with *error (kind CEL_E_PARSE or
 * CEL_E_DUPLICATE_KEY, message, line, column, offset as far as known;
 * CEL_E_MEMORY).
 * Integers are int, above int64 uint, with fraction or exponent double.
 */
cel_json_t *cel_json_parse(cel_json_parser_t *parser, const char *text,
    size_t len, const cel_json_options_t *options, cel_error_t *error)
    __attribute__((hot));
void cel_json_destroy(cel_json_t *json);

/*
 * Destroys a document, or keeps its memory for the parser's next ones: a few
 * small ones are kept, so that parsing allocates nothing.  Of whatever parser
 * it was; by the thread that has this one.
 */
void cel_json_recycle(cel_json_parser_t *parser, cel_json_t *json)
    __attribute__((hot));

/* The root value; it and all below borrow from the document. */
cel_value_t cel_json_root(const cel_json_t *json);


/* Types */


const cel_type_t *cel_type_dyn(void);
/* CEL_NULL .. CEL_DURATION and CEL_TYPE; list(dyn), map(dyn, dyn) */
const cel_type_t *cel_type_of_kind(cel_kind_t kind);

/* Writes "map(string, dyn)"; returns the length, cut to size. */
size_t cel_type_format(const cel_type_t *type, char *buf, size_t size);

cel_kind_t cel_type_kind(const cel_type_t *type);     /* dyn: CEL_NULL */
bool cel_type_is_dyn(const cel_type_t *type);         /* dyn or error */


/* Environment: what names an expression may use */


typedef struct cel_env_s      cel_env_t;
typedef struct cel_program_s  cel_program_t;


typedef struct {
    uint32_t          max_source;       /* bytes, 0 = 65536 */
    uint32_t          max_depth;        /* nesting, 0 = 250 */
    uint32_t          max_nodes;        /* of the syntax tree, 0 = 100000 */
    uint32_t          max_regex;        /* RE2 program size, 0 = 1000 */
    uint32_t          max_loops;        /* nested comprehensions, 0 = 8 */
    size_t            max_memory;       /* bytes while compiling, and of the
                                         * program, 0 = 64 MiB each */
    bool              disable_macros;
    bool              disable_check;    /* everything is dyn */
    const char       *container;        /* namespace of the names, or NULL */
} cel_limits_t;


/* How large a fact may be: the unknown in a program's cost formula. */

typedef enum {
    CEL_SIZE_SMALL = 0,       /* a name, an address: 256 bytes */
    CEL_SIZE_HEADERS,         /* bounded by the request's header bytes */
    CEL_SIZE_BODY,            /* bounded by the body's bytes */
    CEL_SIZE_CLASSES
} cel_size_class_t;


#define CEL_FACT_LOWER_KEYS  0x01   /* an upper-case constant key is a check
                                     * error: header names are lower-case */


typedef uint32_t  cel_slot_t;

#define CEL_NO_SLOT  UINT32_MAX


/* allocator is borrowed and used for the env and every program of it. */
cel_env_t *cel_env_create(const cel_allocator_t *allocator,
    const cel_limits_t *limits);
void cel_env_destroy(cel_env_t *env);

/*
 * Declares a fact: a name, dotted or plain ("request.headers", "now"), whose
 * value is in eval->facts[slot].  type is text in CEL's own notation:
 * "string", "map(string, string)", "list(dyn)", "google.protobuf.Timestamp"
 * ("timestamp" and "duration" are taken too), "dyn".  CEL_OK, or CEL_ERROR
 * when the type is not understood, the name is taken or memory is out.
 */
cel_status_t cel_env_declare(cel_env_t *env, const char *name,
    const char *type, cel_slot_t slot, cel_size_class_t size,
    unsigned flags);

/* The same with a type that another compilation found. */
cel_status_t cel_env_declare_type(cel_env_t *env, const char *name,
    const cel_type_t *type, cel_slot_t slot, cel_size_class_t size,
    unsigned flags);

/*
 * Lets the last part of a qualified name stand for all of it, where names are
 * looked up: after "google.protobuf.Duration" Duration is that.  What has the
 * name is not asked.  CEL_OK, CEL_NOT_FOUND when it is no qualified name, or
 * CEL_ERROR when another name ends so or memory is out.
 */
cel_status_t cel_env_import(cel_env_t *env, const char *name, size_t len);

/*
 * Declares an overload of a function that is not here: "(string, int): bool",
 * with a receiver "string.(int): bool"; capital letters are type parameters.
 * For checks alone: a call of it is an error when it is run, and it changes
 * nothing of the overloads that the library has.  CEL_OK, or CEL_ERROR when
 * the signature is not understood or memory is out.
 */
cel_status_t cel_env_declare_function(cel_env_t *env, const char *name,
    const char *signature);

/*
 * Where each compilation from now on leaves its warnings, of kind
 * CEL_E_WARNING: what is always true or false, values of types that are never
 * equal, variables that are not used.  Borrowed; NULL, as at first: nowhere.
 * Programs are the same with and without.
 */
void cel_env_collect_warnings(cel_env_t *env, cel_issues_t *warnings);

/* Takes the last declaration of name back: CEL_OK or CEL_NOT_FOUND. */
cel_status_t cel_env_undeclare(cel_env_t *env, const char *name);

/*
 * A function of one string literal that names a fact, as nginx.var('x'): the
 * resolver turns the literal into a slot at compile time, or refuses it with
 * a message.  The fact's type is string.
 */
typedef cel_status_t (*cel_resolve_pt)(void *ctx, const char *literal,
    size_t len, cel_slot_t *slot, char message[CEL_MESSAGE_MAX]);
cel_status_t cel_env_declare_resolver(cel_env_t *env, const char *function,
    cel_resolve_pt resolve, void *ctx);


/* Programs */


/*
 * Parses, checks, costs and compiles.  NULL on error, with issues filled;
 * issues are empty when a program is returned.  The
 * program does not refer to env or source afterwards; the allocator must
 * outlive it.
 */
cel_program_t *cel_compile(cel_env_t *env, const char *source, size_t len,
    cel_issues_t *issues);
void cel_program_destroy(cel_program_t *program);

const cel_type_t *cel_program_type(const cel_program_t *program);

/* Slots of the facts the program may read, ascending, without doubles. */
const cel_slot_t *cel_program_facts(const cel_program_t *program,
    uint32_t *count);

/* The one that an evaluation reads first of all, as far as that is known
 * without running it; else CEL_NO_SLOT. */
cel_slot_t cel_program_first_fact(const cel_program_t *program);

/* Bytes the program holds, charged RE2 heaps included. */
size_t cel_program_memory(const cel_program_t *program);

/* A constant program's value (true, 'ALLOW'): CEL_OK or CEL_NOT_FOUND. */
cel_status_t cel_program_constant(const cel_program_t *program,
    cel_value_t *value);

/*
 * When the expression is a map literal: its i-th entry.  key and value are
 * constants where the source has literals, else of kind CEL_ERROR_VALUE;
 * type is the value's.  keys are those literals that the value's own keys
 * are, when it is a map literal; what is behind "?" is not among them.  line
 * and column are the entry's.  CEL_NOT_FOUND past the end or when the
 * expression is no map literal.
 */
typedef struct {
    cel_value_t         key;
    cel_value_t         value;
    const cel_type_t   *type;
    const cel_value_t  *keys;
    uint32_t            nkeys;
    uint32_t            line;
    uint32_t            column;
    uint32_t            offset;
} cel_literal_entry_t;

cel_status_t cel_program_literal_entry(const cel_program_t *program,
    uint32_t i, cel_literal_entry_t *entry);


/*
 * Cost.  One unit is about one VM instruction; functions are charged by the
 * bytes and elements they may touch (tables in cel_function.h), BEFORE they
 * run.  The worst case is a polynomial over the sizes of the inputs, so it
 * can be computed per request from the actual sizes.
 */

#define CEL_COST_MAX  UINT64_MAX      /* saturated: no useful bound */

typedef struct {
    uint64_t          bytes[CEL_SIZE_CLASSES];   /* [CEL_SIZE_SMALL] unused */
} cel_sizes_t;

/* actual cost <= this, for every input within sizes */
uint64_t cel_program_cost_max(const cel_program_t *program,
    const cel_sizes_t *sizes);

/* the least any evaluation costs */
uint64_t cel_program_cost_min(const cel_program_t *program);


/* Evaluation */


/*
 * Gives the fact of slot: CEL_OK with *value (memoised in facts[slot]),
 * CEL_NEED (not there yet: the evaluation stops, and is started again once
 * facts[slot] is set), or CEL_ERROR after cel_eval_fail(CEL_E_FACT).  May
 * itself evaluate a program with the same eval (lazy variables).
 */
typedef cel_status_t (*cel_fetch_pt)(void *ctx, cel_eval_t *eval,
    cel_slot_t slot, cel_value_t *value);


/*
 * The host's own look at an evaluation, about every CEL_LOOK_EVERY units of
 * cost: CEL_OK, or CEL_ERROR after cel_eval_fail() with a fatal kind.
 */
typedef cel_status_t (*cel_look_pt)(void *ctx, cel_eval_t *eval);


/* facts[slot].kind of a fact not fetched yet */
#define CEL_UNFETCHED  0xff


/*
 * One evaluation: the host fills the upper part, zeroes the lower one.  Any
 * number of programs may run with it one after the other or nested; facts,
 * cost and arena are theirs in common.
 */
struct cel_eval_s {
    cel_arena_t          *arena;        /* for results and temporaries */
    cel_value_t          *facts;        /* nfacts, CEL_UNFETCHED at first */
    uint32_t              nfacts;
    uint32_t              max_regex;    /* RE2 program size, 0 = 1000 */
    uint32_t              max_string;   /* bytes of a string that is made,
                                         * 0 = 16 MiB */
    uint32_t              max_entries;  /* of a list or map that is made,
                                         * 0 = 1000000 */
    cel_fetch_pt          fetch;        /* NULL: all facts are set */
    void                 *fetch_ctx;
    uint64_t              cost_limit;   /* units, 0 = unlimited */
    uint64_t              deadline_ns;  /* CLOCK_MONOTONIC, 0 = none */
    const cel_flag_t     *cancel;       /* NULL = never */
    cel_look_pt           look;         /* NULL = none */
    void                 *look_ctx;

    /* results */
    uint64_t              cost;         /* units spent so far */
    uint64_t              refused;      /* CEL_E_COST: units of the charge
                                         * that went over the limit, and was
                                         * not spent on anything */
    uint64_t              next_look;    /* private: cost of the next look */
    cel_slot_t            need;         /* CEL_NEED: which fact */
    uint32_t              depth;        /* private: nested evaluations */
    cel_slot_t            failed;       /* private: 1 + the fact that error
                                         * is of, which is not fetched again
                                         * for it; 0: none */
    cel_error_t           error;        /* CEL_ERROR: why */
};


/* Cost units between two looks at cancel, the clock and by the host. */
#define CEL_LOOK_EVERY  256


/* Sets all facts to CEL_UNFETCHED and the results to zero. */
void cel_eval_init(cel_eval_t *eval);

/* CEL_OK with *value (arena, borrowed facts), CEL_NEED or CEL_ERROR. */
cel_status_t cel_eval(const cel_program_t *program, cel_eval_t *eval,
    cel_value_t *value) __attribute__((hot));

/* Charges units and looks when due: CEL_OK or CEL_ERROR (fatal kind). */
cel_status_t cel_eval_charge(cel_eval_t *eval, uint64_t units)
    __attribute__((hot));

/* Fills eval->error; always returns CEL_ERROR. */
cel_status_t cel_eval_fail(cel_eval_t *eval, cel_error_kind_t kind,
    const char *fmt, ...) __attribute__((cold, format(printf, 3, 4)));

/* The same for an allocation of the arena that failed: names its limit. */
cel_status_t cel_fail_memory(cel_eval_t *eval) __attribute__((cold));


/*
 * The program as text, one instruction a line, for people; returns the
 * length, cut to size.
 */
size_t cel_disassemble(const cel_program_t *program, char *buf, size_t size);


#ifdef __cplusplus
}
#endif


#endif /* CEL_H_INCLUDED */
