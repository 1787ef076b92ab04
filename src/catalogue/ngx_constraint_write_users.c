/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * Who uses what is to be written or deleted: the walk through an index of
 * users.  Which of its entries count is the caller's business.
 */


#include "ngx_constraint_catalogue_room.h"


#define NGX_CONSTRAINT_USERS_MAX  1000       /* names in an answer */


static int ngx_constraint_write_user(ngx_constraint_write_t *write,
    const ngx_str_t *name);


int
ngx_constraint_write_users(ngx_constraint_writing_t *writing,
    const ngx_constraint_key_t *first, ngx_constraint_user_pt look)
{
    int                     rc;
    ngx_uint_t              counts;
    MDB_cursor             *cursor;
    ngx_constraint_user_t   user;

    rc = mdb_cursor_open(writing->txn, writing->dbi, &cursor);
    if (rc != 0) {
        return rc;
    }

    user.key.mv_data = (void *) first->data;
    user.key.mv_size = first->len;

    rc = mdb_cursor_get(cursor, &user.key, &user.value, MDB_SET_RANGE);

    while (rc == 0 && user.key.mv_size > first->len
           && ngx_memcmp(user.key.mv_data, first->data, first->len) == 0
           && json_array_size(writing->write->users)
              < NGX_CONSTRAINT_USERS_MAX)
    {
        user.name.data = (u_char *) user.key.mv_data + first->len;
        user.name.len = user.key.mv_size - first->len;
        counts = 0;

        rc = look(writing, &user, &counts);

        if (rc == 0 && counts) {
            rc = ngx_constraint_write_user(writing->write, &user.name);
        }

        if (rc == 0) {
            rc = mdb_cursor_get(cursor, &user.key, &user.value, MDB_NEXT);
        }
    }

    mdb_cursor_close(cursor);

    return (rc == MDB_NOTFOUND) ? 0 : rc;
}


static int
ngx_constraint_write_user(ngx_constraint_write_t *write,
    const ngx_str_t *name)
{
    json_t  *text;

    if (write->users == NULL) {
        write->result = NGX_CONSTRAINT_WRITE_IN_USE;
        write->users = json_array();
    }

    text = json_stringn((char *) name->data, name->len);

    return (json_array_append_new(write->users, text) == 0) ? 0 : ENOMEM;
}
