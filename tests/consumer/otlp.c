/* A service that exports spans, as a stranger writes it, outside the tree. */
#include <svc.h>
#include <svc/otlp.h>

static int answer(svc_request *req, svc_response *res)
{
    svc_span *span = svc_span_begin(req, NULL, SVC_SPAN_INTERNAL, "read");
    svc_span_set(span, svc_kv_str("path", svc_request_path(req)));
    svc_span_end(span);
    return svc_response_json(res, 200, "{s:s}", "path", svc_request_path(req));
}

int main(void)
{
    svc_otlp options = SVC_OTLP_INIT;
    options.flush_ms = 100; /* nobody is there */
    svc_app *app = svc_app_new("consumer");
    svc_otlp_add(app, &options);
    svc_app_get(app, "/{path...}", answer, NULL);
    return svc_app_run(app);
}
