
/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * cel.h - the contract of the CEL library, its one public header.
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


#include <stddef.h>
#include <stdint.h>
#include <stdbool.h>


#ifdef __cplusplus
extern "C" {
typedef bool         cel_flag_t;      /* the shims only pass it along */
#else
#include <stdatomic.h>
typedef atomic_bool  cel_flag_t;      /* set by one thread, read by another */
#endif


/* Status and errors */


typedef enum {
    CEL_OK = 0,
    CEL_NEED,                 /* a fact is not there yet: cel_eval_t.need */
    CEL_NOT_FOUND,            /* lookups only: no such key, index or name */
    CEL_ERROR                 /* cel_eval_t.error or the issues say which */
} cel_status_t;


typedef enum {
    CEL_E_NONE = 0,

    /* compile time */
    CEL_E_PARSE,
    CEL_E_CHECK,
    CEL_E_WARNING,            /* right, and hardly meant: refuses nothing */
    CEL_E_TOO_LARGE,          /* a limit of cel_limits_t */

    /* evaluation: absorbed by && || and ?: as the language says */
    CEL_E_NO_SUCH_KEY,
    CEL_E_NO_SUCH_OVERLOAD,
    CEL_E_NO_SUCH_FIELD,
    CEL_E_DIVIDE_BY_ZERO,
    CEL_E_OVERFLOW,           /* "return error for overflow" of langdef.md */
    CEL_E_OUT_OF_RANGE,       /* list index, time or conversion range */
    CEL_E_INVALID_ARGUMENT,   /* bad pattern, format, time zone, ... */
    CEL_E_DUPLICATE_KEY,      /* in a map literal */
    CEL_E_FACT,               /* the host could not give a fact: host_code */

    /* evaluation: stops at once, absorbed by nothing */
    CEL_E_COST,               /* cost_limit reached */
    CEL_E_MEMORY,             /* arena limit reached or allocation failed;
                               * a string, list or map gets too large */
    CEL_E_DEADLINE,           /* deadline_ns passed */
    CEL_E_CANCELLED,          /* *cancel became true */
    CEL_E_DEPTH,              /* nested evaluation too deep */
    CEL_E_BUDGET              /* the host's look said so */
} cel_error_kind_t;

#define cel_error_is_fatal(kind)  ((kind) >= CEL_E_COST)


#define CEL_MESSAGE_MAX  240


typedef struct {
    cel_error_kind_t  kind;
    uint32_t          host_code;   /* CEL_E_FACT: what the host put there */
    uint32_t          line;        /* 1-based, 0 when unknown */
    uint32_t          column;      /* 1-based, in code points */
    uint32_t          offset;      /* bytes from the start of the source */
    char              message[CEL_MESSAGE_MAX];   /* UTF-8, NUL-terminated */
} cel_error_t;


/* What one compilation has to say: errors in source order, then cut off. */

#define CEL_ISSUES_MAX  16

typedef struct {
    uint32_t          count;       /* filled items */
    uint32_t          total;       /* found, may be more than count */
    cel_error_t       items[CEL_ISSUES_MAX];
} cel_issues_t;


/*
 * Writes "ERROR: NAME:LINE:COLUMN: MESSAGE\n | source line\n | ....^" (the
 * shape of cel-go) NUL-terminated, cut to size; long lines are cut around
 * the caret.  Returns the length written, without the NUL.
 */
size_t cel_error_format(const cel_error_t *error, const char *name,
    const char *source, size_t len, char *buf, size_t size);

/* "parse", "check", "no such key", ...: static, never NULL. */
const char *cel_error_kind_name(cel_error_kind_t kind);


/* Arena */


typedef struct {
    /* 16-byte aligned or NULL; free gets what alloc gave */
    void           *(*alloc)(void *ctx, size_t size);
    void            (*free)(void *ctx, void *p, size_t size);
    void             *ctx;
} cel_allocator_t;


typedef struct cel_block_s  cel_block_t;


/*
 * A bump allocator with a byte limit.  All fields are private but used and
 * peak: bytes handed out now, at most, charged heaps included; and refused:
 * what would have been in use had the last refusal been none, 0 = no refusal.
 */
typedef struct {
    char                   *pos;
    char                   *end;
    size_t                  used;
    size_t                  peak;
    size_t                  limit;
    size_t                  refused;
    cel_block_t            *blocks;
    char                   *first;
    size_t                  first_size;
    const cel_allocator_t  *allocator;
} cel_arena_t;


/* malloc and free */
extern const cel_allocator_t  cel_allocator_libc;


/*
 * first may be NULL; else the caller's block of first_size bytes is used
 * before the allocator is asked, and is never freed here.  limit in bytes,
 * 0 = SIZE_MAX.  The allocator is borrowed.
 */
void cel_arena_init(cel_arena_t *arena, const cel_allocator_t *allocator,
    void *first, size_t first_size, size_t limit);

/* 8-byte aligned, not zeroed; NULL over the limit or when out of memory. */
void *cel_arena_alloc(cel_arena_t *arena, size_t size);

/* Counts bytes of a foreign heap against the limit: CEL_OK or CEL_ERROR. */
cel_status_t cel_arena_charge(cel_arena_t *arena, size_t size);

/* Frees all blocks but the first; the arena may be used again. */
void cel_arena_reset(cel_arena_t *arena);


/* Values */


typedef enum {
    CEL_NULL = 0,
    CEL_BOOL,
    CEL_INT,
    CEL_UINT,
    CEL_DOUBLE,
    CEL_STRING,               /* UTF-8 */
    CEL_BYTES,
    CEL_TIMESTAMP,            /* i = seconds since 1970, len = nanoseconds */
    CEL_DURATION,             /* i = seconds, len = (int32_t) nanoseconds of
                               * the same sign */
    CEL_LIST,
    CEL_MAP,
    CEL_TYPE,                 /* t */
    CEL_OPTIONAL,             /* v, NULL = optional.none() */
    CEL_OPAQUE,               /* o: network addresses and the like */
    CEL_ERROR_VALUE           /* inside the VM only */
} cel_kind_t;


/* How a list or a map is held; every function takes any of them. */

typedef enum {
    CEL_REPR_ARENA = 0,       /* l: array in the arena */
    CEL_REPR_JSON,            /* j, len = index on the document's tape */
    CEL_REPR_OBJECT           /* o: the host's, through its ops */
} cel_repr_t;


typedef struct cel_value_s   cel_value_t;
typedef struct cel_type_s    cel_type_t;
typedef struct cel_object_s  cel_object_t;
typedef struct cel_json_s    cel_json_t;
typedef struct cel_eval_s    cel_eval_t;


/* List: count values.  Map: count pairs, key before value. */

typedef struct {
    uint32_t            count;
    const cel_value_t  *values;
    const void         *index;     /* of a map, private */
} cel_sequence_t;


struct cel_value_s {
    uint8_t                  kind;      /* cel_kind_t */
    uint8_t                  repr;      /* cel_repr_t */
    uint16_t                 flags;     /* private, 0 when made by a host */
    uint32_t                 len;       /* bytes, nanoseconds, tape index */
    union {
        bool                 b;
        int64_t              i;
        uint64_t             u;
        double               d;
        const char          *s;
        const cel_sequence_t *l;
        const cel_json_t    *j;
        const cel_object_t  *o;
        const cel_type_t    *t;
        const cel_value_t   *v;
        const cel_error_t   *e;
    };
};

#ifndef __cplusplus
_Static_assert(sizeof(cel_value_t) == 16, "a value is 16 bytes");
#endif


/*
 * A host's list or map, read lazily.  Put the struct first in the host's own,
 * which must outlive the evaluation.  entry(i) is called with i < size(o).
 * get: CEL_OK, CEL_NOT_FOUND, CEL_NEED or CEL_ERROR with eval->error filled
 * by cel_eval_fail().  The values given may borrow from the object.
 */
typedef struct {
    cel_kind_t        kind;             /* CEL_LIST or CEL_MAP */
    uint32_t        (*size)(const cel_object_t *o);
    cel_status_t    (*get)(const cel_object_t *o, cel_eval_t *eval,
                           const cel_value_t *key, cel_value_t *value);
    cel_status_t    (*entry)(const cel_object_t *o, cel_eval_t *eval,
                             uint32_t i, cel_value_t *key,
                             cel_value_t *value);
} cel_object_ops_t;

struct cel_object_s {
    const cel_object_ops_t  *ops;
};


cel_value_t cel_null(void);
cel_value_t cel_bool(bool b);
cel_value_t cel_int(int64_t i);
cel_value_t cel_uint(uint64_t u);
cel_value_t cel_double(double d);
cel_value_t cel_string(const char *s, size_t len);   /* borrowed, UTF-8 */
cel_value_t cel_bytes(const char *s, size_t len);    /* borrowed */
cel_value_t cel_timestamp(int64_t seconds, uint32_t nanoseconds);
cel_value_t cel_duration(int64_t seconds, int32_t nanoseconds);
cel_value_t cel_object(const cel_object_t *o);

/* values: count values, or count key/value pairs, in arena, kept. */
cel_status_t cel_list(cel_arena_t *arena, const cel_value_t *values,
    uint32_t count, cel_value_t *out);
cel_status_t cel_map(cel_arena_t *arena, const cel_value_t *pairs,
    uint32_t count, cel_value_t *out);

/* Elements of a list, entries of a map; 0 for others. */
uint32_t cel_size(const cel_value_t *v);

/* i-th element, or the i-th entry's key and value (key NULL for lists). */
cel_status_t cel_entry(cel_eval_t *eval, const cel_value_t *v, uint32_t i,
    cel_value_t *key, cel_value_t *value);

/* Map by string key: CEL_OK, CEL_NOT_FOUND, CEL_NEED, CEL_ERROR. */
cel_status_t cel_get(cel_eval_t *eval, const cel_value_t *map,
    const char *key, size_t len, cel_value_t *value);

/* CEL's == : CEL_OK with *equal, or CEL_NEED / CEL_ERROR. */
cel_status_t cel_equal(cel_eval_t *eval, const cel_value_t *a,
    const cel_value_t *b, bool *equal);


/*
 * Writes v as JSON text into the eval's arena (protobuf's mapping of CEL:
 * int beyond 2^53 stays a number, bytes as base64, timestamps as RFC 3339,
 * durations as "1.5s", types by name; NaN and infinity are errors, as are
 * map keys other than string, int, uint and bool).  Charged per byte.
 * CEL_OK, CEL_NEED or CEL_ERROR with eval->error.
 */
cel_status_t cel_to_json(cel_eval_t *eval, const cel_value_t *v,
    const char **text, size_t *len);


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
 * Parses and validates the whole text (RFC 8259: syntax, UTF-8, depth,
 * numbers within 64 bits or double, duplicate keys compared unescaped).
 * The text is copied as needed: it may be freed afterwards.  Returns the
 * document, owned by the caller, or NULL with *error (kind CEL_E_PARSE or
 * CEL_E_DUPLICATE_KEY, message, line, column, offset as far as known;
 * CEL_E_MEMORY).
 * Integers are int, above int64 uint, with fraction or exponent double.
 */
cel_json_t *cel_json_parse(cel_json_parser_t *parser, const char *text,
    size_t len, const cel_json_options_t *options, cel_error_t *error);
void cel_json_destroy(cel_json_t *json);

/*
 * Destroys a document, or keeps its memory for the parser's next ones: a few
 * small ones are kept, so that parsing allocates nothing.  Of whatever parser
 * it was; by the thread that has this one.
 */
void cel_json_recycle(cel_json_parser_t *parser, cel_json_t *json);

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

/* Bytes the program holds, charged RE2 heaps included. */
size_t cel_program_memory(const cel_program_t *program);

/* A constant program's value (true, 'ALLOW'): CEL_OK or CEL_NOT_FOUND. */
cel_status_t cel_program_constant(const cel_program_t *program,
    cel_value_t *value);

/*
 * When the expression is a map literal: its i-th entry.  key and value are
 * constants where the source has literals, else of kind CEL_ERROR_VALUE;
 * type is the value's.  line and column are the entry's.  CEL_NOT_FOUND past
 * the end or when the expression is no map literal.
 */
typedef struct {
    cel_value_t         key;
    cel_value_t         value;
    const cel_type_t   *type;
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
    cel_error_t           error;        /* CEL_ERROR: why */
};


/* Cost units between two looks at cancel, the clock and by the host. */
#define CEL_LOOK_EVERY  256


/* Sets all facts to CEL_UNFETCHED and the results to zero. */
void cel_eval_init(cel_eval_t *eval);

/* CEL_OK with *value (arena, borrowed facts), CEL_NEED or CEL_ERROR. */
cel_status_t cel_eval(const cel_program_t *program, cel_eval_t *eval,
    cel_value_t *value);

/* Charges units and looks when due: CEL_OK or CEL_ERROR (fatal kind). */
cel_status_t cel_eval_charge(cel_eval_t *eval, uint64_t units);

/* Fills eval->error; always returns CEL_ERROR. */
cel_status_t cel_eval_fail(cel_eval_t *eval, cel_error_kind_t kind,
    const char *fmt, ...) __attribute__((format(printf, 3, 4)));


/*
 * The program as text, one instruction a line, for people; returns the
 * length, cut to size.
 */
size_t cel_disassemble(const cel_program_t *program, char *buf, size_t size);


#ifdef __cplusplus
}
#endif


#endif /* CEL_H_INCLUDED */
