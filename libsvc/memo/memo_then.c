/*
 * Calls of memos on event loops. The store answers by a callback; a load is a flight that a worker
 * leads, and that this call listens to until the flight's end, its deadline or the loop's end
 * comes.
 */
#include <stdlib.h>
#include <string.h>

#include "libsvc/base/clock.h"
#include "libsvc/base/least.h"
#include "libsvc/memo/memo_answer.h"
#include "libsvc/memo/memo_lead.h"
#include "libsvc/run/reactor.h"

struct memo_call {
    struct own_watch watch; /* first; of no descriptor: by it the call learns of the loop's end */
    struct deadline deadline;
    struct memo_listener listener;
    svc_memo *memo;
    svc_request *req;
    svc_memo_loader *load;
    void *load_arg;
    svc_store_then *then;
    void *arg;
    struct svc_loop *loop;
    uint64_t due_ns;
    struct memo_look look; /* what was found */
    struct memo_flight *flight;
    bool posted; /* the flight has ended, and a function will take its result; with the memo's lock
                  */
    size_t name_len;
    char name[MEMO_NAME_SIZE];
};

/* ---- The end of a call */

static void report_result(struct memo_call *call, int error, svc_store_value value)
{
    svc_store_answer answer = {.error = error};
    if (!error) /* the callback borrows it */
        answer.value = (svc_store_value){value.data, value.len, 0, NULL};
    call->then(&answer, call->arg);
}

/* Answers a call that listens no more, and frees it. */
static void end_listening(struct memo_call *call, int error)
{
    svc_store_value value = {0};
    if (!error)
        error = svc__memo_flight_lend(call->flight, call->req, &value);
    error = svc__memo_answer_loaded(call->memo, &call->look, error);
    report_result(call, error, value.data ? value : call->look.value);
    svc__memo_flight_unref(call->flight);
    svc_store_value_free(&call->look.value);
    if (call->loop->ended)
        free(call);
    else
        svc__reactor_bury(call->loop, &call->watch);
}

static void take_flight(void *arg)
{
    struct memo_call *call = arg;
    if (svc__wheel_armed(&call->deadline.timer))
        svc__wheel_cancel(&call->loop->timers, &call->deadline.timer);
    end_listening(call, 0);
}

/*
 * The flight has ended, on another thread; its lock is held. A posted function may run, and free
 * the call, before the post returns. If none can be posted, the deadline comes.
 */
static void post_call(struct memo_listener *listener)
{
    char *begin = (char *)listener - offsetof(struct memo_call, listener);
    struct memo_call *call = (struct memo_call *)(void *)begin;
    call->posted = true;
    if (svc_loop_post(call->loop, take_flight, call))
        call->posted = false;
}

/* Ends a call for which no function was posted: with `error`, if its flight has not ended. */
static void stop_listening(struct memo_call *call, int error)
{
    svc_memo *memo = call->memo;
    pthread_mutex_lock(&memo->lock);
    bool listened = svc__memo_flight_unlisten(call->flight, &call->listener);
    bool posted = call->posted;
    pthread_mutex_unlock(&memo->lock);
    if (!posted)
        end_listening(call, listened ? error : 0);
}

static void expire_call(struct svc_loop *loop, struct deadline *deadline)
{
    char *begin = (char *)deadline - offsetof(struct memo_call, deadline);
    (void)loop;
    stop_listening((struct memo_call *)(void *)begin, SVC_ETIMEDOUT);
}

static void notice_end(struct own_watch *watch)
{
    stop_listening((struct memo_call *)(void *)watch, SVC_ECANCELLED);
}

/* ---- The load */

static int listen_to_flight(struct memo_call *call, const struct memo_wish *wish)
{
    svc_memo *memo = call->memo;
    bool made;
    pthread_mutex_lock(&memo->lock);
    struct memo_flight *flight = svc__memo_flight_join(memo, wish, &made);
    if (flight) {
        call->flight = flight;
        call->listener.ended = post_call;
        svc__memo_flight_listen(flight, &call->listener);
        flight->queued = flight->queued || made;
        flight->refs += made; /* the worker's */
    }
    pthread_mutex_unlock(&memo->lock);
    if (!flight)
        return SVC_ENOMEM;
    call->watch.forget = notice_end;
    call->deadline.expired = expire_call;
    svc__reactor_own(call->loop, &call->watch);
    svc__wheel_set(&call->loop->timers, &call->deadline.timer, call->due_ns);
    if (made)
        svc__memo_lead_queue(flight);
    else
        svc__counter_add(memo->counts.waits[MEMO_WAIT_CALL], 1);
    return 0;
}

/* Keeps the value for the case that the load fails: without a request it is only borrowed. */
static int keep_spare(struct memo_call *call)
{
    svc_store_value *spare = &call->look.value;
    if (call->req || call->look.found != MEMO_FOUND_SPARE)
        return 0;
    char *copy = malloc(spare->len + 1);
    if (!copy)
        return SVC_ENOMEM;
    memcpy(copy, spare->data, spare->len + 1);
    *spare = (svc_store_value){copy, spare->len, 0, copy};
    return 0;
}

static void take_stored(const svc_store_answer *answer, void *arg)
{
    struct memo_call *call = arg;
    svc_store_value value = answer->value;
    const struct bytes name = {call->name, call->name_len};
    const struct memo_wish wish = {name, call->load, call->load_arg, &call->look};
    int error =
        svc__memo_look_judge(call->memo, call->req, name, answer->error, &value, &call->look);
    bool found = error || svc__memo_answer_found(call->memo, &wish, &error);
    if (!found && !svc__reactor_is_open(call->loop))
        error = SVC_ECANCELLED;
    else if (!found)
        error = keep_spare(call);
    if (!found && !error && !(error = listen_to_flight(call, &wish)))
        return;
    report_result(call, error, call->look.value);
    if (!found)
        svc_store_value_free(&call->look.value);
    free(call);
}

/* ---- Calls */

static struct memo_call *make_call(svc_memo *memo, svc_request *req, const char *name, size_t len)
{
    struct memo_call *call = calloc(1, sizeof *call);
    if (!call)
        return NULL;
    uint64_t wait_ms = memo->options.wait_ms;
    if (req)
        wait_ms = svc__least_u64(wait_ms, svc_request_remaining_ms(req));
    call->memo = memo;
    call->req = req;
    call->loop = svc__reactor_here();
    call->due_ns = svc__clock_ns() + wait_ms * 1000000;
    call->name_len = len;
    memcpy(call->name, name, len);
    return call;
}

int svc_memo_get_then(svc_memo *memo, svc_request *req, const char *key, svc_memo_loader *load,
                      void *arg, svc_store_then *then, void *then_arg)
{
    char text[MEMO_NAME_SIZE];
    if (!memo)
        return SVC_ENOMEM;
    size_t len = svc__memo_look_name(memo, key, text);
    if (!len || !load || !then)
        return SVC_EINVAL;
    if (!svc__reactor_on_loop())
        return SVC_ESTATE;
    struct memo_call *call = make_call(memo, req, text, len);
    if (!call)
        return SVC_ENOMEM;
    call->load = load;
    call->load_arg = arg;
    call->then = then;
    call->arg = then_arg;
    int error = svc_store_get_then(memo->store, req, call->name, take_stored, call);
    if (error)
        free(call);
    return error;
}
