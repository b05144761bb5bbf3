/* A reply that is read from a pipe, as its home sends it. */
#ifndef SVC_EXCHANGE_RESPONSE_PIPE_H
#define SVC_EXCHANGE_RESPONSE_PIPE_H

#include <svc/stream.h>

#include "libsvc/exchange/exchange.h"

struct response_pipe {
    svc_pipe *pipe;
    svc_waker *waker;                        /* of the response, woken by the pipe */
    struct exchange *x;                      /* whose reply it is, once that has begun */
    int (*write)(svc_pipe *pipe, void *arg); /* to be called on a worker; or NULL */
    void *arg;
    struct work work;
};

/* Begins a reply that is decided, or whose head waits for its first byte, so that who writes it has
 * a worker. 0, also without a pipe or the second time, or SVC_EAGAIN or SVC_ENOMEM when there is
 * none. The home's thread. */
int svc__response_pipe_begin(struct exchange *x, const svc_response *res);

#endif
