/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * Slots of profiles: what their constraints leave behind.  Names of profiles
 * are made and forgotten at will, so there are no more slots of them than a
 * quarter; what is beyond, and what is left of those that gave way, is one.
 */


#include "ngx_constraint_stats_room.h"


#define NGX_CONSTRAINT_STATS_PROFILE_SLOTS  4      /* one in so many */
#define NGX_CONSTRAINT_STATS_PROFILE_IDLE   60     /* before it gives way */


typedef struct {
    ngx_uint_t                    slots;
    ngx_uint_t                    labels;
} ngx_constraint_stats_census_t;


static void ngx_constraint_stats_profile_count_locked(
    ngx_constraint_stats_t *stats, ngx_constraint_stats_census_t *census);
static ngx_uint_t ngx_constraint_stats_profile_recycle_locked(
    ngx_constraint_stats_t *stats);
static ngx_constraint_stats_slot_t *ngx_constraint_stats_profile_idle_locked(
    ngx_constraint_stats_t *stats);


static const ngx_str_t  ngx_constraint_stats_none = ngx_null_string;
static const ngx_str_t  ngx_constraint_stats_others =
    ngx_string(NGX_CONSTRAINT_STATS_OTHER);


void
ngx_constraint_stats_profile_init_locked(ngx_constraint_stats_t *stats)
{
    ngx_uint_t        i;
    const ngx_str_t  *names[2];

    names[0] = &ngx_constraint_stats_none;
    names[1] = &ngx_constraint_stats_others;

    for (i = 0; i < 2; i++) {
        (void) ngx_constraint_stats_take_locked(stats,
                                                NGX_CONSTRAINT_SLOT_PROFILE,
                                                names[i], NULL);
        stats->slots[stats->filled - 1].labelled = 1;
    }
}


ngx_constraint_stats_slot_t *
ngx_constraint_stats_profile_locked(ngx_constraint_stats_t *stats,
    const ngx_str_t *profile)
{
    ngx_constraint_stats_slot_t    *slot;
    ngx_constraint_stats_census_t   census;

    slot = ngx_constraint_stats_lookup_locked(stats,
                                              NGX_CONSTRAINT_SLOT_PROFILE,
                                              profile, NULL);
    if (slot) {
        slot->used = ngx_constraint_stats_now();
        return slot;
    }

    ngx_constraint_stats_profile_count_locked(stats, &census);

    if (census.slots >= stats->nslots / NGX_CONSTRAINT_STATS_PROFILE_SLOTS
        && !ngx_constraint_stats_profile_recycle_locked(stats))
    {
        return ngx_constraint_stats_profile_other(stats);
    }

    slot = ngx_constraint_stats_take_locked(stats,
                                            NGX_CONSTRAINT_SLOT_PROFILE,
                                            profile, NULL);
    if (slot == NULL) {
        return ngx_constraint_stats_profile_other(stats);
    }

    slot->labelled = census.labels < NGX_CONSTRAINT_STATS_LABELS;

    return slot;
}


static void
ngx_constraint_stats_profile_count_locked(ngx_constraint_stats_t *stats,
    ngx_constraint_stats_census_t *census)
{
    ngx_uint_t                    i;
    ngx_constraint_stats_slot_t  *slot;

    census->slots = 0;
    census->labels = 0;

    for (i = 0; i < stats->filled; i++) {
        slot = &stats->slots[i];

        if ((slot->tag & 1) && slot->kind == NGX_CONSTRAINT_SLOT_PROFILE) {
            census->slots++;
            census->labels += slot->labelled;
        }
    }
}


/*
 * The profile that was not used for longest, and the slots of constraints
 * under it, which leave what they counted to it.  0: all are in use.
 */

static ngx_uint_t
ngx_constraint_stats_profile_recycle_locked(ngx_constraint_stats_t *stats)
{
    ngx_uint_t                    i;
    ngx_constraint_stats_slot_t  *slot, *profile;

    profile = ngx_constraint_stats_profile_idle_locked(stats);

    if (profile == NULL) {
        return 0;
    }

    for (i = 0; i < stats->filled; i++) {
        slot = &stats->slots[i];

        if ((slot->tag & 1) && slot->kind == NGX_CONSTRAINT_SLOT_CONSTRAINT
            && slot->profile == profile - stats->slots + 1)
        {
            ngx_constraint_stats_drop_locked(stats, slot);
            stats->recycled++;
        }
    }

    ngx_constraint_stats_drop_locked(stats, profile);

    return 1;
}


/* A profile is used as its constraints are: only those are counted into. */

static ngx_constraint_stats_slot_t *
ngx_constraint_stats_profile_idle_locked(ngx_constraint_stats_t *stats)
{
    int32_t                       age;
    ngx_uint_t                    i;
    ngx_constraint_stats_slot_t  *slot, *oldest;

    for (i = 0; i < stats->filled; i++) {
        slot = &stats->slots[i];

        if ((slot->tag & 1) && slot->kind == NGX_CONSTRAINT_SLOT_CONSTRAINT
            && slot->profile
            && (int32_t) (slot->used - stats->slots[slot->profile - 1].used)
               > 0)
        {
            stats->slots[slot->profile - 1].used = slot->used;
        }
    }

    oldest = NULL;
    age = NGX_CONSTRAINT_STATS_PROFILE_IDLE
          - ngx_constraint_fault("stats.profile_idle") - 1;

    /* the first three are of all tables */

    for (i = NGX_CONSTRAINT_STATS_SLOT_OTHER + 1; i < stats->filled; i++) {
        slot = &stats->slots[i];

        if ((slot->tag & 1) && slot->kind == NGX_CONSTRAINT_SLOT_PROFILE) {
            ngx_constraint_stats_older(slot, &oldest, &age);
        }
    }

    return oldest;
}
