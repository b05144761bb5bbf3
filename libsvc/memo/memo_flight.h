/*
 * A flight: the one load of a key in this process, which all calls share that need its value.
 * Whoever finds that it has not begun leads it; the others wait. A leader whose own time is over
 * hands it on to one of them.
 */
#ifndef SVC_MEMO_MEMO_FLIGHT_H
#define SVC_MEMO_MEMO_FLIGHT_H

#include "libsvc/memo/memo_look.h"
#include "libsvc/run/work.h"

/* A call on an event loop that wants the result of a flight. */
struct memo_listener {
    struct memo_listener *next;
    void (*ended)(struct memo_listener *listener); /* called once, with the memo's lock held */
};

struct memo_flight {
    struct work work; /* first: for a flight that a worker shall lead */
    svc_memo *memo;
    svc_memo_loader *load;
    void *arg;
    bool direct; /* the store is down, and is not asked */
    bool stored; /* an entry of that version was found, which is to be replaced; its leader's */
    uint64_t version;
    uint64_t hash; /* of `name` */
    _Atomic unsigned refs;
    pthread_cond_t changed; /* it has ended, or wants another leader */

    /* Guarded by the memo's lock. */
    struct memo_flight *next; /* of its chain */
    bool listed;              /* new calls find it */
    bool begun;               /* it has a leader */
    bool queued;              /* a worker will come to lead it */
    bool done;
    bool forgotten;   /* its value must not be kept */
    unsigned waiters; /* calls that could lead it */
    struct memo_listener *listeners;

    /* Set before it is done. */
    int error;
    svc_store_value result;

    struct bytes name;             /* of the value in the store; the key is its end */
    char names[2][MEMO_NAME_SIZE]; /* of the value and of the lease */
};

/* What a call needs of a flight. */
struct memo_wish {
    struct bytes name; /* in the store */
    svc_memo_loader *load;
    void *arg;
    const struct memo_look *look; /* what the call has found */
};

/* The hash by which flights and quiet keys are found. */
uint64_t svc__memo_flight_hash(const svc_memo *memo, struct bytes name);

/* The flight of a key, or a new one, which has not begun: `*made` says which. The caller gets a
 * reference. NULL when out of memory. With the memo's lock held. */
struct memo_flight *svc__memo_flight_join(svc_memo *memo, const struct memo_wish *wish, bool *made);

/* The key, as the program has named it. */
const char *svc__memo_flight_key(const struct memo_flight *flight);

/* The key of the lease in the store. */
const char *svc__memo_flight_lease(const struct memo_flight *flight);

/* Takes the lead of a flight that has no leader. Whether there was none. With the memo's lock held.
 */
bool svc__memo_flight_begin(struct memo_flight *flight);

/* Ends the wait of a call for a flight. If nobody is left to lead it, the flight ends with
 * SVC_ETIMEDOUT; or, if calls on event loops listen, this returns true as svc__memo_flight_hand_on.
 * With the memo's lock held. */
bool svc__memo_flight_leave(struct memo_flight *flight);

/* Ends a flight, with its result set if `error` is 0; new calls no longer find it. Its leader. */
void svc__memo_flight_finish(struct memo_flight *flight, int error);

/*
 * Gives up the lead, for another call that waits or a worker that comes. If there is none, the
 * flight ends with `error`; or, if calls on event loops listen and `may_queue`, this returns true:
 * the caller must then ask for a worker, which has a reference. Its leader.
 */
bool svc__memo_flight_hand_on(struct memo_flight *flight, int error, bool may_queue);

/* Adds a listener to a flight that is not done. With the memo's lock held. */
void svc__memo_flight_listen(struct memo_flight *flight, struct memo_listener *listener);

/* Removes it. Whether it was there: else the flight has ended. With the memo's lock held. */
bool svc__memo_flight_unlisten(struct memo_flight *flight, const struct memo_listener *listener);

/* Lets no later call join the flight of a key, whose value is not kept. Any thread. */
void svc__memo_flight_forget(svc_memo *memo, struct bytes name);

/* Whether that has happened to it. Any thread. */
bool svc__memo_flight_is_forgotten(struct memo_flight *flight);

/* Gives the result of a flight that is done: its error, or its value, which lives as long as the
 * request, or, for NULL, as the caller's reference. SVC_ENOMEM. The request's thread. */
int svc__memo_flight_lend(struct memo_flight *flight, svc_request *req, svc_store_value *value);

/* Drops a reference, the last of which frees the result. Any thread. */
void svc__memo_flight_unref(void *flight);

#endif
