/* The cookie of a session, in requests and replies. */
#ifndef SVC_SESSION_SESSION_COOKIE_H
#define SVC_SESSION_SESSION_COOKIE_H

#include "libsvc/session/session_state.h"

/* The value of the request's cookie; NULL if there is none, or, with `*several`, more than one:
 * then another host of the domain, or a script, may have planted one of them. */
const char *svc__session_cookie_find(svc_request *req, const char *name, bool *several);

/* Whether a value of that length fits into a Set-Cookie field. */
bool svc__session_cookie_fits(const struct sessions *of, size_t len);

/* Adds the Set-Cookie field to a reply, which no shared cache may keep then. An empty value is the
 * end of the cookie. As svc_response_set_cookie. */
int svc__session_cookie_put(const struct sessions *of, svc_response *res, const char *value);

#endif
