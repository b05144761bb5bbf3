/* An exchange on its way. */
#include "libsvc/server/flight.h"

#include "libsvc/base/least.h"
#include "libsvc/dispatch/dispatch.h"
#include "libsvc/dispatch/driver.h"
#include "libsvc/dispatch/stand_in.h"
#include "libsvc/exchange/away.h"
#include "libsvc/exchange/body_stream.h"
#include "libsvc/exchange/refusal.h"
#include "libsvc/server/loop.h"

enum {
    LOOK_MS = 1000,        /* until an arriving body, or a file that is sent, is checked */
    DROP_ANNOUNCED = 65536 /* the longest refused body that is read and dropped */
};

/* ---- Its time */

/* All times here are by the clock of the turn, to which the timer is set. By a later clock, the
 * deadlines of a loop that was held up would come early. */
static uint64_t turn_ns(const struct flight *flight)
{
    return flight->loop->now_ms * 1000000;
}

static uint64_t left_ms(const struct flight *flight)
{
    return svc__exchange_remaining_ms(flight->x, turn_ns(flight));
}

static uint64_t phase_ms(const struct flight *flight)
{
    const svc_config *config = &flight->loop->server->app->config;
    switch (flight->phase) {
    case FLIGHT_BODY: /* a body that is dropped has a time of its own */
        return svc__exchange_has_reply(flight->x)
                   ? config->body_timeout_ms
                   : svc__least_u64(config->body_timeout_ms,
                                    svc__driver_due_ms(flight->x, turn_ns(flight)));
    case FLIGHT_STALL:
    case FLIGHT_HANDLE:
        return svc__driver_due_ms(flight->x, turn_ns(flight));
    case FLIGHT_SEND: /* the time of a body that is still read may end earlier */
        return svc__least_u64(config->send_timeout_ms,
                              svc__driver_body_ms(flight->x, turn_ns(flight)));
    case FLIGHT_NONE:
        break;
    }
    return config->send_timeout_ms;
}

/* A body that is incomplete after a second may never be complete, and a file that is sent may have
 * become shorter. */
static bool is_looked_at(const struct flight *flight)
{
    return flight->phase == FLIGHT_BODY ||
           (flight->phase == FLIGHT_SEND && flight->x->response.body.kind == REPLY_FILE);
}

void svc__flight_enter(struct flight *flight, enum flight_phase phase)
{
    flight->phase = phase;
    svc__time_limit_begin(flight->loop, flight->limit, flight->loop->now_ms, phase_ms(flight),
                          is_looked_at(flight) ? LOOK_MS : 0);
}

void svc__flight_time_out(struct flight *flight)
{
    static const enum timed_out_phase phases[] = {[FLIGHT_NONE] = TIMED_OUT_HEAD,
                                                  [FLIGHT_BODY] = TIMED_OUT_BODY,
                                                  [FLIGHT_STALL] = TIMED_OUT_BODY,
                                                  [FLIGHT_HANDLE] = TIMED_OUT_HANDLER,
                                                  [FLIGHT_SEND] = TIMED_OUT_WRITING};
    flight->timed_out = true;
    svc__counter_add(flight->loop->server->metrics.timed_out[phases[flight->phase]], 1);
}

/* ---- Its reactions */

static void resume_flight(struct flight *flight)
{
    if (!flight->waits)
        return;
    flight->waits = false;
    if (flight->phase == FLIGHT_STALL)
        svc__flight_enter(flight, FLIGHT_BODY);
    flight->ops->resume(flight);
}

void svc__flight_wait(struct flight *flight)
{
    flight->waits = true;
    flight->ops->look(flight);
}

void svc__flight_drop_body(struct flight *flight)
{
    flight->unwanted = true;
    flight->ops->drop_body(flight);
}

void svc__flight_answer_early(struct flight *flight)
{
    if (!flight->unwanted && svc__driver_go_on(flight->x) == EXCHANGE_REPLY)
        svc__flight_drop_body(flight);
}

static void take_flight_news(struct transport *transport)
{
    struct flight *flight = svc__flight_of(transport);
    if (flight->waits)
        resume_flight(flight);
    else if (flight->phase == FLIGHT_BODY)
        svc__flight_answer_early(flight);
    else if (flight->phase == FLIGHT_SEND && svc__body_stream_reads_on(flight->x))
        flight->ops->resume(flight); /* its body may go on */
}

/* Whether there is an exchange to answer with. If not, the bare reply has been sent. */
static bool has_exchange(struct flight *flight)
{
    if (flight->x)
        return true;
    flight->phase = FLIGHT_NONE;
    flight->ops->reply_bare(flight);
    return false;
}

bool svc__flight_refuse(struct flight *flight, int status, const char *reason)
{
    enum svc_outcome outcome = flight->timed_out ? SVC_TIMED_OUT : SVC_CUT;
    flight->x = svc__dispatch_refuse(flight->x, status, reason, outcome);
    return has_exchange(flight);
}

/* Whether a streamed body has made progress. Its time limit counts only silence, as long as the
 * handler wants more. */
static bool streams_on(struct flight *flight)
{
    const struct exchange *x = flight->x;
    bool came = x->body.stream && !flight->unwanted && x->request.bytes_in != flight->progress;
    flight->progress = x->request.bytes_in;
    return came && left_ms(flight);
}

static void body_expired(struct flight *flight)
{
    struct loop *loop = flight->loop;
    if (svc__dispatch_unqueue(flight->x)) {
        svc__flight_enter(flight, FLIGHT_BODY);
        svc__flight_answer_early(flight);
        return;
    }
    uint64_t passed = loop->now_ms - flight->limit->since_ms;
    uint64_t body_ms = loop->server->app->config.body_timeout_ms;
    uint64_t silence_ms = svc__least_u64(body_ms > passed ? body_ms - passed : 0, left_ms(flight));
    if (!flight->unwanted && silence_ms) { /* only the time in a queue is over */
        svc__time_limit_end_in(loop, flight->limit, silence_ms);
        flight->ops->look(flight);
        return;
    }
    if (streams_on(flight)) {
        svc__flight_enter(flight, FLIGHT_BODY);
        return;
    }
    svc__flight_time_out(flight);
    if (svc__exchange_has_reply(flight->x) ||
        svc__flight_refuse(flight, 408, "the request body took too long"))
        flight->ops->reply_unread(flight);
}

/* The exchange is away, or its body waits for the reader. */
static void wait_expired(struct flight *flight)
{
    bool stalls = flight->phase == FLIGHT_STALL;
    switch (svc__driver_expired(&flight->x, turn_ns(flight))) {
    case DRIVER_WAITS:
        svc__time_limit_end_in(flight->loop, flight->limit,
                               svc__driver_due_ms(flight->x, turn_ns(flight)));
        return;
    case DRIVER_REPLIES:
        break;
    case DRIVER_TIMED_OUT:
        svc__flight_time_out(flight);
        if (has_exchange(flight) && stalls)
            flight->ops->reply_unread(flight);
    }
    resume_flight(flight);
}

static void give_flight_up(struct flight *flight)
{
    flight->gone = true;
    svc__stand_in_cancel(flight->x);
    resume_flight(flight);
}

/*
 * The time limit of the body has expired, or that of the reply while the body is read on. Bytes of
 * the body count as progress of a reply that has nothing to send, since it may wait for more of the
 * body. Whether the sending goes on.
 */
static bool reads_on_expired(struct flight *flight)
{
    struct loop *loop = flight->loop;
    bool came = flight->x->request.bytes_in != flight->progress;
    flight->progress = flight->x->request.bytes_in;
    uint64_t passed = loop->now_ms - flight->limit->since_ms;
    uint64_t send_ms = loop->server->app->config.send_timeout_ms;
    if (svc__driver_body_expired(flight->x, turn_ns(flight)) && passed < send_ms) {
        svc__time_limit_end_in(loop, flight->limit, send_ms - passed);
        return true;
    }
    if (came && flight->waits)
        svc__flight_enter(flight, FLIGHT_SEND);
    return came && flight->waits;
}

static void sending_expired(struct flight *flight)
{
    if (svc__body_stream_reads_on(flight->x) && reads_on_expired(flight))
        return;
    if (flight->waits) { /* the service has had nothing to send for all that time */
        svc__flight_time_out(flight);
        give_flight_up(flight);
    } else if (flight->ops->has_moved(flight)) {
        svc__flight_enter(flight, FLIGHT_SEND);
    } else {
        svc__flight_time_out(flight);
        flight->ops->abort(flight);
    }
}

void svc__flight_expired(struct flight *flight)
{
    if (is_looked_at(flight) && svc__time_limit_looks(flight->loop, flight->limit)) {
        bool again = flight->phase == FLIGHT_SEND;
        svc__time_limit_await(flight->loop, flight->limit, again ? LOOK_MS : UINT32_MAX);
        flight->ops->look(flight);
    } else if (flight->phase == FLIGHT_BODY) {
        body_expired(flight);
    } else if (flight->phase == FLIGHT_SEND) {
        sending_expired(flight);
    } else {
        wait_expired(flight);
    }
}

void svc__flight_departed(struct flight *flight, bool ended, bool may_be_whole)
{
    bool stalls = flight->phase == FLIGHT_STALL, sends = flight->phase == FLIGHT_SEND;
    if ((stalls && !may_be_whole) || (ended && sends)) {
        give_flight_up(flight);
    } else if (ended && svc__dispatch_leave(&flight->x)) {
        has_exchange(flight);
        resume_flight(flight);
    }
}

void svc__flight_cut(struct flight *flight)
{
    flight->cut = true;
    atomic_fetch_add(&flight->loop->server->cut_requests, 1);
    svc__stand_in_cancel(flight->x);
    if (!svc__away_replaceable(flight->x))
        return;
    if (!svc__exchange_has_reply(flight->x) && flight->phase != FLIGHT_NONE)
        svc__flight_refuse(flight, REFUSAL_STOPPING);
    bool answers = flight->phase == FLIGHT_HANDLE; /* also when it was resumed in this turn */
    resume_flight(flight);
    if (answers)
        return;
    if (flight->phase == FLIGHT_BODY)
        flight->ops->reply_unread(flight);
    flight->ops->abort(flight);
}

bool svc__flight_droppable(const struct flight *flight)
{
    const struct framing *framing = &flight->x->framing;
    return framing->kind == BODY_LENGTH && framing->length <= DROP_ANNOUNCED &&
           !framing->expect_continue;
}

/* ---- Its life */

void svc__flight_init(struct flight *flight, const struct flight_ops *ops, struct loop *loop,
                      struct time_limit *limit, const struct peer *peer, const char *scheme)
{
    *flight = (struct flight){
        .transport = {take_flight_news, scheme, peer}, .loop = loop, .limit = limit, .ops = ops};
}

bool svc__flight_begin(struct flight *flight, struct bytes raw_target)
{
    struct loop *loop = flight->loop;
    flight->x =
        svc__dispatch_new(loop->server->app->plan, &loop->host, &flight->transport, raw_target);
    flight->phase = FLIGHT_NONE;
    flight->waits = flight->unwanted = flight->timed_out = flight->cut = flight->gone = false;
    flight->progress = 0;
    return flight->x;
}

bool svc__flight_reclaim(struct flight *flight, enum svc_outcome outcome)
{
    flight->x = svc__stand_in_reclaim(flight->x, outcome);
    return flight->x;
}

void svc__flight_end(struct flight *flight, enum svc_outcome outcome, uint64_t bytes_out)
{
    struct exchange *x = flight->x;
    flight->x = NULL;
    flight->phase = FLIGHT_NONE;
    svc__dispatch_done(x, outcome, bytes_out);
    svc__exchange_unref(x);
}
