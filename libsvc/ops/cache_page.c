/* The admin route that purges a response cache. It stands below /debug/, whose guard decides on who
 * may use it. */
#include <stdio.h>

#include <svc/response_cache.h>
#include <svc/sys/debug.h>

#include "libsvc/app/app_internal.h"
#include "libsvc/shared_cache/cache_visit.h"

enum { PATTERN_SIZE = 192 /* the name has 128 characters at most */ };

static const char usage[] = "the query has tag=TAG, target=/TARGET or all";

static int refuse_purge(svc_response *res, int error)
{
    if (error == SVC_EINVAL)
        return svc_response_problem(res, 400, usage);
    return svc_response_problem(res, 503,
                                "only this instance has purged: the store did not take the purge");
}

static int purge_named(svc_response_cache *cache, svc_request *req, const char *name,
                       const char *value)
{
    if (!strcmp(name, "tag"))
        return svc_response_cache_purge_tag(cache, req, value);
    if (!strcmp(name, "target"))
        return svc_response_cache_purge(cache, req, value);
    return !strcmp(name, "all") ? svc_response_cache_purge_all(cache, req) : SVC_EINVAL;
}

/*
 * A browser names the page that sends a POST, by Origin: no page sends these, so one that does is
 * another site's, to which the browser may add the password of this one.
 */
static int answer_purge(svc_request *req, svc_response *res)
{
    svc_response_cache *cache = svc_request_arg(req);
    const char *name, *value;
    if (svc_request_header(req, "Origin"))
        return svc_response_problem(res, 403, "purges are not for pages of browsers");
    if (svc_request_query_count(req) == 0)
        return svc_response_problem(res, 400, usage);
    for (size_t i = 0; !svc_request_query_at(req, i, &name, &value); i++) {
        int error = purge_named(cache, req, name, value);
        if (error)
            return refuse_purge(res, error);
    }
    return svc_response_empty(res, 204);
}

int svc_response_cache_add_admin(svc_response_cache *cache)
{
    char pattern[PATTERN_SIZE];
    if (!cache)
        return SVC_ENOMEM;
    svc_route route = SVC_ROUTE_INIT;
    snprintf(pattern, sizeof pattern, "POST /response-cache/%.*s/purge", (int)cache->name.len,
             cache->name.data);
    route.pattern = pattern;
    route.handler = answer_purge;
    route.flags = SVC_BLOCKING; /* it waits for the store */
    route.arg = cache;
    return svc_group_route(svc_sys_debug_group(cache->app), &route);
}
