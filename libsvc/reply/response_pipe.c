/* Replies that are written into a pipe. */
#include "libsvc/reply/response_pipe.h"

#include "libsvc/exchange/away.h"
#include "libsvc/exchange/response_internal.h"
#include "libsvc/run/workers.h"

static int64_t read_pipe(void *state, char *data, size_t len)
{
    struct response_pipe *reply = state;
    return svc_pipe_try_read(reply->pipe, data, len);
}

/* Once the function of the pipe is taken back, nobody wakes for it. */
static void close_pipe(void *state)
{
    struct response_pipe *reply = state;
    svc_pipe_on_data(reply->pipe, NULL, NULL);
    svc_pipe_cancel(reply->pipe);
    svc_pipe_unref(reply->pipe);
    svc_waker_unref(reply->waker);
    reply->waker = NULL;
}

static void wake_reader(void *waker)
{
    svc_waker_wake(waker);
}

/* Takes the pipe, also on failure. */
static int answer(svc_response *res, int status, const char *type, struct response_pipe reply)
{
    struct response_pipe *copy = res ? svc__arena_alloc(&res->exchange->arena, sizeof *copy) : NULL;
    reply.waker = svc_response_waker(res);
    if (!copy || !reply.waker) {
        close_pipe(&reply);
        return SVC_ENOMEM;
    }
    *copy = reply;
    svc_pipe_on_data(reply.pipe, wake_reader, reply.waker);
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
static void run_writer(struct work *work, void *worker)
{
    struct response_pipe *reply =
        (struct response_pipe *)(void *)((char *)work - offsetof(struct response_pipe, work));
    svc_pipe *pipe = reply->pipe;
    struct exchange *x = reply->x;
    if (worker)
        svc__away_waited(x, work);
    svc_pipe_end(pipe, worker ? reply->write(pipe, reply->arg) : SVC_ESYSTEM);
    svc_pipe_unref(pipe);
    svc__away_report(x, NEWS_WRITER);
}

/* The writer has a reference of its own, and the exchange as long as it runs. */
static int start_writer(struct exchange *x, struct response_pipe *reply)
{
    reply->work.run = run_writer;
    svc_pipe_ref(reply->pipe);
    svc__away_hold(x);
    int error = svc__workers_submit(x->request.plan->workers, &reply->work);
    if (!error)
        return 0;
    svc__away_drop(x);
    svc_pipe_unref(reply->pipe);
    return error;
}

int svc__response_pipe_begin(struct exchange *x, const svc_response *res)
{
    struct response_pipe *reply = res->pipe;
    if (!svc__response_pipe_reads(res) || reply->x)
        return 0;
    reply->x = x;
    return reply->write ? start_writer(x, reply) : 0;
}
