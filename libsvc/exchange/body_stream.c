/* A request's body as it comes. */
#include "libsvc/exchange/body_stream.h"

#include <string.h>

#include "libsvc/base/least.h"
#include "libsvc/exchange/layers.h"
#include "libsvc/run/pipe.h"
#include "libsvc/run/reactor.h"

static void free_pipe(void *pipe)
{
    svc_pipe_cancel(pipe);
    svc_pipe_unref(pipe);
}

int svc__body_stream_begin(struct exchange *x)
{
    struct body_stream *stream = svc__arena_zalloc(&x->arena, sizeof *stream);
    if (!stream)
        return SVC_ENOMEM;
    stream->pipe = svc_pipe_new(0);
    if (!stream->pipe)
        return SVC_ENOMEM;
    if (svc__arena_defer(&x->arena, free_pipe, stream->pipe)) {
        svc_pipe_unref(stream->pipe);
        return SVC_ENOMEM;
    }
    stream->left = x->body.store.limit;
    stream->room.x = x;
    svc_pipe_on_room(stream->pipe, svc__waker_fire, &stream->room);
    x->body.stream = stream;
    if (x->framing.kind == BODY_NONE)
        svc__body_stream_end(x);
    return 0;
}

/* A reader that has gone wants no more; its answer is sent when the rest has been dropped. */
enum exchange_step svc__body_stream_push(struct exchange *x, const char *data, size_t len)
{
    struct body_stream *stream = x->body.stream;
    svc__waker_arm(&stream->room); /* before the look: room may come right behind it */
    if (svc__pipe_full(stream->pipe))
        return EXCHANGE_FULL;
    svc__waker_disarm(&stream->room);
    x->request.bytes_in += len;
    if (len > stream->left) {
        svc__body_stream_stop(x, SVC_ETOOBIG);
        return EXCHANGE_OVER;
    }
    stream->left -= len;
    if (svc__pipe_push(stream->pipe, data, len) == SVC_ENOMEM)
        svc__body_stream_stop(x, SVC_ENOMEM);
    return EXCHANGE_BODY;
}

void svc__body_stream_end(struct exchange *x)
{
    x->body.stream->over = true;
    svc_pipe_end(x->body.stream->pipe, 0);
}

void svc__body_stream_stop(struct exchange *x, int error)
{
    struct body_stream *stream = x->body.stream;
    if (!stream)
        return;
    stream->over = true;
    svc_pipe_on_room(stream->pipe, NULL, NULL);
    svc__waker_disarm(&stream->room);
    svc_pipe_end(stream->pipe, error);
}

bool svc__body_stream_reads_on(const struct exchange *x)
{
    if (!x->body.stream || x->body.stream->over || !x->replied)
        return false;
    const struct route *route = x->request.route;
    return route && route->flags & SVC_DUPLEX && !svc__exchange_reply_bodiless(x);
}

/* ---- Reading */

static int64_t read_rest(struct body_stream *stream, char *data, size_t len)
{
    size_t n = svc__least(stream->rest.len, len);
    memcpy(data, stream->rest.data, n);
    stream->rest.data += n;
    stream->rest.len -= n;
    return (int64_t)n;
}

/* Passes bytes that were read into `data` through the layers, which may point it elsewhere; none at
 * the end, and where a layer has more of those before. */
static int64_t through_layers(struct exchange *x, char *data, size_t n, size_t len)
{
    struct body_stream *stream = x->body.stream;
    stream->at_end = stream->at_end || (n == 0 && !x->body.again);
    svc_piece piece = {data, n, stream->at_end};
    if (svc__layers_body(x, &piece, false) != LAYERS_PASSED)
        return x->verdict < 0 ? x->verdict : SVC_ECANCELLED;
    if (piece.data == data)
        return (int64_t)piece.len;
    stream->rest = (struct bytes){piece.data, piece.len};
    return read_rest(stream, data, len);
}

static int64_t read_with(svc_request *req, char *data, size_t len,
                         int64_t (*read)(svc_pipe *pipe, void *data, size_t len))
{
    if (!req)
        return SVC_ENOMEM;
    struct exchange *x = svc__exchange_of(req);
    struct body_stream *stream = x->body.stream;
    if (!stream)
        return SVC_ESTATE;
    int64_t n = 0;
    while (n == 0 && len > 0) {
        if (stream->rest.len > 0)
            return read_rest(stream, data, len);
        if (stream->at_end && !x->body.again)
            return 0;
        n = x->body.again ? 0 : read(stream->pipe, data, len);
        if (n >= 0)
            n = through_layers(x, data, (size_t)n, len);
        else if (n != SVC_EAGAIN)
            stream->ended = n;
    }
    return len > 0 ? n : SVC_EINVAL;
}

int64_t svc_request_read(svc_request *req, void *data, size_t len)
{
    return req && svc__reactor_on_loop() ? SVC_ESTATE : read_with(req, data, len, svc_pipe_read);
}

int64_t svc_request_try_read(svc_request *req, void *data, size_t len)
{
    return read_with(req, data, len, svc_pipe_try_read);
}

int svc_request_on_data(svc_request *req, void (*fn)(void *arg), void *arg)
{
    const struct body_stream *stream = req ? svc__exchange_of(req)->body.stream : NULL;
    if (!stream)
        return req ? SVC_ESTATE : SVC_ENOMEM;
    svc_pipe_on_data(stream->pipe, fn, arg);
    return 0;
}

uint64_t svc_request_length(const svc_request *req)
{
    if (!req)
        return 0;
    const struct framing *framing = &svc__exchange_of(req)->framing;
    if (framing->kind == BODY_CHUNKED || (req->body_decoded && !req->body.data))
        return SVC_LENGTH_UNKNOWN;
    if (req->body_decoded)
        return req->body.len;
    return framing->kind == BODY_LENGTH ? framing->length : 0;
}
