/*
 * Middleware: code around handlers, as phases. A layer's on_request runs before the handler,
 * outermost first; on_response in reverse order for the layers that passed; on_done when the
 * exchange is over. 404, 405 and the library's own errors pass through the app's layers too.
 */
#ifndef SVC_MIDDLEWARE_H
#define SVC_MIDDLEWARE_H

#include <svc/types.h>

SVC_BEGIN_DECLS

/* The results of on_request, beside a negative SVC_E… code (a 500). */
enum svc_verdict {
    SVC_PASS = 0,     /* go on to the next layer */
    SVC_ANSWERED = 1, /* the response is made: later layers and the handler never run */
    SVC_WAIT = 2      /* undecided: on_request runs again after svc_request_resume */
};

/* How an exchange ended. */
enum svc_outcome {
    SVC_COMPLETE = 0,  /* the last byte of the response was handed to the system */
    SVC_CLIENT_GONE,   /* the client closed or reset the connection */
    SVC_TIMED_OUT,     /* a deadline passed */
    SVC_CUT            /* stopped by force, or a body source failed */
};

/* A layer's data, passed to each of its phases. */
typedef struct svc_layer {
    void *arg;   /* the middleware's own arg */
    void *state; /* state_size zeroed bytes for this request; NULL when state_size is 0 */
} svc_layer;

/* A piece of a request body on its way in. A layer may point it at other bytes (its own, alive until
 * the exchange ends), or shorten it to nothing; layers further in see the result. */
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
    uint64_t bytes_out;   /* body bytes handed to the system; 0 for one from memory or a file that was cut */
    uint64_t duration_ns; /* from the request line to the last byte */
    int64_t started_unix_ns; /* when the request line was in, by the wall clock: nanoseconds since 1970 */
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
    size_t state_size; /* bytes of state a request, which come out of its memory: 4 MiB at most */
    void *arg;         /* handed to every phase */

    /* Once, before the first request; non-zero refuses the start. `stop` undoes it. */
    int (*start)(svc_app *app, void *arg);
    void (*stop)(svc_app *app, void *arg);

    /* The head is in and no body is read yet: an svc_verdict, or a negative code. */
    int (*on_request)(svc_request *req, svc_response *res, const svc_layer *layer);

    /* A body piece, or the whole: SVC_PASS, SVC_ANSWERED (refused: the rest is dropped), or a
     * negative code. Not called for requests without a body. */
    int (*on_body)(svc_request *req, svc_response *res, const svc_layer *layer, svc_piece *piece);

    /* Status and headers are decided and nothing is sent: may change all of it, and wrap the body
     * (svc_response_take_source). A negative code turns the answer into a 500. */
    int (*on_response)(svc_request *req, svc_response *res, const svc_layer *layer);

    /* The exchange is over: look only. */
    void (*on_done)(svc_request *req, const svc_response *res, const svc_layer *layer,
                    const svc_done *done);
};

#define SVC_MIDDLEWARE_INIT                                                                        \
    {                                                                                              \
        sizeof(svc_middleware), NULL, 0, 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL               \
    }

/*
 * Resumes a request whose on_request returned SVC_WAIT: on_request of the same layer runs again,
 * on the request's own thread, and decides (or waits again). Must be called exactly once for each
 * SVC_WAIT, also when the request has been answered meanwhile because its deadline passed or its
 * client left: its memory is kept until then (the phases that end it have another `req`, which this
 * call is not for). Between SVC_WAIT and this call another thread may touch the layer's state,
 * ask svc_request_cancelled and svc_request_remaining_ms, and log with the request (svc/log.h); nothing
 * else of the request. 0, SVC_ELATE when the request had been answered already, or SVC_ESTATE when no
 * layer waits, and nothing happens. Any thread. Since: 0.1
 */
SVC_API int svc_request_resume(svc_request *req);

SVC_END_DECLS

#endif
