/* The admin pages. */
#include "libsvc/ops/admin.h"

#include <jansson.h>
#include <string.h>

#include <svc/cache.h>
#include <svc/json.h>

#include "libsvc/app/admin_app.h"
#include "libsvc/app/app_internal.h"
#include "libsvc/exchange/exchange.h"
#include "libsvc/exchange/response_internal.h"
#include "libsvc/ops/checks.h"
#include "libsvc/ops/scrapes.h"
#include "libsvc/ops/status_page.h"
#include "libsvc/proto/media.h"

enum {
    WAITERS = 8
}; /* requests for readiness or status that wait at once, and the page of metrics */

struct pages {
    svc_app *app; /* the app that the pages are about */
    struct checks *checks;
};

/* Liveness means only that the admin thread answers, since a restart would cure nothing else. */
static int livez(svc_request *req, svc_response *res)
{
    (void)req;
    return svc_response_text(res, 200, "ok\n");
}

/* People and balancers get text: they send no Accept, or one that accepts everything. */
static bool wants_json(svc_request *req)
{
    const char *accept = svc_request_header(req, "Accept");
    return accept && strstr(accept, "json") && svc__media_accepts_json(&req->fields);
}

/* The report on the checks, and whether all have passed. */
struct readiness {
    bool ready;
    struct buf *text;
    json_t *checks, *late;
};

static const char *const verdicts[] = {
    [CHECK_OK] = "ok", [CHECK_FAILED] = "failed", [CHECK_LATE] = "late"};

/* Adds the age of a check's last answer, if there has been one. */
static void add_late(struct readiness *all, const struct check_report *report)
{
    const char *last = report->passed ? "ok" : "failed";
    if (report->answered) {
        svc__buf_printf(all->text, ", %s %llu ms ago", last, (unsigned long long)report->age_ms);
        json_object_set_new(
            all->late, report->name,
            json_pack("{s:s, s:I}", "last", last, "age_ms", (json_int_t)report->age_ms));
    } else {
        svc__buf_puts(all->text, ", no answer yet");
        json_object_set_new(all->late, report->name, json_object());
    }
}

static void add_check(const struct check_report *report, void *arg)
{
    struct readiness *all = arg;
    const char *verdict = verdicts[report->verdict];
    all->ready = all->ready && report->verdict == CHECK_OK;
    svc__buf_printf(all->text, "%s %s", verdict, report->name);
    json_object_set_new(all->checks, report->name, json_string(verdict));
    if (report->verdict == CHECK_LATE)
        add_late(all, report);
    svc__buf_puts(all->text, "\n");
}

/* The member "late" is left out where no check is. */
static int answer_json(svc_response *res, const struct readiness *all, bool draining)
{
    json_t *late = json_object_size(all->late) ? json_incref(all->late) : NULL;
    return svc_response_json(res, all->ready ? 200 : 503, "{s:s, s:b, s:O, s:o*}", "status",
                             all->ready ? "ready" : "not ready", "draining", draining, "checks",
                             all->checks, "late", late);
}

static int answer_text(svc_response *res, const struct readiness *all)
{
    svc__buf_puts(all->text, all->ready ? "ready\n" : "not ready\n");
    return svc__response_rendered(res, all->ready ? 200 : 503, "text/plain; charset=utf-8",
                                  all->text);
}

/* Runs on a worker, since it waits for the checks. */
static int readyz(svc_request *req, svc_response *res)
{
    const struct pages *pages = svc_request_arg(req);
    bool draining = atomic_load(&pages->app->draining);
    struct readiness all = {!draining, svc__response_scratch(res), json_object(), json_object()};
    if (draining)
        svc__buf_puts(all.text, "draining\n");
    svc__checks_ask(pages->checks, add_check, &all);
    int error = wants_json(req) ? answer_json(res, &all, draining) : answer_text(res, &all);
    svc__response_scratch_done(res);
    json_decref(all.checks);
    json_decref(all.late);
    return error ? error : svc_response_add_vary(res, "Accept");
}

static void add_page(svc_app *admin, struct pages *pages, const char *pattern, svc_handler *handler,
                     unsigned flags)
{
    svc_route route = SVC_ROUTE_INIT;
    route.pattern = pattern;
    route.handler = handler;
    route.arg = pages;
    route.flags = flags;
    svc_app_route(admin, &route);
}

static void add_pages(svc_app *admin, struct pages *pages)
{
    add_page(admin, pages, "GET " ADMIN_APP_LIVEZ, livez, 0);
    add_page(admin, pages, "GET " ADMIN_APP_READYZ, readyz, pages->app->checks ? SVC_BLOCKING : 0);
}

/* Nothing of the program runs on its loop. Heads have the service's limits, since a connection
 * whose head has been read may be handed over to the loop of the program's admin routes. */
static void take_settings(svc_config *own, const svc_config *app)
{
    own->stall_ms = 0;
    own->send_timeout_ms = app->send_timeout_ms;
    own->workers_min = 1; /* so that a probe needs no new thread */
    own->workers_max = WAITERS;
    own->worker_policy = app->worker_policy;
    own->max_head_bytes = app->max_head_bytes;
    own->max_target_bytes = app->max_target_bytes;
    own->max_fields = app->max_fields;
    own->admin_token_file = app->admin_token_file; /* which the guard asks for */
}

static int make_pages(svc_app *admin, svc_app *app, struct checks *checks,
                      struct asked_gauges *gauges)
{
    struct pages *pages = svc__arena_alloc(&admin->memory, sizeof *pages);
    if (!pages)
        return SVC_ENOMEM;
    *pages = (struct pages){app, checks};
    take_settings(&admin->config, &app->config);
    svc_app_use(admin, &svc__admin_app_no_store);
    add_pages(admin, pages);
    int error = svc__scrapes_add_page(admin, app, gauges);
    if (!error && app->config.debug_pages)
        error = svc__status_page_add(admin, app);
    return error ? error : svc__app_ready(admin);
}

svc_app *svc__admin_new(svc_app *app, struct checks *checks, struct asked_gauges *gauges,
                        int *error)
{
    svc_app *admin = svc__app_create(svc_app_name(app), NULL, 0);
    *error = SVC_ENOMEM;
    if (!admin)
        return NULL;
    svc__faults_join(&admin->faults, &app->faults, admin->name);
    *error = make_pages(admin, app, checks, gauges);
    if (!*error)
        return admin;
    svc_app_free(admin);
    return NULL;
}
