/* The server for the tests of idempotency keys: several of them share a store. */
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include <svc.h>

#include "tests/support/shared_store.h"

static svc_pending *held; /* of one loop */

/* Answers with a text that no other run of a handler gives. */
static int answer_run(svc_response *res)
{
    static int runs;
    char text[64];
    snprintf(text, sizeof text, "run %d of %d", ++runs, (int)getpid());
    return svc_response_text(res, 201, text);
}

static int pay(svc_request *req, svc_response *res)
{
    if (svc_request_header(req, "Die"))
        raise(SIGKILL);
    if (!svc_request_header(req, "Hold"))
        return answer_run(res);
    held = svc_request_defer(req, NULL, NULL);
    svc_log_info(req, "held");
    return held ? 0 : SVC_ENOMEM;
}

static int release(svc_request *req, svc_response *res)
{
    (void)req;
    svc_response *answer = svc_response_new();
    answer_run(answer);
    svc_pending_complete(held, answer);
    svc_pending_unref(held);
    return svc_response_empty(res, 204);
}

int main(int argc, char **argv)
{
    svc_app *app = svc_app_new("pay");
    svc_idempotency keys = SVC_IDEMPOTENCY_INIT;
    keys.header = "Authorization";
    keys.grace_ms = 1000;
    shared_store_use(app);
    svc_app_post(app, "/release", release, NULL);
    svc_group *group = svc_app_group(app, "");
    svc_group_use(group, svc_idempotency_new(app, &keys));
    svc_group_post(group, "/payments", pay, NULL);
    svc_route dies = SVC_ROUTE_INIT;
    dies.pattern = "POST /dies";
    dies.handler = pay;
    dies.timeout_ms = 1000;
    svc_group_route(group, &dies);
    dies.pattern = "POST /worker";
    dies.flags = SVC_BLOCKING;
    dies.timeout_ms = 0;
    svc_group_route(group, &dies);
    return svc_app_main(app, argc, argv);
}
