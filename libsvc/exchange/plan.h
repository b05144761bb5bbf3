/*
 * The plan: the routes, layers and limits of the apps that serve, compiled from their
 * registrations. Every thread reads it, and nothing in it changes but its counters. A request keeps
 * the plan that it began with.
 */
#ifndef SVC_EXCHANGE_PLAN_H
#define SVC_EXCHANGE_PLAN_H

#include <stdatomic.h>

#include <svc/config.h>

#include "libsvc/base/arena.h"
#include "libsvc/exchange/chain.h"
#include "libsvc/exchange/plan_counts.h"
#include "libsvc/route/pattern.h"

struct logger;
struct offers;
struct tree;
struct workers;

/* The stages of a service's end. */
enum drain_state {
    DRAIN_NONE,
    DRAIN_BEGUN, /* replies close their connection */
    DRAIN_CUT    /* the service waits for no answer any more */
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
    const struct offers *offers; /* see proto/accept.h; NULL: none */
    uint32_t index; /* in the plan's routes; UINT32_MAX: a fallback, which no pattern leads to */
    struct chain chain;
    _Atomic uint64_t *stall_logged_ms; /* when a stall by it was last logged; 0: never */
};

/* One of the apps in a plan. */
struct plan_app {
    svc_app *app; /* for handlers and layers that ask for it; this room does not look into it */
    const svc_config *config;
    struct pattern prefix;   /* of a mounted app: all paths below its prefix */
    struct bytes mounted_at; /* the prefix without a slash at its end; "" for the outermost app */
    struct route fallback; /* answers where no route matches; without a handler, the library does */
};

struct plan {
    struct arena memory;   /* all of the plan but its tree */
    struct plan_app *apps; /* the outermost app, then those mounted on it */
    size_t app_count;
    struct route *routes;
    size_t route_count;
    struct tree *tree;        /* a match's pattern index leads to a route */
    const svc_config *config; /* of the outermost app */
    svc_handler *not_found;   /* answers where there is no fallback; NULL: a plain 404 */
    size_t default_layers;    /* the number of layers of the default stack, which lead each chain */
    bool blocks;              /* a route or a layer needs a worker */
    struct workers *workers;
    struct logger *logger;
    struct plan_counts counts;
    const _Atomic int *draining;             /* enum drain_state */
    const struct svc_sys_exporter *exporter; /* of spans; NULL: they are not recorded */
};

/* The app that answers 404 when no route matches a path: the mounted app with the longest prefix
 * that covers the path, or the outermost app. Any thread. */
const struct plan_app *svc__plan_owner(const struct plan *plan, struct bytes path);

/* Frees a plan that no request uses any more. Accepts NULL. */
void svc__plan_free(struct plan *plan);

#endif
