/* Answers that come later. */
#include "libsvc/exchange/pending.h"

#include <pthread.h>

#include "libsvc/exchange/away.h"
#include "libsvc/exchange/layers.h"
#include "libsvc/exchange/response_internal.h"
#include "libsvc/exchange/response_trailers.h"
#include "libsvc/run/reactor.h"

enum { SCRATCH = 1 << 24 /* the largest thing that is rendered for one response */ };

struct svc_pending {
    struct exchange *x; /* held until the last reference goes */
    _Atomic unsigned refs;
    pthread_mutex_t lock; /* recursive, since `cancelled` may complete; guards all below */
    bool closed;          /* no answer is taken any more */
    svc_response *answer; /* until it is taken */
    void (*cancelled)(svc_pending *pending, void *arg); /* NULL once it was called */
    void *arg;
};

svc_pending *svc_request_defer(svc_request *req, void (*cancelled)(svc_pending *pending, void *arg),
                               void *arg)
{
    struct exchange *x = req ? svc__exchange_of(req) : NULL;
    if (!x || !x->handling || atomic_load(&x->away.pending))
        return NULL;
    svc_pending *pending = svc__arena_zalloc(&x->arena, sizeof *pending);
    if (!pending || svc__away_prepare(x, svc__layers_lent(x)))
        return NULL;
    pthread_mutexattr_t attributes;
    pthread_mutexattr_init(&attributes);
    pthread_mutexattr_settype(&attributes, PTHREAD_MUTEX_RECURSIVE);
    pthread_mutex_init(&pending->lock, &attributes);
    pthread_mutexattr_destroy(&attributes);
    pending->x = x;
    pending->refs = 1;
    pending->cancelled = cancelled;
    pending->arg = arg;
    svc__away_hold(x);
    atomic_store(&x->away.pending, pending);
    return pending;
}

svc_request *svc_pending_request(const svc_pending *pending)
{
    return pending ? &pending->x->request : NULL;
}

svc_pending *svc_pending_ref(svc_pending *pending)
{
    if (pending)
        atomic_fetch_add(&pending->refs, 1);
    return pending;
}

void svc_pending_unref(svc_pending *pending)
{
    if (!pending || atomic_fetch_sub(&pending->refs, 1) > 1)
        return;
    pthread_mutex_lock(&pending->lock);
    pending->cancelled = NULL;
    pthread_mutex_unlock(&pending->lock);
    svc__away_report(pending->x, NEWS_DROPPED);
}

int svc_pending_complete(svc_pending *pending, svc_response *res)
{
    if (!pending) { /* of svc_request_defer */
        svc_response_free(res);
        return SVC_ENOMEM;
    }
    if (!res)
        return SVC_EINVAL;
    int error = svc_response_status(res) ? 0 : SVC_EINVAL;
    pthread_mutex_lock(&pending->lock);
    bool wins = !pending->closed;
    if (wins) {
        pending->closed = true;
        pending->cancelled = NULL;
        pending->answer = res;
    }
    pthread_mutex_unlock(&pending->lock);
    if (wins)
        svc__away_report(pending->x, NEWS_ANSWER);
    else
        svc_response_free(res);
    return wins ? error : SVC_ELATE;
}

void svc__pending_cancel(svc_pending *pending)
{
    if (!pending)
        return;
    pthread_mutex_lock(&pending->lock);
    void (*cancelled)(svc_pending *, void *) = pending->cancelled;
    pending->cancelled = NULL;
    if (cancelled)
        cancelled(pending, pending->arg);
    pthread_mutex_unlock(&pending->lock);
}

void svc__pending_close(svc_pending *pending)
{
    svc_response_free(svc__pending_take(pending));
}

bool svc__pending_expire(svc_pending *pending)
{
    if (!pending)
        return true;
    pthread_mutex_lock(&pending->lock);
    bool in_time = pending->answer;
    pending->closed = true;
    pthread_mutex_unlock(&pending->lock);
    return !in_time;
}

svc_response *svc__pending_take(svc_pending *pending)
{
    if (!pending)
        return NULL;
    pthread_mutex_lock(&pending->lock);
    svc_response *answer = pending->answer;
    pending->answer = NULL;
    pending->closed = true;
    pthread_mutex_unlock(&pending->lock);
    return answer;
}

/* ---- Responses of their own */

/* An exchange that belongs to no app and no home: a response lives in one. */
struct loose {
    struct exchange x; /* first */
    struct exchange_host host;
};

svc_response *svc_response_new(void)
{
    struct arena arena;
    svc__arena_init(&arena, svc__reactor_arenas(), EXCHANGE_MEMORY);
    struct loose *loose = svc__arena_zalloc(&arena, sizeof *loose);
    arena.cache = NULL; /* another thread may go on */
    if (!loose)
        return NULL;
    svc__buf_init(&loose->host.scratch, SCRATCH);
    loose->x.arena = arena;
    loose->x.host = loose->x.home = &loose->host;
    loose->x.refs = 1;
    loose->x.response.exchange = &loose->x;
    loose->x.response.length = SVC_LENGTH_UNKNOWN;
    return &loose->x.response;
}

/* Nothing is rendered in it any more, and its memory goes back to the thread that ends it. */
static void settle(struct loose *loose)
{
    svc__buf_free(&loose->host.scratch);
    loose->x.arena.cache = svc__reactor_arenas();
}

void svc_response_free(svc_response *res)
{
    if (!res)
        return;
    struct loose *loose = (struct loose *)(void *)res->exchange;
    settle(loose);
    svc__exchange_unref(&loose->x);
}

/* The waker and the pipe of the body move with it. */
static void move_body(svc_response *to, svc_response *from)
{
    svc__response_drop_body(to);
    to->body = from->body;
    to->pipe = from->pipe;
    to->frames = from->frames;
    from->body = (struct response_body){.kind = REPLY_EMPTY};
    from->pipe = NULL;
    if (from->waker)
        to->waker = from->waker;
}

int svc__pending_adopt(struct exchange *x, svc_response *answer)
{
    svc_response *res = &x->response;
    struct loose *loose = (struct loose *)(void *)answer->exchange;
    int error = svc__response_merge_fields(res, answer);
    settle(loose);
    x->backing = &loose->x;
    if (error)
        return error;
    move_body(res, answer);
    svc__response_trailers_move(res, answer);
    res->status = answer->status;
    res->length = answer->length;
    res->cached_errors = res->cached_errors || answer->cached_errors;
    res->dated = res->dated || answer->dated;
    return 0;
}
