/*
 * Exchanges without an app: plans that are made by hand, and a home that is the test's own thread.
 * There is one home, as Criterion runs each test in a process of its own.
 */
#ifndef TESTS_SUPPORT_HAND_H
#define TESTS_SUPPORT_HAND_H

#include <svc/app.h>
#include <svc/middleware.h>

#include "libsvc/exchange/exchange.h"
#include "libsvc/log/logger.h"
#include "libsvc/run/reactor.h"

enum {
    HAND_ROUTES = 8, /* of a plan, at most */
    HAND_LAYERS = 8, /* of a chain, at most */
    HAND_APPS = 2    /* of a plan, at most */
};

/* What a test has: made by hand_open. */
struct hand {
    svc_config config;
    _Atomic int draining;
    struct plan *plan; /* without routes, and with an app that nobody looks into */
    struct exchange_host home, worker;
    struct svc_loop loop;
    struct transport transport; /* of each exchange, by "http" */
    struct peer peer;
    _Atomic unsigned wakes; /* of the home, which does nothing by itself */
    unsigned news;          /* that the transport was told of */
    unsigned logged;        /* lines */
    char last_logged[64];   /* the message of the last of them */
    struct logger logger;
};

extern struct hand hand;

/* For a suite's init and fini: no exchange may be left at the end. */
void hand_open(void);
void hand_close(void);

/* Another plan, with the settings of the first. To be freed by svc__plan_free. */
struct plan *hand_plan(void);

/* Adds an app, which is an address that nobody looks into, mounted at `path`. */
struct plan_app *hand_mount(struct plan *plan, const char *path, svc_app *app);

/* Adds a route of the given app, with an empty chain and the limits of the settings. */
struct route *hand_route(struct plan *plan, const struct plan_app *owner, const char *pattern,
                         svc_handler *handler);

/* Adds a layer to a chain, whose room is a plan's. */
void hand_layer(struct plan *plan, struct chain *chain, const svc_middleware *middleware);

/* Has the plan find its routes, when all are there. */
void hand_plant(struct plan *plan);

/* An exchange of the first plan that is in no stage of its way: a GET of no route, without fields,
 * on HTTP/1.1, whose deadline is far away. One reference is the test's. */
struct exchange *hand_exchange(void);

/* An exchange by dispatch.h, whose head is in. `fields` are names and values in turn, up to a NULL;
 * Host comes before them. Borrowed until the next call. */
struct exchange *hand_begin(const struct plan *plan, const char *method, const char *target,
                            const char *const *fields);

/* Ends an exchange of hand_begin, and gives the reference back. */
void hand_end(struct exchange *x);

/* Gives the first plan a pool of one thread, whose host is `hand.worker`, and ends it. */
void hand_open_workers(size_t max_queued);
void hand_close_workers(void);

/* Waits until the home has been woken so often. */
void hand_await_wakes(unsigned wakes);

/* Uses up an arena's memory, to the last byte. */
void hand_exhaust(struct arena *arena);

#endif
