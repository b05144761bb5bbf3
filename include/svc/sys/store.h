/*
 * The seam for libraries that keep the values of svc/store.h: a table of functions, and how one is
 * registered. Programs need nothing of this, unless they have a backend of their own; they call a library
 * that uses it. $(datadir)/libsvc/conformance/store.c tests a backend.
 *
 * The library above checks arguments, puts the namespace before the key, finds the time limit, and counts.
 * A backend carries out operations. It may be asked by any number of threads at once.
 *
 * Callers on event loops need `submit` and its three companions, unless the backend never waits: then the
 * library calls `run` for them. The library gathers the calls of a turn, submits them together, keeps the
 * deadline of each, and reports the answers that svc_sys_store_done gives back.
 */
#ifndef SVC_SYS_STORE_H
#define SVC_SYS_STORE_H

#include <svc/loop.h>
#include <svc/store.h>

SVC_BEGIN_DECLS

/* The kinds of operations: see the calls of svc/store.h. */
enum svc_sys_store_kind {
    SVC_SYS_STORE_GET = 0, /* svc_store_get */
    SVC_SYS_STORE_SET,     /* svc_store_set */
    SVC_SYS_STORE_ADD,     /* svc_store_add */
    SVC_SYS_STORE_REPLACE, /* svc_store_compare_and_set */
    SVC_SYS_STORE_DELETE,  /* svc_store_delete, and svc_store_compare_and_delete */
    SVC_SYS_STORE_INCREMENT, /* svc_store_increment */
    SVC_SYS_STORE_LIMIT,     /* svc_store_limit */

    /* svc_channel_publish, only for a backend with `subscribe`: in one step, adds 1 to the number under the
     * key, as INCREMENT without an end, and sends `data` to all that have subscribed to the key. `number`
     * becomes the new number. */
    SVC_SYS_STORE_PUBLISH,

    /* svc_store_lease, only for a backend with `leases`: GET; but where nothing is stored, in one step, a
     * lease for `ttl_ms` is kept under the key (SVC_ENOTFOUND, `version` becomes the lease's), unless there
     * is one (SVC_ECONFLICT). GET finds no lease; ADD is SVC_ECONFLICT; SET, REPLACE and DELETE treat it as
     * a value of its version. */
    SVC_SYS_STORE_LEASE
};

/* An operation. Its arguments are checked. */
typedef struct svc_sys_store_op {
    size_t size;                   /* of the struct as the library has it */
    struct svc_sys_store_op *next; /* of the same call of `run` or `submit`; NULL: it is the last */
    int kind;                      /* svc_sys_store_kind */
    const char *key;               /* with the namespace and its ':'; not terminated */
    size_t key_len;                /* up to 249 */
    size_t space_len;              /* of these, the namespace and its ':' */
    const void *data;              /* the value that is written, or was read */
    size_t len;
    uint64_t ttl_ms;  /* 0: no end, but of LEASE, which has one */
    bool compares;    /* DELETE, REPLACE: only a value of that `version` */
    uint64_t version; /* to compare; GET, ADD, REPLACE, LEASE: becomes that of the value */
    uint64_t number;  /* INCREMENT: by how much; becomes the new number */
    const svc_store_charge *charge; /* LIMIT; its windows are good ones */
    svc_store_verdict *verdict;     /* LIMIT: to be filled */
    int error;   /* to be set: 0 or a code as the call documents it */
    void *owned; /* for the backend's use from `submit` on; NULL at first */
} svc_sys_store_op;

/*
 * Memory for the value that a GET or LEASE has read, `len` bytes, which becomes `op->data`, and `op->len` is set.
 * NULL when out of memory: the operation is then SVC_ENOMEM, or SVC_ETOOBIG for a value that is over
 * max_value. `op->error` is set to it. The thread of `run`, or the loop of `submit`. Since: 0.1
 */
SVC_API void *svc_sys_store_alloc(svc_sys_store_op *op, size_t len) SVC_MUST_CHECK;

/*
 * Ends an operation of `submit`, whose `error` and results are set. Runs the caller's callback, which may
 * make further calls: these are submitted later, never within this one. `op` is freed, its `next` too. Once
 * for each operation that was not forgotten. Accepts NULL. The loop of `submit`. Since: 0.1
 */
SVC_API void svc_sys_store_done(svc_sys_store_op *op);

/* A parameter of a URL, `name=value` behind the '?'. Nothing is unescaped. */
typedef struct svc_sys_store_param {
    const char *name, *value;
} svc_sys_store_param;

/* A message that a subscription has received. */
typedef struct svc_sys_store_message {
    size_t size;
    uint64_t number;  /* that PUBLISH has given it */
    const void *data; /* borrowed until the next call for the subscription */
    size_t len;
} svc_sys_store_message;

/* The parts of a store's URL. All strings live as long as the app. */
typedef struct svc_sys_store_place {
    size_t size;
    const char *scheme;
    const char *rest; /* between the ':' and the '?': "//user:password@host:1/0" */
    const svc_sys_store_param *params; /* but for those that the library itself reads */
    size_t param_count;
    const char *name_space; /* without its ':' */
    size_t max_value;       /* bytes */
} svc_sys_store_place;

/* The counts of a backend. A count that it does not know stays as it is, and is not shown then. */
typedef struct svc_sys_store_stats {
    size_t size;
    uint64_t entries;
    uint64_t bytes;   /* that they take */
    uint64_t evicted; /* entries that have left for lack of room since the start */
    uint64_t expired; /* entries that were removed since their time was over */
    uint64_t servers; /* that have the values */
    uint64_t servers_out; /* those of them that are not asked at this moment, since they have failed */
} svc_sys_store_stats;

/* A backend. Begin with SVC_SYS_STORE_INIT. */
typedef struct svc_sys_store {
    size_t size;        /* set by SVC_SYS_STORE_INIT */
    const char *scheme; /* a lower-case letter, then those, digits, '+', '-', '.'; 31 at most; copied */
    void *arg;          /* handed to `open`; borrowed until the app is freed */

    /* Whether `run` may wait. Then it is never called on an event loop. */
    int waits;

    /*
     * Makes the state of one store, at the start. That a server is down is no error here. 0, or a code with
     * a reason in `*why`, static and without a secret: SVC_EINVAL for a bad parameter. Not NULL.
     */
    int (*open)(svc_app *app, const svc_sys_store_place *place, void *arg, void **state,
                const char **why);

    /* Frees the state, at the stop; no operation is under way. Not NULL. */
    void (*close)(void *state);

    /*
     * Carries out `first` and the operations that follow it, in any order, and sets the `error` of each. It
     * waits no longer than `wait_ms` milliseconds in all, which is 0 for a backend that never waits: then
     * SVC_ETIMEDOUT. Several threads at once. Not NULL.
     */
    void (*run)(void *state, svc_sys_store_op *first, uint64_t wait_ms);

    /* For /readyz: non-zero while no operation can succeed. May wait for `wait_ms`. NULL: always ready. */
    int (*check)(void *state, uint64_t wait_ms);

    /* Fills the counts. Any thread; must not wait. NULL: none are shown. */
    void (*read_stats)(void *state, svc_sys_store_stats *stats);

    /* For tests: from now on its clock is ahead by `ms` more. NULL: it cannot. */
    void (*age)(void *state, uint64_t ms);

    /*
     * The way of callers on event loops, which never waits; all four or none. Without it the calls on loops
     * are SVC_ESTATE, unless the backend never waits.
     */

    /* Makes the state of a store on a loop, on the loop's thread, before it serves. It may make timers and
     * watches. That a server is down is no error here. Non-zero: the start fails. */
    int (*begin_loop)(void *state, svc_loop *loop, void **loop_state);

    /* Frees that state, on the loop's thread, when timers and watches fire no more. No operation is under
     * way. */
    void (*end_loop)(void *loop_state);

    /*
     * Begins `first` and the operations that follow it, in one write where the server has one connection.
     * Each ends by svc_sys_store_done, within this call or later; the links `next` are the backend's.
     */
    void (*submit)(void *loop_state, svc_sys_store_op *first);

    /* The library has ended `op`, since its deadline has passed or the loop ends (where timers and watches
     * fire no more): the backend does not touch it after this call. Never within `submit`. */
    void (*forget)(void *loop_state, svc_sys_store_op *op);

    /* Whether a value may leave before its time, for lack of room. */
    int evicts;

    /*
     * Messages of channels (svc/channel.h), in order of their numbers; all three or none. Without them
     * receivers look at the number alone. All calls for one subscription come from one thread, which may wait.
     */

    /* Subscribes to a key, which has its namespace, is not terminated, and is borrowed until `unsubscribe`.
     * When it returns 0, each message published from now on is received or its loss reported. Else an error:
     * the library tries again later. Waits no longer than `wait_ms`. */
    int (*subscribe)(void *state, const char *key, size_t key_len, uint64_t wait_ms,
                     void **subscription);

    /*
     * Waits for a message, until `wait_ms` are over or `wake_fd`, which is not to be read, is readable:
     * SVC_ETIMEDOUT then. 0 with `*message`, whose size is set. Another error when messages may have been
     * lost, such as by a lost connection: the library unsubscribes, and subscribes anew.
     */
    int (*receive)(void *subscription, int wake_fd, uint64_t wait_ms,
                   svc_sys_store_message *message);

    /* Ends a subscription. Must not wait. */
    void (*unsubscribe)(void *subscription);

    /* Whether it carries out LEASE. */
    int leases;
} svc_sys_store;

#define SVC_SYS_STORE_INIT                                                                         \
    {                                                                                              \
        sizeof(svc_sys_store), NULL, NULL, 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL,      \
            NULL, NULL, 0, NULL, NULL, NULL, 0                                                     \
    }

/*
 * Registers a backend, which is copied, for the stores of the app and of apps mounted on it. 0; SVC_EINVAL;
 * SVC_ESTATE when the app has one for the scheme or has started; SVC_ENOMEM, also for a NULL app. All are
 * kept as set-up errors. Before start only. Since: 0.1
 */
SVC_API int svc_sys_app_add_store(svc_app *app, const svc_sys_store *backend);

SVC_END_DECLS

#endif
