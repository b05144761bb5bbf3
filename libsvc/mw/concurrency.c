/* The concurrency limit: refuses requests that would only wait, before any work is done for them.
 */
#include "libsvc/mw/concurrency.h"

#include "libsvc/app/app_internal.h"
#include "libsvc/base/clock.h"
#include "libsvc/exchange/exchange.h"
#include "libsvc/exchange/response_internal.h"
#include "libsvc/metrics/metric.h"

static int answer_busy(const struct concurrency *concurrency, const svc_request *req,
                       svc_response *res, enum shed_reason reason)
{
    svc__plan_counts_shed(&req->plan->counts, reason);
    int error = svc__response_refusal(res, 503, concurrency->problem, concurrency->text);
    if (concurrency->retry_after.data)
        svc__response_put(res, svc__bytes_z("Retry-After"), concurrency->retry_after);
    return error ? error : SVC_ANSWERED;
}

/*
 * Whether a request may have waited in the loop's queue for too long. The first request of a turn
 * passes all the same: after a single long answer it may have come just now, and a loop that
 * refuses every request would do no work.
 */
static bool too_late(const struct concurrency *concurrency, const svc_request *req, bool critical)
{
    struct exchange_host *host = svc__exchange_of(req)->host;
    uint64_t since_ns = host->turn_ns, most = concurrency->max_queue_ns;
    if (most == 0 || since_ns == 0)
        return false;
    if (host->turn_first_ns == 0)
        host->turn_first_ns = req->started_ns;
    if (host->turn_first_ns == req->started_ns)
        return false;
    /* The loop mostly came to the request when it began, which needs no reading of the clock. But a
     * request whose head came in pieces began in an earlier turn. */
    uint64_t turn_ns = req->started_ns >= since_ns ? req->started_ns : svc__clock_ns();
    return turn_ns - since_ns > (critical ? most + most / 4 : most);
}

static int limit_concurrency(svc_request *req, svc_response *res, const svc_layer *layer)
{
    struct concurrency *concurrency = layer->arg;
    bool critical = concurrency->priority &&
                    concurrency->priority(req, concurrency->arg) == SVC_PRIORITY_CRITICAL;
    if (too_late(concurrency, req, critical))
        return answer_busy(concurrency, req, res, SHED_LOOP_WAIT);
    if (concurrency->counts && !svc__permits_take(&concurrency->permits, critical))
        return answer_busy(concurrency, req, res, SHED_CONCURRENCY);
    svc__gauge_add(concurrency->in_flight, 1);
    return SVC_PASS;
}

static void on_done(svc_request *req, const svc_response *res, const svc_layer *layer,
                    const svc_done *done)
{
    struct concurrency *concurrency = layer->arg;
    svc__gauge_add(concurrency->in_flight, -1);
    if (!concurrency->counts)
        return;
    svc__permits_give(&concurrency->permits);
    /* An error may end a request before its work is done, and so may a client that leaves. */
    bool whole = done->outcome == SVC_COMPLETE && res->status < 400;
    int32_t change = svc__permits_observe(
        &concurrency->permits, req->started_ns + done->duration_ns, done->duration_ns, whole);
    if (change)
        svc__gauge_add(concurrency->limit_now, change);
}

static double limit_of(struct concurrency *concurrency)
{
    return concurrency->counts ? (double)atomic_load(&concurrency->permits.limit) : 0;
}

/* All limits of a service share these metrics, which are the serving app's; which app serves is
 * known at the start only. */
static int start_limit(svc_app *app, void *arg)
{
    struct concurrency *concurrency = arg;
    struct metrics *in = svc__app_root(app)->metrics;
    concurrency->in_flight = svc__metric_gauge(in, "svc_concurrency_in_flight",
                                               "Requests that concurrency limits have let pass.");
    concurrency->limit_now =
        svc__metric_gauge(in, "svc_concurrency_limit",
                          "Requests that all concurrency limits would let pass at once.");
    svc__gauge_add(concurrency->limit_now, limit_of(concurrency));
    return concurrency->in_flight && concurrency->limit_now ? 0 : SVC_ENOMEM;
}

static void stop(svc_app *app, void *arg)
{
    struct concurrency *concurrency = arg;
    (void)app;
    svc__gauge_add(concurrency->limit_now, -limit_of(concurrency));
}

void svc__concurrency_prepare(struct concurrency *concurrency)
{
    concurrency->middleware = (svc_middleware){
        .size = sizeof concurrency->middleware,
        .name = "concurrency",
        .arg = concurrency,
        .start = start_limit,
        .stop = stop,
        .on_request = limit_concurrency,
        .on_done = on_done,
    };
}
