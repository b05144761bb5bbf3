/* The exchange: how a request becomes a response, without sockets. */
#include "libsvc/core/exchange.h"

#include <string.h>

#include "libsvc/base/clock.h"
#include "libsvc/core/debug.h"
#include "libsvc/core/reactor.h"
#include "libsvc/core/response_internal.h"
#include "libsvc/core/routing.h"

struct exchange *svc__exchange_new(svc_app *app, struct exchange_host *host,
                                   struct bytes raw_target)
{
    /* The exchange lies in its own arena: its first chunk is the only memory a small one needs. */
    struct arena arena;
    svc__arena_init(&arena, host->arenas, EXCHANGE_MEMORY);
    struct exchange *x = svc__arena_zalloc(&arena, sizeof *x);
    char *target = x ? svc__arena_strndup(&arena, raw_target.data, raw_target.len) : NULL;
    if (!target) {
        svc__arena_reset(&arena);
        return NULL;
    }
    x->arena = arena;
    x->host = host;
    x->refs = 1;
    x->chain = &app->fallback.chain;
    x->request.app = x->request.owner = app;
    x->request.target.raw = (struct bytes){target, raw_target.len};
    x->request.id = "";
    x->request.started_ns = svc__clock_ns();
    svc__watchdog_mark(&host->loop->watchdog, x->request.started_ns);
    x->response.exchange = x;
    x->response.length = SVC_LENGTH_UNKNOWN;
    atomic_init(&x->wait, WAIT_NONE);
    atomic_init(&x->cancelled, false);
    return x;
}

static void take_head(struct exchange *x, const struct head *head)
{
    svc_request *req = &x->request;
    const svc_config *config = &req->app->config;
    req->method = head->method;
    req->fields = head->fields;
    req->field_count = head->count;
    req->deadline_ms = req->started_ns / 1000000 + config->request_timeout_ms;
    x->body.limit = config->max_body_bytes;
}

/* Where the head is in doubt, so is where the next request begins. */
static void refuse_head(struct exchange *x, int status, const char *reason)
{
    x->malformed = true;
    x->close = true;
    svc__routing_refuse(x, status, reason);
}

void svc__exchange_head_failed(struct exchange *x, const struct head *head, int status,
                               const char *reason)
{
    take_head(x, head);
    refuse_head(x, status, reason);
}

void svc__exchange_head(struct exchange *x, const struct head *head)
{
    svc_request *req = &x->request;
    const svc_config *config = &req->app->config;
    const struct head_limits limits = {(size_t)config->max_target_bytes,
                                       (size_t)config->max_head_bytes, (size_t)config->max_fields};
    const char *reason = NULL;
    take_head(x, head);
    int status = svc__head_check(head, &limits, &x->framing, &reason);
    if (status) {
        refuse_head(x, status, reason);
        return;
    }
    x->close = x->framing.close;
    status = svc__target_parse(head->target_raw, head->method, &req->target, &reason);
    if (!svc__routing_method_known(x))
        return;
    if (status)
        svc__routing_refuse(x, status, reason);
    else
        svc__routing_resolve(x);
}

/* The state of the chain's layers; allocated when the chain is known, that is at the first run. */
static bool layer_state_ready(struct exchange *x)
{
    if (x->layer_state || !x->chain->state_size)
        return true;
    x->layer_state = svc__arena_zalloc(&x->arena, x->chain->state_size);
    return x->layer_state != NULL;
}

/* The answer of last resort, which needs no memory. */
static void answer_bare(svc_response *res, int status)
{
    svc__response_reset(res);
    res->status = status;
}

static void answer_problem(struct exchange *x, int status, const char *reason)
{
    svc__response_reset(&x->response);
    if (svc_response_problem(&x->response, status, reason))
        answer_bare(&x->response, status);
}

/* Code of the service failed: the client sees a 500, the log names the route and who failed. */
static void fail(struct exchange *x, const char *who, int error)
{
    const svc_request *req = &x->request;
    svc_log_error(req, "request failed", svc_kv_bytes("method", req->method.data, req->method.len),
                  svc_kv_str("where", who),
                  svc_kv_str("error", error ? svc_error_text(error) : "no answer"));
    answer_problem(x, 500, svc__debug_failure(x, who, error));
}

static enum exchange_step reply(struct exchange *x)
{
    int error = svc__chain_response(x);
    if (error || !x->response.status)
        fail(x, "on_response", error);
    x->replied = true;
    return EXCHANGE_REPLY;
}

static enum exchange_step answer(struct exchange *x)
{
    int error = x->answer(&x->request, &x->response);
    if (error || !x->response.status)
        fail(x, "handler", error);
    return reply(x);
}

/* A layer ended the exchange: by an answer of its own, or by failing. */
static enum exchange_step answered(struct exchange *x, int verdict, const char *phase)
{
    if (verdict != SVC_ANSWERED)
        fail(x, phase, verdict < 0 ? verdict : SVC_EINVAL);
    else if (!x->response.status)
        fail(x, phase, 0);
    return reply(x);
}

/* The library's own answers, such as 404, need no body. */
static bool wants_body(const struct exchange *x)
{
    return x->framing.kind != BODY_NONE && !x->refusal && x->request.route;
}

/* What has just run may have held the loop. */
static enum exchange_step looked_at(struct exchange *x, enum exchange_step step)
{
    svc__watchdog_look(&x->host->loop->watchdog, &x->request);
    return step;
}

static enum exchange_step run(struct exchange *x)
{
    if (!layer_state_ready(x)) {
        answer_problem(x, 503, "out of memory");
        return reply(x);
    }
    /* Set before the layer runs: another thread may resume before on_request has returned. */
    atomic_store(&x->wait, WAIT_PENDING);
    int verdict = svc__chain_request(x);
    if (verdict == SVC_WAIT) {
        x->refs++; /* the layer's hold, dropped in svc__exchange_resumed */
        return EXCHANGE_WAIT;
    }
    atomic_store(&x->wait, WAIT_NONE);
    if (verdict != SVC_PASS)
        return answered(x, verdict, "on_request");
    return wants_body(x) ? EXCHANGE_BODY : answer(x);
}

enum exchange_step svc__exchange_run(struct exchange *x)
{
    return looked_at(x, run(x));
}

static enum exchange_step refuse_body(struct exchange *x, int error)
{
    if (error == SVC_ETOOBIG)
        answer_problem(x, 413, "the request body is over the limit");
    else
        answer_problem(x, 503, "out of memory");
    return reply(x);
}

static enum exchange_step take_piece(struct exchange *x, const char *data, size_t len)
{
    x->request.bytes_in += len;
    svc_piece piece = {data, len, false};
    int verdict = svc__chain_body(x, &piece, false);
    if (verdict != SVC_PASS)
        return answered(x, verdict, "on_body");
    int error = svc__body_store_append(&x->body, &x->arena, piece.data, piece.len);
    return error ? refuse_body(x, error) : EXCHANGE_BODY;
}

enum exchange_step svc__exchange_body(struct exchange *x, const char *data, size_t len)
{
    return looked_at(x, take_piece(x, data, len));
}

static enum exchange_step end_body(struct exchange *x)
{
    svc_piece end = {"", 0, true};
    int verdict = svc__chain_body(x, &end, false);
    if (verdict != SVC_PASS)
        return answered(x, verdict, "on_body");
    int error = svc__body_store_append(&x->body, &x->arena, end.data, end.len);
    if (error)
        return refuse_body(x, error);
    svc_piece whole = {x->body.data, x->body.len, true};
    verdict = svc__chain_body(x, &whole, true);
    if (verdict != SVC_PASS)
        return answered(x, verdict, "on_body");
    x->request.body = (struct bytes){whole.data, whole.len};
    return answer(x);
}

enum exchange_step svc__exchange_body_end(struct exchange *x)
{
    return looked_at(x, end_body(x));
}

bool svc__exchange_body_unread(const struct exchange *x)
{
    return x->framing.kind == BODY_CHUNKED ||
           (x->framing.kind == BODY_LENGTH && x->request.bytes_in < x->framing.length);
}

void svc__exchange_refuse(struct exchange *x, int status, const char *reason)
{
    int pending = WAIT_PENDING;
    atomic_compare_exchange_strong(&x->wait, &pending, WAIT_ABANDONED);
    answer_problem(x, status, reason);
    looked_at(x, reply(x));
}

void svc__exchange_fail_reply(struct exchange *x, const char *reason)
{
    svc_log_error(&x->request, "response cannot be sent", svc_kv_str("error", reason));
    answer_problem(x, 500, x->request.app->config.development ? reason : NULL);
}

int64_t svc__exchange_reply_read(struct exchange *x, char *data, size_t len)
{
    struct response_body *body = &x->response.body;
    uint64_t left = body->source.length;
    if (left != SVC_LENGTH_UNKNOWN) {
        left -= body->len; /* what has been read so far */
        len = len < left ? len : (size_t)left;
        if (!len)
            return 0;
    }
    int64_t n = body->source.read(body->source.state, data, len);
    svc__watchdog_look(&x->host->loop->watchdog, &x->request);
    if (n > 0 && (uint64_t)n > len)
        return SVC_EINVAL;
    if (n == 0 && left != SVC_LENGTH_UNKNOWN)
        return SVC_EINVAL; /* shorter than stated */
    if (n > 0)
        body->len += (size_t)n;
    return n;
}

uint64_t svc__exchange_reply_length(const struct exchange *x)
{
    const svc_response *res = &x->response;
    if (res->body.kind == RESPONSE_MEMORY || res->body.kind == RESPONSE_FILE)
        return res->body.len;
    if (res->body.kind == RESPONSE_SOURCE)
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

void svc__exchange_cancel(struct exchange *x)
{
    atomic_store(&x->cancelled, true);
}

int svc_request_resume(svc_request *req)
{
    struct exchange *x = svc__exchange_of(req);
    int pending = WAIT_PENDING;
    bool in_time = atomic_compare_exchange_strong(&x->wait, &pending, WAIT_RESUMED);
    x->host->wake(x->host, x);
    return in_time ? 0 : SVC_ELATE;
}

bool svc__exchange_resumed(struct exchange *x)
{
    bool goes_on = !x->replied;
    svc__exchange_unref(x);
    return goes_on;
}

void svc__exchange_done(struct exchange *x, enum svc_outcome outcome, uint64_t bytes_out)
{
    const svc_done done = {sizeof done, outcome, x->request.bytes_in, bytes_out,
                           svc__clock_ns() - x->request.started_ns};
    svc__chain_done(x, &done);
    /* The default stack, which comes first, is not what would hold a loop. */
    if (x->passed > x->request.app->default_uses.count)
        svc__watchdog_look(&x->host->loop->watchdog, &x->request);
    svc__response_drop_body(&x->response);
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
    if (!x || --x->refs > 0)
        return;
    svc__response_drop_body(&x->response);
    svc__body_store_free(&x->body);
    svc__arena_clean_up(&x->arena); /* they may use the arena, which is where x has it */
    struct arena arena = x->arena;
    svc__arena_reset(&arena);
}
