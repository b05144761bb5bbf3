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
    bool over;     /* no more comes: the body is whole, or was stopped */
    /* The reader's. */
    struct bytes rest; /* what layers have made of a piece, and has not been read yet */
    bool at_end;       /* the layers have been told of the end */
    int64_t ended;     /* the error that ended the reading; 0 */
};

/* Makes the exchange's stream, which ends with its arena. 0 or SVC_ENOMEM. */
int svc__body_stream_begin(struct exchange *x);

/* Hands a piece in: as svc__dispatch_body. */
enum exchange_step svc__body_stream_push(struct exchange *x, const char *data, size_t len);

/* The body is whole. */
void svc__body_stream_end(struct exchange *x);

/* No more comes, for the reason `error`, which who reads is told. Nothing when there is no stream.
 */
void svc__body_stream_stop(struct exchange *x, int error);

/* Whether the body is read on while the reply goes out, and more of it may come: its host hands that
 * in. */
bool svc__body_stream_reads_on(const struct exchange *x);

#endif
