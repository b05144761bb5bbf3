/* The types of libsvc that several headers mention. */
#ifndef SVC_TYPES_H
#define SVC_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <svc/errors.h>
#include <svc/visibility.h>

SVC_BEGIN_DECLS

typedef struct svc_app svc_app;               /* a service: routes, middleware, settings */
typedef struct svc_group svc_group;           /* routes that share a prefix and middleware */
typedef struct svc_request svc_request;       /* one request, from its head to its last byte */
typedef struct svc_response svc_response;     /* the answer to a request, while it is built */
typedef struct svc_middleware svc_middleware; /* a set of phases around handlers */
typedef struct svc_route svc_route;           /* the properties of one route */
typedef struct svc_config svc_config;         /* the settings of an app */
typedef struct svc_offers svc_offers;         /* the forms in which a route has its resource */
typedef struct svc_reply svc_reply;           /* the reply that svc_app_test returns */
typedef struct svc_pending svc_pending;       /* a reference to a request that is answered later */

/*
 * Each call accepts NULL in place of such an object, and of those that other headers declare (a pipe, a
 * queue, a loop, a timer, a waker, …): a constructor returns NULL when out of memory, and a program need not
 * check each step. A call that would change or use the object does nothing and returns SVC_ENOMEM; a call
 * that looks at it finds nothing: NULL, "", 0, false or SVC_ENOTFOUND. Objects that the call takes are
 * released as usual. svc_request_cancelled and svc_task_stopping are true, since nothing is to be done any more; a
 * NULL loop is SVC_ESTATE, since svc_app_loop returns it before the start.
 */

/*
 * Flags of routes and middleware. A call refuses flags that are not its own: the sets of flags (those
 * here, SVC_RATE_, SVC_SCHEMA_, SVC_CACHE_, and the events of a watch) have no bit in common.
 */
enum {
    /* A route: path and query values may be any bytes but NUL; without this flag they must be valid
     * UTF-8, else the answer is 400. */
    SVC_ANY_BYTES = 1 << 23,
    /* A route or a middleware: it may block, so it runs on a worker (svc/worker.h). */
    SVC_BLOCKING = 1 << 24,
    /* A route: its handler reads the body as it comes (svc/stream.h). */
    SVC_STREAM_BODY = 1 << 25,
    /* A middleware: on_body sees each piece as it arrives; without this flag, the whole body once. */
    SVC_BODY_PIECES = 1 << 26,
    /* A route: as SVC_STREAM_BODY, and the body is read on while the reply goes out (svc/stream.h). */
    SVC_DUPLEX = 1 << 27,
    /* A route: its handler gets bodies with any content coding (RFC 9110 8.4), as they were sent, even if a
     * layer of svc/decompress.h is around it; without this flag and such a layer, the answer is 415. */
    SVC_ANY_CODING = 1 << 28
};

/* The key of a value of a request or of an event loop. The address of the key identifies it. */
typedef struct svc_key {
    const char *name; /* for reports */
} svc_key;

/*
 * Answers one request. Returns 0 when `res` holds the answer, or a negative SVC_E… code when the handler has
 * failed: the client then gets a 500, and a log line names the route. Runs on an event loop, where it must
 * not block, or on a worker if its route has SVC_BLOCKING. `req` and `res` are borrowed for the call.
 *
 * In C++, no exception may leave a handler or any other function that the library calls: it would pass
 * through frames of C, which then never release their locks and memory. Declare such functions noexcept: an
 * exception then ends the process where it is thrown.
 */
typedef int svc_handler(svc_request *req, svc_response *res);

SVC_END_DECLS

#endif
