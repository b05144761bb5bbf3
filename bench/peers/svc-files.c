/* A file over HTTP by libsvc, beside NGINX's sendfile: see bench/files. */
#include <svc.h>

static int send_file(svc_request *req, svc_response *res)
{
    return svc_response_file(res, 200, "application/octet-stream", svc_request_arg(req), "file");
}

int main(int argc, char **argv)
{
    svc_app *app = svc_app_new("files");
    svc_app_get(app, "/file", send_file, argc > 1 ? argv[1] : ".");
    return svc_app_run(app) ? 1 : 0;
}
