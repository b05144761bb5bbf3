/* The routes of a service, as the answer to a path that none of them matches. */
#include "libsvc/json/development_routes.h"

#include <jansson.h>

#include <svc/json.h>

#include "libsvc/exchange/exchange.h"
#include "libsvc/json/json_tree.h"

enum { MAX_ROUTES = 1000, MAX_ROUTE_TEXT = 65536 };

/* The first MAX_ROUTES routes, each with the place of its registration behind its pattern. */
static json_t *list_routes(const struct plan *plan)
{
    json_t *routes = json_array();
    struct buf text;
    svc__buf_init(&text, MAX_ROUTE_TEXT);
    for (size_t i = 0; i < plan->route_count && i < MAX_ROUTES; i++) {
        const struct pattern *pattern = &plan->routes[i].pattern;
        svc__buf_clear(&text);
        svc__buf_printf(&text, "%s (%s:%d)", pattern->text, pattern->file, pattern->line);
        svc__buf_terminate(&text);
        json_array_append_new(routes,
                              svc__buf_error(&text) ? NULL : svc__json_tree_text(text.data));
    }
    svc__buf_free(&text);
    return routes;
}

int svc__development_routes_answer(svc_request *req, svc_response *res)
{
    json_t *members = json_pack("{s:o}", "routes", list_routes(req->plan));
    return members ? svc_response_problem_take(res, 404, "no route matches", members) : SVC_ENOMEM;
}
