/* A service as a stranger writes it, outside the tree. */
#include <svc.h>

static int end_answer(svc_trailers *out, void *arg)
{
    return svc_trailers_add(out, "X-End", arg);
}

static int answer(svc_request *req, svc_response *res)
{
    static char text[] = "reached";
    int error = svc_response_on_trailers(res, end_answer, text);
    if (error)
        return error;
    return svc_response_json(res, 200, "{s:s, s:s}", "path", svc_request_path(req), "version",
                             svc_version());
}

int main(void)
{
    svc_app *app = svc_app_new("consumer");
    svc_app_get(app, "/{path...}", answer, NULL);
    return svc_app_run(app);
}
