/* The reasons of failures in replies of development mode. */
#include "libsvc/dispatch/development.h"

#include <stdio.h>

enum { MAX_DETAIL = 1024 };

const char *svc__development_failure(struct exchange *x, const char *who, int error)
{
    const char *name = svc_error_name(error), *route = svc_request_route(&x->request);
    if (!x->request.plan->config->development)
        return NULL;
    char *text = svc__arena_alloc(&x->arena, MAX_DETAIL);
    if (!text)
        return NULL;
    int len;
    if (error)
        len = snprintf(text, MAX_DETAIL, "%s of \"%s\" returned %s: %s", who, route,
                       name ? name : "an unknown code", svc_error_text(error));
    else
        len = snprintf(text, MAX_DETAIL, "%s of \"%s\" returned without an answer", who, route);
    if (x->cause && len > 0 && len < MAX_DETAIL)
        snprintf(text + len, (size_t)(MAX_DETAIL - len), "; %s", x->cause);
    return text;
}
