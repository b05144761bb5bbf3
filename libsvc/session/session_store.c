/*
 * Sessions in a store. The call that waits comes first: it answers at once in memory and on
 * workers, and SVC_ESTATE says that it would hold an event loop.
 */
#include "libsvc/session/session_store.h"

#include <svc/log.h>

#undef SVC_LOG_MODULE
#define SVC_LOG_MODULE "session"

static void on_read(const svc_store_answer *answer, void *arg)
{
    struct session *session = arg;
    session->error = answer->error;
    session->value = answer->value;
    (void)svc_request_resume(session->req); /* SVC_ELATE: its client has an answer */
}

bool svc__session_store_read(struct session *session)
{
    svc_store *store = session->of->store;
    session->error = svc_store_get(store, session->req, session->key, &session->value);
    if (session->error != SVC_ESTATE)
        return true;
    session->error = svc_store_get_then(store, session->req, session->key, on_read, session);
    return session->error != 0;
}

/* ---- Writing. On an event loop the answer waits, unless it is given in a hurry. Calls have no
 * request, so that a write is not given up where the deadline ends the wait. */

/* Whether a write has failed, which is counted then: a session that another request has ended or
 * changed meanwhile stays as that has left it. */
static bool has_failed(const struct sessions *of, int error)
{
    if (!error || error == SVC_ENOTFOUND || error == SVC_ECONFLICT)
        return false;
    svc_counter_add(of->failures, 1);
    return true;
}

/* The failure of a write for which no answer waits. */
static void on_late(const svc_store_answer *answer, void *arg)
{
    if (has_failed(arg, answer->error))
        svc_log_warn(NULL, "a session was not written",
                     svc_kv_str("error", svc_error_text(answer->error)));
}

static void on_added(const svc_store_answer *answer, void *arg)
{
    struct session *session = arg;
    (void)has_failed(session->of, answer->error);
    session->error = answer->error;
    (void)svc_request_resume(session->req); /* SVC_ELATE: its client has an answer */
}

static void on_changed(const svc_store_answer *answer, void *arg)
{
    struct session *session = arg;
    session->error = has_failed(session->of, answer->error) ? answer->error : 0;
    (void)svc_request_resume(session->req);
}

/* How a call on an event loop ends. */
struct ending {
    svc_store_then *then;
    void *arg;
    int result; /* of the function that makes the call */
};

static struct ending choose_ending(struct session *session, svc_store_then *then)
{
    if (svc_request_allow_wait(session->req))
        return (struct ending){on_late, (void *)(uintptr_t)session->of, 0};
    return (struct ending){then, session, SVC_WAIT};
}

int svc__session_store_add(struct session *session, const char *key, const char *text, size_t len,
                           uint64_t ttl_ms)
{
    svc_store *store = session->of->store;
    svc_store_value value = {text, len, 0, NULL};
    int error = svc_store_add(store, NULL, key, &value, ttl_ms);
    if (error == SVC_ESTATE) {
        struct ending end = choose_ending(session, on_added);
        error = svc_store_add_then(store, NULL, key, &value, ttl_ms, end.then, end.arg);
        if (!error)
            return end.result;
    }
    (void)has_failed(session->of, error);
    return error;
}

int svc__session_store_replace(struct session *session, const char *text, size_t len,
                               uint64_t ttl_ms)
{
    svc_store *store = session->of->store;
    svc_store_value value = {text, len, session->value.version, NULL};
    int error = svc_store_compare_and_set(store, NULL, session->key, &value, ttl_ms);
    if (error == SVC_ESTATE) {
        struct ending end = choose_ending(session, on_changed);
        error = svc_store_compare_and_set_then(store, NULL, session->key, &value, ttl_ms, end.then,
                                               end.arg);
        if (!error)
            return end.result;
    }
    return has_failed(session->of, error) ? error : 0;
}

int svc__session_store_remove(struct session *session)
{
    svc_store *store = session->of->store;
    int error = svc_store_delete(store, NULL, session->key);
    if (error == SVC_ESTATE) {
        struct ending end = choose_ending(session, on_changed);
        error = svc_store_delete_then(store, NULL, session->key, end.then, end.arg);
        if (!error)
            return end.result;
    }
    return has_failed(session->of, error) ? error : 0;
}
