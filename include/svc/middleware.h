/*
 * Middleware: code around handlers, in phases. A layer is a middleware in the chain of a route. on_request
 * of each layer runs before the handler, outermost first; on_response runs in reverse order, for the layers
 * that passed; on_done runs when the exchange is over. 404, 405 and the library's own errors pass through the
 * app's layers too.
 */
#ifndef SVC_MIDDLEWARE_H
#define SVC_MIDDLEWARE_H

#include <svc/types.h>

SVC_BEGIN_DECLS

/* The results of on_request, beside a negative SVC_E… code (a 500). */
enum svc_verdict {
    SVC_PASS = 0,     /* the next layer runs */
    SVC_ANSWERED = 1, /* the response holds the answer: later layers and the handler do not run */
    SVC_WAIT = 2      /* on_request runs again after svc_request_resume; on_response may give it too */
};

/* How an exchange ended. */
enum svc_outcome {
    SVC_COMPLETE = 0, /* the last byte of the response was handed to the system */
    SVC_CLIENT_GONE,  /* the client closed or reset the connection */
    SVC_TIMED_OUT,    /* a deadline passed */
    SVC_CUT           /* the service was stopped by force, or the source of the body failed */
};

/* A layer's data, passed to each of its phases. */
typedef struct svc_layer {
    void *arg;   /* the middleware's own arg */
    void *state; /* state_size zeroed bytes for this request; NULL when state_size is 0 */
} svc_layer;

/* A piece of a request body on its way in. A layer may set it to other bytes, which must live until the
 * exchange ends, or shorten it, even to nothing; layers further in see the result. */
typedef struct svc_piece {
    const char *data;
    size_t len;
    bool last; /* the body ends with this piece */
} svc_piece;

/* The figures of an exchange that is over. */
typedef struct svc_done {
    size_t size;
    int outcome;          /* enum svc_outcome */
    uint64_t bytes_in;    /* body bytes received */
    uint64_t bytes_out;   /* body bytes handed to the system; 0 if a body from memory or a file was cut */
    uint64_t duration_ns; /* from the request line to the last byte */
    int64_t started_unix_ns; /* the arrival of the request line by the wall clock: nanoseconds since 1970 */
} svc_done;

/*
 * A middleware. Begin with SVC_MIDDLEWARE_INIT; every phase is optional. Phases of one request run one
 * after the other, on an event loop's thread, where they must not block; different requests run on
 * different threads at once. With SVC_BLOCKING, on_request, on_response, and on_body for the whole
 * body run on a worker (svc/worker.h), and so do the phases that follow on the way in or out; start and
 * stop, on_body for pieces, and on_done do not. If a request must be refused at once, such as at its
 * deadline, on_response of such a layer is not called.
 */
struct svc_middleware {
    size_t size;       /* set by SVC_MIDDLEWARE_INIT */
    const char *name;  /* for reports; static */
    unsigned flags;    /* SVC_BODY_PIECES, SVC_BLOCKING */
    size_t state_size; /* bytes of state for each request, part of its memory: 4 MiB at most */
    void *arg;         /* passed to every phase */

    /* `start` runs once before the first request; if it returns non-zero, the start of the service fails.
     * `stop` runs after the last request if `start` succeeded. */
    int (*start)(svc_app *app, void *arg);
    void (*stop)(svc_app *app, void *arg);

    /* Runs when the head has arrived and no body has been read. Returns an svc_verdict or a negative code. */
    int (*on_request)(svc_request *req, svc_response *res, const svc_layer *layer);

    /* Runs for the whole body, or for each piece of it (SVC_BODY_PIECES); not for requests without a body.
     * Returns SVC_PASS, SVC_ANSWERED (the rest of the body is dropped), or a negative code. */
    int (*on_body)(svc_request *req, svc_response *res, const svc_layer *layer, svc_piece *piece);

    /* Runs when the response holds the answer and nothing is sent. May change status, header fields and body,
     * and wrap the body (svc_response_take_source). Returns 0; a negative code, which turns the answer into a
     * 500; or, after svc_request_allow_wait, SVC_WAIT: it runs again after svc_request_resume. */
    int (*on_response)(svc_request *req, svc_response *res, const svc_layer *layer);

    /* Runs when the exchange is over, for example to count or log it. Must change nothing. */
    void (*on_done)(svc_request *req, const svc_response *res, const svc_layer *layer,
                    const svc_done *done);
};

#define SVC_MIDDLEWARE_INIT                                                                        \
    {                                                                                              \
        sizeof(svc_middleware), NULL, 0, 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL               \
    }

/*
 * Lets on_response of the layer that calls this return SVC_WAIT, so that the answer waits, such as for a store
 * on a server, and no thread does. Called in on_response, each time before something begins that may resume the
 * request. If on_response then returns anything else, nothing may resume it. The request's deadline goes on: at
 * it the client gets a 504, svc_request_resume is SVC_ELATE, and on_response does not run again.
 *
 * 0; SVC_ESTATE: the answer must not wait, since it is given in a hurry, such as in a stop by force, or on_response
 * runs on a worker, where it may block, or this is no on_response; SVC_ENOMEM for NULL. The thread of on_response.
 * Since: 0.1
 */
SVC_API int svc_request_allow_wait(svc_request *req) SVC_MUST_CHECK;

/*
 * Resumes a request whose on_request has returned SVC_WAIT: on_request of the same layer runs again, on the
 * request's own thread, and may wait again. So it does for on_response. Must be called exactly once for each SVC_WAIT, also if the
 * request has been answered meanwhile because its deadline passed or its client left: the request's memory is
 * kept until this call. (on_response and on_done of such a request get another `req`; do not pass that one
 * here.) Between SVC_WAIT and this call, one other thread may use the layer's state, and call
 * svc_request_cancelled, svc_request_remaining_ms and the log (svc/log.h) with the request, but nothing else.
 * 0; SVC_ELATE if the request has been answered already; SVC_ESTATE, without an effect, if no layer waits.
 * Any thread. Since: 0.1
 */
SVC_API int svc_request_resume(svc_request *req);

SVC_END_DECLS

#endif
