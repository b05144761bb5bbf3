/* Sessions: the part that their middleware and its parts share. */
#ifndef SVC_SESSION_SESSION_STATE_H
#define SVC_SESSION_SESSION_STATE_H

#include <svc/cookie.h>
#include <svc/metric.h>
#include <svc/middleware.h>
#include <svc/session.h>

#include "libsvc/session/session_record.h"
#include "libsvc/session/session_seal.h"

#define SESSION_SPACE "session:" /* before the hashes of ids in the store */

enum { SESSION_COOKIE_NAME = 128 /* bytes, with the NUL */ };

/* The settings of an app whose options name no file. */
struct session_settings {
    const char *session_keys_file;
};

/* What happens to sessions, and is counted. */
enum session_event {
    SESSION_OPENED,
    SESSION_ROTATED, /* it has got a new id */
    SESSION_ENDED,   /* by a handler */
    SESSION_REFUSED, /* a cookie that leads to none */
    SESSION_EVENTS
};

/* The sessions of a middleware, in the app's memory. */
struct sessions {
    svc_middleware middleware;
    struct session_settings settings;
    struct session_keys keys;
    svc_store *store; /* NULL: sealed cookies */
    char name[SESSION_COOKIE_NAME];
    svc_cookie cookie; /* of that name, without a value */
    uint64_t idle_s, absolute_s;
    svc_counter *events[SESSION_EVENTS];
    svc_counter *failures; /* of the store */
};

enum session_stage {
    SESSION_NEW,   /* nothing was looked at */
    SESSION_ASKED, /* the store is asked */
    SESSION_KNOWN,
    SESSION_REMOVED, /* from here on, on the way out: the store was to remove it, if need be */
    SESSION_WRITTEN  /* likewise to write it */
};

/* The session of a request. */
struct session {
    const struct sessions *of;
    svc_request *req;
    enum session_stage stage;
    int error;             /* the store's answer; on the way out 0 for one that is no failure */
    svc_store_value value; /* the same */
    struct session_record record; /* its values stand in the request's memory */
    bool had_cookie;              /* the request has brought one, good or bad */
    bool found;                   /* and it led to a session, which the store has under `key` */
    bool lives;                   /* there is a session now */
    bool is_new;                  /* its id has never been sent */
    bool changed;                 /* it is to be written */
    char key[sizeof SESSION_SPACE + SESSION_HASH_CHARS]; /* in the store */
    char id[SESSION_ID_CHARS + 1];                       /* that is new */
};

#endif
