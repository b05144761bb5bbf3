/* A reply that is read from a pipe, as its home sends it. */
#ifndef SVC_CORE_RESPONSE_PIPE_H
#define SVC_CORE_RESPONSE_PIPE_H

#include <svc/stream.h>

#include "libsvc/core/exchange.h"
#include "libsvc/core/waker.h"

struct response_pipe {
    svc_pipe *pipe;
    struct waker data;
    int (*write)(svc_pipe *pipe, void *arg); /* to be called on a worker; or NULL */
    void *arg;
    struct work work;
};

/* Begins a reply that is decided, so that who writes it has a worker. 0, also without a pipe or the
 * second time, or SVC_EAGAIN or SVC_ENOMEM when there is none. The home's thread. */
int svc__response_pipe_begin(struct exchange *x);

/* Reads from the reply's source, which may be wrapped round a pipe: as svc_source.read, or
 * SVC_EAGAIN, and then there will be news of the exchange. The home's thread. */
int64_t svc__response_pipe_read(struct exchange *x, char *data, size_t len);

/* The exchange is not woken any more. Nothing when it has no pipe. The home's thread. */
void svc__response_pipe_leave(struct exchange *x);

#endif
