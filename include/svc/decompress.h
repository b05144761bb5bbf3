/*
 * Request bodies with a content coding (RFC 9110 8.4): a layer that undoes it, so that handlers see the body
 * itself. docs/compression.md has limits, answers and its place in the stack.
 *
 * gzip and deflate are built in, if zlib was found; libraries add others (svc/sys/coding.h).
 */
#ifndef SVC_DECOMPRESS_H
#define SVC_DECOMPRESS_H

#include <svc/middleware.h>

SVC_BEGIN_DECLS

/* How a layer undoes codings. Begin with SVC_DECOMPRESS_INIT. */
typedef struct svc_decompress {
    size_t size; /* set by SVC_DECOMPRESS_INIT */
    /* A body that becomes more than so many times as long is answered 413 once it has 1 MiB. 0: there is no
     * such limit. Its length is limited by the route's max_body in any case. */
    unsigned max_ratio;
} svc_decompress;

#define SVC_DECOMPRESS_INIT                                                                        \
    {                                                                                              \
        sizeof(svc_decompress), 200                                                                \
    }

/*
 * Makes a layer that undoes the content codings of request bodies, for svc_app_use, svc_group_use or a route:
 * all codings that the app has, and up to two of them in a row. It works piece by piece, on stored bodies and
 * on streams (svc/stream.h), in about 100 KB of memory for a body that is under way. Layers further in and the
 * handler see the undone body; Content-Encoding and Content-Length are no longer among the request's fields,
 * and svc_request_length is unknown until a stored body is whole. The route's max_body holds for both lengths.
 *
 * A body is answered 415 with Accept-Encoding if it has another coding, or more than two; 400 if its data is
 * malformed, is not whole, or has bytes behind its end; 413 if it becomes too large. A handler that reads a
 * stream gets SVC_ECANCELLED then, and returns it. A body without a byte stays as it is, whatever its coding. So
 * do the bodies of routes with SVC_ANY_CODING.
 *
 * The layer cannot be on a route with SVC_DUPLEX. `options` are copied; NULL stands for SVC_DECOMPRESS_INIT.
 * The layer is owned by the app. NULL, also kept as a set-up error, without SVC_DECOMPRESS_INIT or when out of
 * memory. Before start only. Since: 0.1
 */
SVC_API const svc_middleware *svc_decompress_new(svc_app *app, const svc_decompress *options);

SVC_END_DECLS

#endif
