/* The rate limit: asks a limiter about each request, and answers 429 to those that it refuses. */
#include "libsvc/mw/rate_limit.h"

#include "libsvc/app/app_internal.h"
#include "libsvc/base/clock.h"
#include "libsvc/exchange/response_internal.h"
#include "libsvc/metrics/metric.h"
#include "libsvc/mw/rate_fields.h"
#include "libsvc/mw/rate_key.h"
#include "libsvc/mw/rate_store.h"

#undef SVC_LOG_MODULE
#define SVC_LOG_MODULE "rate_limit"

/* The window that a request over several is counted for: the first of them. */
static const struct rate_window *refusing_window(const struct rate_limit *limit,
                                                 const struct limiter_decision *decision)
{
    return &limit->windows[__builtin_ctz(decision->refused)];
}

static int answer_limited(const struct rate_limit *limit, svc_response *res,
                          const struct limiter_decision *decision)
{
    static const char text[] = "Too Many Requests\n";
    struct bytes problem = limit->problems[decision->refused];
    svc__counter_add(refusing_window(limit, decision)->refused, 1);
    int error = svc__response_refusal(res, 429, problem, svc__bytes(text, sizeof text - 1));
    svc__rate_fields_put_retry(limit, decision, res);
    svc__rate_fields_put(limit, decision, res);
    return error ? error : SVC_ANSWERED;
}

static void report(const struct rate_limit *limit, svc_request *req,
                   const struct limiter_decision *decision)
{
    const struct rate_window *window = refusing_window(limit, decision);
    svc__counter_add(window->reported, 1);
    svc_log_debug(req, "over the rate limit", svc_kv_str("policy", window->name),
                  svc_kv_str("peer", svc_request_peer(req)));
}

static uint32_t cost_of_request(const struct rate_limit *limit, svc_request *req)
{
    return limit->cost_of ? limit->cost_of(req, limit->arg) : limit->cost;
}

static void decide_locally(const struct rate_limit *limit, const struct rate_key *key,
                           uint32_t cost, struct limiter_decision *decision)
{
    const struct limiter_key parts = {key->parts, key->count};
    limit->limiter->decide(limit->limiter, &parts, cost, svc__clock_ns(), decision);
    if (decision->undecided)
        svc__counter_add(limit->full, 1);
}

static int carry_out(const struct rate_limit *limit, svc_request *req, svc_response *res,
                     const struct limiter_decision *decision)
{
    if (decision->pass)
        return SVC_PASS;
    if (!(limit->flags & SVC_RATE_REPORT_ONLY))
        return answer_limited(limit, res, decision);
    report(limit, req, decision);
    return SVC_PASS;
}

static int limit_rate(svc_request *req, svc_response *res, const svc_layer *layer)
{
    const struct rate_limit *limit = layer->arg;
    struct rate_state *state = layer->state;
    struct limiter_decision decision;
    struct rate_key key;
    if (!svc__rate_key_make(limit, req, &key))
        return SVC_PASS;
    decide_locally(limit, &key, cost_of_request(limit, req), &decision);
    if (state)
        *state = (struct rate_state){true, decision};
    return carry_out(limit, req, res, &decision);
}

static int answer_failed(svc_response *res)
{
    int error = svc_response_problem(res, 503, "the store of the rate limit does not answer");
    if (!error)
        error = svc_response_set_header(res, "Retry-After", "1");
    return error ? error : SVC_ANSWERED;
}

/* The same by a store, whose answer the request may have to wait for: then this runs again. */
static int limit_in_store(svc_request *req, svc_response *res, const svc_layer *layer)
{
    const struct rate_limit *limit = layer->arg;
    struct rate_asked *asked = layer->state;
    if (!asked->done) {
        if (!svc__rate_key_make(limit, req, &asked->key))
            return SVC_PASS;
        asked->charge.cost = cost_of_request(limit, req);
        if (svc__rate_store_ask(limit, req, asked))
            return SVC_WAIT;
    }
    if (asked->outcome == RATE_FAILED_PASSED)
        return SVC_PASS;
    if (asked->outcome == RATE_FAILED_REFUSED)
        return limit->flags & SVC_RATE_REPORT_ONLY ? SVC_PASS : answer_failed(res);
    if (asked->outcome == RATE_FAILED_DECIDED)
        decide_locally(limit, &asked->key, asked->charge.cost, &asked->state.decision);
    asked->state.decided = true;
    return carry_out(limit, req, res, &asked->state.decision);
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
    svc_counter_family *refused = svc__metric_counters(in, "svc_rate_limit_refused_total",
                                                       "Requests over a rate limit.", "policy");
    svc_counter_family *reported =
        svc__metric_counters(in, "svc_rate_limit_reported_total",
                             "Requests over a rate limit that only reports.", "policy");
    for (size_t i = 0; i < limit->window_count; i++) {
        struct rate_window *window = &limit->windows[i];
        window->refused = svc_counter_of(refused, 1, &window->name);
        window->reported = svc_counter_of(reported, 1, &window->name);
        if (!window->refused || !window->reported)
            return SVC_ENOMEM;
    }
    limit->full = svc__metric_counter(in, "svc_rate_limit_full_total",
                                      "Requests for which a rate limit's table had no room.");
    if (!limit->full)
        return SVC_ENOMEM;
    return limit->shared ? svc__rate_store_start(limit->shared, in) : 0;
}

void svc__rate_limit_prepare(struct rate_limit *limit)
{
    bool always = limit->flags & SVC_RATE_FIELDS_ALWAYS;
    limit->middleware = (svc_middleware){
        .size = sizeof limit->middleware,
        .name = "rate_limit",
        .state_size = limit->shared ? sizeof(struct rate_asked)
                      : always      ? sizeof(struct rate_state)
                                    : 0,
        .arg = limit,
        .start = start_limiter,
        .on_request = limit->shared ? limit_in_store : limit_rate,
        .on_response = always ? add_rate_fields : NULL,
    };
}
