/* A reply that is read from a pipe, from the side of its home. */
#ifndef SVC_EXCHANGE_RESPONSE_PIPE_H
#define SVC_EXCHANGE_RESPONSE_PIPE_H

#include <svc/stream.h>

#include "libsvc/exchange/exchange.h"

struct response_pipe {
    svc_pipe *pipe;
    svc_waker *waker;                        /* of the response, woken by the pipe */
    struct exchange *x;                      /* NULL until the reply begins */
    int (*write)(svc_pipe *pipe, void *arg); /* to be called on a worker; or NULL */
    void *arg;
    struct work work;
};

/* Begins a reply that is decided, or whose head waits for its first byte: gives its writer a
 * worker. 0, also without a pipe or a second time; SVC_EAGAIN or SVC_ENOMEM when no worker can be
 * had. The home's thread. */
int svc__response_pipe_begin(struct exchange *x, const svc_response *res);

#endif
