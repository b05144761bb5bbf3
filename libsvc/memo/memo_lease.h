/*
 * The leases by which one instance of all loads a key. One is an entry of the store beside the
 * value's: any backend can add it, and it can be had while an old value is given. The other is of
 * the value's own key, where nothing is stored and the backend has leases: the store gives it in
 * the step that finds nothing, and a value that is stored by it cannot be one that was forgotten.
 * Both end by themselves if their instance dies.
 */
#ifndef SVC_MEMO_MEMO_LEASE_H
#define SVC_MEMO_MEMO_LEASE_H

#include "libsvc/memo/memo_flight.h"

/* A lease that was got. */
struct memo_lease {
    bool held;
    uint64_t version, since_ns;
};

/* The leases of a load; all zero but `flight` at first. */
struct memo_leases {
    struct memo_flight *flight;
    struct memo_lease beside, key;
};

/* Takes the lease beside the value. 0, also for a memo without leases; SVC_ECONFLICT: another has
 * it; or an error of svc_store_add. */
int svc__memo_lease_add(struct memo_leases *leases);

/* Gives the value; or takes the lease of its key, if the backend has leases and nothing is stored.
 * The result is that of svc_store_lease, else of svc_store_get. */
int svc__memo_lease_ask(struct memo_leases *leases, svc_store_value *value);

/* Gives the lease of the key up, if it is held. */
void svc__memo_lease_give_up(struct memo_leases *leases);

/* Removes the lease beside the value, if it is held. Whether it was removed before its time, which
 * only svc_memo_forget does. */
bool svc__memo_lease_remove(struct memo_leases *leases);

/* Leaves the error of a load that has failed in place of the lease beside the value, for
 * `retry_ms`. */
void svc__memo_lease_leave_error(const struct memo_leases *leases, int error);

/* The error that a load of any instance has left; 0 for a load under way. Else SVC_ENOTFOUND, also
 * when the store does not say: there is nothing to heed. */
int svc__memo_lease_read(const struct memo_leases *leases, int *left);

/* Stores an entry: by the lease of its key, which ends then, else in any case. Whether it has to be
 * removed again if the key was forgotten meanwhile. */
bool svc__memo_lease_store(struct memo_leases *leases, svc_store_value *entry, uint64_t ttl_ms);

#endif
