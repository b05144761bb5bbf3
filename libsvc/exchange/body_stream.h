/* A request's body as it comes, for a route with SVC_STREAM_BODY: its home puts it into a pipe, and
 * the handler reads it on another thread, or on the same one when there is something. */
#ifndef SVC_EXCHANGE_BODY_STREAM_H
#define SVC_EXCHANGE_BODY_STREAM_H

#include <svc/stream.h>

#include "libsvc/exchange/exchange.h"
#include "libsvc/exchange/waker.h"

struct body_stream {
    svc_pipe *pipe;
    struct waker room;
    uint64_t left; /* bytes that are still accepted */
    /* The reader's. */
    struct bytes rest; /* of a piece that layers have replaced: bytes that are not read yet */
    bool at_end;       /* the layers have seen the end */
    int64_t ended;     /* the error that ended the reading; 0 */
};

/* Makes the exchange's stream, which ends with its arena. 0 or SVC_ENOMEM. */
int svc__body_stream_begin(struct exchange *x);

/* Takes a piece of the body, as svc__dispatch_body. */
enum exchange_step svc__body_stream_push(struct exchange *x, const char *data, size_t len);

/* Ends a body that is whole. */
void svc__body_stream_end(struct exchange *x);

/* Ends the body early: its reader gets `error`. Does nothing when the exchange has no stream. */
void svc__body_stream_stop(struct exchange *x, int error);

#endif
