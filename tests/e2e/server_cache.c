/*
 * The server for the tests of caching: the app of the table of conditions, and routes that count
 * their requests, for tests with a cache in front.
 */
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "tests/support/conditions.h"

enum { MAX_ROUTES = 16 };

/* How often each route's handler has made a body. */
static struct counter {
    const char *name;
    atomic_int made;
} counters[MAX_ROUTES];

static int count(svc_request *req, svc_response *res)
{
    struct counter *counter = svc_request_arg(req);
    char body[64];
    svc_validators validators = SVC_VALIDATORS_INIT;
    validators.etag = counter->name;
    if (!strncmp(counter->name, "revalidated", 11) &&
        !svc_request_check_conditions(req, res, &validators))
        return 0;
    snprintf(body, sizeof body, "%d", atomic_fetch_add(&counter->made, 1) + 1);
    return svc_response_text(res, 200, body);
}

static int missing(svc_request *req, svc_response *res)
{
    struct counter *counter = svc_request_arg(req);
    char detail[32];
    snprintf(detail, sizeof detail, "%d", atomic_fetch_add(&counter->made, 1) + 1);
    return svc_response_problem(res, 404, detail);
}

/* A body of several slices of NGINX, and the field by which each slice is known to be of it. */
static int send_large(svc_request *req, svc_response *res)
{
    static char body[200000];
    struct counter *counter = svc_request_arg(req);
    for (size_t i = 0; i < sizeof body; i++)
        body[i] = (char)('a' + i % 23 + i / 4096 % 3);
    atomic_fetch_add(&counter->made, 1);
    int error = svc_response_set_etag(res, "large", false);
    return error ? error : svc_response_copy(res, 200, "text/plain", body, sizeof body);
}

/* The number of requests for it. */
static int count_large(svc_request *req, svc_response *res)
{
    char body[16] = "";
    (void)req;
    for (size_t i = 0; i < MAX_ROUTES && counters[i].name; i++)
        if (!strcmp(counters[i].name, "large"))
            snprintf(body, sizeof body, "%d", atomic_load(&counters[i].made));
    return svc_response_text(res, 200, body);
}

struct row {
    const char *name;
    unsigned directives;
    int64_t max_age_s, s_maxage_s, stale_while_revalidate_s, stale_if_error_s;
    bool expires;
    const char *vary;
    svc_handler *handler;
};

static const struct row rows[] = {
    {"fresh", SVC_CACHE_PUBLIC, 600, -1, -1, -1, false, NULL, count},
    {"shared", 0, 0, 600, -1, -1, false, NULL, count},
    {"private", SVC_CACHE_PRIVATE, 600, -1, -1, -1, true, NULL, count},
    {"no-store", SVC_CACHE_NO_STORE, -1, -1, -1, -1, false, NULL, count},
    {"no-cache", SVC_CACHE_NO_CACHE, -1, -1, -1, -1, false, NULL, count},
    {"varies", SVC_CACHE_PUBLIC, 600, -1, -1, -1, false, "Accept-Language", count},
    {"revalidated", SVC_CACHE_PUBLIC, 1, -1, -1, -1, false, NULL, count},
    {"stale", SVC_CACHE_PUBLIC, 1, -1, 600, -1, false, NULL, count},
    {"kept-on-error", SVC_CACHE_PUBLIC, 1, -1, -1, 600, false, NULL, count},
    {"missing", SVC_CACHE_PUBLIC, 600, -1, -1, -1, false, NULL, missing},
    {"large", SVC_CACHE_PUBLIC, 600, -1, -1, -1, false, NULL, send_large},
    {"large-count", SVC_CACHE_NO_STORE, -1, -1, -1, -1, false, NULL, count_large},
};

static svc_cache_policy policy_of(const struct row *row)
{
    svc_cache_policy policy = SVC_CACHE_POLICY_INIT;
    policy.directives = row->directives;
    policy.max_age_s = row->max_age_s;
    policy.s_maxage_s = row->s_maxage_s;
    policy.stale_while_revalidate_s = row->stale_while_revalidate_s;
    policy.stale_if_error_s = row->stale_if_error_s;
    policy.expires = row->expires;
    policy.vary = row->vary;
    return policy;
}

static void add_row(svc_app *app, const struct row *row, struct counter *counter)
{
    char pattern[64];
    svc_cache_policy policy = policy_of(row);
    const svc_middleware *const layers[] = {svc_cache_control_new(app, &policy), NULL};
    svc_route route = SVC_ROUTE_INIT;
    snprintf(pattern, sizeof pattern, "GET /counted/%s", row->name);
    counter->name = row->name;
    route.pattern = pattern;
    route.handler = row->handler;
    route.arg = counter;
    route.middleware = layers;
    svc_app_route(app, &route);
}

int main(void)
{
    svc_app *app = conditions_app();
    for (size_t i = 0; app && i < sizeof rows / sizeof *rows; i++)
        add_row(app, &rows[i], &counters[i]);
    return svc_app_run(app);
}
