/*
 * The seam for libraries that keep the values of svc/store.h: a table of functions, and how one is
 * registered. Programs need nothing of this, unless they have a backend of their own; they call a library
 * that uses it. $(datadir)/libsvc/conformance/store.c tests a backend.
 *
 * The library above checks arguments, puts the namespace before the key, finds the time limit, and counts.
 * A backend carries out operations. It may be asked by any number of threads at once.
 */
#ifndef SVC_SYS_STORE_H
#define SVC_SYS_STORE_H

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
    SVC_SYS_STORE_LIMIT      /* svc_store_limit */
};

/* An operation. Its arguments are checked. */
typedef struct svc_sys_store_op {
    size_t size;                   /* of the struct as the library has it */
    struct svc_sys_store_op *next; /* of the same call; NULL: it is the last */
    int kind;                      /* svc_sys_store_kind */
    const char *key;               /* with the namespace and its ':'; not terminated */
    size_t key_len;                /* up to 249 */
    size_t space_len;              /* of these, the namespace and its ':' */
    const void *data;              /* the value that is written, or was read */
    size_t len;
    uint64_t ttl_ms;  /* 0: no end */
    bool compares;    /* DELETE, REPLACE: only a value of that `version` */
    uint64_t version; /* to compare; GET, ADD, REPLACE: becomes that of the value */
    uint64_t number;  /* INCREMENT: by how much; becomes the new number */
    const svc_store_charge *charge; /* LIMIT; its windows are good ones */
    svc_store_verdict *verdict;     /* LIMIT: to be filled */
    int error; /* to be set: 0 or a code as the call documents it */
} svc_sys_store_op;

/*
 * Memory for the value that a GET has read, `len` bytes, which becomes `op->data`, and `op->len` is set.
 * NULL when out of memory: the operation is then SVC_ENOMEM, or SVC_ETOOBIG for a value that is over
 * max_value. `op->error` is set to it. The thread of `run`. Since: 0.1
 */
SVC_API void *svc_sys_store_alloc(svc_sys_store_op *op, size_t len) SVC_MUST_CHECK;

/* A parameter of a URL, `name=value` behind the '?'. Nothing is unescaped. */
typedef struct svc_sys_store_param {
    const char *name, *value;
} svc_sys_store_param;

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

/* The counts of a backend, as far as it knows. */
typedef struct svc_sys_store_stats {
    size_t size;
    uint64_t entries;
    uint64_t bytes;   /* that they take */
    uint64_t evicted; /* entries that have left for lack of room since the start */
    uint64_t expired; /* entries that were removed since their time was over */
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
} svc_sys_store;

#define SVC_SYS_STORE_INIT                                                                         \
    {                                                                                              \
        sizeof(svc_sys_store), NULL, NULL, 0, NULL, NULL, NULL, NULL, NULL, NULL                   \
    }

/*
 * Registers a backend, which is copied, for the stores of the app and of apps mounted on it. 0; SVC_EINVAL;
 * SVC_ESTATE when the app has one for the scheme or has started; SVC_ENOMEM, also for a NULL app. All are
 * kept as set-up errors. Before start only. Since: 0.1
 */
SVC_API int svc_sys_app_add_store(svc_app *app, const svc_sys_store *backend);

SVC_END_DECLS

#endif
