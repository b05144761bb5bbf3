/* Requests for one reply at a time. */
#include "libsvc/shared_cache/collapse.h"

#include <pthread.h>
#include <stdlib.h>

#include <svc/middleware.h>

#include "libsvc/base/clock.h"

enum {
    LISTS = 256, /* of leads, by the hash */
    PASSES = 1024,
    PASS_MS = 10000 /* for which a key that was not stored collapses no requests */
};

/* A key whose reply was not stored. Another key of the place displaces it, which only costs a wait.
 */
struct pass {
    uint64_t hash, until_ms;
};

struct collapse {
    pthread_mutex_t lock; /* guards all below, and the leads and waiters in it */
    struct collapse_lead *lists[LISTS];
    struct pass passes[PASSES];
};

struct collapse *svc__collapse_new(void)
{
    struct collapse *collapse = calloc(1, sizeof *collapse);
    if (collapse)
        pthread_mutex_init(&collapse->lock, NULL);
    return collapse;
}

void svc__collapse_free(struct collapse *collapse)
{
    if (!collapse)
        return;
    pthread_mutex_destroy(&collapse->lock);
    free(collapse);
}

static struct collapse_lead **find_lead(struct collapse *collapse, uint64_t hash, struct bytes key)
{
    struct collapse_lead **at = &collapse->lists[hash % LISTS];
    while (*at && ((*at)->hash != hash || !svc__bytes_eq((*at)->key, key)))
        at = &(*at)->next;
    return at;
}

static bool passes_by(const struct collapse *collapse, uint64_t hash)
{
    const struct pass *pass = &collapse->passes[hash % PASSES];
    return pass->hash == hash && svc__clock_ms() < pass->until_ms;
}

static void add_waiter(struct collapse_lead *lead, struct collapse_waiter *waiter, svc_request *req)
{
    *waiter = (struct collapse_waiter){.req = req, .lead = lead, .next = lead->waiters};
    if (lead->waiters)
        lead->waiters->previous = waiter;
    lead->waiters = waiter;
    lead->waiting++;
}

enum collapse_part svc__collapse_join(struct collapse *collapse, uint64_t hash, struct bytes key,
                                      struct collapse_lead *lead, struct collapse_waiter *waiter,
                                      svc_request *req, size_t most)
{
    enum collapse_part part = COLLAPSE_PASSES;
    pthread_mutex_lock(&collapse->lock);
    struct collapse_lead **at = find_lead(collapse, hash, key);
    if (*at && (*at)->waiting < most) {
        add_waiter(*at, waiter, req);
        part = COLLAPSE_WAITS;
    } else if (!*at && !passes_by(collapse, hash)) {
        *lead = (struct collapse_lead){.hash = hash, .key = key, .listed = true};
        *at = lead;
        part = COLLAPSE_LEADS;
    }
    pthread_mutex_unlock(&collapse->lock);
    return part;
}

/* Takes all waiters of a lead off; each is linked by `next`, and is resumed by the caller. */
static struct collapse_waiter *take_waiters(struct collapse *collapse, struct collapse_lead *lead)
{
    *find_lead(collapse, lead->hash, lead->key) = lead->next;
    lead->listed = false;
    for (struct collapse_waiter *each = lead->waiters; each; each = each->next)
        each->lead = NULL;
    return lead->waiters;
}

void svc__collapse_end(struct collapse *collapse, struct collapse_lead *lead, bool stored)
{
    if (!lead->listed) /* only the lead's own thread changes it */
        return;
    pthread_mutex_lock(&collapse->lock);
    struct collapse_waiter *waiter = take_waiters(collapse, lead);
    if (!stored)
        collapse->passes[lead->hash % PASSES] =
            (struct pass){lead->hash, svc__clock_ms() + PASS_MS};
    pthread_mutex_unlock(&collapse->lock);
    while (waiter) {
        struct collapse_waiter *next = waiter->next; /* its memory may go once it is resumed */
        svc_request_resume(waiter->req);
        waiter = next;
    }
}

bool svc__collapse_leave(struct collapse *collapse, struct collapse_waiter *waiter)
{
    pthread_mutex_lock(&collapse->lock);
    struct collapse_lead *lead = waiter->lead;
    if (lead) {
        if (waiter->previous)
            waiter->previous->next = waiter->next;
        else
            lead->waiters = waiter->next;
        if (waiter->next)
            waiter->next->previous = waiter->previous;
        lead->waiting--;
        waiter->lead = NULL;
    }
    pthread_mutex_unlock(&collapse->lock);
    return lead != NULL;
}
