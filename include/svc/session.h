/*
 * Sessions of browsers without state in the process: in a sealed cookie, or in a store under a random id. This
 * is a library of its own (libsvc-session, `pkg-config --libs libsvc-session`), and <svc.h> does not include
 * this header. docs/sessions.md has a program, and compares the two.
 *
 *     svc_session_options options = SVC_SESSION_OPTIONS_INIT;
 *     svc_app_use(app, svc_session_new(app, &options));
 *
 *     // in a handler that has checked the password
 *     int error = svc_session_renew(req);
 *     if (!error)
 *         error = svc_session_set(req, "user", name);
 *
 *     // in any other
 *     const char *user = svc_session_get(req, "user");
 *
 * A session is a list of texts by name. The cookie is Secure, HttpOnly and SameSite=Lax, is for all paths of
 * this host and no other, and ends with the browser; the limits of time are the service's.
 *
 * The calls that take a request are for the thread that runs its handler or phase, inside of the middleware:
 * else SVC_ESTATE, also for NULL.
 */
#ifndef SVC_SESSION_H
#define SVC_SESSION_H

#include <svc/store.h>
#include <svc/types.h>

SVC_BEGIN_DECLS

enum {
    SVC_SESSION_NAME_BYTES = 64,       /* the longest name of a value */
    SVC_SESSION_COOKIE_BYTES = 4096,   /* the longest Set-Cookie field: browsers drop longer ones */
    SVC_SESSION_STORED_BYTES = 1 << 15 /* the most bytes of a session in a store, names included */
};

/* Flags of sessions. Others are refused. */
enum {
    /* The cookie is sent over plain HTTP too, and its name has no __Host-: for development. */
    SVC_SESSION_INSECURE = 1 << 0,
    /* SameSite=Strict: a link on another site leads to a request without the session. */
    SVC_SESSION_STRICT = 1 << 1
};

/* The options. Begin with SVC_SESSION_OPTIONS_INIT. Strings are copied. */
typedef struct svc_session_options {
    size_t size; /* set by SVC_SESSION_OPTIONS_INIT */
    unsigned flags;
    const char *name; /* of the cookie; NULL: "__Host-session", or "session" with SVC_SESSION_INSECURE */

    /* Sessions are kept in this store, of this app; NULL: in sealed cookies. */
    svc_store *store;

    /* The file with the keys of sealed cookies; NULL: by the setting session_keys_file, which then belongs to
     * the app. One key in 64 hexadecimal digits a line, 1 to 16 of them, '#' before remarks: the first one
     * seals, all of them open. `openssl rand -hex 32` makes a key. It is read at the start. */
    const char *keys_file;

    uint64_t idle_s;     /* a session ends when it was not used for so long: 60 to 31622400; default 1800 */
    uint64_t absolute_s; /* and so long after svc_session_renew or its first value: `idle_s` to 31622400;
                            default 43200 */
} svc_session_options;

#define SVC_SESSION_OPTIONS_INIT                                                                   \
    {                                                                                              \
        sizeof(svc_session_options), 0, NULL, NULL, NULL, 1800, 43200                              \
    }

/*
 * Makes a middleware for svc_app_use, svc_group_use or a route's list. Owned by the app. NULL for a bad
 * option, once the app is started, or when out of memory, also kept as a set-up error: svc_app_use accepts
 * that NULL. A file of keys that cannot be read or has a bad line fails the start. Before start only.
 * Since: 0.1
 */
SVC_API const svc_middleware *svc_session_new(svc_app *app, const svc_session_options *options);

/* The value of that name; NULL if there is none, without a session, and outside of the middleware. Borrowed
 * until the exchange ends. Since: 0.1 */
SVC_API const char *svc_session_get(svc_request *req, const char *name);

/*
 * Sets a value, which is copied, and begins a session if there is none. A name has 1 to
 * SVC_SESSION_NAME_BYTES letters, digits, '_', '-' and '.': else SVC_EINVAL. SVC_ETOOBIG if the session would
 * not fit into its cookie or its store: nothing is cut, and the session is as before. SVC_ENOMEM. Since: 0.1
 */
SVC_API int svc_session_set(svc_request *req, const char *name, const char *value);

/* Removes a value. 0 or SVC_ENOTFOUND. Since: 0.1 */
SVC_API int svc_session_remove(svc_request *req, const char *name);

/*
 * Gives the session a new id and new limits of time, and keeps its values: for each log-in and each other
 * change of rights, so that a session which was planted in a browser beforehand gains nothing. In a store the
 * old id ends with this request. A sealed cookie has no id; the old one opens until its time is over, with
 * its old values. Begins a session if there is none. 0. Since: 0.1
 */
SVC_API int svc_session_renew(svc_request *req);

/*
 * Ends the session, at log-out: its values are gone, the browser drops the cookie, and the store the session.
 * A copy of a sealed cookie opens until its time is over. 0. Since: 0.1
 */
SVC_API int svc_session_end(svc_request *req);

SVC_END_DECLS

#endif
