/* A reply that is read from a pipe, from the side of its home. */
#ifndef SVC_REPLY_RESPONSE_PIPE_H
#define SVC_REPLY_RESPONSE_PIPE_H

#include <svc/stream.h>

#include "libsvc/exchange/exchange.h"

struct response_pipe {
    svc_pipe *pipe;
    svc_waker *waker;   /* of the response; NULL: nobody reads the pipe any more */
    struct exchange *x; /* NULL until the reply begins */
    int (*write)(svc_pipe *pipe, void *arg); /* to be called on a worker; or NULL */
    void *arg;
    struct work work;
};

/* Whether the body's source reads a pipe, be it wrapped, or taken by a layer that may give it back.
 */
static inline bool svc__response_pipe_reads(const svc_response *res)
{
    return res->pipe && res->pipe->waker;
}

/* Begins a reply that is decided, or whose head waits for a byte: gives its writer a worker. 0,
 * also a second time; SVC_EAGAIN or SVC_ENOMEM when none can be had. The home's thread. */
int svc__response_pipe_begin(struct exchange *x, const svc_response *res);

#endif
