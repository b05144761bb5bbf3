/* A service whose store is on memcached, as a stranger writes it, outside the tree. No server is
 * there. */
#include <svc.h>
#include <svc/memcached.h>

static int answer(svc_request *req, svc_response *res)
{
    return svc_response_json(res, 200, "{s:s}", "path", svc_request_path(req));
}

int main(void)
{
    svc_app *app = svc_app_new("consumer");
    svc_memcached_use(app);
    svc_store_open(app, "memcached://127.0.0.1:1");
    svc_app_get(app, "/{path...}", answer, NULL);
    return svc_app_run(app);
}
