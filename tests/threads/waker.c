/*
 * Threads that wake sources, a program of its own so that the thread sanitizer sees it: all that
 * they give comes through, whether they wake before the source is read, while it is, or when it is
 * over, and those that go away are noticed.
 */
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <svc.h>

enum { GIVERS = 4, SHARE = 50, ROUNDS = 100 };

static bool failed;

static void expect_that(bool is_so, const char *what, long long number)
{
    if (is_so)
        return;
    printf("WRONG: %s (%lld)\n", what, number);
    failed = true;
}

/* What GIVERS threads put in and a source takes out. */
struct purse {
    pthread_mutex_t lock; /* for all that follows */
    svc_waker *waker;     /* which the threads have references to */
    size_t held, taken;
    size_t wanted; /* after which the source ends */
};

static int64_t read_purse(void *state, char *data, size_t len)
{
    struct purse *purse = state;
    pthread_mutex_lock(&purse->lock);
    size_t n = purse->held < len ? purse->held : len;
    purse->held -= n;
    purse->taken += n;
    bool ends = n == 0 && purse->taken == purse->wanted;
    pthread_mutex_unlock(&purse->lock);
    memset(data, 'x', n);
    return n || ends ? (int64_t)n : SVC_EAGAIN;
}

static void *give(void *arg)
{
    struct purse *purse = arg;
    pthread_mutex_lock(&purse->lock);
    svc_waker *waker = svc_waker_ref(purse->waker);
    pthread_mutex_unlock(&purse->lock);
    for (int i = 0; i < SHARE; i++) {
        pthread_mutex_lock(&purse->lock);
        purse->held++;
        pthread_mutex_unlock(&purse->lock);
        svc_waker_wake(waker);
        if (i % 7 == 0)
            sched_yield();
    }
    for (int i = 0; i < SHARE; i++) /* the reply may be over, and the request */
        svc_waker_wake(waker);
    svc_waker_unref(waker);
    return NULL;
}

static struct purse purse;
static pthread_t givers[GIVERS];

static int begin_purse(svc_response *res)
{
    svc_source source = SVC_SOURCE_INIT;
    source.read = read_purse;
    source.state = &purse;
    svc_waker *waker = svc_response_waker(res);
    if (!waker)
        return SVC_ENOMEM;
    pthread_mutex_lock(&purse.lock);
    purse.held = purse.taken = 0;
    purse.waker = waker;
    pthread_mutex_unlock(&purse.lock);
    for (int i = 0; i < GIVERS; i++)
        if (pthread_create(&givers[i], NULL, give, &purse))
            abort();
    return svc_response_source(res, 200, NULL, &source);
}

static int answer_now(svc_request *req, svc_response *res)
{
    (void)req;
    return begin_purse(res);
}

static int answer_later(svc_request *req, svc_response *res)
{
    (void)res;
    svc_pending *pending = svc_request_defer(req, NULL, NULL);
    svc_response *later = pending ? svc_response_new() : NULL;
    int error = later ? begin_purse(later) : SVC_ENOMEM;
    error = error ? error : svc_pending_complete(pending, later);
    svc_pending_unref(pending);
    return error;
}

static void ask(svc_app *app, const char *target, size_t wanted, int outcome)
{
    size_t len;
    purse.wanted = wanted;
    svc_reply *reply = svc_app_test_get(app, target);
    svc_reply_body(reply, &len);
    expect_that(svc_reply_outcome(reply) == outcome, target, svc_reply_outcome(reply));
    expect_that(len == (size_t)GIVERS * SHARE, "bytes", (long long)len);
    svc_reply_free(reply);
    for (int i = 0; i < GIVERS; i++)
        pthread_join(givers[i], NULL);
}

/* In each round, once the threads have their references, ours goes while they give. */
static void *drop_first(void *arg)
{
    struct purse *of = arg;
    for (bool all = false; !all; sched_yield()) {
        pthread_mutex_lock(&of->lock);
        all = of->held + of->taken == (size_t)GIVERS * SHARE;
        pthread_mutex_unlock(&of->lock);
    }
    svc_waker_unref(of->waker);
    return NULL;
}

static void ask_while_it_is_dropped(svc_app *app, const char *target, size_t wanted, int outcome)
{
    pthread_t dropper;
    pthread_mutex_lock(&purse.lock);
    purse.held = purse.taken = 0;
    pthread_mutex_unlock(&purse.lock);
    if (pthread_create(&dropper, NULL, drop_first, &purse))
        abort();
    ask(app, target, wanted, outcome);
    pthread_join(dropper, NULL);
}

int main(void)
{
    svc_app *app = svc_app_new("waker");
    pthread_mutex_init(&purse.lock, NULL);
    svc_app_get(app, "/now", answer_now, NULL);
    svc_app_get(app, "/later", answer_later, NULL);
    for (int i = 0; i < ROUNDS; i++) {
        ask_while_it_is_dropped(app, i % 2 ? "/now" : "/later", (size_t)GIVERS * SHARE,
                                SVC_COMPLETE);
        /* One byte more than anybody gives: it is cut when the last has gone. */
        ask_while_it_is_dropped(app, i % 2 ? "/now" : "/later", (size_t)GIVERS * SHARE + 1,
                                SVC_CUT);
    }
    svc_app_free(app);
    printf("%s\n", failed ? "FAILED" : "ok");
    return failed;
}
