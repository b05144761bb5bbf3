#include "libsvc/memo/memo_flight.h"

#include <stdlib.h>
#include <string.h>

uint64_t svc__memo_flight_hash(const svc_memo *memo, struct bytes name)
{
    return svc__siphash(memo->seed, name);
}

static struct memo_flight **find_place(svc_memo *memo, uint64_t hash, struct bytes name)
{
    struct memo_flight **at = &memo->flights[hash % MEMO_CHAINS];
    while (*at && ((*at)->hash != hash || !svc__bytes_eq((*at)->name, name)))
        at = &(*at)->next;
    return at;
}

static struct memo_flight *make_flight(svc_memo *memo, const struct memo_wish *wish, uint64_t hash)
{
    struct memo_flight *flight = calloc(1, sizeof *flight);
    if (!flight)
        return NULL;
    flight->memo = memo;
    flight->load = wish->load;
    flight->arg = wish->arg;
    flight->direct = wish->look->found == MEMO_FOUND_DOWN;
    flight->stored = wish->look->stored;
    flight->version = wish->look->version;
    flight->hash = hash;
    flight->refs = 1; /* the list's */
    flight->changed = (pthread_cond_t)PTHREAD_COND_INITIALIZER;
    for (size_t i = 0; i < 2; i++)
        memcpy(flight->names[i], wish->name.data, wish->name.len);
    flight->names[1][memo->name_len] = MEMO_LEASE_MARK;
    flight->name = svc__bytes(flight->names[0], wish->name.len);
    return flight;
}

struct memo_flight *svc__memo_flight_join(svc_memo *memo, const struct memo_wish *wish, bool *made)
{
    uint64_t hash = svc__memo_flight_hash(memo, wish->name);
    struct memo_flight **at = find_place(memo, hash, wish->name), *flight = *at;
    *made = false;
    if (!flight) {
        flight = make_flight(memo, wish, hash);
        if (!flight)
            return NULL;
        *made = flight->listed = true;
        *at = flight;
    }
    flight->refs++;
    return flight;
}

const char *svc__memo_flight_key(const struct memo_flight *flight)
{
    return flight->names[0] + flight->memo->name_len + 1;
}

const char *svc__memo_flight_lease(const struct memo_flight *flight)
{
    return flight->names[1];
}

bool svc__memo_flight_begin(struct memo_flight *flight)
{
    bool had_none = !flight->begun && !flight->done;
    flight->begun = true;
    return had_none;
}

/* Takes a flight out of the list, and drops the list's reference, which is never the last: the
 * caller has one. With the lock held. */
static void unlist_flight(struct memo_flight *flight)
{
    if (!flight->listed)
        return;
    struct memo_flight **at = &flight->memo->flights[flight->hash % MEMO_CHAINS];
    while (*at != flight)
        at = &(*at)->next;
    *at = flight->next;
    flight->listed = false;
    flight->refs--;
}

/* With the lock held. */
static void end_flight(struct memo_flight *flight, int error)
{
    flight->error = error;
    flight->done = true;
    pthread_cond_broadcast(&flight->changed);
    unlist_flight(flight);
    struct memo_listener *listener;
    while ((listener = flight->listeners)) {
        flight->listeners = listener->next;
        listener->ended(listener);
    }
}

/* Sees to it that a flight without a leader gets one, or ends. Whether the caller is to ask for a
 * worker. With the lock held. */
static bool find_leader(struct memo_flight *flight, int error, bool may_queue)
{
    if (flight->waiters > 0 || flight->queued) {
        pthread_cond_broadcast(&flight->changed);
    } else if (flight->listeners && may_queue) {
        flight->refs++;
        return flight->queued = true;
    } else {
        end_flight(flight, error);
    }
    return false;
}

bool svc__memo_flight_leave(struct memo_flight *flight)
{
    flight->waiters--;
    return !flight->begun && !flight->done && find_leader(flight, SVC_ETIMEDOUT, true);
}

void svc__memo_flight_finish(struct memo_flight *flight, int error)
{
    pthread_mutex_lock(&flight->memo->lock);
    end_flight(flight, error);
    pthread_mutex_unlock(&flight->memo->lock);
}

bool svc__memo_flight_hand_on(struct memo_flight *flight, int error, bool may_queue)
{
    pthread_mutex_lock(&flight->memo->lock);
    flight->begun = false;
    bool queues = find_leader(flight, error, may_queue);
    pthread_mutex_unlock(&flight->memo->lock);
    return queues;
}

void svc__memo_flight_listen(struct memo_flight *flight, struct memo_listener *listener)
{
    listener->next = flight->listeners;
    flight->listeners = listener;
}

bool svc__memo_flight_unlisten(struct memo_flight *flight, const struct memo_listener *listener)
{
    struct memo_listener **at = &flight->listeners;
    while (*at && *at != listener)
        at = &(*at)->next;
    if (!*at)
        return false;
    *at = listener->next;
    return true;
}

void svc__memo_flight_forget(svc_memo *memo, struct bytes name)
{
    pthread_mutex_lock(&memo->lock);
    struct memo_flight *flight = *find_place(memo, svc__memo_flight_hash(memo, name), name);
    if (flight) {
        flight->forgotten = true;
        unlist_flight(flight); /* those who lead it or wait have references */
    }
    pthread_mutex_unlock(&memo->lock);
}

bool svc__memo_flight_is_forgotten(struct memo_flight *flight)
{
    pthread_mutex_lock(&flight->memo->lock);
    bool forgotten = flight->forgotten;
    pthread_mutex_unlock(&flight->memo->lock);
    return forgotten;
}

int svc__memo_flight_lend(struct memo_flight *flight, svc_request *req, svc_store_value *value)
{
    if (flight->error)
        return flight->error;
    if (req && svc_request_add_cleanup(req, svc__memo_flight_unref, flight))
        return SVC_ENOMEM;
    flight->refs += req != NULL;
    *value = (svc_store_value){flight->result.data, flight->result.len, 0, NULL};
    return 0;
}

void svc__memo_flight_unref(void *arg)
{
    struct memo_flight *flight = arg;
    if (atomic_fetch_sub(&flight->refs, 1) > 1)
        return;
    svc_store_value_free(&flight->result);
    pthread_cond_destroy(&flight->changed);
    free(flight);
}
