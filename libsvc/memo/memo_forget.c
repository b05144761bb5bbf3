/*
 * Forgetting a key, in both ways of calling. The lease is removed first: an instance that finds it
 * gone at the end of its load removes the value, and must not remove that of a load which began
 * after this call.
 */
#include <stdlib.h>
#include <string.h>

#include "libsvc/memo/memo_flight.h"

/* The result of the two steps: that nothing is there to be removed is no error. */
static int join_errors(int lease_error, int error)
{
    if (!error || error == SVC_ENOTFOUND)
        error = lease_error;
    return error == SVC_ENOTFOUND ? 0 : error;
}

int svc_memo_forget(svc_memo *memo, svc_request *req, const char *key)
{
    char name[MEMO_NAME_SIZE];
    if (!memo)
        return SVC_ENOMEM;
    size_t len = svc__memo_look_name(memo, key, name);
    if (!len)
        return SVC_EINVAL;
    svc__memo_flight_forget(memo, svc__bytes(name, len));
    int lease_error = 0;
    if (memo->options.lease_ms > 0) {
        name[memo->name_len] = MEMO_LEASE_MARK;
        lease_error = svc_store_delete(memo->store, req, name);
        name[memo->name_len] = MEMO_VALUE_MARK;
    }
    return join_errors(lease_error, svc_store_delete(memo->store, req, name));
}

/* ---- On event loops */

struct forget_call {
    svc_memo *memo;
    svc_request *req;
    svc_store_then *then;
    void *arg;
    int lease_error;
    char name[MEMO_NAME_SIZE];
};

static void end_forgetting(struct forget_call *call, int error)
{
    const svc_store_answer answer = {.error = join_errors(call->lease_error, error)};
    call->then(&answer, call->arg);
    free(call);
}

static void take_deleted(const svc_store_answer *answer, void *call)
{
    end_forgetting(call, answer->error);
}

static int delete_value(struct forget_call *call)
{
    call->name[call->memo->name_len] = MEMO_VALUE_MARK;
    return svc_store_delete_then(call->memo->store, call->req, call->name, take_deleted, call);
}

static void take_lease_deleted(const svc_store_answer *answer, void *arg)
{
    struct forget_call *call = arg;
    call->lease_error = answer->error;
    int error = delete_value(call);
    if (error)
        end_forgetting(call, error);
}

static int delete_lease(struct forget_call *call)
{
    call->name[call->memo->name_len] = MEMO_LEASE_MARK;
    return svc_store_delete_then(call->memo->store, call->req, call->name, take_lease_deleted,
                                 call);
}

int svc_memo_forget_then(svc_memo *memo, svc_request *req, const char *key, svc_store_then *then,
                         void *arg)
{
    char name[MEMO_NAME_SIZE];
    if (!memo)
        return SVC_ENOMEM;
    size_t len = svc__memo_look_name(memo, key, name);
    if (!len || !then)
        return SVC_EINVAL;
    struct forget_call *call = malloc(sizeof *call);
    if (!call)
        return SVC_ENOMEM;
    *call = (struct forget_call){.memo = memo, .req = req, .then = then, .arg = arg};
    memcpy(call->name, name, len + 1);
    svc__memo_flight_forget(memo, svc__bytes(name, len));
    int error = memo->options.lease_ms > 0 ? delete_lease(call) : delete_value(call);
    if (error)
        free(call);
    return error;
}
