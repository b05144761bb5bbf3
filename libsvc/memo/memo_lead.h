/* The lead of a flight: the lease among instances, the load, and what is kept of it. */
#ifndef SVC_MEMO_MEMO_LEAD_H
#define SVC_MEMO_MEMO_LEAD_H

#include "libsvc/memo/memo_flight.h"

struct app_worker;

/* Who leads a flight. */
struct memo_leader {
    svc_request *req;          /* NULL: none */
    struct app_worker *worker; /* that this thread is; NULL: none */
    uint64_t deadline_ms;      /* of svc__clock_ms, for waits */
    bool waits;                /* for another instance that loads; else it gives up */
};

/* Leads a flight, which the caller has begun, until it ends or is handed on. May wait, and runs the
 * program's loader. */
void svc__memo_lead(struct memo_flight *flight, const struct memo_leader *leader);

/* Whether the time is over of one who leads or waits. */
bool svc__memo_lead_is_over(const struct memo_leader *leader);

/* Asks for a worker to lead a flight, which is marked as queued, and of which the worker gets the
 * caller's reference. Without a worker, a call that waits leads it, or it ends. Any thread, without
 * the memo's lock. */
void svc__memo_lead_queue(struct memo_flight *flight);

#endif
