/*
 * What the tests of memos share: three apps over one store, as instances, which a test can take
 * down; loaders; and calls on threads of their own.
 */
#ifndef TESTS_API_MEMO_STAGE_H
#define TESTS_API_MEMO_STAGE_H

#include <pthread.h>
#include <time.h>

#include <svc.h>
#include <svc/sys/store.h>

#include "tests/support/process.h"

enum { APPS = 3, THREADS = 60, REQUESTS = 200 };

/* ---- The store, under the schemes "shared", "leasing", which has leases, and, for event loops,
 * "quick" */

extern svc_store *backing;       /* which has the values */
extern _Atomic int down;         /* the error of each operation; 0: it is up */
extern _Atomic int down_for_add; /* and for leases */
extern void (*before_operation)(const svc_sys_store_op *op); /* NULL: nothing comes before */
extern _Atomic unsigned store_calls;

/* ---- The apps */

extern svc_app *apps[APPS];
extern svc_memo *memos[APPS];
extern const char *store_url;
extern svc_memo_options options;
extern _Atomic unsigned loads;

/* Before and after each test. */
void open_apps(void);
void close_apps(void);

/* Makes the memos of the first `count` apps, and starts them. */
void make_memos(int count);

/* Ages all memos and the store. */
void pass_time(uint64_t ms);

/* The sum of a series over the apps. */
double sum_metric(const char *series);

#define LOOKUPS(outcome)                                                                           \
    sum_metric("svc_memo_lookups_total{memo=\"prices\",outcome=\"" outcome "\"}")
#define LOADS(outcome) sum_metric("svc_memo_loads_total{memo=\"prices\",outcome=\"" outcome "\"}")
#define WAITS(on) sum_metric("svc_memo_waits_total{memo=\"prices\",for=\"" on "\"}")

/* Waits until a condition holds. */
#define AWAIT(condition)                                                                           \
    do {                                                                                           \
        int left_ms = PROCESS_WAIT_MS;                                                             \
        while (!(condition) && left_ms-- > 0)                                                      \
            nanosleep(&(struct timespec){0, 1000000}, NULL);                                       \
        cr_assert(condition);                                                                      \
    } while (0)

/* ---- Loaders */

/* Gives the key and the number of the load. */
int load_numbered(svc_memo_load *load, const char *key, void *arg);

/* The same once the gate is open; or returns `gate_error`. */
int load_at_gate(svc_memo_load *load, const char *key, void *arg);
extern _Atomic bool gate_open;
extern _Atomic int loading; /* loads at the gate */
extern _Atomic int gate_error;

/* Returns the error to which `arg` points. */
int load_error(svc_memo_load *load, const char *key, void *arg);

/* ---- Calls */

/* The value of a key, or the name of the error. Static memory. */
const char *get_by(svc_memo *memo, const char *key, svc_memo_loader *load, void *arg);

/* The same by load_numbered. */
const char *get_text(svc_memo *memo, const char *key);

/* A call at the gate, on a thread of its own. */
struct caller {
    pthread_t thread;
    svc_memo *memo;
    int error;
    char text[64];
};

extern struct caller callers[REQUESTS];

/* Begin, await and compare the results of `count` callers. */
void begin_callers(int first, int count, svc_memo *memo);
void end_callers(int first, int count);
void expect_all(int first, int count, int error, const char *text);

/* ---- Routes */

extern svc_memo *asked_memo; /* by the handler */
extern _Atomic int handler_error;

/* Adds a route whose handler waits for a value. */
void add_memo_route(svc_app *app, const char *pattern, unsigned flags, unsigned timeout_ms);

/* The status of a GET; `body`, which may be NULL, is expected. */
int ask_route(svc_app *app, const char *target, const char *body);

#endif
