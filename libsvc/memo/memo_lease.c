#include "libsvc/memo/memo_lease.h"

#include "libsvc/base/clock.h"

static bool is_over(const struct memo_lease *lease, const svc_memo *memo)
{
    return (svc__clock_ns() - lease->since_ns) / 1000000 >= memo->options.lease_ms;
}

int svc__memo_lease_add(struct memo_leases *leases)
{
    unsigned char bytes[MEMO_LEASE_BYTES];
    const svc_memo *memo = leases->flight->memo;
    if (!memo->options.lease_ms)
        return 0;
    svc__memo_entry_write_lease(bytes, 0);
    svc_store_value entry = {bytes, sizeof bytes, 0, NULL};
    uint64_t since_ns = svc__clock_ns();
    int error = svc_store_add(memo->store, NULL, svc__memo_flight_lease(leases->flight), &entry,
                              memo->options.lease_ms);
    leases->beside = (struct memo_lease){!error, entry.version, since_ns};
    return error;
}

/* Without a request: a lease whose answer comes after a request's deadline would be held by nobody
 * for all its time. */
int svc__memo_lease_ask(struct memo_leases *leases, svc_store_value *value)
{
    const svc_memo *memo = leases->flight->memo;
    const char *name = leases->flight->name.data;
    if (!memo->leases)
        return svc_store_get(memo->store, NULL, name, value);
    uint64_t since_ns = svc__clock_ns();
    int error = svc_store_lease(memo->store, NULL, name, memo->options.lease_ms, value);
    leases->key = (struct memo_lease){.since_ns = since_ns};
    if (error == SVC_ENOTFOUND) {
        leases->key.held = true;
        leases->key.version = value->version;
    }
    return error;
}

void svc__memo_lease_give_up(struct memo_leases *leases)
{
    if (leases->key.held)
        (void)svc_store_compare_and_delete(leases->flight->memo->store, NULL,
                                           leases->flight->name.data, leases->key.version);
    leases->key.held = false;
}

bool svc__memo_lease_remove(struct memo_leases *leases)
{
    const svc_memo *memo = leases->flight->memo;
    if (!leases->beside.held)
        return false;
    leases->beside.held = false;
    int error = svc_store_compare_and_delete(
        memo->store, NULL, svc__memo_flight_lease(leases->flight), leases->beside.version);
    return (error == SVC_ENOTFOUND || error == SVC_ECONFLICT) && !is_over(&leases->beside, memo);
}

void svc__memo_lease_leave_error(const struct memo_leases *leases, int error)
{
    unsigned char bytes[MEMO_LEASE_BYTES];
    svc_memo *memo = leases->flight->memo;
    const char *name = svc__memo_flight_lease(leases->flight);
    uint64_t retry_ms = memo->options.retry_ms;
    svc__memo_entry_write_lease(bytes, error);
    svc_store_value mark = {bytes, sizeof bytes, leases->beside.version, NULL};
    if (leases->beside.held)
        (void)svc_store_compare_and_set(memo->store, NULL, name, &mark, retry_ms);
    else
        (void)svc_store_add(memo->store, NULL, name, &mark, retry_ms);
    svc__memo_quiet_keep(&memo->quiet, leases->flight->hash, svc__clock_ms() + retry_ms);
}

int svc__memo_lease_read(const struct memo_leases *leases, int *left)
{
    svc_store_value mark;
    if (svc_store_get(leases->flight->memo->store, NULL, svc__memo_flight_lease(leases->flight),
                      &mark))
        return SVC_ENOTFOUND;
    *left = svc__memo_entry_read_lease(svc__bytes(mark.data, mark.len));
    svc_store_value_free(&mark);
    return 0;
}

/* A lease that is over may have left the key empty: the entry is kept then, as one without a lease
 * would be. */
bool svc__memo_lease_store(struct memo_leases *leases, svc_store_value *entry, uint64_t ttl_ms)
{
    const svc_memo *memo = leases->flight->memo;
    const char *name = leases->flight->name.data;
    if (!leases->key.held)
        return !svc_store_set(memo->store, NULL, name, entry, ttl_ms);
    entry->version = leases->key.version;
    int error = svc_store_compare_and_set(memo->store, NULL, name, entry, ttl_ms);
    leases->key.held = error && error != SVC_ENOTFOUND && error != SVC_ECONFLICT;
    return error == SVC_ENOTFOUND && is_over(&leases->key, memo) &&
           !svc_store_add(memo->store, NULL, name, entry, ttl_ms);
}
