/* Exchanges that are away, and come back. */
#include "libsvc/exchange/away.h"

#include "libsvc/base/clock.h"
#include "libsvc/metrics/metric.h"
#include "libsvc/run/workers.h"

/* ---- Leaving */

int svc__away_keep_head(struct exchange *x)
{
    svc_request *req = &x->request;
    if (x->away.kept_head)
        return 0;
    size_t count = req->fields.count;
    size_t size = req->method.len + 1 + svc__fields_text_size(req->fields.list, count);
    struct field *fields = svc__arena_alloc(&x->arena, count * sizeof *fields);
    char *text = svc__arena_alloc(&x->arena, size);
    if (!fields || !text)
        return SVC_ENOMEM;
    req->method = svc__bytes_copy(&text, req->method);
    svc__fields_copy(fields, req->fields.list, count, &text);
    req->fields.list = fields;
    x->away.kept_head = true;
    return 0;
}

int svc__away_prepare(struct exchange *x, size_t from)
{
    if (svc__away_keep_head(x))
        return SVC_ENOMEM;
    *(x->host->worker ? &x->away.lent_on : &x->away.lent) = (struct lent){from, x->request.values};
    return 0;
}

void svc__away_hold(struct exchange *x)
{
    atomic_fetch_add(&x->refs, 1);
    atomic_fetch_add(&x->home->away, 1);
}

static void drop_holds(struct exchange *x, unsigned count)
{
    struct exchange_host *home = x->home;
    for (; count > 0; count--) {
        svc__exchange_unref(x);
        atomic_fetch_sub(&home->away, 1);
    }
}

void svc__away_drop(struct exchange *x)
{
    drop_holds(x, 1);
}

void svc__away_forgo_wait(struct exchange *x)
{
    if (atomic_load_explicit(&x->away.wait, memory_order_relaxed) == WAIT_RESUMED)
        svc__away_hold(x); /* it does not wait: the news gives this back */
    atomic_store_explicit(&x->away.wait, WAIT_NONE, memory_order_relaxed);
}

void svc__away_report(struct exchange *x, enum news news)
{
    /* The thread whose news are the first posts the mail, and its hold lasts until the mail is
     * read. */
    struct exchange_host *home = x->home;
    unsigned before = news == NEWS_STREAM ? atomic_fetch_add(&x->away.news, (unsigned)news)
                                          : atomic_fetch_or(&x->away.news, (unsigned)news);
    if (!before)
        home->wake(home, x);
}

/* ---- At a worker */

static void move_to(struct exchange *x, struct exchange_host *host)
{
    x->host = host;
    x->arena.cache = host->arenas;
}

void svc__away_waited(const struct exchange *x, const struct work *work)
{
    const struct route *route = x->request.route;
    const char *label = route ? svc__pattern_path(&route->pattern) : "";
    uint64_t waited_ns = svc__clock_ns() - work->since_ns;
    svc__histogram_observe(svc_histogram_of(x->request.plan->counts.worker_waits, 1, &label),
                           (double)waited_ns * 1e-9);
}

static void run_lent(struct work *work, void *state)
{
    struct exchange_host *worker = state;
    struct exchange *x =
        (struct exchange *)(void *)((char *)work - offsetof(struct exchange, away.work));
    if (worker) {
        svc__away_waited(x, work);
        move_to(x, worker);
        x->next(x);
    } else {
        x->next = x->away.otherwise;
    }
    svc__away_report(x, NEWS_WORK);
}

int svc__away_work(struct exchange *x, enum exchange_step (*next)(struct exchange *x),
                   enum exchange_step (*otherwise)(struct exchange *x), size_t from)
{
    if (svc__away_prepare(x, from))
        return SVC_ENOMEM;
    x->next = next;
    x->away.otherwise = otherwise;
    x->away.work.run = run_lent;
    x->away.parked = 0;
    x->away.out = true;
    svc__away_hold(x);
    int error = svc__workers_submit(x->request.plan->workers, &x->away.work);
    if (!error)
        return 0;
    x->away.out = false;
    svc__away_drop(x);
    return error;
}

bool svc__away_withdraw(struct exchange *x)
{
    if (!x->away.out || !svc__workers_withdraw(x->request.plan->workers, &x->away.work))
        return false;
    x->away.out = false;
    svc__away_drop(x);
    return true;
}

/* ---- Coming back */

bool svc__away_is(const struct exchange *x)
{
    return x->away.out || x->away.parked;
}

void svc__away_news(struct exchange *x)
{
    struct away *away = &x->away;
    unsigned news = atomic_exchange(&away->news, 0);
    bool has_stream_news = news >= NEWS_STREAM, goes_on = false;
    if (news & NEWS_WORK) {
        away->out = false;
        move_to(x, x->home);
        if (away->parked && !away->given_up)
            away->lent = away->lent_on;
    }
    away->arrived |= news & (NEWS_LAYER | NEWS_ANSWER | NEWS_DROPPED);
    if (has_stream_news && away->parked & NEWS_STREAM)
        away->arrived |= NEWS_STREAM;
    if (!away->out && !away->parked) {
        goes_on = news & NEWS_WORK;
    } else if (!away->out && away->arrived & away->parked) {
        away->parked = away->arrived = 0;
        goes_on = true;
    }
    /* The holds of an exchange that is given up may be its last. */
    struct transport *transport = away->given_up ? NULL : x->transport;
    /* Each of the news ends a hold, but for the answer; a stream's are counted. */
    unsigned once = news & (NEWS_STREAM - 1) & ~(unsigned)NEWS_ANSWER;
    drop_holds(x, (unsigned)__builtin_popcount(once) + news / NEWS_STREAM);
    if (transport && (goes_on || has_stream_news))
        transport->news(transport);
}

bool svc__away_replaceable(const struct exchange *x)
{
    return x->away.out || !x->away.parked || x->away.kept_head;
}

int svc_request_allow_wait(svc_request *req)
{
    if (!req)
        return SVC_ENOMEM;
    struct exchange *x = svc__exchange_of(req);
    if (!x->unanswered || x->hurried || x->host->worker)
        return SVC_ESTATE;
    atomic_store_explicit(&x->away.wait, WAIT_PENDING, memory_order_relaxed);
    return 0;
}

int svc_request_resume(svc_request *req)
{
    if (!req)
        return SVC_ENOMEM;
    struct exchange *x = svc__exchange_of(req);
    int wait = WAIT_PENDING;
    bool in_time = atomic_compare_exchange_strong(&x->away.wait, &wait, WAIT_RESUMED);
    /* Each wait has one hold, which the news gives back. */
    if (!in_time && (wait != WAIT_ABANDONED ||
                     !atomic_compare_exchange_strong(&x->away.wait, &wait, WAIT_RESUMED)))
        return SVC_ESTATE;
    svc__away_report(x, NEWS_LAYER);
    return in_time ? 0 : SVC_ELATE;
}
