/*
 * Trailers: fields that stand behind a body (RFC 9110 6.5), for what is known only at its end: a
 * checksum of what was sent, how long it took, how a stream ended.
 *
 *     static int end_export(svc_trailers *out, void *arg)
 *     {
 *         struct export *export = arg;
 *         return svc_trailers_add(out, "Digest", export->digest);
 *     }
 *
 *     // in the handler
 *     error = svc_response_on_trailers(res, end_export, export);
 *     if (!error)
 *         error = svc_response_writer(res, 200, "text/csv", write_export, export);
 *
 * Over HTTP/1.1 they need a chunked body. Proxies may drop them, and most clients do not show them: what
 * everybody needs to know belongs into the head. They are never merged with the head's fields, neither
 * those of a request nor those of a reply.
 *
 * Some fields cannot be trailers, since they say how to read, route, authenticate or keep a message that
 * is over by then: Content-Length, Transfer-Encoding, TE, Trailer, Connection, Keep-Alive,
 * Proxy-Connection, Upgrade; Host, Expect, Max-Forwards, Range, all that begin with "If-" in HTTP;
 * Authorization, Proxy-Authorization, WWW-Authenticate, Proxy-Authenticate, Cookie, Set-Cookie; Age,
 * Cache-Control, Date, Expires, Location, Pragma, Retry-After, Vary, Warning; Content-Encoding,
 * Content-Location, Content-Range, Content-Type. A request's are dropped, a reply's are refused.
 */
#ifndef SVC_TRAILERS_H
#define SVC_TRAILERS_H

#include <svc/types.h>

SVC_BEGIN_DECLS

/*
 * The first trailer field `name` of the request, in any case of letters; NULL when absent, and until the
 * body has ended: in a handler that gets its body whole they are there, and one that reads it as it comes
 * (svc/stream.h) finds them once svc_request_read has returned 0. Trailers share the limits of the head
 * (`max_head_bytes`, `max_fields`), and a request whose trailers are over them or malformed is answered
 * 431 or 400, and its connection closed; a reader gets SVC_ECANCELLED. Borrowed as other strings of the
 * request. The thread that has the request. Since: 0.1
 */
SVC_API const char *svc_request_trailer(const svc_request *req, const char *name);

/* The number of the request's trailer fields; 0 until the body has ended. The thread that has the request.
 * Since: 0.1 */
SVC_API size_t svc_request_trailer_count(const svc_request *req);

/* Trailer field `index` of the request, from 0, in order of arrival. 0 with both outputs set, or
 * SVC_ENOTFOUND. The thread that has the request. Since: 0.1 */
SVC_API int svc_request_trailer_at(const svc_request *req, size_t index, const char **name,
                                   const char **value);

/* The trailer fields of one reply, while its functions are asked for them. */
typedef struct svc_trailers svc_trailers;

/* Adds trailer fields by svc_trailers_add. Returns 0, or a negative code, which is logged and cuts the
 * connection in place of the end, so that the client can tell. */
typedef int svc_trailers_fn(svc_trailers *out, void *arg);

/*
 * Has `fn(out, arg)` called when the last byte of the reply's body has been read from its source or pipe,
 * to add fields behind it: on the event loop's thread, where it must not block, once, and after a writer
 * has returned. Of several functions, such as a handler's and a layer's, each is called, in the order in
 * which they were set. They stay set whatever body the response is given, but for an answer of the library
 * in its place, such as a 500.
 *
 * It is not called where the reply has no trailers: to HEAD, by the status 204 or 304, to a client of
 * HTTP/1.0, and when the reply is cut, by whatever side. A reply with trailers has no Content-Length and is
 * not sent by the kernel from a file. Whether a client wants them shows in the "trailers" of its TE field,
 * and a Trailer field, for the response to set, names those to come; neither is needed.
 *
 * `arg` is borrowed until the exchange ends. 0, SVC_EINVAL for NULL, SVC_ENOMEM. The thread that has the
 * response. Since: 0.1
 */
SVC_API int svc_response_on_trailers(svc_response *res, svc_trailers_fn *fn, void *arg);

/*
 * Adds a trailer field; both strings are copied. SVC_EINVAL where svc_response_set_header has it, and for a
 * field that cannot be a trailer; SVC_ETOOBIG beyond 16 KiB or 128 fields in all; SVC_ENOMEM. Within a
 * svc_trailers_fn. Since: 0.1
 */
SVC_API int svc_trailers_add(svc_trailers *out, const char *name, const char *value);

SVC_END_DECLS

#endif
