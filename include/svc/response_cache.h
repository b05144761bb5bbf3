/*
 * The response cache: a middleware that stores replies and answers from them, by the rules of RFC 9111 for a
 * shared cache. The handlers behind it decide by their Cache-Control (svc/cache.h) which replies are stored
 * and for how long. docs/response-cache.md has the rules, and shows where to stack it.
 *
 *     static svc_response_cache *cache;
 *
 *     cache = svc_response_cache_new(app, NULL);
 *     svc_app_use(app, svc_response_cache_layer(cache));
 *
 *     // in a handler
 *     svc_cache_policy policy = SVC_CACHE_POLICY_INIT;
 *     policy.max_age_s = 60;
 *     svc_response_set_cache_control(res, &policy);
 *     svc_response_cache_tag(res, "product-17");
 *
 *     // when the product changes
 *     svc_response_cache_purge_tag(cache, req, "product-17");
 *
 * Replies that set cookies, that are private or no-store, and those to requests with Authorization that do
 * not allow it are never stored.
 */
#ifndef SVC_RESPONSE_CACHE_H
#define SVC_RESPONSE_CACHE_H

#include <svc/middleware.h>
#include <svc/response.h>
#include <svc/store.h>

SVC_BEGIN_DECLS

/* A cache. Owned by its app. */
typedef struct svc_response_cache svc_response_cache;

/* The options of a cache. Begin with SVC_RESPONSE_CACHE_OPTIONS_INIT. */
typedef struct svc_response_cache_options {
    size_t size; /* set by SVC_RESPONSE_CACHE_OPTIONS_INIT */

    /* Its name in the field Cache-Status of replies (RFC 9211): a token; copied. */
    const char *name;
    /* The memory for replies: 1 MiB to 64 GiB. */
    uint64_t bytes;
    /* Longer bodies are not stored: 1 to a 32nd of `bytes`. */
    uint64_t max_body_bytes;
    /* Requests that wait while another one runs the handler for the same reply; 0: none ever waits. */
    size_t max_waiting;
    /* For how long they wait, before each runs the handler itself: 1 to 3600000. */
    uint64_t max_wait_ms;
    /* The longest lifetime that is estimated for a reply that has Last-Modified and states none, a tenth of
     * its age at most (RFC 9111 4.2.2); 0: none is estimated. Up to 31622400. */
    uint64_t heuristic_s;
    /* A store that instances share (svc_store_open), behind the memory: a reply that one instance has made is
     * used by all, and a purge reaches all, by messages of the channel "response-cache" (svc/channel.h).
     * The store is of the same app, or of one on which it is mounted. NULL: each instance has its own
     * replies. */
    svc_store *store;
    /* For how long a reply in memory is used without asking the store whether it was purged: a purge by
     * another instance takes this long at most, whatever becomes of its message. Up to 3600000. Without a
     * store it means nothing. */
    uint64_t local_ms;
} svc_response_cache_options;

#define SVC_RESPONSE_CACHE_OPTIONS_INIT                                                                      \
    {                                                                                                        \
        sizeof(svc_response_cache_options), "libsvc", 67108864, 1048576, 1000, 5000, 86400, NULL, 1000       \
    }

/*
 * Makes a cache. `options` are copied; NULL stands for SVC_RESPONSE_CACHE_OPTIONS_INIT. Owned by the app.
 * NULL, also kept as a set-up error, for a bad option or when out of memory. Before start only. Since: 0.1
 */
SVC_API svc_response_cache *svc_response_cache_new(svc_app *app, const svc_response_cache_options *options);

/* The layer of a cache, for svc_app_use, svc_group_use or a route. Owned by the app. NULL for NULL.
 * Since: 0.1 */
SVC_API const svc_middleware *svc_response_cache_layer(svc_response_cache *cache);

/*
 * Adds a tag to a reply, by which it can be purged once it is stored: 1 to 128 visible ASCII characters
 * without commas. Tags stand in the fields Cache-Tag (divided by commas) and Surrogate-Key (divided by
 * spaces) of the reply, which a handler may also set itself; the cache takes both fields out. A reply with
 * more than 63 tags is not stored. 0, SVC_EINVAL, SVC_ENOMEM, SVC_ETOOBIG. The thread that has the response.
 * Since: 0.1
 */
SVC_API int svc_response_cache_tag(svc_response *res, const char *tag);

/*
 * Removes the replies for a target, such as "/products/17?page=2", whatever their host and fields. A reply
 * that is being made meanwhile is not stored. With a store, a message has other instances remove them too,
 * and they use none of them any more after `local_ms` at the latest: on a loop the store learns of it later,
 * else the call waits for the store. 0; SVC_EINVAL for a target that does not begin with '/'; SVC_ENOMEM; or
 * an error of the store, and then this instance alone has removed them. `req` is the request in whose course
 * this happens, or NULL. Any thread. Since: 0.1
 */
SVC_API int svc_response_cache_purge(svc_response_cache *cache, svc_request *req, const char *target);

/* Removes the replies with a tag: as svc_response_cache_purge. Since: 0.1 */
SVC_API int svc_response_cache_purge_tag(svc_response_cache *cache, svc_request *req, const char *tag);

/* Removes all replies. Errors as of svc_response_cache_purge. Any thread. Since: 0.1 */
SVC_API int svc_response_cache_purge_all(svc_response_cache *cache, svc_request *req);

/*
 * Adds an admin route that purges: POST /debug/response-cache/NAME/purge on the admin listener, NAME being the
 * cache's name. Its query has tag=TAG, target=/TARGET (encoded once more) or all, each as often as needed. 204:
 * all are purged; 400 for a query that names nothing valid, 403 for a page of a browser, 503 if the store did
 * not take a purge; purges before the failed one have happened. As all below /debug/ it is there with the
 * setting debug_pages alone, and needs the token of admin_token_file, if that is set (docs/status.md). 0, or
 * an error that is kept as a set-up error; SVC_ENOMEM for NULL. Before start only. Since: 0.1
 */
SVC_API int svc_response_cache_add_admin(svc_response_cache *cache);

SVC_END_DECLS

#endif
