/* The session of a request: found by its cookie, changed by handlers, and written with the answer.
 */
#include "libsvc/session/session.h"

#include <string.h>
#include <svc/request.h>
#include <svc/response.h>
#include <time.h>

#include "libsvc/session/session_cookie.h"
#include "libsvc/session/session_store.h"

enum { ID_AT = sizeof SESSION_SPACE - 1, PARTS_OF_IDLE = 10 };

static const svc_key session_key = {"session"};

static uint64_t now_s(void)
{
    return (uint64_t)time(NULL);
}

static void count_event(const struct sessions *of, enum session_event event)
{
    svc_counter_add(of->events[event], 1);
}

/* ---- Finding it */

static void take_record(struct session *session, const char *text, size_t len)
{
    const struct sessions *of = session->of;
    struct session_record record;
    if (svc__session_record_read(text, len, &record) ||
        !svc__session_record_lives(&record, now_s(), of->idle_s, of->absolute_s))
        return;
    session->record = record;
    session->found = session->lives = true;
}

static const char *find_cookie(struct session *session)
{
    bool several;
    const char *text = svc__session_cookie_find(session->req, session->of->name, &several);
    session->had_cookie = text || several;
    return text;
}

/* Opens a sealed cookie, at the first use. */
static void open_cookie(struct session *session)
{
    const char *text = find_cookie(session);
    size_t size = text ? strlen(text) : 0, len;
    if (!text || !svc__session_cookie_fits(session->of, size))
        return;
    char *memory = svc_request_alloc(session->req, 2 * size + 1);
    if (memory && !svc__session_seal_open(&session->of->keys, session->of->name, text,
                                          memory + size, memory, &len))
        take_record(session, memory, len);
}

/* A cookie that leads to no session is forged, or of one that has ended. */
static void note_known(struct session *session)
{
    session->stage = SESSION_KNOWN;
    if (session->had_cookie && !session->found)
        count_event(session->of, SESSION_REFUSED);
}

/* The session of a request, known. NULL outside of the middleware. */
static struct session *find_session(svc_request *req)
{
    struct session *session = svc_request_get(req, &session_key);
    if (session && session->stage == SESSION_NEW && !session->of->store) {
        open_cookie(session);
        note_known(session);
    }
    return session;
}

/* Asks the store for the session of the cookie's id. */
static bool ask_store(struct session *session)
{
    const char *id = find_cookie(session);
    memcpy(session->key, SESSION_SPACE, ID_AT);
    session->error = SVC_ENOTFOUND;
    session->stage = SESSION_ASKED;
    if (!id || svc__session_seal_hash_id(id, session->key + ID_AT))
        return true;
    return svc__session_store_read(session);
}

static int begin_request(svc_request *req, svc_response *res, const svc_layer *layer)
{
    const struct sessions *of = layer->arg;
    struct session *session = layer->state;
    if (!session->of) {
        session->of = of;
        session->req = req;
        int error = svc_request_set(req, &session_key, session);
        if (error || !of->store)
            return error;
    }
    if (session->stage == SESSION_NEW && !ask_store(session))
        return SVC_WAIT;
    if (!session->error)
        take_record(session, session->value.data, session->value.len);
    if (!session->error || session->error == SVC_ENOTFOUND) {
        note_known(session);
        return SVC_PASS;
    }
    svc_counter_add(of->failures, 1);
    int error = svc_response_problem(res, 503, "the store of sessions cannot be reached");
    return error ? error : SVC_ANSWERED;
}

/* ---- Its values */

const char *svc_session_get(svc_request *req, const char *name)
{
    struct session *session = find_session(req);
    bool there = session && session->lives && svc__session_record_is_name(name);
    return there ? svc__session_record_find(&session->record, name) : NULL;
}

static void begin_session(struct session *session)
{
    session->record = (struct session_record){.begun_s = now_s(), .used_s = now_s()};
    session->lives = session->is_new = true;
}

static bool fits(const struct sessions *of, size_t values_len)
{
    size_t len = SESSION_HEAD_BYTES + values_len;
    if (len > SVC_SESSION_STORED_BYTES)
        return false;
    return of->store || svc__session_cookie_fits(of, svc__session_seal_length(len));
}

/* A value that was replaced stays in the request's memory, for those who have it. */
static int change(struct session *session, const char *name, const char *value)
{
    struct session_record *record = &session->record;
    size_t len = svc__session_record_changed_len(record, name, value);
    if (!fits(session->of, len))
        return SVC_ETOOBIG;
    char *values = svc_request_alloc(session->req, len > 0 ? len : 1);
    if (!values)
        return SVC_ENOMEM;
    svc__session_record_change(record, name, value, values);
    record->values = values;
    record->len = len;
    session->changed = true;
    return 0;
}

int svc_session_set(svc_request *req, const char *name, const char *value)
{
    struct session *session = find_session(req);
    if (!session)
        return SVC_ESTATE;
    if (!svc__session_record_is_name(name) || !value)
        return SVC_EINVAL;
    if (session->lives)
        return change(session, name, value);
    const struct session before = *session;
    begin_session(session);
    int error = change(session, name, value);
    if (error)
        *session = before;
    return error;
}

int svc_session_remove(svc_request *req, const char *name)
{
    struct session *session = find_session(req);
    if (!session)
        return SVC_ESTATE;
    if (!svc_session_get(req, name))
        return SVC_ENOTFOUND;
    return change(session, name, NULL);
}

int svc_session_renew(svc_request *req)
{
    struct session *session = find_session(req);
    if (!session)
        return SVC_ESTATE;
    if (!session->lives)
        begin_session(session);
    session->record.begun_s = now_s();
    session->is_new = session->changed = true;
    return 0;
}

int svc_session_end(svc_request *req)
{
    struct session *session = find_session(req);
    if (!session)
        return SVC_ESTATE;
    session->record = (struct session_record){0};
    session->lives = session->is_new = false;
    session->changed = true;
    return 0;
}

/* ---- Writing it */

static uint64_t least(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

/* The time for which the store shall have it. */
static uint64_t find_ttl_ms(const struct session *session)
{
    const struct sessions *of = session->of;
    uint64_t age_s =
        session->record.used_s - least(session->record.begun_s, session->record.used_s);
    uint64_t left_s = of->absolute_s - least(age_s, of->absolute_s);
    return (least(of->idle_s, left_s) + 1) * 1000;
}

/* The session as a text, in the request's memory. */
static char *write_text(struct session *session, size_t *len)
{
    char *text = svc_request_alloc(session->req, SESSION_HEAD_BYTES + session->record.len);
    if (!text)
        return NULL;
    session->record.used_s = now_s();
    *len = svc__session_record_write(&session->record, text);
    return text;
}

static int write_record(struct session *session)
{
    char key[sizeof session->key] = SESSION_SPACE;
    size_t len;
    const char *text = write_text(session, &len);
    if (!text)
        return SVC_ENOMEM;
    if (!session->is_new)
        return svc__session_store_replace(session, text, len, find_ttl_ms(session));
    svc__session_seal_make_id(session->id);
    if (svc__session_seal_hash_id(session->id, key + ID_AT))
        return SVC_EINVAL;
    return svc__session_store_add(session, key, text, len, find_ttl_ms(session));
}

/* Removes the session of before, then writes the new one; each may wait for the store, and then
 * this is called again. */
static int save_stored(struct session *session)
{
    int error = session->stage == SESSION_KNOWN ? 0 : session->error;
    if (session->stage == SESSION_KNOWN) {
        session->stage = SESSION_REMOVED;
        if (session->found && (session->is_new || !session->lives))
            error = svc__session_store_remove(session);
    }
    if (!error && session->stage == SESSION_REMOVED) {
        session->stage = SESSION_WRITTEN;
        if (session->lives)
            error = write_record(session);
    }
    return error;
}

static int put_sealed(struct session *session, svc_response *res)
{
    const struct sessions *of = session->of;
    size_t len;
    const char *text = write_text(session, &len);
    if (!text)
        return SVC_ENOMEM;
    size_t sealed_len = svc__session_seal_length(len);
    char *memory = svc_request_alloc(session->req, len + SESSION_SEALING + sealed_len + 1);
    if (!memory)
        return SVC_ENOMEM;
    char *sealed = memory + len + SESSION_SEALING;
    svc__session_seal_write(&of->keys, of->name, text, len, memory, sealed);
    return svc__session_cookie_put(of, res, sealed);
}

/* Gives the browser what it needs to come back with its session, or without one. */
static int put_cookie(struct session *session, svc_response *res)
{
    const struct sessions *of = session->of;
    if (!session->lives)
        return session->had_cookie ? svc__session_cookie_put(of, res, "") : 0;
    if (!of->store)
        return put_sealed(session, res);
    return session->is_new ? svc__session_cookie_put(of, res, session->id) : 0;
}

/* Whether its time of idleness is to begin anew. Not with each request, which would be a write
 * each. */
static bool wants_touch(const struct session *session)
{
    uint64_t used_s = session->record.used_s;
    return session->lives && now_s() >= used_s + session->of->idle_s / PARTS_OF_IDLE;
}

static void count_change(const struct session *session)
{
    if (session->lives && session->is_new)
        count_event(session->of, session->found ? SESSION_ROTATED : SESSION_OPENED);
    else if (!session->lives && session->found)
        count_event(session->of, SESSION_ENDED);
}

/* Another request is a stand-in for one that is given up, and whose handler may still run. */
static int end_request(svc_request *req, svc_response *res, const svc_layer *layer)
{
    struct session *session = layer->state;
    if (session->req != req || session->stage < SESSION_KNOWN)
        return 0;
    if (session->stage == SESSION_KNOWN && !session->changed && !wants_touch(session))
        return 0;
    int error = session->of->store ? save_stored(session) : 0;
    if (!error)
        error = put_cookie(session, res);
    if (!error)
        count_change(session);
    return error;
}

void svc__session_prepare(struct sessions *sessions)
{
    sessions->middleware.size = sizeof sessions->middleware;
    sessions->middleware.name = "session";
    sessions->middleware.state_size = sizeof(struct session);
    sessions->middleware.arg = sessions;
    sessions->middleware.on_request = begin_request;
    sessions->middleware.on_response = end_request;
}
