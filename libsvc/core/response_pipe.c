/* Replies that are written into a pipe. */
#include "libsvc/core/response_pipe.h"

#include "libsvc/core/away.h"
#include "libsvc/core/response_internal.h"
#include "libsvc/core/workers.h"

static int64_t read_pipe(void *state, char *data, size_t len)
{
    struct response_pipe *reply = state;
    return svc_pipe_try_read(reply->pipe, data, len);
}

static void close_pipe(void *state)
{
    struct response_pipe *reply = state;
    svc_pipe_cancel(reply->pipe);
    svc_pipe_unref(reply->pipe);
}

/* Takes the pipe, also on failure. */
static int answer(svc_response *res, int status, const char *type, struct response_pipe reply)
{
    struct response_pipe *copy = res ? svc__arena_alloc(&res->exchange->arena, sizeof *copy) : NULL;
    if (!copy) {
        close_pipe(&reply);
        return SVC_ENOMEM;
    }
    *copy = reply;
    svc_source source = SVC_SOURCE_INIT;
    source.read = read_pipe;
    source.close = close_pipe;
    source.state = copy;
    int error = svc_response_source(res, status, type, &source);
    if (!error)
        res->pipe = copy;
    return error;
}

int svc_response_pipe(svc_response *res, int status, const char *type, svc_pipe *pipe)
{
    if (!pipe) /* of svc_pipe_new */
        return SVC_ENOMEM;
    return answer(res, status, type, (struct response_pipe){.pipe = pipe});
}

int svc_response_writer(svc_response *res, int status, const char *type,
                        int (*write)(svc_pipe *pipe, void *arg), void *arg)
{
    svc_pipe *pipe = write ? svc_pipe_new(0) : NULL;
    if (!pipe)
        return write ? SVC_ENOMEM : SVC_EINVAL;
    return answer(res, status, type,
                  (struct response_pipe){.pipe = pipe, .write = write, .arg = arg});
}

/* On a worker, or without one: the head has gone, so that the connection is cut. */
static void run_writer(struct work *work, struct exchange_host *worker)
{
    struct response_pipe *reply =
        (struct response_pipe *)(void *)((char *)work - offsetof(struct response_pipe, work));
    svc_pipe *pipe = reply->pipe;
    svc_pipe_end(pipe, worker ? reply->write(pipe, reply->arg) : SVC_ESYSTEM);
    svc_pipe_unref(pipe);
    svc__away_tell(reply->data.x, NEWS_WRITER);
}

/* The writer has a reference of its own, and the exchange as long as it runs. */
static int start_writer(struct exchange *x, struct response_pipe *reply)
{
    reply->work.run = run_writer;
    svc_pipe_ref(reply->pipe);
    svc__away_hold(x);
    int error = svc__workers_submit(x->request.app->workers, &reply->work);
    if (!error)
        return 0;
    svc__away_drop(x);
    svc_pipe_unref(reply->pipe);
    return error;
}

int svc__response_pipe_begin(struct exchange *x)
{
    struct response_pipe *reply = x->response.pipe;
    if (!reply || reply->data.x)
        return 0;
    reply->data.x = x;
    svc_pipe_on_data(reply->pipe, svc__waker_fire, &reply->data);
    return reply->write ? start_writer(x, reply) : 0;
}

int64_t svc__response_pipe_read(struct exchange *x, char *data, size_t len)
{
    svc_source *source = &x->response.body.source;
    struct response_pipe *reply = x->response.pipe;
    if (!reply)
        return source->read(source->state, data, len);
    int error = svc__response_pipe_begin(x);
    if (error)
        return error == SVC_EAGAIN ? SVC_ETOOBIG : error;
    svc__waker_arm(&reply->data);
    int64_t n = source->read(source->state, data, len);
    if (n != SVC_EAGAIN)
        svc__waker_disarm(&reply->data);
    return n;
}

void svc__response_pipe_leave(struct exchange *x)
{
    struct response_pipe *reply = x->response.pipe;
    if (!reply || !reply->data.x)
        return;
    svc_pipe_on_data(reply->pipe, NULL, NULL);
    svc__waker_disarm(&reply->data);
    x->response.pipe = NULL;
}
