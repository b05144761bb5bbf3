/*
 * Idempotency keys: a middleware that lets clients repeat a POST or PATCH whose answer they have
 * not got. By the IETF draft "The Idempotency-Key HTTP Header Field", a client makes a key for an
 * operation and sends it with each attempt. The first answer is kept in a store (svc/store.h) and
 * repeated to later attempts. docs/idempotency.md describes what this promises, and what the
 * handler must do.
 *
 *     svc_idempotency keys = SVC_IDEMPOTENCY_INIT;
 *     keys.subject = &user_key;
 *     svc_group_use(payments, svc_idempotency_new(app, &keys));
 */
#ifndef SVC_IDEMPOTENCY_H
#define SVC_IDEMPOTENCY_H

#include <svc/request.h>
#include <svc/store.h>
#include <svc/types.h>

SVC_BEGIN_DECLS

/* Flags of idempotency keys. Others are refused. */
enum {
    /* A POST or PATCH without a key is answered 400. Without this flag it passes, and is not
       protected. */
    SVC_IDEMPOTENCY_REQUIRED = 1 << 16,
    /* All callers are one: whoever has a key reads its answer. Needed if there is neither `header`
     * nor `subject`. */
    SVC_IDEMPOTENCY_SHARED = 1 << 17,
    /* If the store fails, requests pass without protection. Without this flag they are answered
       503. */
    SVC_IDEMPOTENCY_FAIL_OPEN = 1 << 18,
    /* A handler's own answers of 500 to 599 are kept too. Without this flag they free the key. */
    SVC_IDEMPOTENCY_KEEP_5XX = 1 << 19,
    /* A key may stand without its quotes, as many clients send it. */
    SVC_IDEMPOTENCY_BARE_KEYS = 1 << 20,
    /* The layer runs on workers, as SVC_BLOCKING has it: for a store that can only be waited for. */
    SVC_IDEMPOTENCY_BLOCKING = 1 << 21
};

/* The options. Begin with SVC_IDEMPOTENCY_INIT. Strings are copied. */
typedef struct svc_idempotency {
    size_t size; /* set by SVC_IDEMPOTENCY_INIT */
    unsigned flags;
    svc_store *store; /* of this app; NULL: that of svc_store_open(app, NULL) */

    /*
     * The caller: each has keys of its own, so that none reads another's answers. The value of this
     * header field, such as "Authorization", and the per-request value under this key, a
     * NUL-terminated string that an outer layer has set, are its parts. A request with a key and
     * without one of these is answered 400.
     */
    const char *header;
    const svc_key *subject;

    uint64_t ttl_ms; /* how long an answer is kept: 1000 to SVC_STORE_TTL_MS; default 24 hours */
    /* How long after its deadline a request without an answer still holds its key: 1000 to 3600000;
     * default 10000. */
    uint64_t grace_ms;
    /* The most bytes of an answer that is kept, fields and body: 256 to 64 MiB; default 65536. The
     * store's max_value is a limit too. */
    size_t max_answer;
} svc_idempotency;

#define SVC_IDEMPOTENCY_INIT                                                                       \
    {                                                                                              \
        sizeof(svc_idempotency), 0, NULL, NULL, NULL, 86400000, 10000, 65536                       \
    }

/*
 * Makes a middleware for svc_app_use, svc_group_use or a route's list, which lets requests with
 * other methods than POST and PATCH pass. It reads whole bodies: a start with it on a route with
 * SVC_STREAM_BODY fails. Owned by the app. NULL for a bad option, once the app is started, or when
 * out of memory, also kept as a set-up error: svc_app_use accepts that NULL. Before start only.
 * Since: 0.1
 */
SVC_API const svc_middleware *svc_idempotency_new(svc_app *app, const svc_idempotency *options);

/*
 * The name of the operation that a request carries out: 64 hexadecimal digits, which follow from the caller
 * and its key alone. A handler writes it with its data, under a rule of uniqueness, so that the operation is
 * done once even where the handler runs twice. NULL for a request without a key, or without such a
 * middleware. Borrowed until the exchange ends. The request's thread. Since: 0.1
 */
SVC_API const char *svc_idempotency_id(const svc_request *req);

SVC_END_DECLS

#endif
