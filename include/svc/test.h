/*
 * Tests without sockets: a request goes through routing, middleware and handler in-process, and the call
 * returns the whole reply. Everything but the framing is decided by the code that also serves sockets.
 *
 *     svc_reply *reply = svc_app_test_get(app, "/hello/ada");
 *     assert(svc_reply_status(reply) == 200);
 *     svc_reply_free(reply);
 */
#ifndef SVC_TEST_H
#define SVC_TEST_H

#include <svc/memo.h>
#include <svc/store.h>
#include <svc/types.h>

SVC_BEGIN_DECLS

/* A test request. Begin with SVC_TEST_INIT. Everything is borrowed for the call. */
typedef struct svc_test {
    size_t size;                /* set by SVC_TEST_INIT */
    const char *method;         /* "GET" */
    const char *target;         /* "/path?query" */
    const char *const *headers; /* name, value, name, value, …, NULL; or NULL. Without a Host field,
                                   "Host: test" is added; with a body, its Content-Length */
    const void *body;
    size_t body_len;
    const char *peer;       /* the result of svc_request_peer: an address such as "192.0.2.1" or
                               "2001:db8::1", or "unix" or "test" for a peer without address */
    unsigned timeout_ms;    /* the client leaves if the reply is not whole by then */
    size_t max_reply_bytes; /* the client leaves if the reply's body is longer; at most 1 GiB */
    const char *const *trailers; /* fields after the body, as `headers`; or NULL. If there are any, the body
                                    is chunked: Transfer-Encoding is added, and no Content-Length */
} svc_test;

#define SVC_TEST_INIT                                                                              \
    {                                                                                              \
        sizeof(svc_test), "GET", "/", NULL, NULL, 0, "test", 10000, (size_t)64 << 20, NULL         \
    }

/*
 * Runs a request through the app. The first call readies the app: routes are compiled, start hooks run and
 * background tasks start, as at svc_app_start (and the app can still be started afterwards, unless it has
 * tasks). This call waits for SVC_WAIT, workers and deferred answers. Meanwhile the app's loop (svc/loop.h)
 * turns: its timers fire and its watches are called; all posted functions have run when this returns.
 *
 * The call ends even if the reply never does, such as a stream's: when the client has waited for
 * `timeout_ms`, or has read more than `max_reply_bytes`, it leaves. The reply then holds the bytes received
 * so far, and the outcome is SVC_CLIENT_GONE, for layers and in the log as well. A worker that has not
 * returned by then runs on, as in a server; a handler that runs on the loop is not interrupted.
 *
 * The caller frees the reply. One thread at a time for each app, whose handlers may test it too. NULL when
 * the test is not valid, the app has set-up errors (svc_app_errors), out of memory, while another thread
 * tests the app, when the app is mounted, started, being started or stopped, and for NULL. Since: 0.1
 */
SVC_API svc_reply *svc_app_test(svc_app *app, const svc_test *test) SVC_MUST_CHECK;

/* svc_app_test with GET and the defaults of SVC_TEST_INIT. Since: 0.1 */
SVC_API svc_reply *svc_app_test_get(svc_app *app, const char *target) SVC_MUST_CHECK;

/* svc_app_test with `method` and a JSON text as its body. Since: 0.1 */
SVC_API svc_reply *svc_app_test_json(svc_app *app, const char *method, const char *target,
                                     const char *json) SVC_MUST_CHECK;

/* Frees a reply. Accepts NULL. Since: 0.1 */
SVC_API void svc_reply_free(svc_reply *reply);

/* The status; 0 for NULL, and when the client left before there was a status. Since: 0.1 */
SVC_API int svc_reply_status(const svc_reply *reply);

/* The first header field of that name, in any case of letters; NULL when absent. Borrowed. Since: 0.1 */
SVC_API const char *svc_reply_header(const svc_reply *reply, const char *name);

/* Header field `index` in the order in which it would be sent. 0 or SVC_ENOTFOUND. Since: 0.1 */
SVC_API int svc_reply_header_at(const svc_reply *reply, size_t index, const char **name,
                                const char **value);

/* The first trailer field of that name (svc/trailers.h), in any case of letters; NULL when absent. Borrowed.
 * Since: 0.1 */
SVC_API const char *svc_reply_trailer(const svc_reply *reply, const char *name);

/* Trailer field `index` in the order in which it would be sent. 0 or SVC_ENOTFOUND. Since: 0.1 */
SVC_API int svc_reply_trailer_at(const svc_reply *reply, size_t index, const char **name,
                                 const char **value);

/* The body, with a NUL after its `len` bytes; `len` may be NULL. Borrowed. Since: 0.1 */
SVC_API const char *svc_reply_body(const svc_reply *reply, size_t *len);

/* How the exchange ended: an svc_outcome. SVC_CUT when a body source failed, SVC_CLIENT_GONE when the
 * client left before the reply was whole, SVC_CUT for NULL. Since: 0.1 */
SVC_API int svc_reply_outcome(const svc_reply *reply);

/*
 * The value of one series of the app's metrics (svc/metric.h), also of the library's own. `series` is the
 * beginning of its line on the page of metrics, such as "orders_total{channel=\"web\",result=\"ok\"}", with
 * the labels in any order; for a histogram the name ends in "_count", "_sum" or "_bucket", the last with
 * the label "le". NaN, which equals nothing, if there is no such series, for malformed text, and for NULL.
 * Gauges that are asked for are asked in this thread. Any thread. Since: 0.1
 */
SVC_API double svc_test_metric(svc_app *app, const char *series);

/*
 * The app's store (svc/store.h), open: the one that svc_store_open has given for the setting, or else the
 * first one that the app has opened. A test fills it and looks into it by the calls of svc/store.h, without
 * a request. The first call readies the app, as svc_app_test does. Borrowed from the app. NULL if the app
 * has opened no store, when the app cannot be tested, and for NULL. The thread that tests. Since: 0.1
 */
SVC_API svc_store *svc_test_store(svc_app *app);

/* Sets the store's clock ahead by `ms` milliseconds, so that values with a shorter time to live are gone.
 * 0; SVC_ESTATE if the store is not open, or its server's clock cannot be set; SVC_ENOMEM for NULL. Any
 * thread. Since: 0.1 */
SVC_API int svc_test_store_age(svc_store *store, uint64_t ms);

/* Sets the memo's clock ahead by `ms` milliseconds, so that its values become stale, or expire. That of its
 * store stays. 0, or SVC_ENOMEM for NULL. Any thread. Since: 0.1 */
SVC_API int svc_test_memo_age(svc_memo *memo, uint64_t ms);

SVC_END_DECLS

#endif
