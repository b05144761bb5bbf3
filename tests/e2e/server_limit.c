/* The server for the tests of rate limits: each route has its own limit. */
#include <svc.h>

enum { LOOPS = 4 };

static int served(svc_request *req, svc_response *res)
{
    size_t len;
    svc_request_body(req, &len);
    return svc_response_json(res, 200, "{s:I}", "bytes", (json_int_t)len);
}

/* The list is borrowed until the app is freed, so each route has its own. */
static void add(svc_app *app, const char *pattern, const svc_rate_limit *limit,
                const svc_middleware *list[2])
{
    svc_route route = SVC_ROUTE_INIT;
    list[0] = svc_rate_limit_new(app, limit);
    list[1] = NULL;
    route.pattern = pattern;
    route.handler = served;
    route.middleware = list;
    svc_app_route(app, &route);
}

/* 100 at once and 10 a second, for all peers of one address. */
static void add_steady(svc_app *app)
{
    static const svc_middleware *list[2];
    svc_rate_limit limit = SVC_RATE_LIMIT_INIT;
    limit.rate = 10;
    limit.burst = 100;
    add(app, "/steady", &limit, list);
}

/* Each value of Key once, and one more a day. */
static void add_once(svc_app *app)
{
    static const svc_middleware *list[2];
    svc_rate_limit limit = SVC_RATE_LIMIT_INIT;
    limit.rate = 1;
    limit.period_s = 86400;
    limit.header = "Key";
    add(app, "/once", &limit, list);
}

/* Each address once, except those of the IPv4 loopback. */
static void add_exempt(svc_app *app)
{
    static const svc_middleware *list[2];
    static const char *const exempt[] = {"127.0.0.0/8", NULL};
    svc_rate_limit limit = SVC_RATE_LIMIT_INIT;
    limit.rate = 1;
    limit.period_s = 86400;
    limit.exempt = exempt;
    add(app, "/exempt", &limit, list);
}

/* All at once 50 times, and once a day. */
static void add_burst(svc_app *app)
{
    static const svc_middleware *list[2];
    static const svc_rate_window windows[] = {{"wide", 1, 86400, 60}, {"tight", 1, 86400, 50}};
    svc_rate_limit limit = SVC_RATE_LIMIT_INIT;
    limit.windows = windows;
    limit.window_count = 2;
    limit.flags = SVC_RATE_FIELDS_ALWAYS;
    add(app, "/burst", &limit, list);
}

int main(void)
{
    svc_app *app = svc_app_new("limit");
    svc_config config = SVC_CONFIG_INIT;
    config.threads = LOOPS;
    svc_app_configure(app, &config);
    add_steady(app);
    add_once(app);
    add_exempt(app);
    add_burst(app);
    return svc_app_run(app);
}
