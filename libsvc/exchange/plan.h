/*
 * What serves: compiled from what apps have registered, read by every thread, and changed by none
 * but its counters. A request keeps the plan that it began with.
 */
#ifndef SVC_EXCHANGE_PLAN_H
#define SVC_EXCHANGE_PLAN_H

#include <stdatomic.h>

#include <svc/config.h>

#include "libsvc/base/arena.h"
#include "libsvc/exchange/chain.h"
#include "libsvc/route/pattern.h"

struct logger;
struct metrics;
struct tree;
struct workers;

/* How far the service's end has come. */
enum drain_state {
    DRAIN_NONE,
    DRAIN_BEGUN, /* replies close their connection */
    DRAIN_CUT    /* nobody waits for answers any more */
};

/* How often an event loop was held, or did not run. */
struct stall_count {
    _Atomic uint64_t count;
    _Atomic uint64_t logged_ms; /* when that was last logged; 0: never */
};

/* A route as requests meet it: every limit is known. */
struct route {
    struct pattern pattern; /* of a fallback, its text is "" */
    const struct plan_app *owner;
    svc_handler *handler;
    void *arg;
    unsigned flags;
    size_t max_body;
    unsigned timeout_ms;
    struct chain chain;
    struct stall_count *stalls;
};

/* One of the apps that a plan is compiled of. */
struct plan_app {
    svc_app *app; /* for handlers and layers that ask for it: nobody here looks into it */
    const svc_config *config;
    struct pattern prefix; /* all paths below it; of a mounted app */
    struct bytes
        mounted_at; /* the whole prefix without a slash at its end; "" for the one that serves */
    struct route fallback; /* answers what no route matches; without a handler, the library does */
};

struct plan {
    struct arena memory;   /* all of the plan but its tree */
    struct plan_app *apps; /* the one that serves, then those mounted on it */
    size_t app_count;
    struct route *routes;
    size_t route_count;
    struct tree *tree;        /* a match's pattern index leads to a route */
    const svc_config *config; /* of the app that serves */
    svc_handler *not_found;   /* answers where there is no fallback; NULL: a plain 404 */
    size_t default_layers;    /* of each chain: those of the default stack come first */
    bool blocks;              /* some route or layer needs a worker */
    struct workers *workers;
    struct metrics *metrics;
    struct logger *logger;
    const _Atomic int *draining;             /* enum drain_state */
    const struct svc_sys_exporter *exporter; /* of spans; NULL: they are not recorded */
};

/* The app whose 404 it is when no route matches a path: of the mounted apps the one with the
 * longest prefix that covers it, or the app that serves. Any thread. */
const struct plan_app *svc__plan_owner(const struct plan *plan, struct bytes path);

/* Frees a plan that no request has any more. Accepts NULL. */
void svc__plan_free(struct plan *plan);

#endif
