/* Keeping the first answer to an idempotency key. */
#include "libsvc/mw/idempotency_recording.h"

#include "libsvc/base/least.h"
#include "libsvc/exchange/exchange.h"
#include "libsvc/metrics/metric.h"
#include "libsvc/mw/idempotency_store.h"

/* A body on its way to the client, and the record that is made of it. In the request's memory. */
struct recording {
    const struct idempotency *idempotency;
    struct idempotency_state *state;
    svc_source inner;
    struct buf record;
    uint64_t left; /* of a body whose length is known; SVC_LENGTH_UNKNOWN */
    bool over;     /* the store has the answer, or will never have it */
};

/* As svc__idempotency_store_keep. */
static int keep_record(const struct idempotency *idempotency, svc_request *waits,
                       struct idempotency_state *state, const struct buf *record)
{
    if (!svc__buf_error(record))
        return svc__idempotency_store_keep(idempotency, waits, state, svc__buf_view(record));
    svc__counter_add(idempotency->too_large, 1);
    svc__idempotency_store_mark(idempotency, state);
    return 0;
}

/* ---- Bodies that are sources */

static void end_recording(struct recording *recording)
{
    recording->over = true;
    (void)keep_record(recording->idempotency, NULL, recording->state, &recording->record);
    svc__buf_free(&recording->record);
}

/* Takes a piece of the body. The record is kept once it is whole, before the last piece is sent,
 * and also once it is known to be too large. */
static void record_piece(struct recording *recording, const char *data, size_t len)
{
    svc__buf_append(&recording->record, data, len);
    if (recording->left != SVC_LENGTH_UNKNOWN)
        recording->left -= svc__least_u64(recording->left, len);
    if (recording->left == 0 || svc__buf_error(&recording->record))
        end_recording(recording);
}

static int64_t read_recorded(void *state, char *data, size_t len)
{
    struct recording *recording = state;
    int64_t n = recording->inner.read(recording->inner.state, data, len);
    if (recording->over || n == SVC_EAGAIN || len == 0)
        return n;
    if (n > 0) {
        record_piece(recording, data, svc__least((size_t)n, len));
    } else if (n == 0) {
        end_recording(recording);
    } else { /* the answer has failed, as a status of 500 would say */
        recording->over = true;
        (void)svc__idempotency_store_free(recording->idempotency, NULL, recording->state);
    }
    return n;
}

static void close_recorded(void *state)
{
    struct recording *recording = state;
    if (!recording->over) /* its client has left */
        svc__idempotency_store_mark(recording->idempotency, recording->state);
    svc__buf_free(&recording->record);
    if (recording->inner.close)
        recording->inner.close(recording->inner.state);
}

static int record_source(struct recording *recording, svc_response *res)
{
    int error = svc_response_take_source(res, &recording->inner);
    if (error)
        return error;
    recording->left = recording->inner.length;
    svc_source outer = SVC_SOURCE_INIT;
    outer.length = recording->inner.length;
    outer.read = read_recorded;
    outer.close = close_recorded;
    outer.state = recording;
    if (recording->left == 0) /* nobody will read it */
        end_recording(recording);
    return svc_response_source(res, svc_response_status(res), NULL, &outer);
}

/* ---- Any body */

int svc__idempotency_recording_begin(const struct idempotency *idempotency, svc_request *req,
                                     svc_response *res, struct idempotency_state *state)
{
    struct buf record;
    size_t len;
    const char *body = svc_response_body(res, &len);
    svc__buf_init(&record, idempotency->max_answer);
    svc__idempotency_record_write(&record, IDEMPOTENCY_ANSWER, svc_response_status(res),
                                  state->fingerprint, res);
    bool streamed = !body && res->body.kind != REPLY_EMPTY;
    if (!streamed || svc__buf_error(&record)) {
        svc__buf_append(&record, body, len);
        int verdict = keep_record(idempotency, req, state, &record);
        svc__buf_free(&record);
        return verdict;
    }
    struct recording *recording = svc_request_alloc(req, sizeof *recording);
    if (!recording) {
        svc__buf_free(&record);
        return SVC_ENOMEM;
    }
    *recording = (struct recording){
        .idempotency = idempotency, .state = state, .inner = SVC_SOURCE_INIT, .record = record};
    return record_source(recording, res);
}
