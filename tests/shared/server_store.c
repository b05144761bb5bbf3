/*
 * A service that reads keys of its store, whose value is the key: GET /loop/{key} on an event loop,
 * GET /worker/{key} on a worker; PUT /worker/{key} stores it. GET /quick asks nobody.
 */
#include <string.h>

#include "tests/shared/shared_app.h"

static svc_store *store;

static int answer_with(svc_response *res, int error, const svc_store_value *value)
{
    return error ? svc_response_problem(res, error == SVC_ENOTFOUND ? 404 : 503, NULL)
                 : svc_response_copy(res, 200, "text/plain", value->data, value->len);
}

static int get_on_worker(svc_request *req, svc_response *res)
{
    svc_store_value value = {0};
    int error = svc_store_get(store, req, svc_request_param(req, "key"), &value);
    return answer_with(res, error, &value);
}

static int put_on_worker(svc_request *req, svc_response *res)
{
    const char *key = svc_request_param(req, "key");
    const svc_store_value value = {key, strlen(key), 0, NULL};
    int error = svc_store_set(store, req, key, &value, 0);
    return error ? svc_response_problem(res, 503, NULL) : svc_response_empty(res, 204);
}

static void take_answer(const svc_store_answer *answer, void *arg)
{
    svc_pending *pending = arg;
    svc_response *res = svc_response_new();
    (void)answer_with(res, answer->error, &answer->value);
    svc_pending_complete(pending, res);
    svc_pending_unref(pending);
}

static int get_on_loop(svc_request *req, svc_response *res)
{
    const char *key = svc_request_param(req, "key");
    (void)res;
    svc_pending *pending = svc_request_defer(req, NULL, NULL);
    int error = pending ? svc_store_get_then(store, NULL, key, take_answer, pending) : SVC_ENOMEM;
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
    svc_app *app = shared_app_new("store", 0);
    store = svc_store_open(app, NULL);
    svc_app_get(app, "/loop/{key}", get_on_loop, NULL);
    svc_app_get(app, "/quick", answer_quick, NULL);
    svc_group *group = svc_app_group(app, "/worker");
    svc_group_set_flags(group, SVC_BLOCKING);
    svc_group_get(group, "/{key}", get_on_worker, NULL);
    svc_group_put(group, "/{key}", put_on_worker, NULL);
    return svc_app_run(app);
}
