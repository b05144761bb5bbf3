/*
 * A memo: values that are loaded once and then kept in a store (svc/store.h), such as the rows of a slow
 * database. A call gives the stored value, or loads it: at one time, one caller in all instances that share
 * the store loads the value of a key, and the others wait for it.
 *
 *     static int load_price(svc_memo_load *load, const char *key, void *arg)
 *     {
 *         …                                                      (asks the database for `key`)
 *         return found ? svc_memo_load_value(load, text, len) : SVC_ENOTFOUND;
 *     }
 *
 *     svc_memo_options options = SVC_MEMO_OPTIONS_INIT;
 *     options.name = "prices";
 *     options.stale_ms = 30000;
 *     prices = svc_memo_new(app, svc_store_open(app, NULL), &options);
 *
 *     svc_store_value value;                                     (in a route with SVC_BLOCKING)
 *     int error = svc_memo_get(prices, req, "42", load_price, NULL, &value);
 *
 * docs/memo.md describes the life of a value, and what happens when a load fails, an instance dies or the
 * store is down.
 */
#ifndef SVC_MEMO_H
#define SVC_MEMO_H

#include <svc/store.h>
#include <svc/types.h>

SVC_BEGIN_DECLS

enum {
    SVC_MEMO_KEY_BYTES = 160, /* the longest key */
    SVC_MEMO_NAME_BYTES = 32, /* the longest name of a memo */
    SVC_MEMO_OWN_BYTES = 64   /* of the store's max_value, so many are the memo's own */
};

/* What a call does while the store cannot be asked. */
enum svc_memo_when_down {
    SVC_MEMO_DOWN_LOAD = 0, /* it loads, once in this instance, with up to `max_direct_loads` at a time */
    SVC_MEMO_DOWN_FAIL = 1  /* it returns the store's error */
};

typedef struct svc_memo svc_memo;

/* A load under way, as its loader sees it. */
typedef struct svc_memo_load svc_memo_load;

/*
 * Loads the value of `key`. Returns 0 after svc_memo_load_value; SVC_ENOTFOUND if there is none, which is
 * kept as well, for `negative_ms`; or any other error, which all who wait for this load get. It may block,
 * and runs on the thread of a call that waits for it, or on a worker of the app, off any request. That
 * happens after the call that has named it, so `arg` is borrowed until the app is freed, and the loader
 * knows by `key` alone what to load. A load off any request that does not return makes a stop a forced one
 * (SVC_EFORCED). Several threads at once.
 */
typedef int svc_memo_loader(svc_memo_load *load, const char *key, void *arg);

/* The options of a memo. Begin with SVC_MEMO_OPTIONS_INIT; `name` must be set. Times in milliseconds are at
 * most SVC_STORE_TTL_MS. */
typedef struct svc_memo_options {
    size_t size;      /* set by SVC_MEMO_OPTIONS_INIT */
    const char *name; /* in the store's keys and in metrics: letters, digits, '_', '-'; copied */

    uint64_t ttl_ms;         /* a value is fresh for so long; 1 at least, default 60000 */
    uint32_t jitter_percent; /* of the two times above and below: at random, a value's is shorter by up to
                                this part, so that values of one moment do not expire together; 0 to 50,
                                default 10 */
    uint64_t negative_ms;    /* SVC_ENOTFOUND of a loader is kept for so long; 0: not, default 10000 */

    uint64_t stale_ms;       /* then the value is given for so long while it is loaded anew; default 0 */
    uint64_t stale_error_ms; /* for so long, from its `ttl_ms` on, it is given if that load fails; default 0 */

    /* A value is loaded anew before it expires, with a probability that rises towards that time: the
     * earlier, the longer its last load took, times this factor. 0: never; at most 100, default 1. */
    double early;

    uint64_t lease_ms; /* other instances wait for so long for an instance that loads and has perhaps died;
                          0: instances do not wait for each other; default 10000 */
    uint64_t retry_ms; /* after a load has failed, all instances get its error for so long without another
                          load; 0: the next call loads; default 1000. Needs `lease_ms` */
    uint64_t wait_ms;  /* a call waits for another's load for so long, and never beyond its request's
                          deadline; default 10000 */

    int when_down;             /* an svc_memo_when_down; default SVC_MEMO_DOWN_LOAD */
    size_t max_direct_loads; /* while the store is down, so many loads run at a time; further calls
                                  get SVC_EUNAVAILABLE; 1 to 1000000, default 16 */
} svc_memo_options;

#define SVC_MEMO_OPTIONS_INIT                                                                      \
    {                                                                                              \
        sizeof(svc_memo_options), NULL, 60000, 10, 10000, 0, 0, 1.0, 10000, 1000, 10000,           \
            SVC_MEMO_DOWN_LOAD, 16                                                                 \
    }

/*
 * Makes a memo over a store of the same app. Owned by the app. NULL for a bad option, a name that a memo of
 * the app has already, a NULL store, once the app is started, or when out of memory, also kept as a set-up
 * error. Before start only. Since: 0.1
 */
SVC_API svc_memo *svc_memo_new(svc_app *app, svc_store *store, const svc_memo_options *options);

/*
 * Gives the value of a key, 1 to SVC_MEMO_KEY_BYTES bytes by the rule of svc/store.h, and loads it if it is
 * not stored. `req` is the request in whose course the call is made, or NULL. As of svc_store_get, the value
 * ends with the request, or is freed by svc_store_value_free; behind its bytes stands a NUL; `version` is 0.
 *
 * 0; SVC_ENOTFOUND: a loader has said so; SVC_ETIMEDOUT: the load of another call was awaited in vain;
 * SVC_EUNAVAILABLE: the store is down, and the options refuse this load; SVC_EINVAL for a bad key or NULL;
 * SVC_ESTATE on an event loop, which it could hold (svc_memo_get_then), or while the store is not open; SVC_ENOMEM, also for a
 * NULL memo; or the loader's error. Any thread but those of event loops, and many at once. Not in a loader,
 * for a key whose load may wait for this one. Since: 0.1
 */
SVC_API int svc_memo_get(svc_memo *memo, svc_request *req, const char *key, svc_memo_loader *load, void *arg,
                         svc_store_value *value);

/*
 * As svc_memo_get, on an event loop, which does not wait: when this returns 0, `then(answer, then_arg)` is
 * called once, on this loop and never within the call, as of svc_store_get_then; a value is read without
 * a worker, and loaded by one of the app's. `answer->error` is a result of svc_memo_get, and `answer->value`
 * is borrowed until the callback returns, or, with a request, until that ends. SVC_EUNAVAILABLE also if no
 * worker can be had; SVC_ECANCELLED when the loop ends first. When it returns an error, `then` is never called:
 * SVC_EINVAL also for a NULL `then`, SVC_ESTATE on another thread, else as svc_store_get_then. The loop's
 * thread. Since: 0.1
 */
SVC_API int svc_memo_get_then(svc_memo *memo, svc_request *req, const char *key, svc_memo_loader *load,
                              void *arg, svc_store_then *then, void *then_arg) SVC_MUST_CHECK;

/*
 * Removes a key's value, after a change of its source: the next call loads it. A load that is under way
 * keeps nothing, in whichever instance, since it may have read the source before that change; those who
 * wait for it get its value. 0, also if nothing was stored; SVC_EINVAL; or an error of svc_store_delete: the
 * value may then be given until its time is over. Threads as of svc_store_delete. Since: 0.1
 */
SVC_API int svc_memo_forget(svc_memo *memo, svc_request *req, const char *key);

/* As svc_memo_forget, on an event loop, as of svc_store_delete_then. The loop's thread. Since: 0.1 */
SVC_API int svc_memo_forget_then(svc_memo *memo, svc_request *req, const char *key, svc_store_then *then,
                                 void *arg) SVC_MUST_CHECK;

/*
 * Gives the value that a loader has loaded, `len` bytes, which are copied; a second call replaces the first
 * one's. 0; SVC_ETOOBIG: more than the store's max_value less SVC_MEMO_OWN_BYTES; SVC_ENOMEM; SVC_EINVAL.
 * After an error the load fails with it, whatever the loader returns. In a loader only. Since: 0.1
 */
SVC_API int svc_memo_load_value(svc_memo_load *load, const void *data, size_t len);

/* The request in whose course the value is loaded, for its deadline and its log: NULL where none waits for
 * it, or for a NULL load. In a loader only. Since: 0.1 */
SVC_API svc_request *svc_memo_load_request(const svc_memo_load *load);

/* The state of this worker (svc_app_each_worker) for the memo's app, such as its connection to a database:
 * NULL on a thread that is no worker, and for a NULL load. In a loader only. Since: 0.1 */
SVC_API void *svc_memo_load_worker(const svc_memo_load *load);

SVC_END_DECLS

#endif
