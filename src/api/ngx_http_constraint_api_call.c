
/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * The life of a call that waits for something in a thread: the client may go,
 * the time may be up, the thread may be done; the first of them ends it.
 */


#include "ngx_http_constraint_api.h"


static void ngx_http_constraint_api_timeout(ngx_event_t *ev);
static void ngx_http_constraint_api_let_go(ngx_http_constraint_api_t *api);


void
ngx_http_constraint_api_suspend(ngx_http_constraint_api_t *api,
    void (*detach)(ngx_http_constraint_api_t *api), void *waiting)
{
    ngx_msec_t           wait;
    ngx_event_t         *rev;
    ngx_http_request_t  *r;

    r = api->request;

    wait = ngx_constraint_fault("api.wait_ms");

    if (wait == 0) {
        wait = NGX_HTTP_CONSTRAINT_API_WAIT;
    }

    api->detach = detach;
    api->waiting = waiting;

    /* the timer also keeps a worker that quits from ending under the call */

    api->dummy.fd = (ngx_socket_t) -1;
    api->dummy.data = api;

    api->timer.data = &api->dummy;
    api->timer.handler = ngx_http_constraint_api_timeout;
    api->timer.log = ngx_cycle->log;

    ngx_add_timer(&api->timer, wait);

    if (r != r->main) {
        return;
    }

    r->read_event_handler = ngx_http_test_reading;
    r->write_event_handler = ngx_http_request_empty_handler;

    rev = r->connection->read;

    if (rev->ready) {
        ngx_post_event(rev, &ngx_posted_events);

    } else if (ngx_handle_read_event(rev, 0) != NGX_OK) {
        r->connection->error = 1;
    }
}


ngx_connection_t *
ngx_http_constraint_api_wake(ngx_http_constraint_api_t *api)
{
    ngx_connection_t    *c;
    ngx_http_request_t  *r;

    r = api->request;
    c = r->connection;

    ngx_http_set_log_request(c->log, r);

    api->detach = NULL;
    api->waiting = NULL;

    if (api->timer.timer_set) {
        ngx_del_timer(&api->timer);
    }

    if (r == r->main) {
        r->read_event_handler = ngx_http_block_reading;
    }

    return c;
}


static void
ngx_http_constraint_api_timeout(ngx_event_t *ev)
{
    ngx_connection_t           *c;
    ngx_http_constraint_api_t  *api;

    c = ev->data;
    api = c->data;

    ngx_http_constraint_api_let_go(api);

    c = ngx_http_constraint_api_wake(api);

    ngx_http_constraint_api_fail(api, NGX_HTTP_CONSTRAINT_API_E_TIMED_OUT,
                                 NULL, "there was no result within %d "
                                 "seconds; a write that was asked for may "
                                 "still happen",
                                 NGX_HTTP_CONSTRAINT_API_WAIT / 1000);

    ngx_http_run_posted_requests(c);
}


void
ngx_http_constraint_api_cleanup(void *data)
{
    ngx_http_constraint_api_t *api = data;

    ngx_http_constraint_api_let_go(api);

    if (api->timer.timer_set) {
        ngx_del_timer(&api->timer);
    }
}


static void
ngx_http_constraint_api_let_go(ngx_http_constraint_api_t *api)
{
    void  (*detach)(ngx_http_constraint_api_t *api);

    detach = api->detach;
    api->detach = NULL;

    if (detach) {
        detach(api);
    }
}
