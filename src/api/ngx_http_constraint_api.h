
/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * ngx_http_constraint_api.h - what the files of src/api share among
 * themselves; nobody else includes it.
 *
 *   module        the directive, the content handler
 *   router        path and method to a route; 404, 405, 403, OPTIONS
 *   arguments     the query string
 *   json          request bodies: media type, syntax, shape
 *   precondition  If-Match, If-None-Match
 *   answer        envelope, status, header, sending
 *   text          JSON values as text
 *   call          the life of a call that waits
 *   job           a call's work in a pool thread
 *   read          one document, at once or in a thread
 *   write         a call's write in the store's thread
 *   list          POST /constraints, /workflows: filter, order, pages
 *   page, cursor  what a page holds, where the next one begins
 *   walk          a page about all constraints
 *   input         the body of an execution
 *   describe      facts, cost and issues of a workflow as JSON
 *   execution     what bounds a constraint, and who said so
 *   stats_json    statistics as JSON
 *   feedback      breakers and adaptive limits: what is declared and held
 *   constraint, constraints, execute, metadata, unload, workflow, workflows,
 *   check, profile, status, stats, breakers, fault: the resources
 *
 * Event loop, unless a name ends in _thread.
 */


#ifndef _NGX_HTTP_CONSTRAINT_API_H_INCLUDED_
#define _NGX_HTTP_CONSTRAINT_API_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <jansson.h>
#include "ngx_http_constraint.h"
#include "ngx_constraint_feedback.h"
#include "query.h"


extern ngx_module_t  ngx_http_constraint_api_module;


/* bytes of a request body */

#define NGX_HTTP_CONSTRAINT_API_RECORD_MAX   (256 * 1024)
#define NGX_HTTP_CONSTRAINT_API_FILTER_MAX   (1024 * 1024)
#define NGX_HTTP_CONSTRAINT_API_EXECUTE_MAX  (4 * 1024 * 1024)
#define NGX_HTTP_CONSTRAINT_API_SMALL        (64 * 1024)

#define NGX_HTTP_CONSTRAINT_API_DEPTH        64
#define NGX_HTTP_CONSTRAINT_API_WAIT         60000
#define NGX_HTTP_CONSTRAINT_API_JOBS         64


/* Configuration */


#define NGX_HTTP_CONSTRAINT_API_READ     0x01
#define NGX_HTTP_CONSTRAINT_API_WRITE    0x02
#define NGX_HTTP_CONSTRAINT_API_EXECUTE  0x04

typedef struct {
    ngx_str_t                    zone;     /* data NULL: no API here */
    ngx_str_t                    prefix;   /* without the last slash */
    ngx_uint_t                   rights;
    ngx_constraint_catalogue_t  *catalogue;
    u_char                      *file;     /* where it was written */
    ngx_uint_t                   line;
    ngx_http_handler_pt          handler;  /* NULL: none written here */
    ngx_str_t                    metrics_zone; /* data NULL: all */
    ngx_uint_t                   metrics;  /* constraint_metrics is here */
} ngx_http_constraint_api_conf_t;


/* Failures: the code in the answer, each with one status. */

typedef enum {
    NGX_HTTP_CONSTRAINT_API_E_MALFORMED_JSON = 0,
    NGX_HTTP_CONSTRAINT_API_E_MALFORMED_YAML,
    NGX_HTTP_CONSTRAINT_API_E_DUPLICATE_KEY,
    NGX_HTTP_CONSTRAINT_API_E_EMPTY_BODY,
    NGX_HTTP_CONSTRAINT_API_E_BODY_UNREADABLE,
    NGX_HTTP_CONSTRAINT_API_E_INVALID_FIELD,
    NGX_HTTP_CONSTRAINT_API_E_INVALID_FILTER,
    NGX_HTTP_CONSTRAINT_API_E_INVALID_ARGUMENT,
    NGX_HTTP_CONSTRAINT_API_E_INVALID_HEADER,
    NGX_HTTP_CONSTRAINT_API_E_SUBJECT_MISSING,
    NGX_HTTP_CONSTRAINT_API_E_RIGHT_MISSING,
    NGX_HTTP_CONSTRAINT_API_E_NOT_ASSOCIATED,
    NGX_HTTP_CONSTRAINT_API_E_NO_SUCH_ROUTE,
    NGX_HTTP_CONSTRAINT_API_E_NOT_FOUND,
    NGX_HTTP_CONSTRAINT_API_E_METHOD_NOT_ALLOWED,
    NGX_HTTP_CONSTRAINT_API_E_BODY_TIMEOUT,
    NGX_HTTP_CONSTRAINT_API_E_ALREADY_EXISTS,
    NGX_HTTP_CONSTRAINT_API_E_IN_USE,
    NGX_HTTP_CONSTRAINT_API_E_PROFILE_IN_USE,
    NGX_HTTP_CONSTRAINT_API_E_PROFILE_READ_ONLY,
    NGX_HTTP_CONSTRAINT_API_E_OTHER_WORKFLOW,
    NGX_HTTP_CONSTRAINT_API_E_DISABLED,
    NGX_HTTP_CONSTRAINT_API_E_PRECONDITION,
    NGX_HTTP_CONSTRAINT_API_E_BODY_TOO_LARGE,
    NGX_HTTP_CONSTRAINT_API_E_MEDIA_TYPE,
    NGX_HTTP_CONSTRAINT_API_E_UNKNOWN_WORKFLOW,
    NGX_HTTP_CONSTRAINT_API_E_UNKNOWN_PROFILE,
    NGX_HTTP_CONSTRAINT_API_E_INVALID_WORKFLOW,
    NGX_HTTP_CONSTRAINT_API_E_INTERNAL,
    NGX_HTTP_CONSTRAINT_API_E_STORE,
    NGX_HTTP_CONSTRAINT_API_E_WORKFLOW,
    NGX_HTTP_CONSTRAINT_API_E_BUSY,
    NGX_HTTP_CONSTRAINT_API_E_TIMED_OUT,
    NGX_HTTP_CONSTRAINT_API_E_STORE_FULL
} ngx_http_constraint_api_error_e;


/* Arguments: data NULL = not given */

#define NGX_HTTP_CONSTRAINT_API_ARG_LIMIT     0x01
#define NGX_HTTP_CONSTRAINT_API_ARG_CURSOR    0x02
#define NGX_HTTP_CONSTRAINT_API_ARG_SORT      0x04
#define NGX_HTTP_CONSTRAINT_API_ARG_FIELDS    0x08
#define NGX_HTTP_CONSTRAINT_API_ARG_EXPLAIN   0x10
#define NGX_HTTP_CONSTRAINT_API_ARG_REVISION  0x20
#define NGX_HTTP_CONSTRAINT_API_ARG_SIZES     0x40
#define NGX_HTTP_CONSTRAINT_API_ARG_BY        0x80

#define NGX_HTTP_CONSTRAINT_API_ARGS_LIST                                     \
    (NGX_HTTP_CONSTRAINT_API_ARG_LIMIT | NGX_HTTP_CONSTRAINT_API_ARG_CURSOR   \
     | NGX_HTTP_CONSTRAINT_API_ARG_SORT | NGX_HTTP_CONSTRAINT_API_ARG_FIELDS)

typedef struct {
    ngx_str_t                    limit;
    ngx_str_t                    cursor;
    ngx_str_t                    sort;
    ngx_str_t                    fields;
    ngx_str_t                    explain;
    ngx_str_t                    revision;
    ngx_str_t                    header_bytes;
    ngx_str_t                    body_bytes;
    ngx_str_t                    by;
} ngx_http_constraint_api_args_t;


typedef struct ngx_http_constraint_api_s      ngx_http_constraint_api_t;
typedef struct ngx_http_constraint_api_job_s  ngx_http_constraint_api_job_t;


/* Routes */

typedef enum {
    NGX_HTTP_CONSTRAINT_API_NO_BODY = 0,
    NGX_HTTP_CONSTRAINT_API_JSON,
    NGX_HTTP_CONSTRAINT_API_DOCUMENT       /* JSON or YAML */
} ngx_http_constraint_api_body_e;

typedef void (*ngx_http_constraint_api_handler_pt)(
    ngx_http_constraint_api_t *api);

typedef struct {
    const char                          *pattern;  /* '*': a name */
    ngx_uint_t                           method;
    ngx_uint_t                           right;
    ngx_uint_t                           args;
    ngx_http_constraint_api_body_e       body;
    size_t                               max;      /* of the body */
    ngx_http_constraint_api_handler_pt   handler;
} ngx_http_constraint_api_route_t;


/*
 * A call: one request to the API, in its pool.  It holds a count of the
 * request until it is answered.
 */
struct ngx_http_constraint_api_s {
    ngx_http_request_t                      *request;
    ngx_http_constraint_api_conf_t          *conf;
    ngx_constraint_catalogue_t              *catalogue;
    const ngx_http_constraint_api_route_t   *route;
    ngx_str_t                                name;      /* in the path */
    ngx_str_t                                body;
    workflow_format_t                        format;
    ngx_http_constraint_api_args_t           args;

    /* waiting: what to let go of when the owner goes or time is up */
    void                                   (*detach)(
                                               ngx_http_constraint_api_t *api);
    void                                    *waiting;
    ngx_event_t                              timer;
    ngx_connection_t                         dummy;     /* of the timer */

    void                                    *data;      /* the resource's */
    unsigned                                 answered:1;
};


/* Module */


/* The call of a request, with its cleanup; NULL: no memory. */
ngx_http_constraint_api_t *ngx_http_constraint_api_create(
    ngx_http_request_t *r);

/* Its zone is looked up once all is configured. */
ngx_int_t ngx_http_constraint_api_conf_keep(ngx_conf_t *cf,
    ngx_http_constraint_api_conf_t *conf);

char *ngx_http_constraint_metrics(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);


/* Router */


/*
 * Finds route and name: NGX_OK, or NGX_DONE when the call has been answered
 * (404, 405, 403, OPTIONS).
 */
ngx_int_t ngx_http_constraint_api_route(ngx_http_constraint_api_t *api);

/* NGX_OK, or NGX_DONE when the call has been answered (400). */
ngx_int_t ngx_http_constraint_api_arguments(ngx_http_constraint_api_t *api);

/* Answers 400: the argument NAME, and what about it. */
void ngx_http_constraint_api_bad_argument(ngx_http_constraint_api_t *api,
    const char *name, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* A number of [1, max], left alone when value is not given; NGX_DONE when
 * answered. */
ngx_int_t ngx_http_constraint_api_number(ngx_http_constraint_api_t *api,
    const char *name, const ngx_str_t *value, uint64_t max,
    uint64_t *number);

/* The length of a page; NGX_DONE when answered. */
ngx_int_t ngx_http_constraint_api_limit(ngx_http_constraint_api_t *api,
    uint64_t *limit);

/* Sizes to estimate a cost for: ?header_bytes=&body_bytes=. */
ngx_int_t ngx_http_constraint_api_sizes(ngx_http_constraint_api_t *api,
    cel_sizes_t *sizes);


/* Bodies */


/* Sets api->format: NGX_OK, or NGX_DONE when answered (415). */
ngx_int_t ngx_http_constraint_api_media_type(ngx_http_constraint_api_t *api);

/* The body as an object, the caller's reference, or NULL when answered. */
json_t *ngx_http_constraint_api_object(ngx_http_constraint_api_t *api);

/*
 * Any thread.  An object of text, NULL with *failure (an envelope) and
 * *error.
 */
json_t *ngx_http_constraint_api_parse(const ngx_str_t *text,
    ngx_http_constraint_api_error_e *error, json_t **failure);

/* A JSON string of any bytes; what is not UTF-8 becomes "?".  Any thread. */
json_t *ngx_http_constraint_api_string(const char *text, size_t len);


/* Preconditions */


typedef struct {
    unsigned                     match:1;          /* If-Match is there */
    unsigned                     match_any:1;
    unsigned                     none_match:1;
    unsigned                     none_match_any:1;
    ngx_array_t                  match_tags;       /* uint64_t revisions */
    ngx_array_t                  none_match_tags;
} ngx_http_constraint_api_conditions_t;

/* NGX_OK, or NGX_DONE when answered (400). */
ngx_int_t ngx_http_constraint_api_conditions(ngx_http_constraint_api_t *api,
    ngx_http_constraint_api_conditions_t *conditions);

/* Does a resource of that revision meet them. */
ngx_uint_t ngx_http_constraint_api_conditions_met(
    const ngx_http_constraint_api_conditions_t *conditions,
    uint64_t revision);


/* Answers: each sends and finalizes; the call is over. */


/* body is the whole answer, stolen. */
void ngx_http_constraint_api_answer(ngx_http_constraint_api_t *api,
    ngx_uint_t status, json_t *body);

/* {"success": true, NAME: value}, value stolen */
void ngx_http_constraint_api_success(ngx_http_constraint_api_t *api,
    ngx_uint_t status, const char *name, json_t *value);

/* {"success": false, "error", "code", "details"}; details stolen, or NULL */
void ngx_http_constraint_api_fail(ngx_http_constraint_api_t *api,
    ngx_http_constraint_api_error_e error, json_t *details,
    const char *fmt, ...) __attribute__((format(printf, 4, 5)));

/* The same with a ready envelope (stolen), and with ready text (malloc). */
void ngx_http_constraint_api_fail_with(ngx_http_constraint_api_t *api,
    ngx_http_constraint_api_error_e error, json_t *envelope);
void ngx_http_constraint_api_answer_malloced(ngx_http_constraint_api_t *api,
    ngx_uint_t status, char *text, size_t len);

/* Compact text in malloc, NULL when out of memory or value is. */
char *ngx_http_constraint_api_text(json_t *value, size_t *len);

/* text in the request's pool */
void ngx_http_constraint_api_answer_text(ngx_http_constraint_api_t *api,
    ngx_uint_t status, ngx_str_t *text);

/* Any thread: the envelope alone. */
json_t *ngx_http_constraint_api_envelope(
    ngx_http_constraint_api_error_e error, json_t *details,
    const char *fmt, ...) __attribute__((format(printf, 3, 4)));
ngx_uint_t ngx_http_constraint_api_status(
    ngx_http_constraint_api_error_e error);

/* [{"path": path, "message": message}]; any thread */
json_t *ngx_http_constraint_api_detail(const char *path, size_t path_len,
    const char *message);

/* 400 with the field's path */
void ngx_http_constraint_api_invalid(ngx_http_constraint_api_t *api,
    const ngx_constraint_field_error_t *field);

/* Adds to the answer's header.  name and value live as long as the request. */
ngx_table_elt_t *ngx_http_constraint_api_header(
    ngx_http_constraint_api_t *api, const char *name, ngx_str_t *value);
void ngx_http_constraint_api_etag(ngx_http_constraint_api_t *api,
    uint64_t revision);


/* Calls that wait */


/*
 * From now on detach(api) is called once, when the client goes or when the
 * time is up (then the call is answered 503).  wake ends that; after it the
 * call must be answered or suspended again, and whoever runs from an event
 * then calls ngx_http_run_posted_requests() with the connection that wake
 * gave.
 */
void ngx_http_constraint_api_suspend(ngx_http_constraint_api_t *api,
    void (*detach)(ngx_http_constraint_api_t *api), void *waiting);
ngx_connection_t *ngx_http_constraint_api_wake(
    ngx_http_constraint_api_t *api);

/* Request cleanup: idempotent. */
void ngx_http_constraint_api_cleanup(void *data);


/*
 * A call's work in a thread of the evaluation pool.  run_thread fills either
 * text (malloc) with status, or failure with error, or leaves all of it to
 * done.  destroy frees what the resource put behind it.
 */
struct ngx_http_constraint_api_job_s {
    ngx_constraint_job_t                job;            /* first */
    void                              (*run_thread)(
                                          ngx_http_constraint_api_job_t *job);
    /* NULL: text or failure is the answer */
    void                              (*done)(ngx_http_constraint_api_t *api,
                                          ngx_http_constraint_api_job_t *job);
    void                              (*destroy)(
                                          ngx_http_constraint_api_job_t *job);
    ngx_constraint_catalogue_t         *catalogue;

    char                               *text;
    size_t                              len;
    ngx_uint_t                          status;
    json_t                             *failure;
    ngx_http_constraint_api_error_e     error;
};

/* NULL when answered (500). */
void *ngx_http_constraint_api_job_create(ngx_http_constraint_api_t *api,
    size_t size);

/* Posts it and suspends the call, or answers 503. */
void ngx_http_constraint_api_job_post(ngx_http_constraint_api_t *api,
    ngx_http_constraint_api_job_t *job);

/* A copy in malloc; NULL when out of memory. */
ngx_int_t ngx_http_constraint_api_copy(ngx_str_t *copy,
    const ngx_str_t *text, ngx_log_t *log);

/* text and status out of an answer (stolen), in a thread */
void ngx_http_constraint_api_job_answer_thread(
    ngx_http_constraint_api_job_t *job, ngx_uint_t status, json_t *answer);


/* Writes */


/* key: empty for what the body names.  Answers in the end, in any case. */
void ngx_http_constraint_api_write(ngx_http_constraint_api_t *api,
    ngx_constraint_kind_e kind, ngx_constraint_write_e op,
    const ngx_str_t *key);

/* "constraint", "workflow", "profile" */
const char *ngx_http_constraint_api_noun(ngx_constraint_kind_e kind);

/* 404, with the reason */
void ngx_http_constraint_api_not_found(ngx_http_constraint_api_t *api,
    ngx_constraint_kind_e kind);

/* 412, with the present revision, 0 = not known */
void ngx_http_constraint_api_precondition(ngx_http_constraint_api_t *api,
    uint64_t revision);


/* Reads: 200, 304, 404, 412, 503 */


void ngx_http_constraint_api_get_record(ngx_http_constraint_api_t *api,
    ngx_constraint_kind_e kind);
void ngx_http_constraint_api_get_workflow(ngx_http_constraint_api_t *api);

/* The record named in the path, the caller's; NULL when answered. */
json_t *ngx_http_constraint_api_record_get(ngx_http_constraint_api_t *api,
    ngx_constraint_kind_e kind, uint64_t *revision);


/* Lists */


void ngx_http_constraint_api_list(ngx_http_constraint_api_t *api,
    ngx_constraint_kind_e kind);


/*
 * A page: the first documents after a position, in an order.  Holds at most
 * limit documents and about NGX_HTTP_CONSTRAINT_API_PAGE_BYTES of them.
 * Any thread.
 */
#define NGX_HTTP_CONSTRAINT_API_PAGE_BYTES  (8 * 1024 * 1024)

typedef struct {
    json_t                      *key;       /* sort key, NULL: by name */
    json_t                      *name;      /* string */
    json_t                      *document;
    size_t                       bytes;
} ngx_http_constraint_api_item_t;

typedef struct {
    query_sort_t                    *sort;      /* NULL: by name */
    query_fields_t                  *fields;    /* NULL: all */
    size_t                           limit;

    ngx_http_constraint_api_item_t   after;     /* name NULL: the start */
    ngx_http_constraint_api_item_t   barrier;   /* name NULL: none */
    ngx_http_constraint_api_item_t  *items;     /* a heap, the last on top */
    size_t                           count;
    size_t                           bytes;
} ngx_http_constraint_api_page_t;

/* NGX_OK or NGX_ERROR (no memory); limit and sort are set before. */
ngx_int_t ngx_http_constraint_api_page_init(
    ngx_http_constraint_api_page_t *page);
void ngx_http_constraint_api_page_destroy(
    ngx_http_constraint_api_page_t *page);

/* NGX_OK; NGX_DONE: nothing that comes after name can be on it; NGX_ERROR */
ngx_int_t ngx_http_constraint_api_page_add(
    ngx_http_constraint_api_page_t *page, const ngx_str_t *name,
    json_t *document);

/* {"success": true, "data": [...], "next": cursor or null} */
json_t *ngx_http_constraint_api_page_answer(
    ngx_http_constraint_api_page_t *page, const ngx_str_t *sort,
    ngx_constraint_kind_e kind);

/* Sets page->after: NGX_OK, NGX_DECLINED: not a cursor of this list. */
ngx_int_t ngx_http_constraint_api_cursor_read(
    ngx_http_constraint_api_page_t *page, const ngx_str_t *cursor,
    const ngx_str_t *sort, ngx_constraint_kind_e kind);
json_t *ngx_http_constraint_api_cursor_create(
    const ngx_http_constraint_api_item_t *item, const ngx_str_t *sort,
    ngx_constraint_kind_e kind);


/*
 * A page of something about all constraints.  open: the cursor is read;
 * walk: visit is called with the job and each constraint.  NGX_OK, or
 * NGX_ERROR with the job's failure, if it was not out of memory.  In a pool
 * thread.  Lists are told apart by numbers, which no kind of document has.
 */
#define NGX_HTTP_CONSTRAINT_API_LIMIT          100
#define NGX_HTTP_CONSTRAINT_API_LIMIT_MAX      1000

#define NGX_HTTP_CONSTRAINT_API_LIST_STATS     64
#define NGX_HTTP_CONSTRAINT_API_LIST_PROFILES  65
#define NGX_HTTP_CONSTRAINT_API_LIST_BREAKERS  66

ngx_int_t ngx_http_constraint_api_page_open(
    ngx_http_constraint_api_job_t *job, ngx_http_constraint_api_page_t *page,
    const ngx_str_t *cursor, const ngx_str_t *sort, ngx_uint_t kind);
/* The answer to a walk that met a damaged document.  NGX_ABORT. */
ngx_int_t ngx_http_constraint_api_walk_damaged(
    ngx_http_constraint_api_job_t *job, ngx_constraint_kind_e kind,
    const ngx_str_t *key);

ngx_int_t ngx_http_constraint_api_page_walk(
    ngx_http_constraint_api_job_t *job, ngx_http_constraint_api_page_t *page,
    ngx_constraint_visit_pt visit);


/* The body of an execution */


typedef struct {
    json_t                          *subject;       /* string or NULL */
    json_t                          *workflow;      /* string or NULL */
    size_t                           offset;        /* of input_data */
    size_t                           len;           /* 0: not given */
    json_t                          *failure;       /* an envelope */
    ngx_http_constraint_api_error_e  error;
} ngx_http_constraint_api_input_t;

/*
 * Fills input (zeroed before) from text, or failure.  Any thread; parser is
 * this thread's, NULL fails as out of memory.
 */
void ngx_http_constraint_api_input_parse(
    ngx_http_constraint_api_input_t *input, cel_json_parser_t *parser,
    const ngx_str_t *text);
void ngx_http_constraint_api_input_free(
    ngx_http_constraint_api_input_t *input);


/* Workflows as JSON; any thread */


/* an array of {"path", "line", "column", "message", "excerpt"} */
json_t *ngx_http_constraint_api_issues(const workflow_issues_t *issues);

/* The same of its warnings. */
json_t *ngx_http_constraint_api_warnings(const workflow_issues_t *issues);

/* Is the text itself broken: 400, not 422. */
ngx_uint_t ngx_http_constraint_api_issues_syntax(
    const workflow_issues_t *issues);

/* Adds "output_type", "rules", "facts", "cost", "memory" to object. */
void ngx_http_constraint_api_describe(json_t *object,
    const workflow_t *workflow, const cel_sizes_t *sizes);


/* Statistics as JSON; any thread */


/* Adds "counters", "errors", "violations", "latency", "cpu", "memory". */
void ngx_http_constraint_api_stats_set(json_t *object,
    const ngx_constraint_stats_view_t *view);

/* Adds to view what was counted of the constraint of that document. */
void ngx_http_constraint_api_stats_read(
    ngx_constraint_catalogue_t *catalogue, const ngx_str_t *name,
    json_t *document, ngx_constraint_stats_view_t *view);

/* Adds "breaker" and "adaptive", where there is such a thing; scratch is
 * overwritten, one that was cleared or used before. */
void ngx_http_constraint_api_feedback_set(json_t *object,
    ngx_constraint_catalogue_t *catalogue, const ngx_str_t *name,
    json_t *document, ngx_constraint_histogram_t *scratch);

/*
 * What all workers keep of the constraint of document, one that is closed and
 * knows nothing if they keep nothing.  limits is what it, its profile and, as
 * it last met one of this configuration, its location declare: whether there
 * is a breaker, an adaptive limit and a fixed one.  pieces, if not NULL, gets
 * what the statistics have more of it.
 */
ngx_constraint_feedback_t *ngx_http_constraint_api_feedback(
    ngx_constraint_catalogue_t *catalogue, const ngx_str_t *name,
    json_t *document, ngx_atomic_t **pieces, ngx_constraint_limits_t *limits);
json_t *ngx_http_constraint_api_breaker_json(
    ngx_constraint_feedback_t *feedback,
    const ngx_constraint_breaker_conf_t *conf);

/* When it was registered, in ms since 1970; 0: not told. */
int64_t ngx_http_constraint_api_born(json_t *document);


/*
 * Adds "profile", "execution" and "execution_sources" of a record's
 * constraint to its metadata.
 */
void ngx_http_constraint_api_execution(ngx_http_constraint_api_t *api,
    json_t *metadata, json_t *record);


/* Resources */


void ngx_http_constraint_api_constraint_create(
    ngx_http_constraint_api_t *api);
void ngx_http_constraint_api_constraint_get(ngx_http_constraint_api_t *api);
void ngx_http_constraint_api_constraint_update(
    ngx_http_constraint_api_t *api);
void ngx_http_constraint_api_constraint_delete(
    ngx_http_constraint_api_t *api);
void ngx_http_constraint_api_constraints(ngx_http_constraint_api_t *api);
void ngx_http_constraint_api_execute(ngx_http_constraint_api_t *api);
void ngx_http_constraint_api_metadata(ngx_http_constraint_api_t *api);
void ngx_http_constraint_api_unload(ngx_http_constraint_api_t *api);
void ngx_http_constraint_api_workflow_create(ngx_http_constraint_api_t *api);
void ngx_http_constraint_api_workflow_get(ngx_http_constraint_api_t *api);
void ngx_http_constraint_api_workflow_update(ngx_http_constraint_api_t *api);
void ngx_http_constraint_api_workflow_delete(ngx_http_constraint_api_t *api);
void ngx_http_constraint_api_workflows(ngx_http_constraint_api_t *api);
void ngx_http_constraint_api_check(ngx_http_constraint_api_t *api);
void ngx_http_constraint_api_profiles(ngx_http_constraint_api_t *api);
void ngx_http_constraint_api_profile_get(ngx_http_constraint_api_t *api);
void ngx_http_constraint_api_profile_put(ngx_http_constraint_api_t *api);
void ngx_http_constraint_api_profile_delete(ngx_http_constraint_api_t *api);
void ngx_http_constraint_api_server_status(ngx_http_constraint_api_t *api);
void ngx_http_constraint_api_stats(ngx_http_constraint_api_t *api);
void ngx_http_constraint_api_breakers(ngx_http_constraint_api_t *api);
void ngx_http_constraint_api_breaker_reset(ngx_http_constraint_api_t *api);

#if (NGX_CONSTRAINT_FAULTS)
void ngx_http_constraint_api_fault_get(ngx_http_constraint_api_t *api);
void ngx_http_constraint_api_fault_set(ngx_http_constraint_api_t *api);
#endif


#endif /* _NGX_HTTP_CONSTRAINT_API_H_INCLUDED_ */
