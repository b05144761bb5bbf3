/* A service whose store is on Redis. GET /worker and /loop read a key, on a worker and on an event
 * loop; GET /quick asks nobody. */
#include <svc.h>
#include <svc/redis.h>

static svc_store *store;

static int answer_with(svc_response *res, int error)
{
    if (error == SVC_ENOTFOUND)
        return svc_response_text(res, 200, "none");
    return error ? svc_response_problem(res, 503, svc_error_text(error))
                 : svc_response_text(res, 200, "some");
}

static int get_on_worker(svc_request *req, svc_response *res)
{
    svc_store_value value;
    return answer_with(res, svc_store_get(store, req, "key", &value));
}

static void take_answer(const svc_store_answer *answer, void *arg)
{
    svc_pending *pending = arg;
    svc_response *res = svc_response_new();
    (void)answer_with(res, answer->error);
    svc_pending_complete(pending, res);
    svc_pending_unref(pending);
}

static int get_on_loop(svc_request *req, svc_response *res)
{
    (void)res;
    svc_pending *pending = svc_request_defer(req, NULL, NULL);
    int error = pending ? svc_store_get_then(store, NULL, "key", take_answer, pending) : SVC_ENOMEM;
    if (error)
        svc_pending_unref(pending);
    return error;
}

static int answer_quick(svc_request *req, svc_response *res)
{
    (void)req;
    return svc_response_text(res, 200, "quick");
}

int main(void)
{
    svc_app *app = svc_app_new("redis");
    svc_route route = SVC_ROUTE_INIT;
    svc_redis_use(app);
    store = svc_store_open(app, NULL);
    svc_app_get(app, "/loop", get_on_loop, NULL);
    svc_app_get(app, "/quick", answer_quick, NULL);
    route.pattern = "GET /worker";
    route.handler = get_on_worker;
    route.flags = SVC_BLOCKING;
    svc_app_route(app, &route);
    return svc_app_run(app);
}
