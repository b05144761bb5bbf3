/* The exchange: a request, its response and their memory. */
#include "libsvc/exchange/exchange.h"

#include <stdlib.h>

#include "libsvc/base/clock.h"
#include "libsvc/run/reactor.h"

struct exchange *svc__exchange_make(const struct plan *plan, struct exchange_host *home)
{
    /* The exchange lies in its own arena: its first chunk is the only memory a small one needs. */
    struct arena arena;
    svc__arena_init(&arena, home->arenas, EXCHANGE_MEMORY);
    struct exchange *x = svc__arena_zalloc(&arena, sizeof *x);
    if (!x)
        return NULL;
    x->arena = arena;
    x->host = x->home = home;
    atomic_init(&x->refs, 1);
    x->request.plan = plan;
    x->request.owner = plan->apps;
    x->request.id = "";
    x->request.started_ns = svc__clock_ns();
    svc__watchdog_mark(&home->loop->watchdog, x->request.started_ns);
    x->response.exchange = x;
    x->response.length = SVC_LENGTH_UNKNOWN;
    return x;
}

bool svc__exchange_reads_on(const struct exchange *x)
{
    const struct route *route = x->request.route;
    return route && route->flags & SVC_DUPLEX && x->body.stream && x->replied &&
           !svc__exchange_reply_bodiless(x);
}

uint64_t svc__exchange_reply_length(const struct exchange *x)
{
    const svc_response *res = &x->response;
    if (svc__exchange_reply_trails(x))
        return SVC_LENGTH_UNKNOWN;
    if (res->body.kind == REPLY_MEMORY || res->body.kind == REPLY_FILE)
        return res->body.len;
    if (res->body.kind == REPLY_SOURCE)
        return res->body.source.length;
    if (res->length != SVC_LENGTH_UNKNOWN && svc__exchange_reply_bodiless(x))
        return res->length;
    return res->status == 304 ? SVC_LENGTH_UNKNOWN : 0;
}

bool svc__exchange_reply_bodiless(const struct exchange *x)
{
    return svc__bytes_eq_z(x->request.method, "HEAD") || x->response.status == 204 ||
           x->response.status == 304;
}

const char *svc__exchange_outcome_text(enum svc_outcome outcome)
{
    static const char *const texts[] = {
        [SVC_COMPLETE] = "complete",
        [SVC_CLIENT_GONE] = "client gone",
        [SVC_TIMED_OUT] = "timed out",
        [SVC_CUT] = "cut",
    };
    return texts[outcome];
}

void svc__exchange_unref(struct exchange *x)
{
    if (!x || atomic_fetch_sub(&x->refs, 1) > 1)
        return;
    if (x->away.given_up) /* the layers that were lent with it */
        x->away.end(x);
    svc__response_body_drop(&x->response.body);
    svc__arena_clean_up(&x->arena); /* they may use the arena, which is where x has it */
    free(atomic_load_explicit(&x->body.trailers, memory_order_relaxed));
    struct exchange *backing = x->backing;
    struct arena arena = x->arena;
    svc__arena_reset(&arena);
    svc__exchange_unref(backing);
}
