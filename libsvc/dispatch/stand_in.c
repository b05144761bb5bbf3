/* Answering in place of an exchange that is away. */
#include "libsvc/dispatch/stand_in.h"

#include <string.h>

#include "libsvc/exchange/away.h"
#include "libsvc/exchange/body_stream.h"
#include "libsvc/exchange/pending.h"
#include "libsvc/exchange/waker.h"
#include "libsvc/reply/response_pipe.h"

void svc__stand_in_cancel(struct exchange *x)
{
    atomic_store(&x->away.cancelled, true);
    svc__pending_cancel(atomic_load(&x->away.pending));
}

static void give_up(struct exchange *x, enum svc_outcome outcome)
{
    int pending = WAIT_PENDING;
    atomic_compare_exchange_strong(&x->away.wait, &pending, WAIT_ABANDONED);
    x->away.given_up = outcome;
    svc__pending_close(atomic_load(&x->away.pending));
    svc__stand_in_cancel(x); /* before its reader gets the error, and asks for the reason */
    svc__body_stream_stop(x, SVC_ECANCELLED);
    if (x->held && x->held->waker) /* it would keep x, and may never be woken */
        svc__waker_disarm(&x->held->waker->waker);
    if (x->held && svc__response_pipe_reads(x->held))
        svc_pipe_cancel(x->held->pipe->pipe);
}

/* Copies the members that no holder of the exchange changes. */
static void copy_request(svc_request *to, const svc_request *from, const struct lent *lent)
{
    to->plan = from->plan;
    to->owner = from->owner;
    to->route = from->route;
    to->method = from->method;
    to->known_method = from->known_method;
    to->target = from->target;
    to->fields = from->fields;
    to->match = from->match;
    memcpy(to->params, from->params, sizeof to->params);
    to->id = from->id;
    to->trace.origin = from->trace.origin;
    to->trace.own = from->trace.own;
    atomic_init(&to->trace.told, atomic_load(&from->trace.told));
    memcpy(to->trace.parent, from->trace.parent, sizeof to->trace.parent);
    to->trace.member = from->trace.member;
    to->scheme = from->scheme;
    to->peer = from->peer;
    to->values = lent->values;
    to->started_ns = from->started_ns;
    to->deadline_ns = from->deadline_ns;
    to->bytes_in = from->bytes_in;
}

static struct exchange *make_stand_in(struct exchange *x, enum svc_outcome outcome)
{
    struct exchange *stand_in = svc__exchange_make(x->request.plan, x->home);
    struct transport *transport = x->transport;
    x->transport = NULL;
    give_up(x, outcome);
    if (!stand_in) {
        x->away.lent.from = 0;
        return NULL;
    }
    copy_request(&stand_in->request, &x->request, &x->away.lent);
    stand_in->chain = x->chain;
    stand_in->passed = x->away.lent.from;
    stand_in->layer_state = x->layer_state;
    stand_in->framing = x->framing;
    stand_in->malformed = x->malformed;
    stand_in->close = x->close;
    stand_in->transport = transport;
    stand_in->backing = x;
    atomic_fetch_add(&x->refs, 1);
    return stand_in;
}

struct exchange *svc__stand_in_reclaim(struct exchange *x, enum svc_outcome outcome)
{
    if (!svc__away_is(x) || svc__away_withdraw(x))
        return x;
    struct exchange *stand_in = make_stand_in(x, outcome);
    svc__exchange_unref(x);
    return stand_in;
}
