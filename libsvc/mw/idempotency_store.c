/*
 * The questions of idempotency keys to their store. Each is first asked by the call that waits,
 * which answers at once in memory and on workers. SVC_ESTATE then says that it would hold an event
 * loop, and it is asked again with a callback.
 */
#include "libsvc/mw/idempotency_store.h"

#include <stdlib.h>

#include <svc/log.h>

#include "libsvc/metrics/metric.h"

#undef SVC_LOG_MODULE
#define SVC_LOG_MODULE "idempotency"

enum { MARK_BYTES = 64 };

/* ---- Questions of a request on its way in */

/* A key that came too late for its request, which is over by now and so is its state. */
static void on_answer(const svc_store_answer *answer, void *arg)
{
    struct idempotency_state *state = arg;
    const struct idempotency_state taken = *state;
    bool takes = state->stage == IDEMPOTENCY_ADDING;
    state->error = answer->error;
    state->value = answer->value;
    if (svc_request_resume(state->waits) != SVC_ELATE || answer->error || !takes)
        return;
    struct idempotency_state late = taken;
    late.value = answer->value;
    (void)svc__idempotency_store_free(late.asks, NULL, &late);
}

/* Whether a question has its answer, after the result of a call with a callback. */
static bool is_answered(struct idempotency_state *state, int error)
{
    state->error = error;
    return error != 0;
}

bool svc__idempotency_store_take(const struct idempotency *idempotency, svc_request *req,
                                 struct idempotency_state *state)
{
    static const unsigned char unknown[SHA256_BYTES];
    char text[MARK_BYTES];
    struct buf record;
    svc_store *store = idempotency->store;
    svc__buf_over(&record, text, sizeof text);
    svc__idempotency_record_write(&record, IDEMPOTENCY_PENDING, 0, unknown, NULL);
    state->value = (svc_store_value){.data = record.data, .len = record.len};
    uint64_t lease_ms = svc_request_remaining_ms(req) + idempotency->grace_ms;
    state->error = svc_store_add(store, req, state->name, &state->value, lease_ms);
    if (state->error != SVC_ESTATE)
        return true;
    state->waits = req;
    state->asks = idempotency;
    return is_answered(state, svc_store_add_then(store, req, state->name, &state->value, lease_ms,
                                                 on_answer, state));
}

bool svc__idempotency_store_read(const struct idempotency *idempotency, svc_request *req,
                                 struct idempotency_state *state)
{
    state->error = svc_store_get(idempotency->store, req, state->name, &state->value);
    if (state->error != SVC_ESTATE)
        return true;
    return is_answered(state,
                       svc_store_get_then(idempotency->store, req, state->name, on_answer, state));
}

/* ---- The end of a key that a request has. The request's deadline does not limit these calls: an
 * answer that is there shall be kept, also if its client has another by then. */

static void report_failure(const struct idempotency *idempotency, int error)
{
    svc__counter_add(idempotency->failures, 1);
    svc_log_warn(NULL, "the state of an idempotency key was not written",
                 svc_kv_str("error", svc_error_text(error)));
}

/* The state of a request that may be over when the store has written. */
struct late_write {
    const struct idempotency *idempotency;
    struct idempotency_state state;
};

static void after_keep(const struct idempotency *idempotency, const struct idempotency_state *state,
                       int error)
{
    if (error == SVC_ETOOBIG) {
        svc__counter_add(idempotency->too_large, 1);
        svc__idempotency_store_mark(idempotency, state);
    } else if (error) {
        report_failure(idempotency, error);
    }
}

static void on_kept(const svc_store_answer *answer, void *arg)
{
    struct idempotency_state *state = arg;
    after_keep(state->asks, state, answer->error);
    (void)svc_request_resume(state->waits); /* SVC_ELATE: its client has an answer */
}

static void on_kept_late(const svc_store_answer *answer, void *arg)
{
    struct late_write *late = arg;
    after_keep(late->idempotency, &late->state, answer->error);
    free(late);
}

static int keep_late(const struct idempotency *idempotency, const struct idempotency_state *state,
                     const svc_store_value *value)
{
    struct late_write *late = malloc(sizeof *late);
    if (!late)
        return SVC_ENOMEM;
    *late = (struct late_write){idempotency, *state};
    int error = svc_store_compare_and_set_then(idempotency->store, NULL, state->name, value,
                                               idempotency->ttl_ms, on_kept_late, late);
    if (error)
        free(late);
    return error;
}

/* Whether a request waits, which is to be resumed when the store has written. */
static bool set_waiting(const struct idempotency *idempotency, svc_request *waits,
                        struct idempotency_state *state)
{
    if (!waits || svc_request_allow_wait(waits))
        return false;
    state->asks = idempotency;
    state->waits = waits;
    return true;
}

int svc__idempotency_store_keep(const struct idempotency *idempotency, svc_request *waits,
                                struct idempotency_state *state, struct bytes record)
{
    svc_store *store = idempotency->store;
    uint64_t ttl_ms = idempotency->ttl_ms;
    svc_store_value value = {record.data, record.len, state->value.version, NULL};
    int error = svc_store_compare_and_set(store, NULL, state->name, &value, ttl_ms);
    bool later = error == SVC_ESTATE, held = later && set_waiting(idempotency, waits, state);
    if (held) {
        error = svc_store_compare_and_set_then(store, NULL, state->name, &value, ttl_ms, on_kept,
                                               state);
    } else if (later) {
        error = keep_late(idempotency, state, &value);
    }
    if (!later || error)
        after_keep(idempotency, state, error);
    return held && !error ? SVC_WAIT : 0;
}

static void on_written(const svc_store_answer *answer, void *arg)
{
    if (answer->error && answer->error != SVC_ENOTFOUND)
        report_failure(arg, answer->error);
}

void svc__idempotency_store_mark(const struct idempotency *idempotency,
                                 const struct idempotency_state *state)
{
    char text[MARK_BYTES];
    struct buf mark;
    svc_store *store = idempotency->store;
    svc__buf_over(&mark, text, sizeof text);
    svc__idempotency_record_write(&mark, IDEMPOTENCY_UNKEPT, 0, state->fingerprint, NULL);
    svc_store_value value = {mark.data, mark.len, state->value.version, NULL};
    int error = svc_store_compare_and_set(store, NULL, state->name, &value, idempotency->ttl_ms);
    if (error == SVC_ESTATE)
        error =
            svc_store_compare_and_set_then(store, NULL, state->name, &value, idempotency->ttl_ms,
                                           on_written, (void *)(uintptr_t)idempotency);
    if (error)
        report_failure(idempotency, error);
}

static void on_freed(const svc_store_answer *answer, void *arg)
{
    struct idempotency_state *state = arg;
    on_written(answer, (void *)(uintptr_t)state->asks);
    (void)svc_request_resume(state->waits);
}

int svc__idempotency_store_free(const struct idempotency *idempotency, svc_request *waits,
                                struct idempotency_state *state)
{
    svc_store *store = idempotency->store;
    uint64_t version = state->value.version;
    int error = svc_store_compare_and_delete(store, NULL, state->name, version);
    bool later = error == SVC_ESTATE, held = later && set_waiting(idempotency, waits, state);
    if (held) {
        error =
            svc_store_compare_and_delete_then(store, NULL, state->name, version, on_freed, state);
    } else if (later) {
        error = svc_store_compare_and_delete_then(store, NULL, state->name, version, on_written,
                                                  (void *)(uintptr_t)idempotency);
    }
    if (error && error != SVC_ENOTFOUND)
        report_failure(idempotency, error);
    return held && !error ? SVC_WAIT : 0;
}
