/* Asks a store about requests, and remembers whom it has refused. */
#include "libsvc/mw/rate_store.h"

#include <endian.h>
#include <stdio.h>
#include <string.h>

#include "libsvc/base/clock.h"
#include "libsvc/base/hex.h"
#include "libsvc/metrics/metric.h"
#include "libsvc/run/reactor.h"
#include "libsvc/storage/store.h"
#include "libsvc/store/limit_table.h"

#undef SVC_LOG_MODULE
#define SVC_LOG_MODULE "rate_limit"

enum {
    HASH_BYTES = 16,   /* of a key's hash that stand in the store's key */
    ROUNDING_NS = 2000 /* by how much rounding may make a store's time too long */
};

static const uint64_t second_ns = 1000000000;

/* ---- Keys */

static void add_number(struct sha256 *hash, uint64_t number)
{
    uint64_t bytes = htole64(number);
    svc__sha256_update(hash, &bytes, sizeof bytes);
}

/* Limits of one name but with other windows, as they are while a new version is rolled out, have
 * other keys: under one key each would begin the counts of the other anew. */
void svc__rate_store_prepare(struct rate_store *shared, const struct rate_limit *limit,
                             const char *name)
{
    snprintf(shared->prefix, sizeof shared->prefix, "rate:%s:", name);
    svc__sha256_init(&shared->begun);
    add_number(&shared->begun, limit->window_count);
    for (size_t i = 0; i < limit->window_count; i++) {
        const struct limiter_window *window = &limit->windows[i].window;
        add_number(&shared->begun, window->rate);
        add_number(&shared->begun, window->period_ns);
        add_number(&shared->begun, window->burst);
        shared->windows[i] = (svc_rate_window){
            NULL, window->rate, (uint32_t)(window->period_ns / second_ns), window->burst};
    }
}

/*
 * Writes the key of a request in the store. The parts of its key may be any bytes, as many as fit a
 * header field, so they are hashed. All instances must get the same hash without a secret that they
 * share, and nobody must be able to choose a part that has the hash of another client's, which
 * would use up that client's limit: so it is a cryptographic hash, of which 128 bits are enough
 * against that. The lengths keep "ab", "c" apart from "a", "bc".
 */
static void write_key(const struct rate_store *shared, const struct rate_key *key,
                      char out[static SVC_STORE_KEY_BYTES + 1])
{
    struct sha256 hash = shared->begun;
    unsigned char bytes[SHA256_BYTES];
    size_t at = strlen(shared->prefix);
    for (size_t i = 0; i < key->count; i++) {
        add_number(&hash, key->parts[i].len);
        svc__sha256_update(&hash, key->parts[i].data, key->parts[i].len);
    }
    svc__sha256_final(&hash, bytes);
    memcpy(out, shared->prefix, at);
    svc__hex_write(out + at, bytes, HASH_BYTES);
    out[at + (size_t)2 * HASH_BYTES] = '\0';
}

/* ---- What is remembered */

/*
 * The clock of the remembered keys, which is fast by a thousandth: the clocks of two machines
 * differ by less, also while they are being set, so that no key is refused for longer than by the
 * store.
 */
static uint64_t remembered_ns(const struct rate_store *shared, uint64_t now_ns)
{
    return now_ns + (now_ns - shared->epoch_ns) / 1024;
}

/* Whether a request is refused without a question to the store. */
static bool refuse_locally(const struct rate_store *shared, struct rate_asked *asked)
{
    const struct limiter_key parts = {asked->key.parts, asked->key.count};
    struct limiter_decision again;
    if (!svc__limit_table_refuses(shared->refused, &parts, asked->charge.cost,
                                  remembered_ns(shared, asked->asked_ns), &asked->state.decision))
        return false;
    shared->asked->decide(shared->asked, &parts, 1, asked->asked_ns, &again);
    return !again.pass;
}

/* Takes over what the store has reported. Its times are counted from a moment after the question,
 * so that from the question on they are never too long. */
static void remember(const struct rate_store *shared, const struct rate_asked *asked)
{
    const struct limiter_decision *decision = &asked->state.decision;
    const struct limiter_key parts = {asked->key.parts, asked->key.count};
    struct limiter_decision again;
    uint64_t used_ns[LIMITER_WINDOWS];
    for (size_t i = 0; i < LIMITER_WINDOWS; i++) {
        uint64_t reset_ns = decision->quotas[i].reset_ns;
        used_ns[i] = reset_ns > ROUNDING_NS ? reset_ns - ROUNDING_NS : 0;
    }
    svc__limit_table_correct(shared->refused, &parts, used_ns, decision->refused,
                             remembered_ns(shared, asked->asked_ns));
    if (decision->refused)
        shared->asked->decide(shared->asked, &parts, 1, asked->asked_ns, &again);
}

/* ---- Questions */

static bool waits(const struct rate_store *shared)
{
    return shared->store->backend && shared->store->backend->waits;
}

static uint64_t to_ns(uint64_t us)
{
    return us == UINT64_MAX            ? LIMITER_NEVER
           : us < LIMITER_NEVER / 1000 ? us * 1000
                                       : LIMITER_NEVER - 1;
}

/* Reads a verdict, which may be a server's. SVC_ESYNTAX when the windows that have refused are not
 * the limit's. */
static int take_verdict(const struct rate_limit *limit, const svc_store_verdict *verdict,
                        struct limiter_decision *decision)
{
    if (verdict->refused >> limit->window_count || verdict->pass == (verdict->refused != 0))
        return SVC_ESYNTAX;
    *decision = (struct limiter_decision){.pass = verdict->pass, .refused = verdict->refused};
    for (size_t i = 0; i < limit->window_count; i++) {
        const svc_store_quota *from = &verdict->quotas[i];
        decision->quotas[i] = (struct limiter_quota){from->remaining, to_ns(from->next_us),
                                                     to_ns(from->reset_us), to_ns(from->retry_us)};
    }
    return 0;
}

static enum rate_outcome outcome_of_failure(const struct rate_store *shared)
{
    switch (shared->on_failure) {
    case SVC_RATE_REFUSE:
        return RATE_FAILED_REFUSED;
    case SVC_RATE_DECIDE:
        return RATE_FAILED_DECIDED;
    default:
        return RATE_FAILED_PASSED;
    }
}

static void end_question(const struct rate_store *shared, struct rate_asked *asked,
                         enum rate_outcome outcome)
{
    asked->outcome = outcome;
    asked->done = true;
    svc__counter_add(shared->outcomes[outcome], 1);
}

/* Takes the store's answer, which may come when the request has been answered already. */
static void take_answer(struct rate_asked *asked, int error, const svc_store_verdict *verdict)
{
    const struct rate_store *shared = asked->limit->shared;
    if (!error)
        error = take_verdict(asked->limit, verdict, &asked->state.decision);
    if (error) {
        svc_log_debug(asked->req, "the store of a rate limit has failed",
                      svc_kv_str("error", svc_error_text(error)));
        end_question(shared, asked, outcome_of_failure(shared));
        return;
    }
    if (waits(shared))
        remember(shared, asked);
    end_question(shared, asked, verdict->pass ? RATE_PASSED : RATE_REFUSED);
}

static void on_verdict(const svc_store_answer *answer, void *arg)
{
    struct rate_asked *asked = arg;
    take_answer(asked, answer->error, answer->verdict);
    svc_request_resume(asked->req);
}

int svc__rate_store_ask(const struct rate_limit *limit, svc_request *req, struct rate_asked *asked)
{
    const struct rate_store *shared = limit->shared;
    char key[SVC_STORE_KEY_BYTES + 1];
    svc_store_verdict verdict;
    asked->limit = limit;
    asked->req = req;
    asked->charge.windows = shared->windows;
    asked->charge.window_count = limit->window_count;
    asked->asked_ns = svc__clock_ns();
    if (waits(shared) && refuse_locally(shared, asked)) {
        end_question(shared, asked, RATE_REFUSED_LOCALLY);
        return 0;
    }
    write_key(shared, &asked->key, key);
    bool later = waits(shared) && svc__reactor_on_loop();
    int error =
        later ? svc_store_limit_then(shared->store, req, key, &asked->charge, on_verdict, asked)
              : svc_store_limit(shared->store, req, key, &asked->charge, &verdict);
    if (later && !error)
        return SVC_WAIT;
    take_answer(asked, error, &verdict);
    return 0;
}

/* ---- Start */

int svc__rate_store_start(struct rate_store *shared, struct metrics *metrics)
{
#define RATE_OUTCOME_LABEL(name, label) label,
    static const char *const labels[] = {RATE_OUTCOMES(RATE_OUTCOME_LABEL)};
#undef RATE_OUTCOME_LABEL
    svc_counter_family *family =
        svc__metric_counters(metrics, "svc_rate_limit_store_total",
                             "Requests under rate limits in a store, by their outcome.", "outcome");
    for (size_t i = 0; i < RATE_OUTCOME_COUNT; i++) {
        shared->outcomes[i] = svc_counter_of(family, 1, &labels[i]);
        if (!shared->outcomes[i])
            return SVC_ENOMEM;
    }
    return 0;
}
