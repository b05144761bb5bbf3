/* The concurrency limit: refuses what would only wait, before anything is done for it. */
#include "libsvc/mw/concurrency.h"

#include "libsvc/app/app_internal.h"
#include "libsvc/base/clock.h"
#include "libsvc/exchange/exchange.h"
#include "libsvc/exchange/response_internal.h"
#include "libsvc/metrics/metric.h"

static int answer_busy(const struct concurrency *concurrency, svc_request *req, svc_response *res)
{
    svc__metric_add(svc__exchange_of(req)->host->cells, concurrency->shed, 1);
    int error = svc__response_refusal(res, 503, concurrency->problem, concurrency->text);
    if (concurrency->retry_after.data)
        svc__response_put(res, svc__bytes_z("Retry-After"), concurrency->retry_after);
    return error ? error : SVC_ANSWERED;
}

/*
 * When a request has got its turn. That is mostly when it began, which needs no look at the clock;
 * but one whose head came in pieces began long ago, and could be anywhere in this turn.
 */
static uint64_t turn_of(const svc_request *req, uint64_t since_ns)
{
    return req->started_ns >= since_ns ? req->started_ns : svc__clock_ns();
}

/*
 * Whether a request may have lain in the loop's queue for longer than it shall. The first of a turn
 * is let pass all the same: after a single long answer it may have come just now, and a loop that
 * refuses all that it finds would do nothing.
 */
static bool too_late(const struct concurrency *concurrency, const svc_request *req, bool critical)
{
    struct exchange_host *host = svc__exchange_of(req)->host;
    uint64_t since_ns = host->turn_ns, most = concurrency->max_queue_ns;
    if (most == 0 || since_ns == 0)
        return false;
    if (host->turn_first_ns == 0)
        host->turn_first_ns = req->started_ns;
    return host->turn_first_ns != req->started_ns &&
           turn_of(req, since_ns) - since_ns > (critical ? most + most / 4 : most);
}

static int limit_concurrency(svc_request *req, svc_response *res, const svc_layer *layer)
{
    struct concurrency *concurrency = layer->arg;
    bool critical = concurrency->priority &&
                    concurrency->priority(req, concurrency->arg) == SVC_PRIORITY_CRITICAL;
    if (too_late(concurrency, req, critical) ||
        (concurrency->counts && !svc__permits_take(&concurrency->permits, critical)))
        return answer_busy(concurrency, req, res);
    svc__metric_gauge_add(svc__exchange_of(req)->host->cells, concurrency->in_flight, 1);
    return SVC_PASS;
}

/* An error may have come sooner than the work would have been done, and a client may have gone. */
static bool is_whole(const svc_response *res, const svc_done *done)
{
    return done->outcome == SVC_COMPLETE && res->status < 400;
}

static void on_done(svc_request *req, const svc_response *res, const svc_layer *layer,
                    const svc_done *done)
{
    struct concurrency *concurrency = layer->arg;
    struct metric_cells *cells = svc__exchange_of(req)->host->cells;
    svc__metric_gauge_add(cells, concurrency->in_flight, -1);
    if (!concurrency->counts)
        return;
    svc__permits_give(&concurrency->permits);
    int32_t change =
        svc__permits_observe(&concurrency->permits, req->started_ns + done->duration_ns,
                             done->duration_ns, is_whole(res, done));
    if (change)
        svc__metric_gauge_add(cells, concurrency->limit, change);
}

static struct metrics *metrics_of(const svc_app *app)
{
    return svc__app_root(app)->metrics;
}

static int64_t limit_of(struct concurrency *concurrency)
{
    return concurrency->counts ? (int64_t)atomic_load(&concurrency->permits.limit) : 0;
}

/* All limits of a service count together. Where is known only when it is known which app serves. */
static int start_limit(svc_app *app, void *arg)
{
    struct concurrency *concurrency = arg;
    struct metrics *in = metrics_of(app);
    concurrency->in_flight = svc__metric_gauge_once(
        in, "svc_concurrency_in_flight", "Requests that concurrency limits have let pass.");
    concurrency->limit = svc__metric_gauge_once(
        in, "svc_concurrency_limit", "What all concurrency limits would let pass at once.");
    concurrency->shed = svc__metric_counter_once(in, "svc_concurrency_shed_total",
                                                 "Requests refused by a concurrency limit.");
    svc__metric_gauge_add_shared(in, concurrency->limit, limit_of(concurrency));
    bool memory = concurrency->in_flight == SVC_ENOMEM || concurrency->limit == SVC_ENOMEM ||
                  concurrency->shed == SVC_ENOMEM;
    return memory ? SVC_ENOMEM : 0;
}

static void stop(svc_app *app, void *arg)
{
    struct concurrency *concurrency = arg;
    svc__metric_gauge_add_shared(metrics_of(app), concurrency->limit, -limit_of(concurrency));
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
