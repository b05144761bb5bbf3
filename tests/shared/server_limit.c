/* One of the instances that share a limit: it has one route, and its limit is in the store. */
#include <stdlib.h>

#include "tests/shared/server_limit.h"
#include "tests/shared/shared_app.h"

static int served(svc_request *req, svc_response *res)
{
    (void)req;
    return svc_response_empty(res, 204);
}

static uint32_t read_cost(svc_request *req, void *arg)
{
    const char *cost = svc_request_header(req, "Cost");
    (void)arg;
    return cost ? (uint32_t)strtoul(cost, NULL, 10) : 1;
}

int main(void)
{
    svc_app *app = shared_app_new("shared", 2);
    svc_rate_limit limit = SVC_RATE_LIMIT_INIT;
    limit.rate = SHARED_RATE;
    limit.burst = SHARED_BURST;
    limit.header = "Key";
    limit.cost_of = read_cost;
    limit.store = svc_store_open(app, NULL);
    limit.on_store_failure = SVC_RATE_REFUSE;
    svc_app_use(app, svc_rate_limit_new(app, &limit));
    svc_app_get(app, "/", served, NULL);
    return svc_app_run(app);
}
