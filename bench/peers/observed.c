/* examples/hello with all that an operator can see of it, or, with OBSERVED=none, without. */
#include <stdlib.h>
#include <string.h>

#include <svc.h>
#include <svc/otlp.h>

static int greet(svc_request *req, svc_response *res)
{
    return svc_response_json(res, 200, "{s:s}", "hello", svc_request_param(req, "name"));
}

int main(void)
{
    const char *observed = getenv("OBSERVED");
    svc_app *app = svc_app_new("bench");
    svc_app_get(app, "/hello/{name}", greet, NULL);
    if (!observed || strcmp(observed, "none") != 0)
        svc_otlp_add(app, NULL);
    return svc_app_run(app);
}
