/* A service whose store may be on Redis, as a stranger writes it, outside the tree. */
#include <svc.h>
#include <svc/redis.h>

static int answer(svc_request *req, svc_response *res)
{
    return svc_response_json(res, 200, "{s:s}", "path", svc_request_path(req));
}

int main(void)
{
    svc_app *app = svc_app_new("consumer");
    svc_redis_use(app);
    svc_store_open(app, NULL);
    svc_app_get(app, "/{path...}", answer, NULL);
    return svc_app_run(app);
}
