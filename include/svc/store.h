/*
 * A store: bytes under keys, for a time, which the instances of a service can share. The same calls work on
 * the memory of this process, which is the default and needs no server, and on servers, by optional
 * libraries.
 *
 *     static svc_store *store;
 *
 *     store = svc_store_open(app, NULL);
 *
 *     svc_store_value value;
 *     int error = svc_store_get(store, req, "greeting", &value);
 *     if (error == SVC_ENOTFOUND)
 *         …
 *
 * The setting `store` (SVC_STORE), or the program, names the store by a URL:
 *
 *     memory:?bytes=67108864&max_value=1000000&namespace=orders
 *
 * `memory:` keeps values in this process until their time is over. When `bytes` (64 MiB at first) are full,
 * it evicts those that are read least. It is empty at each start, and no other instance sees it. Other
 * schemes are registered by optional libraries. These parameters belong to every scheme:
 *
 * - `namespace` is put before each key, with a ':'. It is the app's name at first: services that share a
 *   server do not see each other's keys. 1 to 48 bytes, by the rule of keys.
 * - `max_value`: the longest value, 256 to 67108864 bytes; 1000000 at first.
 * - `timeout_ms`: how long a call waits for an answer, 1 to 86400000; 1000 at first.
 * - `look_ms`: how often a channel (svc/channel.h) looks for messages that it has missed.
 *
 * Keys have 1 to SVC_STORE_KEY_BYTES bytes, none of them a space, a control character or DEL, so that they
 * are the same on every server and no client can smuggle a command into one. A key that breaks this rule is
 * SVC_EINVAL. Values are any bytes.
 *
 * Errors, of all calls: SVC_ENOTFOUND: the key has no value; SVC_ECONFLICT: it has a value already, or
 * another one; SVC_EUNAVAILABLE: the server cannot be asked, or the connection broke meanwhile;
 * SVC_ETIMEDOUT: it did not answer in time; after both, a write may have happened or not; SVC_ETOOBIG: the value or number is over its limit; SVC_ESYNTAX: the
 * stored value, or the server's answer, is not of the expected form; SVC_EINVAL: a bad argument;
 * SVC_ESTATE: the store is not open, or the call would hold an event loop; SVC_ENOMEM, also for a NULL
 * store.
 *
 * `req` is the request in whose course a call is made, or NULL. A call never waits beyond the request's
 * deadline, and the values that it reads are freed with the request. A store is open from the start hooks
 * on that were registered after it until the same stop hooks. Any thread, and many at once.
 *
 * There are two ways to call. The calls above return the answer. A store that waits for a server must not be
 * called so on an event loop (SVC_ESTATE): the callers are routes and middleware with SVC_BLOCKING, and
 * threads of the program's own; `memory:` never waits, and any handler may use it. The calls that end in
 * `_then` are for event loops: they return at once, and a callback on the same loop gets the answer.
 */
#ifndef SVC_STORE_H
#define SVC_STORE_H

#include <svc/rate_limit.h>
#include <svc/types.h>

SVC_BEGIN_DECLS

enum {
    SVC_STORE_KEY_BYTES = 200, /* the longest key */
    SVC_STORE_MANY = 1000,     /* the most keys of svc_store_get_many */
    SVC_STORE_WINDOWS = 4      /* the most windows of svc_store_limit */
};

/* The longest time to live: 366 days. */
#define SVC_STORE_TTL_MS UINT64_C(31622400000)

typedef struct svc_store svc_store;

/*
 * Opens a store at the start: by `url`, which is copied, or by the setting `store` for NULL. The same app
 * and URL give the same store. A URL whose scheme no library has registered, one with a bad or unknown
 * parameter, and a store that cannot be made fail the start, which reports why, but never the URL, whose
 * password it would show. A server that is down does not: /readyz names the check "store" as failed. Owned
 * by the app. NULL when out of memory or once started, kept as a set-up error. Before start only.
 * Since: 0.1
 */
SVC_API svc_store *svc_store_open(svc_app *app, const char *url);

/* Whether the store may drop values before their time, for lack of room: it is then for caches, and for
 * what can be made anew. Once it is open; false before, and for NULL. Any thread. Since: 0.1 */
SVC_API bool svc_store_evicts(const svc_store *store);

/* A value. To be written, `data` and `len` are set, and the rest is 0. */
typedef struct svc_store_value {
    const void *data;
    size_t len;
    uint64_t version; /* no two values of a key have the same; for the calls that compare */
    void *own;        /* the library's: memory for svc_store_value_free */
} svc_store_value;

/*
 * Reads the value of a key; behind `value->data` stands a NUL, which `len` does not count. With a request
 * it is freed when the exchange ends, without one by svc_store_value_free. 0 or an error. Since: 0.1
 */
SVC_API int svc_store_get(svc_store *store, svc_request *req, const char *key, svc_store_value *value);

/* Frees a value that a call has read, and clears the struct. Accepts NULL, and values that belong to a
 * request, whose memory stays until that ends. Since: 0.1 */
SVC_API void svc_store_value_free(svc_store_value *value);

/* A key to be read, and its value. */
typedef struct svc_store_item {
    const char *key;
    int error;             /* 0, or that of svc_store_get; `value` is then all zero */
    svc_store_value value; /* as of svc_store_get */
} svc_store_item;

/*
 * Reads `count` keys, 0 to SVC_STORE_MANY, at once: a server is asked for all of them before the first
 * answer is awaited. They are not read at one moment. 0 when each was found or is SVC_ENOTFOUND; else the
 * first other error, with each item's own error set. SVC_EINVAL for too many, or for a bad key: then no
 * item is changed. Since: 0.1
 */
SVC_API int svc_store_get_many(svc_store *store, svc_request *req, svc_store_item *items, size_t count);

/* Stores a value under a key, for `ttl_ms` milliseconds, up to SVC_STORE_TTL_MS; 0: without an end. A
 * server, or a tick of the clock (4 ms), may round the time. 0 or an error. Since: 0.1 */
SVC_API int svc_store_set(svc_store *store, svc_request *req, const char *key,
                          const svc_store_value *value, uint64_t ttl_ms);

/* As svc_store_set, if nothing is stored under the key: else SVC_ECONFLICT. On success `value->version` is
 * that of the value. Since: 0.1 */
SVC_API int svc_store_add(svc_store *store, svc_request *req, const char *key, svc_store_value *value,
                          uint64_t ttl_ms);

/*
 * As svc_store_set, if the stored value has `value->version`: SVC_ECONFLICT if it has changed,
 * SVC_ENOTFOUND if it is gone. On success `value->version` is the new one. Since: 0.1
 */
SVC_API int svc_store_compare_and_set(svc_store *store, svc_request *req, const char *key,
                                      svc_store_value *value, uint64_t ttl_ms);

/* Removes a value. 0, SVC_ENOTFOUND or another error. Since: 0.1 */
SVC_API int svc_store_delete(svc_store *store, svc_request *req, const char *key);

/* The same, if the value has that version: else SVC_ECONFLICT. Since: 0.1 */
SVC_API int svc_store_compare_and_delete(svc_store *store, svc_request *req, const char *key,
                                         uint64_t version);

/* Whether the store has svc_store_lease. Once it is open; false before, and for NULL. Any thread.
 * Since: 0.1 */
SVC_API bool svc_store_leases(const svc_store *store);

/*
 * As svc_store_get; but where nothing is stored, one of all who ask gets the lease of the key in the same
 * step, for `lease_ms` milliseconds, 1 to SVC_STORE_TTL_MS: that one shall make the value.
 *
 * - 0: `*value` is the value;
 * - SVC_ENOTFOUND: nothing is stored, and the caller has the lease. `value->version` is that of the lease,
 *   and the rest is zero. By this version svc_store_compare_and_set stores the value, and
 *   svc_store_compare_and_delete gives the lease up: both fail if the lease is over or the key has changed;
 * - SVC_ECONFLICT: nothing is stored, and another caller has the lease.
 *
 * A lease is no value: whoever reads the key finds nothing. It ends after its time, which a server may round
 * up, when a value is set, and when the key is deleted, which returns 0. Under a lease svc_store_add is
 * SVC_ECONFLICT; numbers and limits need other keys. After SVC_ETIMEDOUT the lease may be taken for its time.
 * SVC_ESTATE also for a store that has no leases (svc_store_leases); else as svc_store_get. Since: 0.1
 */
SVC_API int svc_store_lease(svc_store *store, svc_request *req, const char *key, uint64_t lease_ms,
                            svc_store_value *value);

/*
 * Adds `by`, up to INT64_MAX, to the number under a key, which is a value in decimal digits. If there is
 * none it begins at 0 and lives for `ttl_ms`, as of svc_store_set; its time does not change later.
 * `*number`, which may be NULL, is the new number. SVC_ESYNTAX for a value that is no number; SVC_ETOOBIG
 * when it would be over INT64_MAX, and the number is then as before. Since: 0.1
 */
SVC_API int svc_store_increment(svc_store *store, svc_request *req, const char *key, uint64_t by,
                                uint64_t ttl_ms, uint64_t *number);

/* The question of svc_store_limit. */
typedef struct svc_store_charge {
    const svc_rate_window *windows; /* their names may be NULL here */
    size_t window_count;            /* 1 to SVC_STORE_WINDOWS */
    uint32_t cost;                  /* 0 charges nothing, and always passes: it only looks */
} svc_store_charge;

/* The state of a window once the charge is decided; times are in microseconds from now. */
typedef struct svc_store_quota {
    uint64_t remaining; /* the cost that could pass at once */
    uint64_t next_us;   /* until one more remains; 0 when all of the burst does */
    uint64_t reset_us;  /* until all of the burst remains */
    uint64_t retry_us;  /* until the refused charge would pass; UINT64_MAX: never; else 0 */
} svc_store_quota;

typedef struct svc_store_verdict {
    bool pass;
    unsigned refused; /* bit i: window i has refused */
    svc_store_quota quotas[SVC_STORE_WINDOWS];
} svc_store_verdict;

/*
 * Decides whether `charge->cost` is within all windows of a key (GCRA), and charges them then; if any
 * refuses, none is charged. One decision at a time is taken for a key, whichever instance asks. The key is
 * for limits alone; with other windows than before it begins anew. The counts of a limit may be evicted as
 * values are. 0 with `*verdict`, or an error; SVC_EINVAL for a bad window (svc/rate_limit.h), SVC_ESYNTAX
 * when another call has stored a value under the key. Since: 0.1
 */
SVC_API int svc_store_limit(svc_store *store, svc_request *req, const char *key,
                            const svc_store_charge *charge, svc_store_verdict *verdict);

/*
 * Calls on event loops, in which nothing waits:
 *
 *     static void on_greeting(const svc_store_answer *answer, void *arg)
 *     {
 *         svc_pending *pending = arg;
 *         svc_response *res = svc_response_new();
 *         if (answer->error)
 *             svc_response_problem(res, answer->error == SVC_ENOTFOUND ? 404 : 503, NULL);
 *         else
 *             svc_response_copy(res, 200, "text/plain", answer->value.data, answer->value.len);
 *         svc_pending_complete(pending, res);
 *         svc_pending_unref(pending);
 *     }
 *
 *     // in a handler, which returns 0 afterwards
 *     svc_pending *pending = svc_request_defer(req, NULL, NULL);
 *     int error = svc_store_get_then(store, req, "greeting", on_greeting, pending);
 *
 * When a call returns 0, `then(answer, arg)` is called once, on this loop and never within the call: with the
 * answer of the store, with SVC_ETIMEDOUT at the deadline at the latest, or with SVC_ECANCELLED when the loop
 * ends first, after its last request (a write may then have happened or not). When it returns an error,
 * `then` is never called: SVC_ESTATE on a thread that is no loop of the app that has opened the store or of
 * one around it, once that loop has ended, and for a backend that can only be waited for; SVC_EINVAL also for
 * a NULL `then`; SVC_ETOOBIG for a value over max_value; else as above.
 *
 * The calls of one turn of the loop are sent together. Calls that were made one after the other on a loop may
 * be carried out in any order: make the second in the callback of the first where the order matters. Key,
 * value and charge are copied. `req` is NULL, or a request that the caller keeps until then: by an
 * svc_pending, or in a layer that waits (SVC_WAIT), and that no other thread uses meanwhile.
 */
typedef struct svc_store_answer {
    int error; /* 0, or as of the call that waits */

    /* Get and lease: the value, borrowed until the callback returns, or, with a request, until that ends.
     * Add and compare-and-set, and a lease that was got (SVC_ENOTFOUND): only `version`. */
    svc_store_value value;
    uint64_t number;                  /* increment: the new number */
    const svc_store_verdict *verdict; /* limit: borrowed until the callback returns; NULL after an error */
} svc_store_answer;

typedef void svc_store_then(const svc_store_answer *answer, void *arg);

/* As svc_store_get. The loop's thread. Since: 0.1 */
SVC_API int svc_store_get_then(svc_store *store, svc_request *req, const char *key, svc_store_then *then,
                               void *arg) SVC_MUST_CHECK;

/* As svc_store_set. The loop's thread. Since: 0.1 */
SVC_API int svc_store_set_then(svc_store *store, svc_request *req, const char *key,
                               const svc_store_value *value, uint64_t ttl_ms, svc_store_then *then,
                               void *arg) SVC_MUST_CHECK;

/* As svc_store_add; the version is in the answer. The loop's thread. Since: 0.1 */
SVC_API int svc_store_add_then(svc_store *store, svc_request *req, const char *key,
                               const svc_store_value *value, uint64_t ttl_ms, svc_store_then *then,
                               void *arg) SVC_MUST_CHECK;

/* As svc_store_compare_and_set; the new version is in the answer. The loop's thread. Since: 0.1 */
SVC_API int svc_store_compare_and_set_then(svc_store *store, svc_request *req, const char *key,
                                           const svc_store_value *value, uint64_t ttl_ms,
                                           svc_store_then *then, void *arg) SVC_MUST_CHECK;

/* As svc_store_delete. The loop's thread. Since: 0.1 */
SVC_API int svc_store_delete_then(svc_store *store, svc_request *req, const char *key, svc_store_then *then,
                                  void *arg) SVC_MUST_CHECK;

/* As svc_store_compare_and_delete. The loop's thread. Since: 0.1 */
SVC_API int svc_store_compare_and_delete_then(svc_store *store, svc_request *req, const char *key,
                                              uint64_t version, svc_store_then *then,
                                              void *arg) SVC_MUST_CHECK;

/* As svc_store_lease; the lease's version is in the answer. The loop's thread. Since: 0.1 */
SVC_API int svc_store_lease_then(svc_store *store, svc_request *req, const char *key, uint64_t lease_ms,
                                 svc_store_then *then, void *arg) SVC_MUST_CHECK;

/* As svc_store_increment. The loop's thread. Since: 0.1 */
SVC_API int svc_store_increment_then(svc_store *store, svc_request *req, const char *key, uint64_t by,
                                     uint64_t ttl_ms, svc_store_then *then, void *arg) SVC_MUST_CHECK;

/* As svc_store_limit. The loop's thread. Since: 0.1 */
SVC_API int svc_store_limit_then(svc_store *store, svc_request *req, const char *key,
                                 const svc_store_charge *charge, svc_store_then *then,
                                 void *arg) SVC_MUST_CHECK;

SVC_END_DECLS

#endif
