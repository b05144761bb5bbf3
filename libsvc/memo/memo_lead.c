/*
 * In one process a flight makes calls share a load; among instances a lease does. Where nothing is
 * stored it is that of the value's key, if the backend has such; else an entry beside the value.
 */
#include "libsvc/memo/memo_lead.h"

#include <stdlib.h>
#include <string.h>

#include "libsvc/app/app_workers.h"
#include "libsvc/base/backoff.h"
#include "libsvc/base/clock.h"
#include "libsvc/base/least.h"
#include "libsvc/base/wait.h"
#include "libsvc/memo/memo_lease.h"
#include "libsvc/run/workers.h"

enum { POLL_MIN_MS = 2, POLL_MAX_MS = 50, QUIET_MS = 100 };

struct svc_memo_load {
    struct memo_flight *flight;
    const struct memo_leader *leader;
    char *bytes; /* of the entry: its head, the value, and a NUL */
    size_t len;  /* of the value */
    int error;   /* of svc_memo_load_value */
    uint64_t took_us;
    struct memo_leases leases;
};

/* ---- For loaders */

int svc_memo_load_value(svc_memo_load *load, const void *data, size_t len)
{
    if (!load)
        return SVC_ENOMEM;
    if (!data && len > 0)
        return load->error = SVC_EINVAL;
    if (len > load->flight->memo->max_value)
        return load->error = SVC_ETOOBIG;
    char *bytes = realloc(load->bytes, MEMO_HEAD_BYTES + len + 1);
    if (!bytes)
        return load->error = SVC_ENOMEM;
    if (len > 0)
        memcpy(bytes + MEMO_HEAD_BYTES, data, len);
    bytes[MEMO_HEAD_BYTES + len] = '\0';
    load->bytes = bytes;
    load->len = len;
    return 0;
}

svc_request *svc_memo_load_request(const svc_memo_load *load)
{
    return load ? load->leader->req : NULL;
}

void *svc_memo_load_worker(const svc_memo_load *load)
{
    return load ? svc__app_workers_state(load->leader->worker, load->flight->memo->app) : NULL;
}

/* ---- The load */

static bool is_cancelled(const struct memo_leader *leader)
{
    return leader->req && svc_request_cancelled(leader->req);
}

bool svc__memo_lead_is_over(const struct memo_leader *leader)
{
    return svc__clock_ms() >= leader->deadline_ms || is_cancelled(leader);
}

static void count_load(const svc_memo *memo, int error, uint64_t took_ns)
{
    enum memo_loaded loaded = !error                   ? MEMO_LOADED
                              : error == SVC_ENOTFOUND ? MEMO_LOADED_NOTHING
                                                       : MEMO_LOAD_FAILED;
    svc__counter_add(memo->counts.loads[loaded], 1);
    svc__histogram_observe(memo->counts.seconds, (double)took_ns * 1e-9);
}

/* Runs the loader. */
static int run_loader(struct svc_memo_load *load)
{
    const struct memo_flight *flight = load->flight;
    uint64_t began_ns = svc__clock_ns();
    int error = flight->load(load, svc__memo_flight_key(flight), flight->arg);
    uint64_t took_ns = svc__clock_ns() - began_ns;
    if (load->error)
        error = load->error;
    else if (!error && !load->bytes)
        error = SVC_EINVAL;
    load->took_us = took_ns / 1000;
    count_load(flight->memo, error, took_ns);
    return error;
}

/* ---- Keeping its result */

/* Keeps an entry, of the value or that there is none. As svc__memo_lease_store. */
static bool keep_entry(struct svc_memo_load *load, bool negative)
{
    struct memo_flight *flight = load->flight;
    const svc_memo *memo = flight->memo;
    const svc_memo_options *options = &memo->options;
    unsigned char head[MEMO_HEAD_BYTES];
    uint64_t ttl_ms = negative ? options->negative_ms : options->ttl_ms;
    struct memo_entry entry = {
        .negative = negative,
        .made_ms = svc__memo_look_now_ms(memo),
        .fresh_ms = svc__memo_time_fresh(ttl_ms, options->jitter_percent, &memo->chance),
        .took_us = load->took_us,
        .value = {NULL, negative ? 0 : load->len}};
    svc__memo_entry_write(head, &entry, flight->name);
    svc_store_value value = {head, sizeof head, 0, NULL};
    uint64_t kept_ms = entry.fresh_ms;
    if (!negative) {
        memcpy(load->bytes, head, sizeof head);
        value = (svc_store_value){load->bytes, MEMO_HEAD_BYTES + load->len, 0, NULL};
        kept_ms += memo->kept_ms;
    }
    return svc__memo_lease_store(&load->leases, &value, svc__least_u64(kept_ms, SVC_STORE_TTL_MS));
}

/* Keeps what a load has found. As svc__memo_lease_store. */
static bool keep_result(struct svc_memo_load *load, int error)
{
    const struct memo_flight *flight = load->flight;
    if (!error)
        return keep_entry(load, false);
    if (error != SVC_ENOTFOUND)
        return false;
    if (flight->memo->options.negative_ms > 0)
        return keep_entry(load, true);
    if (flight->stored)
        (void)svc_store_delete(flight->memo->store, NULL, flight->name.data);
    return false;
}

/* Keeps the result of a load, and ends its leases behind it. The result of a load that was
 * forgotten meanwhile is removed again: the other way round it could be kept just after the look.
 */
static void settle_load(struct svc_memo_load *load, int error)
{
    struct memo_flight *flight = load->flight;
    const svc_memo *memo = flight->memo;
    struct memo_leases *leases = &load->leases;
    bool kept = keep_result(load, error), failed = error && error != SVC_ENOTFOUND;
    bool leased = leases->beside.held || leases->key.held, forgotten = false;
    if (leased && failed && memo->options.retry_ms > 0 && !is_cancelled(load->leader))
        svc__memo_lease_leave_error(leases, error);
    else
        forgotten = svc__memo_lease_remove(leases);
    svc__memo_lease_give_up(leases);
    forgotten = svc__memo_flight_is_forgotten(flight) || forgotten;
    if (kept && forgotten)
        (void)svc_store_delete(memo->store, NULL, flight->name.data);
}

/* ---- Other instances */

/* Takes what another instance has loaded, out of a value that was read. Whether it has: then
 * `*error` says what. */
static bool take_entry(struct memo_flight *flight, svc_store_value *value, int *error)
{
    struct memo_look look;
    bool same = flight->stored && value->version == flight->version;
    (void)svc__memo_look_judge(flight->memo, NULL, flight->name, 0, value, &look);
    if (!same && look.found <= MEMO_FOUND_EARLY) {
        flight->result = look.value;
        *error = 0;
        return true;
    }
    svc_store_value_free(&look.value);
    *error = SVC_ENOTFOUND;
    return !same && look.found == MEMO_FOUND_NEGATIVE;
}

/* Looks for a value or an error of the instance that has the lease. As take_entry. */
static bool take_from_others(struct memo_flight *flight, int *error)
{
    svc_store_item items[] = {{flight->name.data, SVC_ENOTFOUND, {0}},
                              {svc__memo_flight_lease(flight), SVC_ENOTFOUND, {0}}};
    (void)svc_store_get_many(flight->memo->store, NULL, items, 2);
    bool taken = !items[0].error && take_entry(flight, &items[0].value, error);
    if (!taken && !items[1].error) {
        const svc_store_value *lease = &items[1].value;
        *error = svc__memo_entry_read_lease(svc__bytes(lease->data, lease->len));
        taken = *error;
    }
    svc_store_value_free(&items[1].value);
    return taken;
}

static uint64_t random_of(const svc_memo *memo)
{
    return memo->chance.next(memo->chance.state);
}

/* Waits a little. */
static void pause_lead(struct memo_flight *flight, const struct memo_leader *leader,
                       struct backoff *backoff)
{
    svc_memo *memo = flight->memo;
    uint64_t due_ms = svc__clock_ms() + svc__backoff_next(backoff, random_of(memo));
    due_ms = svc__least_u64(due_ms, leader->deadline_ms);
    pthread_mutex_lock(&memo->lock);
    svc__wait_until(&flight->changed, &memo->lock, due_ms);
    pthread_mutex_unlock(&memo->lock);
}

enum lead_step {
    LEAD_LOAD,   /* a lease is taken */
    LEAD_DIRECT, /* the store is down */
    LEAD_END,    /* there is an answer, or an error */
    LEAD_WAIT,   /* another instance loads */
    LEAD_GIVE_UP /* likewise, and it is not awaited any longer */
};

static enum lead_step step_of_down(const svc_memo *memo)
{
    return memo->options.when_down == SVC_MEMO_DOWN_LOAD ? LEAD_DIRECT : LEAD_END;
}

/* Looks for the value once more, under the lease beside it: a load may have ended since the call
 * has looked. If the value has gone, another instance may load under the lease of its key. */
static enum lead_step look_again(struct svc_memo_load *load, int *error)
{
    svc_store_value value;
    int found = svc__memo_lease_ask(&load->leases, &value);
    if (found == SVC_ECONFLICT)
        load->flight->stored = false;
    else if (found || !take_entry(load->flight, &value, error))
        return LEAD_LOAD;
    (void)svc__memo_lease_remove(&load->leases);
    return found ? LEAD_WAIT : LEAD_END;
}

static enum lead_step try_beside(struct svc_memo_load *load, int *error)
{
    *error = svc__memo_lease_add(&load->leases);
    if (svc__memo_look_is_down(*error))
        return step_of_down(load->flight->memo);
    if (!*error)
        return look_again(load, error);
    return *error != SVC_ECONFLICT || take_from_others(load->flight, error) ? LEAD_END : LEAD_WAIT;
}

/* Under the lease of the key: whether another instance began to load while there was an old value
 * still, or a load has failed. */
static enum lead_step look_beside(struct svc_memo_load *load, int *error)
{
    if (svc__memo_lease_read(&load->leases, error))
        return LEAD_LOAD;
    svc__memo_lease_give_up(&load->leases);
    return *error ? LEAD_END : LEAD_WAIT;
}

/* Asks for the value and the lease of its key at once. An entry that is there, but is not to be
 * given, is replaced under the lease beside it. */
static enum lead_step try_key(struct svc_memo_load *load, int *error)
{
    svc_store_value value = {0};
    *error = svc__memo_lease_ask(&load->leases, &value);
    uint64_t version = value.version;
    if (*error == SVC_ENOTFOUND)
        return look_beside(load, error);
    if (*error == SVC_ECONFLICT)
        return LEAD_WAIT;
    if (svc__memo_look_is_down(*error))
        return step_of_down(load->flight->memo);
    if (!*error && take_entry(load->flight, &value, error))
        return LEAD_END;
    load->flight->stored = true;
    load->flight->version = version;
    return try_beside(load, error);
}

/* Seeks a lease, until it is taken or what another instance has loaded is. */
static enum lead_step seek_lease(struct svc_memo_load *load, int *error)
{
    struct memo_flight *flight = load->flight;
    svc_memo *memo = flight->memo;
    struct backoff backoff;
    svc__backoff_init(&backoff, POLL_MIN_MS, POLL_MAX_MS);
    for (bool first = true;; first = false) {
        enum lead_step step =
            memo->leases && !flight->stored ? try_key(load, error) : try_beside(load, error);
        if (step != LEAD_WAIT)
            return step;
        *error = SVC_ETIMEDOUT;
        if (!load->leader->waits || svc__memo_lead_is_over(load->leader))
            return LEAD_GIVE_UP;
        if (first)
            svc__counter_add(memo->counts.waits[MEMO_WAIT_INSTANCE], 1);
        pause_lead(flight, load->leader, &backoff);
    }
}

/* ---- The whole */

/* Loads while the store is down: it is not asked again, since each answer may take long. */
static int load_directly(struct svc_memo_load *load)
{
    svc_memo *memo = load->flight->memo;
    int error = SVC_EUNAVAILABLE;
    if (atomic_fetch_add(&memo->direct, 1) < memo->options.max_direct_loads)
        error = run_loader(load);
    atomic_fetch_sub(&memo->direct, 1);
    return error;
}

static int load_leased(struct svc_memo_load *load)
{
    int error = run_loader(load);
    settle_load(load, error);
    return error;
}

static void take_bytes(struct svc_memo_load *load, int error)
{
    if (load->bytes && !error)
        load->flight->result =
            (svc_store_value){load->bytes + MEMO_HEAD_BYTES, load->len, 0, load->bytes};
    else
        free(load->bytes);
}

void svc__memo_lead(struct memo_flight *flight, const struct memo_leader *leader)
{
    struct svc_memo_load load = {.flight = flight, .leader = leader, .leases = {.flight = flight}};
    int error = 0;
    enum lead_step step = flight->direct ? LEAD_DIRECT : seek_lease(&load, &error);
    if (step == LEAD_DIRECT)
        error = load_directly(&load);
    else if (step == LEAD_LOAD)
        error = load_leased(&load);
    take_bytes(&load, error);
    bool late = error && error != SVC_ENOTFOUND && is_cancelled(leader);
    if (step == LEAD_GIVE_UP && !leader->waits)
        svc__memo_quiet_keep(&flight->memo->quiet, flight->hash, svc__clock_ms() + QUIET_MS);
    if (step != LEAD_GIVE_UP && !late)
        svc__memo_flight_finish(flight, error);
    else if (svc__memo_flight_hand_on(flight, error, true))
        svc__memo_lead_queue(flight);
}

static void lead_on_worker(struct work *work, void *worker)
{
    struct memo_flight *flight = (struct memo_flight *)(void *)work;
    svc_memo *memo = flight->memo;
    struct memo_leader leader = {.worker = worker,
                                 .deadline_ms = svc__clock_ms() + memo->options.wait_ms};
    pthread_mutex_lock(&memo->lock);
    flight->queued = false;
    leader.waits = flight->listeners;
    bool leads = svc__memo_flight_begin(flight);
    pthread_mutex_unlock(&memo->lock);
    if (leads && worker)
        svc__memo_lead(flight, &leader);
    else if (leads)
        (void)svc__memo_flight_hand_on(flight, SVC_EUNAVAILABLE, false);
    svc__memo_flight_unref(flight);
}

void svc__memo_lead_queue(struct memo_flight *flight)
{
    flight->work.run = lead_on_worker;
    if (svc__workers_submit(svc__app_root(flight->memo->app)->workers, &flight->work))
        lead_on_worker(&flight->work, NULL);
}
