/*
 * One of the instances that share idempotency keys and, where libsvc-session was built, sessions.
 * Each of its handlers runs on an event loop and, below /workers, on a worker.
 */
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#ifdef WITH_SESSION
#include <svc/session.h>
#endif

#include "tests/shared/server_state.h"
#include "tests/shared/shared_app.h"

static svc_store *store;
static svc_counter *payments; /* handlers that have begun */

static void describe_payment(char text[static 64])
{
    static _Atomic unsigned made;
    snprintf(text, 64, "payment %u of process %d", ++made, (int)getpid());
    svc_counter_add(payments, 1);
}

/* ---- Payments */

static int pay(svc_request *req, svc_response *res)
{
    char text[64];
    (void)req;
    describe_payment(text);
    return svc_response_text(res, 201, text);
}

static int pay_silently(svc_request *req, svc_response *res)
{
    char text[64];
    (void)req;
    describe_payment(text);
    svc_response_add_header(res, "Location", text);
    return svc_response_empty(res, 204);
}

static int fail_once(svc_request *req, svc_response *res)
{
    static _Atomic unsigned tries;
    return tries++ == 0 ? svc_response_problem(res, 500, "not yet") : pay(req, res);
}

/* The first one of all instances does not come back. */
static int pay_or_die(svc_request *req, svc_response *res)
{
    uint64_t runs = 0;
    int error = svc_store_increment(store, req, "runs", 1, 0, &runs);
    if (error)
        return error;
    if (runs > 1)
        return pay(req, res);
    svc_counter_add(payments, 1);
    while (!svc_request_cancelled(req))
        nanosleep(&(struct timespec){0, 1000000}, NULL);
    return SVC_ECANCELLED;
}

/* Is answered once the store cannot be asked any more. */
static int pay_without_store(svc_request *req, svc_response *res)
{
    svc_store_value value;
    svc_counter_add(payments, 1);
    while (svc_store_get(store, req, "nothing", &value) == SVC_ENOTFOUND)
        nanosleep(&(struct timespec){0, 1000000}, NULL);
    return svc_response_text(res, 201, "paid");
}

/* Is answered once its client has left. */
static int pay_who_has_left(svc_request *req, svc_response *res)
{
    char text[64];
    describe_payment(text);
    while (!svc_request_cancelled(req))
        nanosleep(&(struct timespec){0, 1000000}, NULL);
    return svc_response_text(res, 201, text);
}

static void on_left(svc_pending *pending, void *arg)
{
    svc_response *res = svc_response_new();
    svc_response_text(res, 201, arg);
    svc_pending_complete(pending, res);
    svc_pending_unref(pending);
}

/* The same by a deferred answer. */
static int pay_later(svc_request *req, svc_response *res)
{
    char *text = svc_request_alloc(req, 64);
    (void)res;
    if (!text)
        return SVC_ENOMEM;
    describe_payment(text);
    return svc_request_defer(req, on_left, text) ? 0 : SVC_ENOMEM;
}

static void add_payments(svc_group *group, const svc_middleware *keys)
{
    svc_route route = SVC_ROUTE_INIT;
    svc_group *paying = svc_group_group(group, "/payments");
    svc_group_use(paying, keys);
    svc_group_post(paying, "", pay, NULL);
    svc_group_post(paying, "/silent", pay_silently, NULL);
    svc_group_post(paying, "/failing", fail_once, NULL);
    route.pattern = "POST /dying";
    route.handler = pay_or_die;
    route.flags = SVC_BLOCKING;
    route.timeout_ms = STATE_TIMEOUT_MS;
    svc_group_route(paying, &route);
    route.pattern = "POST /left";
    route.handler = pay_who_has_left;
    route.timeout_ms = 0;
    svc_group_route(paying, &route);
    route.pattern = "POST /alone";
    route.handler = pay_without_store;
    svc_group_route(paying, &route);
    svc_group_post(paying, "/later", pay_later, NULL);
}

/* ---- Sessions */

#ifdef WITH_SESSION

static int show_user(svc_request *req, svc_response *res)
{
    const char *user = svc_session_get(req, "user");
    return svc_response_text(res, 200, user ? user : "nobody");
}

static int log_in(svc_request *req, svc_response *res)
{
    int error = svc_session_renew(req);
    if (!error)
        error = svc_session_set(req, "user", "ada");
    return error ? error : svc_response_empty(res, 204);
}

static int log_out(svc_request *req, svc_response *res)
{
    int error = svc_session_end(req);
    return error ? error : svc_response_empty(res, 204);
}

static void add_sessions(svc_group *group, const svc_middleware *sessions)
{
    svc_group *browsing = svc_group_group(group, "/user");
    svc_group_use(browsing, sessions);
    svc_group_get(browsing, "", show_user, NULL);
    svc_group_post(browsing, "/in", log_in, NULL);
    svc_group_post(browsing, "/out", log_out, NULL);
}

static const svc_middleware *make_sessions(svc_app *app)
{
    svc_session_options options = SVC_SESSION_OPTIONS_INIT;
    options.store = store;
    return svc_session_new(app, &options);
}

#endif

int main(void)
{
    svc_app *app = shared_app_new("state", 2);
    store = svc_store_open(app, NULL);
    svc_metric metric = SVC_METRIC_INIT;
    metric.name = "payments_begun_total";
    metric.help = "Handlers of payments that have begun.";
    payments = svc_counter_of(svc_app_counter(app, &metric), 0, NULL);
    svc_idempotency options = SVC_IDEMPOTENCY_INIT;
    options.flags = SVC_IDEMPOTENCY_SHARED;
    options.grace_ms = STATE_GRACE_MS;
    options.store = store;
    const svc_middleware *keys = svc_idempotency_new(app, &options);
    svc_group *workers = svc_app_group(app, "/workers");
    svc_group_set_flags(workers, SVC_BLOCKING);
    add_payments(svc_app_group(app, ""), keys);
    add_payments(workers, keys);
#ifdef WITH_SESSION
    const svc_middleware *sessions = make_sessions(app);
    add_sessions(svc_app_group(app, ""), sessions);
    add_sessions(workers, sessions);
#endif
    return svc_app_run(app);
}
