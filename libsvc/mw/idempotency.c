/* Idempotency keys: takes the key of a request, keeps its answer, and repeats that to later ones.
 */
#include "libsvc/mw/idempotency.h"

#include "libsvc/app/app_internal.h"
#include "libsvc/exchange/response_internal.h"
#include "libsvc/metrics/metric.h"
#include "libsvc/mw/idempotency_key.h"
#include "libsvc/mw/idempotency_recording.h"
#include "libsvc/mw/idempotency_store.h"

/* A key that becomes free between two questions is asked for again, so many times in all. */
enum { TRIES = 3 };

const svc_key svc__idempotency_id_key = {"idempotency"};

static void count_result(const struct idempotency *idempotency, enum idempotency_result result)
{
    svc__counter_add(idempotency->results[result], 1);
}

/* ---- Answers of its own */

static int answer_problem(const struct idempotency *idempotency, svc_response *res,
                          enum idempotency_result result, int status, const char *detail)
{
    count_result(idempotency, result);
    int error = svc_response_problem(res, status, detail);
    return error ? error : SVC_ANSWERED;
}

static int answer_conflict(const struct idempotency *idempotency, svc_response *res)
{
    svc__response_put(res, svc__bytes_z("Retry-After"), svc__bytes_z("1"));
    return answer_problem(idempotency, res, IDEMPOTENCY_CONFLICT, 409,
                          "a request with this Idempotency-Key is under way");
}

/* The store cannot be asked. By default nothing runs: an operation that runs twice is worse than
 * one that its client repeats later. */
static int answer_failure(const struct idempotency *idempotency, svc_response *res,
                          struct idempotency_state *state)
{
    svc__counter_add(idempotency->failures, 1);
    state->stage = IDEMPOTENCY_OVER;
    if (idempotency->flags & SVC_IDEMPOTENCY_FAIL_OPEN)
        return SVC_PASS;
    int error = svc_response_problem(res, 503, "the store of idempotency keys cannot be reached");
    svc__response_put(res, svc__bytes_z("Retry-After"), svc__bytes_z("1"));
    return error ? error : SVC_ANSWERED;
}

/* Answers with the record that was found, once the request's fingerprint is known. */
static int answer_found(const struct idempotency *idempotency, svc_response *res,
                        struct idempotency_state *state)
{
    state->stage = IDEMPOTENCY_OVER;
    if (memcmp(state->found.fingerprint, state->fingerprint, SHA256_BYTES) != 0)
        return answer_problem(idempotency, res, IDEMPOTENCY_MISMATCH, 422,
                              "this Idempotency-Key was used for another request");
    if (state->found.kind == IDEMPOTENCY_UNKEPT)
        return answer_problem(idempotency, res, IDEMPOTENCY_LOST, 409,
                              "the request with this Idempotency-Key was answered, and the answer "
                              "could not be kept");
    int error = svc__idempotency_record_answer(&state->found, res);
    if (error)
        return error;
    svc__response_put(res, svc__bytes_z("Idempotent-Replayed"), svc__bytes_z("true"));
    count_result(idempotency, IDEMPOTENCY_REPLAYED);
    return SVC_ANSWERED;
}

/* ---- The way in */

/* Whether a key matters to a request: the library's own answers, such as 405, need none. */
static bool is_protected(const svc_request *req)
{
    const struct exchange *x = svc__exchange_of(req);
    return (req->known_method == METHOD_POST || req->known_method == METHOD_PATCH) && req->route &&
           x->answer == req->route->handler;
}

/* Knows the whole request. */
static int take_body(const struct idempotency *idempotency, svc_request *req, svc_response *res,
                     struct idempotency_state *state, struct bytes body)
{
    if (state->stage != IDEMPOTENCY_HELD && state->stage != IDEMPOTENCY_FOUND)
        return SVC_PASS;
    svc__idempotency_key_fingerprint(req, body, state->fingerprint);
    return state->stage == IDEMPOTENCY_FOUND ? answer_found(idempotency, res, state) : SVC_PASS;
}

/* Reads the key, and makes its name. SVC_PASS with the stage NEW: the key is to be taken. */
static int name_key(const struct idempotency *idempotency, svc_request *req, svc_response *res,
                    struct idempotency_state *state)
{
    struct idempotency_key key;
    char *id = state->name + IDEMPOTENCY_SPACE_LEN;
    if (svc__idempotency_key_read(idempotency, req, &key))
        return answer_problem(idempotency, res, IDEMPOTENCY_INVALID, 400,
                              "Idempotency-Key must be one string in double quotes, of 1 to 255 "
                              "characters");
    if (key.len == 0 && idempotency->flags & SVC_IDEMPOTENCY_REQUIRED)
        return answer_problem(idempotency, res, IDEMPOTENCY_INVALID, 400,
                              "the request needs an Idempotency-Key");
    if (key.len == 0) {
        state->stage = IDEMPOTENCY_OVER;
        return SVC_PASS;
    }
    memcpy(state->name, IDEMPOTENCY_SPACE, IDEMPOTENCY_SPACE_LEN);
    if (svc__idempotency_key_id(idempotency, req, &key, id))
        return answer_problem(idempotency, res, IDEMPOTENCY_INVALID, 400,
                              "an Idempotency-Key needs a caller who is known");
    return svc_request_set(req, &svc__idempotency_id_key, id);
}

static int look_at_record(const struct idempotency *idempotency, svc_response *res,
                          struct idempotency_state *state)
{
    struct bytes text = svc__bytes(state->value.data, state->value.len);
    if (svc__idempotency_record_read(text, &state->found))
        return answer_failure(idempotency, res, state);
    state->stage = IDEMPOTENCY_FOUND;
    return state->found.kind == IDEMPOTENCY_PENDING ? answer_conflict(idempotency, res) : SVC_PASS;
}

/* Takes the key or reads its record: asks the store, and goes on with each answer, also after a
 * wait. */
static int take_key(const struct idempotency *idempotency, svc_request *req, svc_response *res,
                    struct idempotency_state *state)
{
    for (;;) {
        if (state->stage == IDEMPOTENCY_NEW) {
            if (state->tries++ == TRIES)
                return answer_conflict(idempotency, res);
            state->stage = IDEMPOTENCY_ADDING;
            if (!svc__idempotency_store_take(idempotency, req, state))
                return SVC_WAIT;
        } else if (state->stage == IDEMPOTENCY_ADDING && state->error == SVC_ECONFLICT) {
            state->stage = IDEMPOTENCY_READING;
            if (!svc__idempotency_store_read(idempotency, req, state))
                return SVC_WAIT;
        } else if (state->stage == IDEMPOTENCY_READING && state->error == SVC_ENOTFOUND) {
            state->stage = IDEMPOTENCY_NEW;
        } else if (state->error) {
            return answer_failure(idempotency, res, state);
        } else if (state->stage == IDEMPOTENCY_READING) {
            return look_at_record(idempotency, res, state);
        } else {
            state->stage = IDEMPOTENCY_HELD;
            count_result(idempotency, IDEMPOTENCY_FIRST);
            return SVC_PASS;
        }
    }
}

static int begin_request(svc_request *req, svc_response *res, const svc_layer *layer)
{
    const struct idempotency *idempotency = layer->arg;
    struct idempotency_state *state = layer->state;
    int verdict = SVC_PASS;
    if (!is_protected(req))
        state->stage = IDEMPOTENCY_OVER;
    else if (state->stage == IDEMPOTENCY_NEW)
        verdict = name_key(idempotency, req, res, state);
    if (verdict == SVC_PASS && state->stage != IDEMPOTENCY_OVER)
        verdict = take_key(idempotency, req, res, state);
    bool bodiless = svc__exchange_of(req)->framing.kind == BODY_NONE;
    if (verdict == SVC_PASS && bodiless)
        verdict = take_body(idempotency, req, res, state, (struct bytes){0});
    return verdict;
}

static int see_body(svc_request *req, svc_response *res, const svc_layer *layer, svc_piece *piece)
{
    return take_body(layer->arg, req, res, layer->state, svc__bytes(piece->data, piece->len));
}

/* ---- The way out */

/* Whether the request is given up, and its handler may still run: its key is then its own until its
 * time is over. */
static bool is_given_up(const struct exchange *x)
{
    return x->backing && x->backing->away.given_up != SVC_COMPLETE;
}

/*
 * Whether an answer ends the operation. An answer that a handler has not given says nothing about
 * the operation, and neither do those that ask the client to come again.
 */
static bool is_final(const struct idempotency *idempotency, const struct exchange *x)
{
    int status = x->response.status;
    if (x->refused || x->verdict != SVC_PASS || status == 408 || status == 425 || status == 429)
        return false;
    return status < 500 || idempotency->flags & SVC_IDEMPOTENCY_KEEP_5XX;
}

/*
 * Keeps the answer, or frees the key. On an event loop whose store waits for a server the answer
 * waits until that is done, so a client that repeats its request at once finds what it has been
 * promised; the layer is then run again.
 */
static int keep_answer(svc_request *req, svc_response *res, const svc_layer *layer)
{
    const struct idempotency *idempotency = layer->arg;
    struct idempotency_state *state = layer->state;
    const struct exchange *x = svc__exchange_of(req);
    if (state->stage != IDEMPOTENCY_HELD || is_given_up(x))
        return 0;
    state->stage = IDEMPOTENCY_OVER;
    if (is_final(idempotency, x))
        return svc__idempotency_recording_begin(idempotency, req, res, state);
    return svc__idempotency_store_free(idempotency, req, state);
}

/* ---- The middleware */

/* All middlewares of a service share these counters, which are the serving app's. */
static int start_counting(svc_app *app, void *arg)
{
    static const char *const names[IDEMPOTENCY_RESULTS] = {
        [IDEMPOTENCY_FIRST] = "first",       [IDEMPOTENCY_REPLAYED] = "replayed",
        [IDEMPOTENCY_CONFLICT] = "conflict", [IDEMPOTENCY_MISMATCH] = "mismatch",
        [IDEMPOTENCY_LOST] = "lost",         [IDEMPOTENCY_INVALID] = "invalid"};
    struct idempotency *idempotency = arg;
    struct metrics *in = svc__app_root(app)->metrics;
    svc_counter_family *results = svc__metric_counters(
        in, "svc_idempotency_requests_total", "Requests with an idempotency key.", "result");
    for (int i = 0; i < IDEMPOTENCY_RESULTS; i++) {
        idempotency->results[i] = svc_counter_of(results, 1, &names[i]);
        if (!idempotency->results[i])
            return SVC_ENOMEM;
    }
    idempotency->failures =
        svc__metric_counter(in, "svc_idempotency_store_failures_total",
                            "Failed questions of idempotency keys to their store.");
    idempotency->too_large =
        svc__metric_counter(in, "svc_idempotency_too_large_total",
                            "Answers to idempotency keys that were too large to be kept.");
    return idempotency->failures && idempotency->too_large ? 0 : SVC_ENOMEM;
}

void svc__idempotency_prepare(struct idempotency *idempotency)
{
    idempotency->middleware = (svc_middleware){
        .size = sizeof idempotency->middleware,
        .name = "idempotency",
        .flags = idempotency->flags & SVC_IDEMPOTENCY_BLOCKING ? SVC_BLOCKING : 0,
        .state_size = sizeof(struct idempotency_state),
        .arg = idempotency,
        .start = start_counting,
        .on_request = begin_request,
        .on_body = see_body,
        .on_response = keep_answer,
    };
}
