/* What replies tell in development mode. */
#include "libsvc/exchange/debug.h"

#include <stdio.h>

#include <svc/json.h>

#include "libsvc/json/json_tree.h"

enum { MAX_DETAIL = 1024, MAX_ROUTES = 1000, MAX_ROUTE_TEXT = 65536 };

const char *svc__debug_failure(struct exchange *x, const char *who, int error)
{
    const char *name = svc_error_name(error), *route = svc_request_route(&x->request);
    if (!x->request.app->config.development)
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

/* Where a route was registered stands behind its pattern. */
static json_t *describe_route(const struct pattern *pattern, struct buf *text)
{
    svc__buf_clear(text);
    svc__buf_printf(text, "%s (%s:%d)", pattern->text, pattern->file, pattern->line);
    svc__buf_terminate(text);
    return svc__buf_error(text) ? NULL : svc__json_tree_text(text->data);
}

/* The first so many routes. */
static json_t *list_routes(const svc_app *app)
{
    json_t *routes = json_array();
    struct buf text;
    size_t left = MAX_ROUTES;
    svc__buf_init(&text, MAX_ROUTE_TEXT);
    for (const struct route *route = app->routes; route && left > 0; route = route->next, left--)
        json_array_append_new(routes, describe_route(&route->pattern, &text));
    svc__buf_free(&text);
    return routes;
}

int svc__debug_answer_routes(svc_request *req, svc_response *res)
{
    json_t *members = json_pack("{s:o}", "routes", list_routes(req->app));
    return members ? svc_response_problem_take(res, 404, "no route matches", members) : SVC_ENOMEM;
}
