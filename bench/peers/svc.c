/* libsvc with one route: a fixed reply. Settings come from the environment. Usage: svc CONTENT-TYPE
 * BODY */
#include <string.h>
#include <svc.h>

static const char *type, *body;
static size_t len;

static int answer(svc_request *req, svc_response *res)
{
    (void)req;
    return svc_response_static(res, 200, type, body, len);
}

int main(int argc, char **argv)
{
    if (argc != 3)
        return 2;
    type = argv[1];
    body = argv[2];
    len = strlen(body);
    svc_app *app = svc_app_new("bench");
    svc_app_get(app, "/", answer, NULL);
    return svc_app_run(app);
}
