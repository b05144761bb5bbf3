/* The calls of svc/memo.h: what is found in the store is given, or loaded by a flight. */
#include <stdlib.h>
#include <string.h>

#include "libsvc/base/clock.h"
#include "libsvc/base/least.h"
#include "libsvc/base/wait.h"
#include "libsvc/exchange/exchange.h"
#include "libsvc/memo/memo_answer.h"
#include "libsvc/memo/memo_lead.h"
#include "libsvc/run/reactor.h"

enum { LOOK_MS = 100 }; /* a call that waits looks so often whether its request has ended */

/* ---- Sharing a load */

static void wait_for_leader(struct memo_flight *flight, const struct memo_leader *leader)
{
    uint64_t due_ms = svc__least_u64(leader->deadline_ms, svc__wait_deadline(LOOK_MS));
    svc__wait_until(&flight->changed, &flight->memo->lock, due_ms);
}

/* Waits until a flight is done, or the call's time is over, and leads it meanwhile if nobody else
 * does. With the lock held, but not while it leads. */
static void await_flight(struct memo_flight *flight, const struct memo_leader *leader)
{
    svc_memo *memo = flight->memo;
    bool counted = false;
    while (!flight->done) {
        if (svc__memo_flight_begin(flight)) {
            pthread_mutex_unlock(&memo->lock);
            svc__memo_lead(flight, leader);
            pthread_mutex_lock(&memo->lock);
            return; /* if it is not done, this call's time is over */
        }
        if (svc__memo_lead_is_over(leader))
            return;
        if (!counted)
            svc__counter_add(memo->counts.waits[MEMO_WAIT_CALL], 1);
        counted = true;
        wait_for_leader(flight, leader);
    }
}

/* Gives the result of a flight: to a request as it is, for as long as that lives, else as a copy.
 */
static int take_result(struct memo_flight *flight, svc_request *req, svc_store_value *value)
{
    if (req || flight->error)
        return svc__memo_flight_lend(flight, req, value);
    const svc_store_value *result = &flight->result;
    char *copy = malloc(result->len + 1);
    if (!copy)
        return SVC_ENOMEM;
    memcpy(copy, result->data, result->len + 1);
    *value = (svc_store_value){copy, result->len, 0, copy};
    return 0;
}

static struct memo_leader make_leader(const svc_memo *memo, svc_request *req)
{
    uint64_t wait_ms = memo->options.wait_ms;
    if (req)
        wait_ms = svc__least_u64(wait_ms, svc_request_remaining_ms(req));
    return (struct memo_leader){.req = req,
                                .worker = req ? svc__exchange_of(req)->host->worker : NULL,
                                .deadline_ms = svc__clock_ms() + wait_ms,
                                .waits = true};
}

/* Loads a value, or waits for the load of another call. */
static int share_load(svc_memo *memo, svc_request *req, const struct memo_wish *wish,
                      svc_store_value *value)
{
    const struct memo_leader leader = make_leader(memo, req);
    bool made, done = false, queues = false;
    pthread_mutex_lock(&memo->lock);
    struct memo_flight *flight = svc__memo_flight_join(memo, wish, &made);
    if (flight) {
        flight->waiters++;
        await_flight(flight, &leader);
        done = flight->done;
        queues = svc__memo_flight_leave(flight);
    }
    pthread_mutex_unlock(&memo->lock);
    if (!flight)
        return SVC_ENOMEM;
    if (queues)
        svc__memo_lead_queue(flight);
    int error = done ? take_result(flight, req, value) : SVC_ETIMEDOUT;
    svc__memo_flight_unref(flight);
    return error;
}

/* ---- Calls */

int svc_memo_get(svc_memo *memo, svc_request *req, const char *key, svc_memo_loader *load,
                 void *arg, svc_store_value *value)
{
    char text[MEMO_NAME_SIZE];
    if (!memo)
        return SVC_ENOMEM;
    size_t len = svc__memo_look_name(memo, key, text);
    if (!len || !load || !value)
        return SVC_EINVAL;
    if (svc__reactor_on_loop())
        return SVC_ESTATE;
    struct memo_look look;
    svc_store_value loaded = {0};
    const struct memo_wish wish = {svc__bytes(text, len), load, arg, &look};
    int error = svc__memo_look_up(memo, req, wish.name, &look);
    if (error)
        return error;
    if (!svc__memo_answer_found(memo, &wish, &error))
        error = svc__memo_answer_loaded(memo, &look, share_load(memo, req, &wish, &loaded));
    if (error || loaded.data)
        svc_store_value_free(&look.value);
    if (!error)
        *value = loaded.data ? loaded : look.value;
    return error;
}
