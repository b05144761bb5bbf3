/* The cookie of a session, in requests and replies. */
#include "libsvc/session/session_cookie.h"

#include <string.h>
#include <svc/response.h>

/* The most that a session's attributes have. */
enum { ATTRIBUTES = sizeof "; Path=/; HttpOnly; SameSite=Strict; Secure" - 1 };

const char *svc__session_cookie_find(svc_request *req, const char *name, bool *several)
{
    *several = svc_request_cookie_nth(req, name, 1) != NULL;
    return *several ? NULL : svc_request_cookie(req, name);
}

bool svc__session_cookie_fits(const struct sessions *of, size_t len)
{
    return strlen(of->name) + 1 + len + ATTRIBUTES <= SVC_SESSION_COOKIE_BYTES;
}

int svc__session_cookie_put(const struct sessions *of, svc_response *res, const char *value)
{
    svc_cookie cookie = of->cookie;
    cookie.value = value;
    int error =
        *value ? svc_response_set_cookie(res, &cookie) : svc_response_remove_cookie(res, &cookie);
    if (!error && !svc_response_header(res, "Cache-Control"))
        error = svc_response_set_header(res, "Cache-Control", "no-store");
    return error;
}
