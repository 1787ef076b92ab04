/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * The facts of a request, each fetched when an expression reads it.  Reads
 * no body.
 */


#include "ngx_http_constraint_request.h"


/* the longest value of nginx.var(), part of the cost formula */
#define NGX_HTTP_CONSTRAINT_VAR_MAX    8192

/* the longest value of the size class "small" */
#define NGX_HTTP_CONSTRAINT_SMALL_MAX  256


static ngx_int_t ngx_http_constraint_give(ngx_constraint_facts_t *facts,
    const cel_slot_t *slots, uint32_t n, cel_value_t *values)
    __attribute__((hot));
static cel_status_t ngx_http_constraint_fetch(ngx_constraint_facts_t *facts,
    cel_eval_t *eval, cel_slot_t slot, cel_value_t *value);
static cel_status_t ngx_http_constraint_fetch_request(
    ngx_http_constraint_source_t *source, cel_eval_t *eval, cel_slot_t slot,
    cel_value_t *value);
static cel_status_t ngx_http_constraint_fetch_connection(
    ngx_http_constraint_source_t *source, cel_eval_t *eval, cel_slot_t slot,
    cel_value_t *value);
static cel_status_t ngx_http_constraint_fetch_args(
    ngx_http_constraint_source_t *source, cel_eval_t *eval,
    cel_value_t *value);
static cel_status_t ngx_http_constraint_fetch_size(
    ngx_http_constraint_source_t *source, cel_eval_t *eval,
    cel_value_t *value);
static cel_status_t ngx_http_constraint_fetch_id(
    ngx_http_constraint_source_t *source, cel_eval_t *eval,
    cel_value_t *value);
static cel_status_t ngx_http_constraint_fetch_local(
    ngx_http_constraint_source_t *source, cel_eval_t *eval, cel_slot_t slot,
    cel_value_t *value);
static cel_status_t ngx_http_constraint_fetch_tls(
    ngx_http_constraint_source_t *source, cel_eval_t *eval, cel_slot_t slot,
    cel_value_t *value);
static cel_status_t ngx_http_constraint_fetch_var(
    ngx_http_constraint_source_t *source, cel_eval_t *eval, cel_slot_t slot,
    cel_value_t *value);
static cel_status_t ngx_http_constraint_text(
    ngx_http_constraint_source_t *source, cel_eval_t *eval,
    cel_slot_t slot, const ngx_str_t *text, cel_value_t *value);
static const char *ngx_http_constraint_fact_name(
    ngx_http_constraint_source_t *source, cel_slot_t slot);
static cel_status_t ngx_http_constraint_no_memory(cel_eval_t *eval);
static cel_status_t ngx_http_constraint_table(ngx_constraint_facts_t *facts,
    cel_eval_t *eval, cel_slot_t slot, const ngx_constraint_table_t **table);
static void ngx_http_constraint_sizes(ngx_constraint_facts_t *facts,
    cel_sizes_t *sizes);


void
ngx_http_constraint_source_init(ngx_http_constraint_source_t *source,
    ngx_http_request_t *r, ngx_list_t *headers)
{
    source->facts.fetch = ngx_http_constraint_fetch;
    source->facts.give = ngx_http_constraint_give;
    source->facts.table = ngx_http_constraint_table;
    source->facts.sizes = ngx_http_constraint_sizes;
    source->facts.failure = ngx_constraint_worker_failure();
    source->facts.document = NULL;
    source->facts.input_ready = 0;
    source->facts.input_near = 0;
    source->facts.input_lost = 0;
    source->facts.allow_duplicates = 0;

    ngx_str_null(&source->facts.input);

    source->request = r;
    source->args = NULL;
    source->input_max = 0;

    ngx_http_constraint_headers_init(&source->headers, r, headers,
                                     source->facts.failure);
}


/* input is JSON text, or empty: null */

void
ngx_http_constraint_source_input(ngx_http_constraint_source_t *source,
    const ngx_str_t *input)
{
    if (input->len) {
        source->facts.input = *input;

    } else {
        ngx_str_null(&source->facts.input);
    }

    source->facts.input_ready = 1;
}


/* What most conditions read lies in the request. */

static ngx_int_t
ngx_http_constraint_give(ngx_constraint_facts_t *facts,
    const cel_slot_t *slots, uint32_t n, cel_value_t *values)
{
    uint32_t                       i;
    const ngx_str_t               *text;
    ngx_http_request_t            *r;
    ngx_http_constraint_source_t  *source;

    source = (ngx_http_constraint_source_t *) facts;
    r = source->request;

    for (i = 0; i < n; i++) {

        if (slots[i] == WORKFLOW_FACT_REQUEST_METHOD) {
            text = &r->method_name;

        } else if (slots[i] == WORKFLOW_FACT_REQUEST_PATH) {
            text = &r->uri;

        } else if (slots[i] == WORKFLOW_FACT_REQUEST_HEADERS) {
            values[slots[i]] = cel_object(&source->headers.object);
            continue;

        } else {
            values[slots[i]].kind = CEL_UNFETCHED;
            continue;
        }

        if (!ngx_constraint_utf8_valid(text->data, text->len)) {
            return NGX_DECLINED;
        }

        values[slots[i]] = ngx_constraint_cel_string(text);
    }

    return NGX_OK;
}


static cel_status_t
ngx_http_constraint_fetch(ngx_constraint_facts_t *facts, cel_eval_t *eval,
    cel_slot_t slot, cel_value_t *value)
{
    ngx_http_constraint_source_t  *source;

    source = (ngx_http_constraint_source_t *) facts;

    if (slot <= WORKFLOW_FACT_REQUEST_SIZE) {
        return ngx_http_constraint_fetch_request(source, eval, slot, value);
    }

    if (slot < WORKFLOW_FACT_COUNT) {
        return ngx_http_constraint_fetch_connection(source, eval, slot,
                                                    value);
    }

    return ngx_http_constraint_fetch_var(source, eval, slot, value);
}


static cel_status_t
ngx_http_constraint_fetch_request(ngx_http_constraint_source_t *source,
    cel_eval_t *eval, cel_slot_t slot, cel_value_t *value)
{
    ngx_str_t            text;
    ngx_http_request_t  *r;

    r = source->request;

    switch (slot) {

    case WORKFLOW_FACT_REQUEST_METHOD:
        return ngx_http_constraint_text(source, eval, slot, &r->method_name,
                                        value);

    case WORKFLOW_FACT_REQUEST_PATH:
        return ngx_http_constraint_text(source, eval, slot, &r->uri, value);

    case WORKFLOW_FACT_REQUEST_RAW_PATH:
        text = ngx_http_constraint_raw_path(r);
        return ngx_http_constraint_text(source, eval, slot, &text, value);

    case WORKFLOW_FACT_REQUEST_QUERY:
        return ngx_http_constraint_text(source, eval, slot, &r->args, value);

    case WORKFLOW_FACT_REQUEST_ARGS:
        return ngx_http_constraint_fetch_args(source, eval, value);

    case WORKFLOW_FACT_REQUEST_HEADERS:
        *value = cel_object(&source->headers.object);
        return CEL_OK;

    case WORKFLOW_FACT_REQUEST_HOST:
        return ngx_http_constraint_text(source, eval, slot,
                                        &r->headers_in.server, value);

    case WORKFLOW_FACT_REQUEST_SCHEME:
        *value = cel_string("http", 4);

#if (NGX_HTTP_SSL)
        if (r->connection->ssl) {
            *value = cel_string("https", 5);
        }
#endif

        return CEL_OK;

    case WORKFLOW_FACT_REQUEST_PROTOCOL:
        text = r->http_protocol;

        if (text.len == 0) {
            ngx_str_set(&text, "HTTP/0.9");
        }

        return ngx_http_constraint_text(source, eval, slot, &text, value);

    case WORKFLOW_FACT_REQUEST_ID:
        return ngx_http_constraint_fetch_id(source, eval, value);

    case WORKFLOW_FACT_REQUEST_TIME:
        *value = cel_timestamp(r->start_sec, r->start_msec * 1000000);
        return CEL_OK;

    default: /* WORKFLOW_FACT_REQUEST_SIZE */
        return ngx_http_constraint_fetch_size(source, eval, value);
    }
}


static cel_status_t
ngx_http_constraint_fetch_args(ngx_http_constraint_source_t *source,
    cel_eval_t *eval, cel_value_t *value)
{
    if (source->args == NULL) {
        source->args = ngx_http_constraint_args(source->request,
                                                source->facts.failure);
        if (source->args == NULL) {
            return ngx_http_constraint_no_memory(eval);
        }
    }

    *value = cel_object(&source->args->object);

    return CEL_OK;
}


/* A body of unknown length has no size before it is read. */

static cel_status_t
ngx_http_constraint_fetch_size(ngx_http_constraint_source_t *source,
    cel_eval_t *eval, cel_value_t *value)
{
    ngx_http_request_t  *r;

    r = source->request;

    if (r->headers_in.content_length_n >= 0) {
        *value = cel_int(r->headers_in.content_length_n);
        return CEL_OK;
    }

    if (source->facts.input_ready) {
        *value = cel_int(source->facts.input.len);
        return CEL_OK;
    }

    if (r->headers_in.chunked) {
        return ngx_constraint_fact_fail(source->facts.failure, eval,
                                        NGX_CONSTRAINT_E_EVALUATION,
                                        "request.size of a body without "
                                        "Content-Length is not known");
    }

    *value = cel_int(0);

    return CEL_OK;
}


static cel_status_t
ngx_http_constraint_fetch_id(ngx_http_constraint_source_t *source,
    cel_eval_t *eval, cel_value_t *value)
{
    ngx_http_variable_value_t        *v;
    ngx_http_constraint_main_conf_t  *pmcf;

    pmcf = ngx_http_get_module_main_conf(source->request,
                                         ngx_http_constraint_module);

    v = ngx_http_get_indexed_variable(source->request, pmcf->request_id);

    if (v == NULL || v->not_found) {
        return ngx_http_constraint_no_memory(eval);
    }

    *value = cel_string((char *) v->data, v->len);

    return CEL_OK;
}


static cel_status_t
ngx_http_constraint_fetch_connection(ngx_http_constraint_source_t *source,
    cel_eval_t *eval, cel_slot_t slot, cel_value_t *value)
{
    ngx_connection_t  *c;

    c = source->request->connection;

    switch (slot) {

    case WORKFLOW_FACT_SOURCE_ADDRESS:
        return ngx_http_constraint_text(source, eval, slot, &c->addr_text,
                                        value);

    case WORKFLOW_FACT_SOURCE_PORT:
        *value = cel_int(ngx_inet_get_port(c->sockaddr));
        return CEL_OK;

    case WORKFLOW_FACT_DESTINATION_ADDRESS:
    case WORKFLOW_FACT_DESTINATION_PORT:
        return ngx_http_constraint_fetch_local(source, eval, slot, value);

    default:
        return ngx_http_constraint_fetch_tls(source, eval, slot, value);
    }
}


static cel_status_t
ngx_http_constraint_fetch_local(ngx_http_constraint_source_t *source,
    cel_eval_t *eval, cel_slot_t slot, cel_value_t *value)
{
    u_char             addr[NGX_SOCKADDR_STRLEN];
    u_char            *p;
    ngx_str_t          text;
    ngx_connection_t  *c;

    c = source->request->connection;

    text.data = addr;
    text.len = NGX_SOCKADDR_STRLEN;

    if (ngx_connection_local_sockaddr(c, &text, 0) != NGX_OK) {
        return ngx_http_constraint_no_memory(eval);
    }

    if (slot == WORKFLOW_FACT_DESTINATION_PORT) {
        *value = cel_int(ngx_inet_get_port(c->local_sockaddr));
        return CEL_OK;
    }

    p = cel_arena_alloc(eval->arena, NGX_SOCKADDR_STRLEN);
    if (p == NULL) {
        return ngx_http_constraint_no_memory(eval);
    }

    ngx_memcpy(p, addr, text.len);
    text.data = p;

    return ngx_http_constraint_text(source, eval, slot, &text, value);
}


/* Without TLS: empty texts, and mtls is false. */

static cel_status_t
ngx_http_constraint_fetch_tls(ngx_http_constraint_source_t *source,
    cel_eval_t *eval, cel_slot_t slot, cel_value_t *value)
{
#if (NGX_HTTP_SSL)

    ngx_int_t          rc;
    ngx_str_t          text;
    ngx_pool_t        *pool;
    ngx_connection_t  *c;

    c = source->request->connection;
    pool = source->request->pool;

#endif

    switch (slot) {

    case WORKFLOW_FACT_CONNECTION_TLS_VERSION:
    case WORKFLOW_FACT_CONNECTION_SNI:
    case WORKFLOW_FACT_CONNECTION_SUBJECT_PEER_CERTIFICATE:
        *value = cel_string("", 0);
        break;

    case WORKFLOW_FACT_CONNECTION_MTLS:
        *value = cel_bool(false);
        break;

    default:
        return cel_eval_fail(eval, CEL_E_FACT, "a fact without a source");
    }

#if (NGX_HTTP_SSL)

    if (c->ssl == NULL) {
        return CEL_OK;
    }

    ngx_str_null(&text);

    switch (slot) {

    case WORKFLOW_FACT_CONNECTION_TLS_VERSION:
        rc = ngx_ssl_get_protocol(c, pool, &text);
        text.len = text.data ? ngx_strlen(text.data) : 0;
        break;

    case WORKFLOW_FACT_CONNECTION_SNI:
        rc = ngx_ssl_get_server_name(c, pool, &text);
        break;

    case WORKFLOW_FACT_CONNECTION_SUBJECT_PEER_CERTIFICATE:
        rc = ngx_ssl_get_subject_dn(c, pool, &text);
        break;

    default: /* WORKFLOW_FACT_CONNECTION_MTLS */
        rc = ngx_ssl_get_client_verify(c, pool, &text);

        if (rc == NGX_OK) {
            *value = cel_bool(text.len == 7
                              && ngx_strncmp(text.data, "SUCCESS", 7) == 0);
            return CEL_OK;
        }

        break;
    }

    if (rc != NGX_OK) {
        return ngx_http_constraint_no_memory(eval);
    }

    return ngx_http_constraint_text(source, eval, slot, &text, value);

#else

    return CEL_OK;

#endif
}


static cel_status_t
ngx_http_constraint_fetch_var(ngx_http_constraint_source_t *source,
    cel_eval_t *eval, cel_slot_t slot, cel_value_t *value)
{
    ngx_str_t                         text;
    ngx_http_request_t               *r;
    ngx_http_variable_value_t        *v;
    ngx_http_constraint_var_t        *var;
    ngx_http_constraint_main_conf_t  *pmcf;

    r = source->request;

    pmcf = ngx_http_get_module_main_conf(r, ngx_http_constraint_module);

    slot -= WORKFLOW_FACT_COUNT;

    if (pmcf->vars == NULL || slot >= pmcf->vars->nelts) {
        return cel_eval_fail(eval, CEL_E_FACT, "a variable without a source");
    }

    var = pmcf->vars->elts;
    v = ngx_http_get_flushed_variable(r, var[slot].index);

    if (v == NULL) {
        return ngx_http_constraint_no_memory(eval);
    }

    if (v->not_found) {
        *value = cel_string("", 0);
        return CEL_OK;
    }

    if (v->len > NGX_HTTP_CONSTRAINT_VAR_MAX) {
        return ngx_constraint_fact_fail(source->facts.failure, eval,
                                        NGX_CONSTRAINT_E_EVALUATION,
                                        "variable '%.*s' is longer than %d "
                                        "bytes", (int) var[slot].name.len,
                                        (char *) var[slot].name.data,
                                        NGX_HTTP_CONSTRAINT_VAR_MAX);
    }

    text.data = v->data;
    text.len = v->len;

    return ngx_http_constraint_text(source, eval,
                                    slot + WORKFLOW_FACT_COUNT, &text, value);
}


static cel_status_t
ngx_http_constraint_text(ngx_http_constraint_source_t *source,
    cel_eval_t *eval, cel_slot_t slot, const ngx_str_t *text,
    cel_value_t *value)
{
    if (!ngx_constraint_utf8_valid(text->data, text->len)) {
        return ngx_constraint_fact_fail(source->facts.failure, eval,
                                        NGX_CONSTRAINT_E_EVALUATION,
                                        "%.80s is not valid UTF-8",
                                        ngx_http_constraint_fact_name(source,
                                                                      slot));
    }

    *value = ngx_constraint_cel_string(text);

    return CEL_OK;
}


/* NUL-terminated; of nginx.var() that of the variable */

static const char *
ngx_http_constraint_fact_name(ngx_http_constraint_source_t *source,
    cel_slot_t slot)
{
    ngx_http_constraint_var_t        *var;
    ngx_http_constraint_main_conf_t  *pmcf;

    if (slot < WORKFLOW_FACT_COUNT) {
        return workflow_fact_name(slot);
    }

    pmcf = ngx_http_get_module_main_conf(source->request,
                                         ngx_http_constraint_module);
    var = pmcf->vars->elts;

    return (char *) var[slot - WORKFLOW_FACT_COUNT].name.data;
}


static cel_status_t
ngx_http_constraint_no_memory(cel_eval_t *eval)
{
    return cel_eval_fail(eval, CEL_E_MEMORY, "no memory for a fact");
}


static cel_status_t
ngx_http_constraint_table(ngx_constraint_facts_t *facts, cel_eval_t *eval,
    cel_slot_t slot, const ngx_constraint_table_t **table)
{
    cel_value_t                    value;
    ngx_http_constraint_source_t  *source;

    source = (ngx_http_constraint_source_t *) facts;

    switch (slot) {

    case WORKFLOW_FACT_REQUEST_HEADERS:
        *table = ngx_http_constraint_headers_table(&source->headers);

        return *table ? CEL_OK : ngx_http_constraint_no_memory(eval);

    case WORKFLOW_FACT_REQUEST_ARGS:
        if (ngx_http_constraint_fetch_args(source, eval, &value) != CEL_OK) {
            return CEL_ERROR;
        }

        *table = source->args;

        return CEL_OK;

    default:
        return CEL_NOT_FOUND;
    }
}


/*
 * Each bound holds for one value, nested ones included; nothing outside the
 * header lines and the request line but variables is larger than they are.
 */

static void
ngx_http_constraint_sizes(ngx_constraint_facts_t *facts, cel_sizes_t *sizes)
{
    size_t                            size;
    ngx_http_request_t               *r;
    ngx_http_constraint_source_t     *source;
    ngx_http_constraint_main_conf_t  *pmcf;

    source = (ngx_http_constraint_source_t *) facts;
    r = source->request;

    pmcf = ngx_http_get_module_main_conf(r, ngx_http_constraint_module);

    size = ngx_http_constraint_headers_size(source->headers.list)
           + r->request_line.len + r->uri.len + r->args.len
           + r->headers_in.server.len;

    if (pmcf->vars) {
        size += NGX_HTTP_CONSTRAINT_VAR_MAX;
    }

    sizes->bytes[CEL_SIZE_SMALL] = NGX_HTTP_CONSTRAINT_SMALL_MAX;
    sizes->bytes[CEL_SIZE_HEADERS] = size;

    if (facts->input_ready) {
        sizes->bytes[CEL_SIZE_BODY] = facts->input.len;

    } else if (r->headers_in.content_length_n >= 0) {
        sizes->bytes[CEL_SIZE_BODY] = r->headers_in.content_length_n;

    } else if (r->headers_in.chunked) {
        sizes->bytes[CEL_SIZE_BODY] = source->input_max;
    }
}
