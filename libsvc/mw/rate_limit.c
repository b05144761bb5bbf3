/* The rate limit: asks a limiter about each request, and answers 429 to those that it refuses. */
#include "libsvc/mw/rate_limit.h"

#include "libsvc/app/app_internal.h"
#include "libsvc/base/clock.h"
#include "libsvc/exchange/response_internal.h"
#include "libsvc/metrics/metric.h"
#include "libsvc/mw/rate_fields.h"
#include "libsvc/mw/rate_key.h"

#undef SVC_LOG_MODULE
#define SVC_LOG_MODULE "rate_limit"

static void count(svc_request *req, int counter)
{
    svc__metric_add(svc__exchange_of(req)->host->cells, counter, 1);
}

static int answer_limited(const struct rate_limit *limit, svc_request *req, svc_response *res,
                          const struct limiter_decision *decision)
{
    static const char text[] = "Too Many Requests\n";
    struct bytes problem = limit->problems[decision->refused];
    count(req, limit->refused);
    int error = svc__response_refusal(res, 429, problem, svc__bytes(text, sizeof text - 1));
    svc__rate_fields_put_retry(limit, decision, res);
    svc__rate_fields_put(limit, decision, res);
    return error ? error : SVC_ANSWERED;
}

static void report(const struct rate_limit *limit, svc_request *req,
                   const struct limiter_decision *decision)
{
    size_t first = (size_t)__builtin_ctz(decision->refused);
    count(req, limit->reported);
    svc_log_debug(req, "over the rate limit", svc_kv_str("policy", limit->windows[first].name),
                  svc_kv_str("peer", svc_request_peer(req)));
}

static void decide(const struct rate_limit *limit, svc_request *req, const struct rate_key *key,
                   struct limiter_decision *decision)
{
    uint32_t cost = limit->cost_of ? limit->cost_of(req, limit->arg) : limit->cost;
    const struct limiter_key parts = {key->parts, key->count};
    limit->limiter->decide(limit->limiter, &parts, cost, svc__clock_ns(), decision);
    if (decision->undecided)
        count(req, limit->full);
}

static int limit_rate(svc_request *req, svc_response *res, const svc_layer *layer)
{
    const struct rate_limit *limit = layer->arg;
    struct rate_state *state = layer->state;
    struct limiter_decision decision;
    struct rate_key key;
    if (!svc__rate_key_make(limit, req, &key))
        return SVC_PASS;
    decide(limit, req, &key, &decision);
    if (!decision.pass && !(limit->flags & SVC_RATE_REPORT_ONLY))
        return answer_limited(limit, req, res, &decision);
    if (!decision.pass)
        report(limit, req, &decision);
    if (state)
        *state = (struct rate_state){true, decision};
    return SVC_PASS;
}

static int add_rate_fields(svc_request *req, svc_response *res, const svc_layer *layer)
{
    const struct rate_state *state = layer->state;
    (void)req;
    if (state->decided)
        svc__rate_fields_put(layer->arg, &state->decision, res);
    return 0;
}

/* All limits of a service share these counters, which are the serving app's; which app serves is
 * known at the start only. */
static int start_limiter(svc_app *app, void *arg)
{
    struct rate_limit *limit = arg;
    struct metrics *in = svc__app_root(app)->metrics;
    limit->refused =
        svc__metric_counter_once(in, "svc_rate_limit_refused_total", "Requests over a rate limit.");
    limit->reported = svc__metric_counter_once(in, "svc_rate_limit_reported_total",
                                               "Requests over a rate limit that only reports.");
    limit->full = svc__metric_counter_once(in, "svc_rate_limit_full_total",
                                           "Requests for which a rate limit's table had no room.");
    bool memory =
        limit->refused == SVC_ENOMEM || limit->reported == SVC_ENOMEM || limit->full == SVC_ENOMEM;
    return memory ? SVC_ENOMEM : 0;
}

void svc__rate_limit_prepare(struct rate_limit *limit)
{
    bool always = limit->flags & SVC_RATE_FIELDS_ALWAYS;
    limit->middleware = (svc_middleware){
        .size = sizeof limit->middleware,
        .name = "rate_limit",
        .state_size = always ? sizeof(struct rate_state) : 0,
        .arg = limit,
        .start = start_limiter,
        .on_request = limit_rate,
        .on_response = always ? add_rate_fields : NULL,
    };
}
