/*
 * Trailers: fields after a body (RFC 9110 6.5), for values that are known only at its end: a checksum of
 * the sent bytes, the duration, the outcome of a stream.
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
 * Over HTTP/1.1 they need a chunked body. Proxies may drop them, and most clients ignore them: values that
 * every client needs belong into the head. They are never merged with the head's fields, neither in a
 * request nor in a reply.
 *
 * Some fields cannot be trailers, since they control the framing, routing, authentication or caching of a
 * message that is over by then: Content-Length, Transfer-Encoding, TE, Trailer, Connection, Keep-Alive,
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
 * body has ended. A handler that gets the whole body has them from its beginning; a handler that reads the
 * body as it comes (svc/stream.h) has them once svc_request_read has returned 0. Trailers count towards the
 * limits of the head (`max_head_bytes`, `max_fields`). A request with trailers over these limits is answered
 * 431, and one with malformed trailers 400; then the connection is closed, and a reader gets SVC_ECANCELLED.
 * Borrowed as other strings of the request. The thread that has the request. Since: 0.1
 */
SVC_API const char *svc_request_trailer(const svc_request *req, const char *name);

/* The number of the request's trailer fields; 0 until the body has ended. The thread that has the request.
 * Since: 0.1 */
SVC_API size_t svc_request_trailer_count(const svc_request *req);

/* Trailer field `index` of the request, from 0, in order of arrival. 0 with both outputs set, or
 * SVC_ENOTFOUND. The thread that has the request. Since: 0.1 */
SVC_API int svc_request_trailer_at(const svc_request *req, size_t index, const char **name,
                                   const char **value);

/* The trailer fields of one reply, to which an svc_trailers_fn adds. */
typedef struct svc_trailers svc_trailers;

/* Adds trailer fields by svc_trailers_add. Returns 0, or a negative code: it is logged, and the connection
 * is cut before the end of the reply, so that the client notices. */
typedef int svc_trailers_fn(svc_trailers *out, void *arg);

/*
 * Registers `fn`, which adds fields after the reply's body. `fn(out, arg)` is called once, when the last
 * byte of the body has been read from its source or pipe and a writer has returned, on the event loop's
 * thread, where it must not block. Several functions, such as a handler's and a layer's, are called in the
 * order of registration. They stay registered when the response gets another body, but not when the library
 * replaces the answer, such as by a 500.
 *
 * It is not called when the reply cannot have trailers: for HEAD, for status 204 or 304, for an HTTP/1.0
 * client, and when either side cuts the reply. A reply with trailers has no Content-Length and is not sent
 * by sendfile. A client that wants trailers has "trailers" in its TE field, and a Trailer field, which the
 * handler may set, announces their names; neither is required.
 *
 * `arg` is borrowed until the exchange ends. 0, SVC_EINVAL for NULL, SVC_ENOMEM. The thread that has the
 * response. Since: 0.1
 */
SVC_API int svc_response_on_trailers(svc_response *res, svc_trailers_fn *fn, void *arg);

/*
 * Adds a trailer field; both strings are copied. 0; SVC_EINVAL as for svc_response_set_header, and for a
 * field that cannot be a trailer; SVC_ETOOBIG beyond 16 KiB or 128 fields in all; SVC_ENOMEM. Only within
 * an svc_trailers_fn. Since: 0.1
 */
SVC_API int svc_trailers_add(svc_trailers *out, const char *name, const char *value);

SVC_END_DECLS

#endif
