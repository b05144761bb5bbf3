/* A service that compresses, as a stranger writes it, outside the tree. */
#include <svc.h>
#include <svc/zstd_brotli.h>

static int answer(svc_request *req, svc_response *res)
{
    return svc_response_json(res, 200, "{s:s}", "path", svc_request_path(req));
}

int main(void)
{
    svc_app *app = svc_app_new("consumer");
    svc_compress options = SVC_COMPRESS_INIT;
    svc_zstd_use(app);
    svc_brotli_use(app);
    options.codings = "br, zstd, gzip";
    options.min_bytes = 0;
    svc_app_use(app, svc_compress_new(app, &options));
    svc_app_get(app, "/{path...}", answer, NULL);
    return svc_app_run(app);
}
