#include "libsvc/memo/memo_refresh.h"

#include "libsvc/base/clock.h"
#include "libsvc/memo/memo_lead.h"

void svc__memo_refresh(svc_memo *memo, const struct memo_wish *wish)
{
    uint64_t hash = svc__memo_flight_hash(memo, wish->name);
    if (svc__memo_quiet_holds(&memo->quiet, hash, svc__clock_ms()))
        return;
    bool made;
    pthread_mutex_lock(&memo->lock);
    struct memo_flight *flight = svc__memo_flight_join(memo, wish, &made);
    if (made)
        flight->queued = true;
    pthread_mutex_unlock(&memo->lock);
    if (!flight)
        return;
    if (made)
        svc__memo_lead_queue(flight);
    else
        svc__memo_flight_unref(flight);
}
