/*
 * The request. Everything returned here is borrowed and lives until the exchange ends. Strings are
 * NUL-terminated and hold no NUL of their own. The calls are for the thread that runs the request's
 * phase or handler. A lookup that runs out of memory returns the result for an absent value, and so does one
 * on a NULL request, which svc_pending_request returns for NULL (svc/types.h). Cookies are in svc/cookie.h.
 */
#ifndef SVC_REQUEST_H
#define SVC_REQUEST_H

#include <svc/types.h>

SVC_BEGIN_DECLS

/* The method, such as "GET"; case-sensitive (RFC 9110 9.1). Since: 0.1 */
SVC_API const char *svc_request_method(const svc_request *req);

/* The request target exactly as sent, query included. Since: 0.1 */
SVC_API const char *svc_request_target(const svc_request *req);

/* The path of the target, still percent-encoded, without the query. Since: 0.1 */
SVC_API const char *svc_request_path(const svc_request *req);

/* The raw query, without '?'; NULL when the target has none. Since: 0.1 */
SVC_API const char *svc_request_raw_query(const svc_request *req);

/* The pattern of the matched route, such as "GET /notes/{id}"; "" when none matched. Since: 0.1 */
SVC_API const char *svc_request_route(const svc_request *req);

/* The decoded value of the pattern's wildcard `name`; NULL when the pattern has no such wildcard.
 * Since: 0.1 */
SVC_API const char *svc_request_param(const svc_request *req, const char *name);

/* The first query value of `name`, decoded ('+' is a space); "" for a name without '='; NULL when
 * absent. Since: 0.1 */
SVC_API const char *svc_request_query(const svc_request *req, const char *name);

/* The n-th query value of `name`, from 0, in order of appearance; NULL past the last. Since: 0.1 */
SVC_API const char *svc_request_query_nth(const svc_request *req, const char *name, size_t n);

/* The number of query parameters, repeated ones included. Since: 0.1 */
SVC_API size_t svc_request_query_count(const svc_request *req);

/* Query parameter `index` in order of appearance. 0 with both outputs set, or SVC_ENOTFOUND. Since: 0.1 */
SVC_API int svc_request_query_at(const svc_request *req, size_t index, const char **name,
                                 const char **value);

/* The first header field `name`, in any case of letters; NULL when absent. Since: 0.1 */
SVC_API const char *svc_request_header(const svc_request *req, const char *name);

/* The n-th header field `name`, from 0; NULL past the last. Since: 0.1 */
SVC_API const char *svc_request_header_nth(const svc_request *req, const char *name, size_t n);

/* The number of header fields. Since: 0.1 */
SVC_API size_t svc_request_header_count(const svc_request *req);

/* Header field `index` in order of arrival. 0 with both outputs set, or SVC_ENOTFOUND. Since: 0.1 */
SVC_API int svc_request_header_at(const svc_request *req, size_t index, const char **name,
                                  const char **value);

/*
 * The weight that the client's Accept-Encoding gives to a content coding such as "gzip" (RFC 9110 12.5.3),
 * in thousandths: 1000 is preferred, 0 is not acceptable. A service that has several codings of a body
 * answers with the one of the highest weight. "identity" is the unencoded body; if the field lists other
 * codings only, the weight of "identity" is 1, so that each listed coding comes before it. Without the
 * field, "identity" has 1000 and others 0: the RFC would allow any coding, but most clients that omit the
 * field can decode none. Case does not matter, and "x-gzip" is "gzip". A reply that depends on this has
 * Accept-Encoding in its Vary (svc_response_add_vary). Since: 0.1
 */
SVC_API unsigned svc_request_accepts_encoding(const svc_request *req, const char *coding);

/* The whole body and its length in bytes; "" and 0 when there is no body, and until it has arrived whole.
 * `len` may be NULL. Since: 0.1 */
SVC_API const char *svc_request_body(const svc_request *req, size_t *len);

/* The address of the connection's other end, which may be a proxy, without port: such as "192.0.2.1" or
 * "2001:db8::1"; "unix" for a unix socket; in svc_app_test as the test sets it, "test" by default.
 * Since: 0.1 */
SVC_API const char *svc_request_peer(const svc_request *req);

/* The scheme of this connection: "http" or "https". Since: 0.1 */
SVC_API const char *svc_request_scheme(const svc_request *req);

/* The request's id: the client's X-Request-Id if it is well-formed; else the trace's id if the trace begins
 * here, or a new random id; "" when request_id is off. Since: 0.1 */
SVC_API const char *svc_request_id(const svc_request *req);

/* The arg of the matched route, or of the fallback; else NULL. Since: 0.1 */
SVC_API void *svc_request_arg(const svc_request *req);

/* The app whose route or fallback answers: the outermost app, or one mounted on it. Since: 0.1 */
SVC_API svc_app *svc_request_app(const svc_request *req);

/*
 * The part of the request's path under which that app is mounted, as sent, such as "/orders"; "" for the
 * outermost app. A handler puts it before its own paths in Location and in links. Since: 0.1
 */
SVC_API const char *svc_request_mount(const svc_request *req);

/* Milliseconds until the request's deadline, rounded up; 0 once it has passed or the request was
 * cancelled. Any thread that holds the request. Since: 0.1 */
SVC_API uint64_t svc_request_remaining_ms(const svc_request *req);

/*
 * The time left until the deadline, in milliseconds, in decimal: the value of X-Request-Timeout for a call
 * that the request makes, so that the called service gives up when this one does (docs/deadlines.md).
 * "0" once the answer is not needed any more: then make no call. "" when out of memory: then omit the
 * field. The request's thread. Since: 0.1
 */
SVC_API const char *svc_request_timeout_text(const svc_request *req);

/*
 * Whether the answer is not needed any more: the deadline has passed, the service stops by force, or the
 * client has left. The loop notices that a client has left; it cannot while a handler runs on it. Any thread
 * that holds the request. Since: 0.1
 */
SVC_API bool svc_request_cancelled(const svc_request *req);

/*
 * Allocates `size` bytes, aligned for any type and not cleared, which are freed when the exchange ends. NULL
 * when out of memory, or when the request would have more than 4 MiB beside its body. Since: 0.1
 */
SVC_API void *svc_request_alloc(svc_request *req, size_t size) SVC_MUST_CHECK;

/* Runs `fn(arg)` when the exchange ends, the latest added first. 0 or SVC_ENOMEM. Since: 0.1 */
SVC_API int svc_request_add_cleanup(svc_request *req, void (*fn)(void *arg), void *arg) SVC_MUST_CHECK;

/* The value under `key`; NULL when none is set. See SVC_KEY_DECLARE. Since: 0.1 */
SVC_API void *svc_request_get(const svc_request *req, const svc_key *key);

/* Sets the value under `key`, which is borrowed. 0 or SVC_ENOMEM. Since: 0.1 */
SVC_API int svc_request_set(svc_request *req, const svc_key *key, void *value);

/*
 * Declares a typed per-request value, so that the layers that set and read it use the same type:
 *
 *     SVC_KEY_DECLARE(user, struct user)      in a header
 *     SVC_KEY_DEFINE(user)                    in one source file
 *     user_set(req, u);  struct user *u = user_get(req);
 */
#define SVC_KEY_DECLARE(key, type)                                                                 \
    extern const svc_key key##_key;                                                                \
    static inline type *key##_get(const svc_request *req)                                          \
    {                                                                                              \
        return (type *)svc_request_get(req, &key##_key);                                           \
    }                                                                                              \
    static inline int key##_set(svc_request *req, type *value)                                     \
    {                                                                                              \
        return svc_request_set(req, &key##_key, value);                                            \
    }

#define SVC_KEY_DEFINE(key) const svc_key key##_key = {#key};

SVC_END_DECLS

#endif
