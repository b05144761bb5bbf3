/* How a request becomes a response, without sockets. */
#include "libsvc/dispatch/dispatch.h"

#include <string.h>

#include "libsvc/base/clock.h"
#include "libsvc/dispatch/development.h"
#include "libsvc/dispatch/negotiation.h"
#include "libsvc/dispatch/routing.h"
#include "libsvc/dispatch/stand_in.h"
#include "libsvc/exchange/away.h"
#include "libsvc/exchange/body_stream.h"
#include "libsvc/exchange/layers.h"
#include "libsvc/exchange/pending.h"
#include "libsvc/exchange/refusal.h"
#include "libsvc/exchange/response_internal.h"
#include "libsvc/exchange/response_trailers.h"
#include "libsvc/exchange/waker.h"
#include "libsvc/proto/media.h"
#include "libsvc/reply/response_frames.h"
#include "libsvc/reply/response_hold.h"
#include "libsvc/reply/response_pipe.h"
#include "libsvc/reply/response_source.h"
#include "libsvc/run/reactor.h"

enum { CLIENT_LEFT = 499 /* no client sees it; as nginx and gRPC's gateways count */ };

static enum exchange_step run_layers(struct exchange *x);
static void end_given_up(struct exchange *x);

struct exchange *svc__dispatch_new(const struct plan *plan, struct exchange_host *home,
                                   struct transport *transport, struct bytes raw_target)
{
    struct exchange *x = svc__exchange_make(plan, home);
    char *target = x ? svc__arena_strndup(&x->arena, raw_target.data, raw_target.len) : NULL;
    if (!target) {
        svc__exchange_unref(x);
        return NULL;
    }
    x->next = run_layers;
    x->away.end = end_given_up;
    x->chain = &plan->apps->fallback.chain;
    x->transport = transport;
    x->request.scheme = transport->scheme;
    x->request.peer = *transport->peer;
    x->request.target.raw = (struct bytes){target, raw_target.len};
    return x;
}

static void take_head(struct exchange *x, const struct head *head)
{
    svc_request *req = &x->request;
    const svc_config *config = req->plan->config;
    req->method = head->method;
    req->known_method = svc__method_find(head->method);
    svc__fields_read(&req->fields, head->fields, head->count);
    req->deadline_ns = req->started_ns + config->request_timeout_ms * 1000000;
    x->body.store.limit = config->max_body_bytes;
}

/* Where the head is in doubt, so is where the next request begins. */
static void refuse_head(struct exchange *x, int status, const char *reason)
{
    x->malformed = true;
    x->close = true;
    svc__routing_refuse(x, status, reason);
}

void svc__dispatch_head_failed(struct exchange *x, const struct head *head, int status,
                               const char *reason)
{
    take_head(x, head);
    refuse_head(x, status, reason);
}

void svc__dispatch_head(struct exchange *x, const struct head *head)
{
    svc_request *req = &x->request;
    const svc_config *config = req->plan->config;
    const struct head_limits limits = {(size_t)config->max_target_bytes,
                                       (size_t)config->max_head_bytes, (size_t)config->max_fields};
    const char *reason = NULL;
    take_head(x, head);
    int status = svc__head_check(head, &req->fields, &limits, &x->framing, &reason);
    if (status) {
        refuse_head(x, status, reason);
        return;
    }
    x->close = x->framing.close;
    status = svc__target_parse(head->target_raw, head->method, &req->target, &reason);
    if (status && svc__target_ends_early(head->target_raw)) {
        refuse_head(x, status, reason);
        return;
    }
    if (!svc__routing_method_known(x))
        return;
    if (status)
        svc__routing_refuse(x, status, reason);
    else
        svc__routing_resolve(x);
}

/* Makes the state of the chain's layers at the first run, when the chain is known. */
static bool layer_state_ready(struct exchange *x)
{
    if (x->layer_state || !x->chain->state_size)
        return true;
    x->layer_state = svc__arena_zalloc(&x->arena, x->chain->state_size);
    return x->layer_state != NULL;
}

static void answer_problem(struct exchange *x, int status, const char *reason)
{
    svc_response *res = &x->response;
    x->refused = true;
    svc__response_reset(res);
    if (!svc_response_problem(res, status, reason))
        return;
    svc__response_reset(res);
    res->status = status; /* alone, it needs no memory */
}

static bool is_cut(const struct exchange *x)
{
    return atomic_load_explicit(x->request.plan->draining, memory_order_relaxed) == DRAIN_CUT;
}

/*
 * The refusal where `error` is a code that the library gives because of the client, the clock or a
 * stop, and has given; status 0: the service has failed. The refusal is that of the stage which
 * finds the same by itself, since the two race and a client cannot know which one came first.
 */
static struct refusal find_excuse(const struct exchange *x, int error)
{
    if (x->body.refusal.status && (!error || error == x->body.refused))
        return x->body.refusal;
    if (error == SVC_ETOOBIG && x->body.stream && x->body.stream->ended == error)
        return (struct refusal){REFUSAL_BODY_OVER};
    if (error && error != SVC_ECANCELLED && error != SVC_ELATE)
        return (struct refusal){0, NULL};
    if (is_cut(x))
        return (struct refusal){REFUSAL_STOPPING};
    if (!svc__exchange_remaining_ms(x, svc__clock_ns()))
        return (struct refusal){REFUSAL_LATE};
    return (struct refusal){atomic_load(&x->away.cancelled) ? CLIENT_LEFT : 0, NULL};
}

/*
 * Answers in place of a handler or layer that has not. If it failed, the client gets a 500, and the
 * log names the route and the failed function. A client that leaves or sends too much gets its own
 * status: it must not be able to raise the figures that wake an operator.
 */
static void fail(struct exchange *x, const char *who, int error)
{
    const svc_request *req = &x->request;
    struct refusal excuse = find_excuse(x, error);
    const svc_kv method = svc_kv_bytes("method", req->method.data, req->method.len);
    const svc_kv where = svc_kv_str("where", who);
    const svc_kv reason = svc_kv_str("error", error ? svc_error_text(error) : "no answer");
    const svc_kv cause =
        svc_kv_str(x->cause ? "cause" : NULL, x->cause); /* no key ends the items */
    if (excuse.status) {
        svc_log_info(req, "request given up", method, where, reason);
        answer_problem(x, excuse.status, excuse.detail);
        return;
    }
    svc_log_error(req, "request failed", method, where, reason, cause);
    answer_problem(x, 500, svc__development_failure(x, who, error));
}

/* Answers at once when no worker will be free soon, so that a client can go elsewhere. */
static void answer_busy(struct exchange *x, enum shed_reason reason)
{
    svc__plan_counts_shed(&x->request.plan->counts, reason);
    answer_problem(x, 503, "the service has more work than it can do in time");
    svc__response_put(&x->response, svc__bytes_z("Retry-After"), svc__bytes_z("1"));
}

/* ---- The stages, each of which ends in the next one or in a step */

static enum exchange_step reply_busy(struct exchange *x);

/* Parks the exchange, which a layer waits for, until that resumes it to run `next`. */
static enum exchange_step await_layer(struct exchange *x,
                                      enum exchange_step (*next)(struct exchange *x), size_t from)
{
    svc__away_prepare(x, from); /* see svc__away_replaceable */
    x->next = next;
    x->away.parked = NEWS_LAYER;
    svc__away_hold(x);
    return EXCHANGE_WAIT;
}

/* Sets whether a layer waits, with no wait under way: before it runs, since another thread may
 * resume before it has returned. */
static void set_wait(struct exchange *x, enum wait_state wait)
{
    atomic_store_explicit(&x->away.wait, wait, memory_order_relaxed);
}

static enum exchange_step run_response(struct exchange *x)
{
    const struct route *route = x->request.route;
    set_wait(x, WAIT_NONE);
    int error = route && route->offers ? svc__negotiation_vary(route->offers, &x->response) : 0;
    if (error && !x->response_error)
        x->response_error = error;
    enum layers_end end = svc__layers_response(x);
    if (end == LAYERS_WAIT)
        return await_layer(x, run_response, 0);
    if (end == LAYERS_BLOCKED) {
        if (!svc__away_work(x, run_response, reply_busy, 0))
            return EXCHANGE_WAIT;
        x->hurried = true;
        svc__layers_response(x);
    }
    if (x->response_error || !x->response.status)
        fail(x, "on_response", x->response_error);
    if (svc__exchange_reply_trails(x) && svc__response_source_make(&x->response))
        answer_problem(x, REFUSAL_NO_MEMORY);
    if (x->response.pipe && !x->host->worker && !svc__exchange_reply_bodiless(x) &&
        svc__response_pipe_begin(x, &x->response))
        answer_busy(x, SHED_WORKER_QUEUE);
    x->replied = true;
    return EXCHANGE_REPLY;
}

/* Arms the waker of a source that is about to be read, since something may come right behind. */
static void arm_source(struct exchange *x, const svc_response *res)
{
    if (!res->waker)
        return;
    svc__waker_bind(res->waker, x);
    svc__waker_arm(&res->waker->waker);
}

/* Returns what the source has returned, if it may wait. */
static int64_t settle_source(struct exchange *x, const svc_response *res, int64_t n)
{
    svc_waker *waker = res->waker;
    if (n == SVC_EAGAIN && svc__waker_is_held(waker))
        return n;
    if (waker)
        svc__waker_disarm(&waker->waker);
    if (n != SVC_EAGAIN)
        return n;
    svc_log_error(&x->request, "response cannot be sent",
                  svc_kv_str("error", "its source has nothing, and nobody holds its waker"));
    return SVC_ESTATE;
}

static int64_t read_source(struct exchange *x, const svc_response *res, char *data, size_t len)
{
    const svc_source *source = &res->body.source;
    int error = svc__response_pipe_begin(x, res);
    if (error)
        return error == SVC_EAGAIN ? SVC_ETOOBIG : error;
    arm_source(x, res);
    return settle_source(x, res, source->read(source->state, data, len));
}

/* The writer of the response cannot change it any more. */
static enum exchange_step end_hold(struct exchange *x, int error)
{
    svc_response *held = x->held;
    x->held = NULL;
    x->arena.cache = x->home->arenas;
    if (held != &x->response) {
        int merged = svc__pending_adopt(x, held);
        error = error ? error : merged;
    }
    if (error == SVC_EAGAIN)
        answer_busy(x, SHED_WORKER_QUEUE);
    else if (error)
        fail(x, "body", error);
    return run_response(x);
}

/* Goes on when there is a byte, or when there is none to come. */
static enum exchange_step await_first_byte(struct exchange *x)
{
    char none;
    int64_t n = read_source(x, x->held, &none, 0);
    if (n != SVC_EAGAIN)
        return end_hold(x, n < 0 ? (int)n : 0);
    x->next = await_first_byte;
    x->away.parked = NEWS_STREAM;
    return EXCHANGE_WAIT;
}

/*
 * The head waits for the first byte of the body. Until then the response belongs to the maker of
 * the body, perhaps on a worker: its home leaves it alone, and its memory comes from no thread's
 * cache.
 */
static enum exchange_step run_held(struct exchange *x)
{
    if (!x->held)
        x->held = &x->response;
    if (svc__bytes_eq_z(x->request.method, "HEAD")) /* no byte of it is wanted */
        return end_hold(x, 0);
    int error = svc__away_prepare(x, x->passed);
    if (!error)
        error = svc__response_hold_begin(x->held);
    if (error)
        return end_hold(x, error);
    x->arena.cache = NULL;
    return svc__response_pipe_begin(x, x->held) ? end_hold(x, SVC_EAGAIN) : await_first_byte(x);
}

/* A worker has no more to do: the way out begins at home, where layers are that were not lent. */
static enum exchange_step begin_way_out(struct exchange *x,
                                        enum exchange_step (*stage)(struct exchange *x))
{
    x->unanswered = x->passed;
    if (!x->host->worker)
        return stage(x);
    x->next = stage;
    return EXCHANGE_WAIT;
}

static enum exchange_step reply(struct exchange *x)
{
    return begin_way_out(x, svc__response_hold_wanted(&x->response) ? run_held : run_response);
}

/* Without waiting for any worker, as none can be had. */
static enum exchange_step reply_busy(struct exchange *x)
{
    x->hurried = true;
    answer_busy(x, SHED_WORKER_QUEUE);
    return reply(x);
}

/* Nothing begins any more once the service cuts its requests. */
static enum exchange_step reply_stopping(struct exchange *x)
{
    x->hurried = true;
    answer_problem(x, REFUSAL_STOPPING);
    return reply(x);
}

static enum exchange_step to_worker(struct exchange *x,
                                    enum exchange_step (*next)(struct exchange *x), size_t from)
{
    return svc__away_work(x, next, reply_busy, from) ? reply_busy(x) : EXCHANGE_WAIT;
}

/* A layer ended the exchange: by an answer of its own, or by failing. */
static enum exchange_step answered(struct exchange *x, const char *phase)
{
    int verdict = x->verdict;
    if (verdict != SVC_ANSWERED)
        fail(x, phase, verdict < 0 ? verdict : SVC_EINVAL);
    else if (!x->response.status)
        fail(x, phase, 0);
    return reply(x);
}

static enum exchange_step refuse_body(struct exchange *x, int error)
{
    if (error == SVC_ETOOBIG)
        answer_problem(x, REFUSAL_BODY_OVER);
    else
        answer_problem(x, REFUSAL_NO_MEMORY);
    return reply(x);
}

/* Takes a handler's result; a handler that could not read the rest of its body is not at fault. */
static enum exchange_step answer_with(struct exchange *x, int error)
{
    if (x->verdict != SVC_PASS)
        return answered(x, "on_body");
    if (error || !x->response.status)
        fail(x, "handler", error);
    return reply(x);
}

/* The answer that was deferred has come, or nobody can give it any more. */
static enum exchange_step take_answer(struct exchange *x)
{
    svc_response *answer = svc__pending_take(atomic_load(&x->away.pending));
    if (!answer)
        return answer_with(x, SVC_ECANCELLED);
    if (svc__response_hold_wanted(answer)) { /* whose writer knows this response and no other */
        x->held = answer;
        return begin_way_out(x, run_held);
    }
    return answer_with(x, svc__pending_adopt(x, answer));
}

/* The flags of the route whose handler answers; 0 when the library does. */
static unsigned handler_flags(const struct exchange *x)
{
    const struct route *route = x->request.route;
    return route && x->answer == route->handler ? route->flags : 0;
}

static enum exchange_step run_handler(struct exchange *x)
{
    if (is_cut(x))
        return reply_stopping(x);
    if (handler_flags(x) & SVC_BLOCKING && !x->host->worker)
        return to_worker(x, run_handler, svc__layers_lent(x));
    struct exchange_host *host = x->host;
    x->handling = true;
    atomic_store_explicit(&host->handles, x->request.route, memory_order_relaxed);
    int error = x->answer(&x->request, &x->response);
    atomic_store_explicit(&host->handles, NULL, memory_order_relaxed);
    x->handling = false;
    if (!atomic_load_explicit(&x->away.pending, memory_order_relaxed))
        return answer_with(x, error);
    if (error) {
        svc__pending_close(atomic_load(&x->away.pending));
        return answer_with(x, error);
    }
    x->next = take_answer;
    x->away.parked = NEWS_ANSWER | NEWS_DROPPED;
    return EXCHANGE_WAIT;
}

/* Whether a body comes that a handler waits for: the library's own answers, such as 404, do not. */
static bool wants_body(const struct exchange *x)
{
    const struct route *route = x->request.route;
    return x->framing.kind != BODY_NONE && route && x->answer == route->handler;
}

/* Whether a handler would take the body's codings for its content: no layer undoes them. */
static bool is_still_coded(const struct exchange *x)
{
    return wants_body(x) && !(x->request.route->flags & SVC_ANY_CODING) &&
           svc__media_is_coded(&x->request.fields);
}

static enum exchange_step refuse_coding(struct exchange *x)
{
    answer_problem(x, REFUSAL_CODED);
    svc__response_put(&x->response, svc__bytes_z("Accept-Encoding"), svc__bytes_z("identity"));
    return reply(x);
}

/* The handler begins, and meanwhile its home hands the body in. */
static enum exchange_step run_stream(struct exchange *x)
{
    if (svc__body_stream_begin(x)) {
        answer_problem(x, REFUSAL_NO_MEMORY);
        return reply(x);
    }
    enum exchange_step step = run_handler(x);
    bool body = x->framing.kind != BODY_NONE;
    return step == EXCHANGE_WAIT && body ? EXCHANGE_BODY : step;
}

static enum exchange_step await_body(struct exchange *x)
{
    (void)x;
    return EXCHANGE_BODY;
}

static enum exchange_step run_layers(struct exchange *x)
{
    if (is_cut(x))
        return reply_stopping(x);
    if (!layer_state_ready(x)) {
        answer_problem(x, REFUSAL_NO_MEMORY);
        return reply(x);
    }
    set_wait(x, WAIT_PENDING);
    enum layers_end end = svc__layers_request(x);
    if (end == LAYERS_WAIT)
        return await_layer(x, run_layers, x->passed);
    svc__away_forgo_wait(x);
    if (end == LAYERS_BLOCKED)
        return to_worker(x, run_layers, x->passed);
    if (end == LAYERS_ENDED)
        return answered(x, "on_request");
    if (is_still_coded(x))
        return refuse_coding(x);
    if (handler_flags(x) & SVC_STREAM_BODY) {
        x->next = run_stream;
        return x->host->worker ? EXCHANGE_BODY : run_stream(x);
    }
    if (!wants_body(x))
        return run_handler(x);
    x->next = await_body;
    return EXCHANGE_BODY;
}

/* The code that has just run at home may have held the loop. The exchange may be away by now. */
static void watch_turn(const struct exchange *x)
{
    svc__watchdog_look(&x->home->loop->watchdog, WATCHED_REQUEST, x->request.route);
}

enum exchange_step svc__dispatch_run(struct exchange *x)
{
    enum exchange_step step = x->next(x);
    watch_turn(x);
    return step;
}

/* Hands a piece through the layers into the store. A layer that undoes a coding makes more bytes of
 * it than it can hand on at once. EXCHANGE_BODY, or the body is not wanted any more. */
static enum exchange_step store_piece(struct exchange *x, svc_piece piece)
{
    bool last = piece.last;
    do {
        if (svc__layers_body(x, &piece, false) != LAYERS_PASSED)
            return answered(x, "on_body");
        int error = svc__body_store_append(&x->body.store, &x->arena, piece.data, piece.len);
        if (error)
            return refuse_body(x, error);
        piece = (svc_piece){"", 0, last};
    } while (x->body.again);
    return EXCHANGE_BODY;
}

static enum exchange_step take_piece(struct exchange *x, const char *data, size_t len)
{
    if (x->body.stream)
        return svc__body_stream_push(x, data, len);
    x->request.bytes_in += len;
    return store_piece(x, (svc_piece){data, len, false});
}

enum exchange_step svc__dispatch_body(struct exchange *x, const char *data, size_t len)
{
    enum exchange_step step = take_piece(x, data, len);
    watch_turn(x);
    return step;
}

void svc__dispatch_drop(struct exchange *x, size_t len)
{
    x->request.bytes_in += len;
}

bool svc__dispatch_refused_below(struct exchange *x, int status)
{
    if (x->replied)
        return false;
    x->response.status = status;
    return true;
}

/* The layers that want the whole body, then the handler. */
static enum exchange_step run_body(struct exchange *x)
{
    svc_piece whole = {x->request.body.data, x->request.body.len, true};
    enum layers_end end = svc__layers_body(x, &whole, true);
    if (end == LAYERS_BLOCKED)
        return to_worker(x, run_body, svc__layers_body_first(x, true));
    if (end == LAYERS_ENDED)
        return answered(x, "on_body");
    x->request.body = (struct bytes){whole.data, whole.len};
    return run_handler(x);
}

static enum exchange_step end_body(struct exchange *x)
{
    if (x->body.stream) {
        svc__body_stream_end(x);
        if (x->replied)
            return EXCHANGE_REPLY;
        return svc__away_is(x) ? EXCHANGE_WAIT : x->next(x);
    }
    enum exchange_step step = store_piece(x, (svc_piece){"", 0, true});
    if (step != EXCHANGE_BODY)
        return step;
    x->request.body = (struct bytes){x->body.store.data, x->body.store.len};
    return run_body(x);
}

enum exchange_step svc__dispatch_body_end(struct exchange *x)
{
    enum exchange_step step = end_body(x);
    watch_turn(x);
    return step;
}

struct exchange *svc__dispatch_refuse(struct exchange *x, int status, const char *reason,
                                      enum svc_outcome outcome)
{
    x = svc__stand_in_reclaim(x, outcome);
    if (!x)
        return NULL;
    x->hurried = true;
    answer_problem(x, status, reason);
    reply(x);
    watch_turn(x);
    return x;
}

bool svc__dispatch_unqueue(struct exchange *x)
{
    if (!svc__away_withdraw(x))
        return false;
    x->hurried = true;
    answer_busy(x, SHED_WORKER_WAIT);
    reply(x);
    return true;
}

bool svc__dispatch_leave(struct exchange **x)
{
    svc__stand_in_cancel(*x);
    if (!(*x)->held && !svc__away_withdraw(*x))
        return false;
    *x = svc__dispatch_refuse(*x, CLIENT_LEFT, NULL, SVC_CLIENT_GONE);
    return true;
}

void svc__dispatch_fail_reply(struct exchange *x, const char *reason)
{
    svc_log_error(&x->request, "response cannot be sent", svc_kv_str("error", reason));
    answer_problem(x, 500, x->request.plan->config->development ? reason : NULL);
}

void svc__dispatch_excuse_reply(struct exchange *x, int status, const char *reason)
{
    svc_log_info(&x->request, "response cannot be sent", svc_kv_str("error", reason));
    answer_problem(x, status, NULL);
}

int64_t svc__dispatch_reply_read(struct exchange *x, char *data, size_t len)
{
    struct response_body *body = &x->response.body;
    uint64_t left = body->source.length;
    if (left != SVC_LENGTH_UNKNOWN) {
        left -= body->len; /* the bytes read so far */
        len = len < left ? len : (size_t)left;
        if (!len)
            return 0;
    }
    int64_t n = read_source(x, &x->response, data, len);
    enum watched what = svc__response_pipe_reads(&x->response) ? WATCHED_NOTHING : WATCHED_SOURCE;
    svc__watchdog_look(&x->home->loop->watchdog, what, x->request.route);
    if (n > 0 && (uint64_t)n > len)
        return SVC_EINVAL;
    if (n == 0 && left != SVC_LENGTH_UNKNOWN)
        return SVC_EINVAL; /* shorter than stated */
    if (n > 0)
        body->len += (size_t)n;
    return n;
}

int svc__dispatch_reply_frame(struct exchange *x, const struct frame **frame)
{
    struct reply_frames *frames = svc__response_frames(&x->response);
    arm_source(x, &x->response);
    return (int)settle_source(x, &x->response, frames->next(frames, frame));
}

void svc__dispatch_reply_passed(struct exchange *x, const struct frame *frame)
{
    struct reply_frames *frames = svc__response_frames(&x->response);
    x->response.body.len += frame->len;
    frames->pass(frames);
}

bool svc__dispatch_expire(struct exchange *x)
{
    /* A layer that waits on the way out has the answer that was deferred. */
    return svc__away_replaceable(x) && (x->away.out || x->away.parked == NEWS_LAYER ||
                                        svc__pending_expire(atomic_load(&x->away.pending)));
}

void svc__dispatch_done(struct exchange *x, enum svc_outcome outcome, uint64_t bytes_out)
{
    uint64_t duration_ns = svc__clock_ns() - x->request.started_ns;
    /* The default stack, which comes first, asks for no wall clock and would not hold a loop. */
    bool has_others = x->passed > x->request.plan->default_layers;
    uint64_t wall_ns = has_others ? svc__clock_wall_ns() : 0;
    const svc_done done = {.size = sizeof done,
                           .outcome = (int)outcome,
                           .bytes_in = x->request.bytes_in,
                           .bytes_out = bytes_out,
                           .duration_ns = duration_ns,
                           .started_unix_ns = (int64_t)(wall_ns - duration_ns)};
    x->transport = NULL;
    if (x->response.waker)
        svc__waker_disarm(&x->response.waker->waker);
    svc__body_stream_stop(x, SVC_ECANCELLED);
    svc__pending_close(
        atomic_load(&x->away.pending)); /* its answer may have come, and not be taken */
    if (x->refused && !x->away.given_up)
        svc__plan_counts_over(&x->request.plan->counts, x->response.status);
    svc__layers_done(x, &done, x->away.given_up ? x->away.lent.from : 0);
    if (has_others)
        svc__watchdog_look(&x->home->loop->watchdog, WATCHED_DONE, x->request.route);
    svc__response_drop_body(&x->response);
}

static void end_given_up(struct exchange *x)
{
    svc__dispatch_done(x, x->away.given_up, 0);
    x->arena.cache = x->home->arenas;
    if (x->held && x->held != &x->response)
        svc_response_free(x->held);
}
