/* The app as the library sees it: its registrations, and the life of the parts that start makes of
 * it. */
#ifndef SVC_APP_APP_INTERNAL_H
#define SVC_APP_APP_INTERNAL_H

#include <pthread.h>
#include <stdatomic.h>

#include <svc/app.h>
#include <svc/middleware.h>
#include <svc/sys/span.h>
#include <svc/task.h>

#include "libsvc/base/arena.h"
#include "libsvc/base/buf.h"
#include "libsvc/base/faults.h"
#include "libsvc/exchange/plan.h"
#include "libsvc/log/logger.h"
#include "libsvc/metrics/metric.h"
#include "libsvc/route/pattern.h"
#include "libsvc/run/watchdog.h"
#include "libsvc/settings/settings.h"

struct service;
struct census;
struct coding_entry;
struct store_scheme;
struct svc_loop;
struct svc_memo;
struct svc_store;
struct test_host;
struct workers;

/* A middleware in the list of an app, group or route. */
struct use {
    struct use *next;
    const svc_middleware *middleware;
    svc_app *app; /* that registered it; the argument of its start and stop */
};

/* A program's middleware, in the form that this release has. */
struct layer_copy {
    svc_middleware own;
    const svc_middleware *given; /* a struct that is given twice is one middleware, started once */
    struct layer_copy *next;
};

struct use_list {
    struct use *first, *last;
    size_t count;
};

struct svc_group {
    svc_app *app;
    svc_group *parent; /* NULL for the root group of an app that is not mounted; svc_app_use adds to
                          the root group */
    const char *prefix;
    unsigned timeout_ms; /* of its routes; 0: the limit of the group around it, or the app's */
    unsigned flags;      /* added to those of its routes */
    const struct offers *offers; /* for lists that its routes lack; NULL: none */
    struct use_list uses;
};

/* A route as it was registered. */
struct app_route {
    struct pattern pattern;
    svc_group *group;
    svc_handler *handler;
    void *arg;
    unsigned flags;
    size_t max_body;             /* 0: the app's */
    unsigned timeout_ms;         /* 0: the limit of the groups around it, or the app's */
    const struct offers *offers; /* NULL: those of the groups around it */
    struct use_list uses;
    struct app_route *next;
};

/* An app under a prefix of another. */
struct mount {
    svc_app *app;          /* the inner one, owned */
    svc_group *at;         /* the outer app's group that has the prefix */
    struct pattern prefix; /* all paths below it; whole once the outermost app is readied */
    struct mount *next;
};

struct hook {
    svc_app *app;
    int (*start)(svc_app *app, void *arg);
    void (*stop)(svc_app *app, void *arg);
    void (*drain)(svc_app *app, void *arg);
    void *arg;
    struct hook *next, *previous;
};

/* A state that each event loop has of its own: see svc_app_each_loop. */
struct loop_hook {
    svc_app *app;
    const svc_key *key;
    int (*begin)(svc_app *app, struct svc_loop *loop, void *arg, void **state);
    void (*end)(void *state, void *arg);
    void *arg;
    struct loop_hook *next;
};

/* A state that each worker thread has of its own: see svc_app_each_worker. */
struct worker_hooks {
    int (*begin)(svc_app *app, void *arg, void **state);
    void (*end)(void *state, void *arg);
    void *arg;
};

struct check {
    const char *name;
    int (*check)(void *arg);
    void *arg;
    struct check *next;
};

/* A layer of the default stack: `make` gives the app's own instance, if the setting is on. */
struct default_layer {
    size_t setting; /* offset of an int in svc_config */
    const svc_middleware *(*make)(svc_app *app);
};

/* The background tasks: see task.h. */
struct task_list {
    svc_task_context *first, *last;
    pthread_mutex_t lock;
    pthread_cond_t changed;   /* a task has ended or shall stop */
    void (*ended)(void *arg); /* called for each task that ends; may be NULL */
    void *ended_arg;
};

#define TASK_LIST_INIT                                                                             \
    {                                                                                              \
        .lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER                     \
    }

/* Where an app stands in its life: see life.h. */
enum app_state {
    APP_BUILDING, /* registration is open */
    APP_STARTING, /* it is compiled, and its start hooks run; or its threads start */
    APP_READY,    /* start hooks have run, for svc_app_test */
    APP_TESTING,  /* svc_app_test runs a request */
    APP_STARTED,  /* serving, up to the last request of the drain */
    APP_ENDING,   /* its stop hooks run */
    APP_ENDED     /* has served, hooks undone */
};

struct svc_app {
    struct arena memory; /* of everything that registration makes */
    const char *name;
    const char *description; /* for --help; NULL: none */
    _Atomic int state;       /* enum app_state */
    _Atomic bool waited;     /* svc_app_wait has been called */
    bool readied;            /* compiled, hooks have run and are not undone */
    svc_config config;
    struct settings settings; /* the library's, in `config`, and the program's own */
    struct logger logger;
    svc_group root;
    struct app_route *routes, *last_route;
    size_t route_count;
    struct app_route
        fallback;    /* answers where no route matches; without a handler, the library does */
    svc_app *parent; /* the app that this one is mounted on or the admin app of, or NULL */
    svc_app *admin; /* whose routes the admin listener serves; NULL: svc_app_admin was not called */
    svc_group *debug; /* of an admin app: its pages below /debug/; NULL: there are none */
    struct mount *mounts, *last_mount;        /* with those of mounted apps, once readied */
    struct hook *hooks, *last_hook, *started; /* started: the last whose start succeeded */
    struct check *checks, *last_check;
    struct worker_hooks worker_hooks;
    struct loop_hook *loop_hooks, *last_loop_hook;
    struct workers *workers;      /* made when the app is readied */
    svc_counter *worker_failures; /* threads that could not begin */
    struct task_list tasks;
    const struct default_layer *defaults;
    size_t default_count;
    struct use_list default_uses;           /* made when the app is readied */
    struct layer_copy *layer_copies;        /* one for each middleware of the app, in no order */
    struct chain_layer *middleware_started; /* distinct, in order of start */
    size_t middleware_started_count;
    svc_sys_exporter exporter; /* without `take`, there is none */
    struct svc_store *stores;  /* that were opened on it: see storage/store.h */
    struct store_scheme *store_schemes;
    struct coding_entry *codings; /* that were added to it: see coding/codings.h */
    struct svc_memo *memos;       /* that were made on it: see memo/memo_internal.h */
    struct faults faults;         /* of its set-up; the outermost app keeps those of mounted apps */

    struct plan *plan; /* compiled when the app is readied */
    struct metrics *metrics;
    struct test_host *test_host; /* of svc_app_test; made by its first call */
    svc_counter_family *stalls;  /* of loops, by route */
    svc_counter *standstills;    /* of loops, by no fault of the application */
    _Atomic uint64_t standstill_logged_ms;
    _Atomic uint64_t stalls_logged_ms[WATCHED_KINDS]; /* for stalls of no route; 0: never */
    _Atomic int draining;                             /* enum drain_state */
    struct service *service;                          /* made by svc_app_start */
    struct census *census;  /* of its loops, once it is started; see server/census.h */
    _Atomic unsigned stops; /* calls of svc_app_stop so far */
    unsigned stops_before;  /* calls of it before the start */
    _Atomic int stop_fd;    /* an eventfd that svc_app_stop writes to; -1 before the first start */
    const _Atomic unsigned
        *_Atomic signals; /* signals that asked for a stop; NULL: none are taken */
};

/*
 * Makes an app without a default stack; svc_app_new adds it. NULL when out of memory. The table of
 * `defaults` is borrowed.
 */
svc_app *svc__app_create(const char *name, const struct default_layer *defaults, size_t count);

/* Checks that registration is open: 0, SVC_ENOMEM for NULL (returned by svc_app_new), or
 * SVC_ESTATE, kept as a set-up error of `call`. Any thread. */
int svc__app_open(svc_app *app, const char *call);

/* Whether `name` may name a check or a task: letters, digits, '_', '-'. */
bool svc__app_name_valid(const char *name);

/* "<the inner app's name>.<name>", in the outer app's memory: two apps may use the same name. NULL
 * when out of memory. */
char *svc__app_prefixed(svc_app *outer, const svc_app *inner, const char *name);

/*
 * Readies an app in APP_STARTING for requests: compiles routes, flattens chains, and, unless a
 * setting is known to be bad, starts middleware and hooks. It does nothing when the app is ready.
 * 0, SVC_EROUTES, SVC_ESTART, SVC_ECONFIG, SVC_ESTATE when something was registered too late,
 * SVC_ENOMEM, or SVC_ECANCELLED when a stop was asked for meanwhile. After a failure the app is in
 * APP_ENDED.
 */
int svc__app_ready(svc_app *app);

/* Ends tasks, however long they take, and stops the hooks, then the middleware, that svc__app_ready
 * started, in reverse order. */
void svc__app_unready(svc_app *app);

/* Adds a readiness check to an app that is not started yet, in a start hook too. 0 or SVC_ENOMEM.
 */
int svc__app_append_check(svc_app *app, const char *name, int (*check)(void *arg), void *arg);

/* The exporter of spans: the app's own, or the first that an app mounted on it has; NULL for none.
 * Accepts NULL. */
const svc_sys_exporter *svc__app_exporter(const svc_app *app);

/* The app that serves: the outermost app on which `app` is mounted, or `app` itself. */
static inline svc_app *svc__app_root(const svc_app *app)
{
    while (app->parent)
        app = app->parent;
    return (svc_app *)(uintptr_t)app;
}

/* The app whose plan has the routes of `app`, once it is readied: the one that serves, or its admin
 * app. */
static inline const svc_app *svc__app_serving(const svc_app *app)
{
    while (app->parent && app->parent->admin != app)
        app = app->parent;
    return app;
}

/*
 * Parses "[METHOD ][HOST]/path" with the method apart (may be NULL) and the group's prefix before
 * its path, in the memory of the group's app. 0, or SVC_ESYNTAX or SVC_ENOMEM, kept as a set-up
 * error. `file` is borrowed as long as the app.
 */
int svc__app_parse_pattern(const svc_group *group, const char *method, const char *pattern,
                           const char *file, int line, struct pattern *out);

/* As svc_group_group, with the error code of a failure: SVC_EINVAL for a bad prefix, SVC_ESTATE or
 * SVC_ENOMEM, kept as a set-up error. */
int svc__app_make_group(svc_group *group, const char *prefix, svc_group **out);

/* Adds a copy of a middleware at the end of a list. 0, SVC_EINVAL or SVC_ENOMEM. */
int svc__app_append_use(svc_app *app, struct use_list *list, const svc_middleware *middleware);

#endif
