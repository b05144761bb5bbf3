/* The admin pages. */
#include "libsvc/ops/admin.h"

#include <string.h>

#include <svc/json.h>

#include "libsvc/core/exchange.h"
#include "libsvc/core/response_internal.h"
#include "libsvc/proto/media.h"

/* That the admin thread answers is all that liveness means: a restart would cure nothing else. */
static int livez(svc_request *req, svc_response *res)
{
    (void)req;
    return svc_response_text(res, 200, "ok\n");
}

/* Text is for people and balancers, who send no Accept or one that takes anything. */
static bool wants_json(svc_request *req)
{
    const char *accept = svc_request_header(req, "Accept");
    return accept && strstr(accept, "json") &&
           svc__media_accepts_json(req->fields, req->field_count);
}

/* Runs every check. Appends a line of text for each to `text`, a member to `json`. */
static bool run_checks(svc_app *app, struct buf *text, json_t *json)
{
    bool ready = !atomic_load(&app->draining);
    if (!ready)
        svc__buf_puts(text, "draining\n");
    for (const struct check *check = app->checks; check; check = check->next) {
        bool passed = check->check(check->arg) == 0;
        ready = ready && passed;
        svc__buf_printf(text, "%s %s\n", passed ? "ok" : "failed", check->name);
        json_object_set_new(json, check->name, json_string(passed ? "ok" : "failed"));
    }
    return ready;
}

static int readyz(svc_request *req, svc_response *res)
{
    svc_app *app = svc_request_arg(req);
    json_t *checks = json_object();
    struct buf *text = svc__response_scratch(res);
    bool ready = run_checks(app, text, checks);
    int status = ready ? 200 : 503;
    if (wants_json(req)) {
        int draining = atomic_load(&app->draining);
        return svc_response_json(res, status, "{s:s, s:b, s:o}", "status",
                                 ready ? "ready" : "not ready", "draining", draining, "checks",
                                 checks);
    }
    json_decref(checks);
    svc__buf_puts(text, ready ? "ready\n" : "not ready\n");
    int error = svc__response_rendered(res, status, "text/plain; charset=utf-8", text);
    svc__response_scratch_done(res);
    return error;
}

static int metrics(svc_request *req, svc_response *res)
{
    svc_app *app = svc_request_arg(req);
    struct buf *text = svc__response_scratch(res);
    svc__metrics_dump(app->metrics, text);
    int error = svc__response_rendered(res, 200, "text/plain; version=0.0.4; charset=utf-8", text);
    svc__response_scratch_done(res);
    return error;
}

svc_app *svc__admin_new(svc_app *app)
{
    svc_app *admin = svc__app_create(svc_app_name(app), NULL, 0);
    if (!admin)
        return NULL;
    admin->config.stall_ms = 0; /* a slow readiness check delays nobody else */
    svc_app_get(admin, "/livez", livez, app);
    svc_app_get(admin, "/readyz", readyz, app);
    svc_app_get(admin, "/metrics", metrics, app);
    if (svc__app_ready(admin)) {
        svc_app_free(admin);
        return NULL;
    }
    return admin;
}
