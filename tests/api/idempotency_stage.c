/* The service and its clients that the tests of idempotency keys share. */
#include "tests/api/idempotency_stage.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "tests/support/quiet_app.h"

svc_app *payments_app;
svc_group *payments_group;
int handled, next_status = 201;

int pay(svc_request *req, svc_response *res)
{
    char body[64];
    size_t len;
    svc_request_body(req, &len);
    snprintf(body, sizeof body, "payment %d of %zu bytes", ++handled, len);
    svc_response_add_header(res, "Set-Cookie", "secret=1");
    svc_response_add_header(res, "Location", "/payments/1");
    return next_status < 0 ? next_status : svc_response_text(res, next_status, body);
}

void open_payments(void)
{
    payments_app = quiet_app_new("pay");
    payments_group = svc_app_group(payments_app, "");
}

void close_payments(void)
{
    svc_app_free(payments_app);
}

svc_idempotency by_authorization(void)
{
    svc_idempotency keys = SVC_IDEMPOTENCY_INIT;
    keys.header = "Authorization";
    return keys;
}

void add_payments(const svc_idempotency *keys)
{
    svc_group_use(payments_group, svc_idempotency_new(payments_app, keys));
    svc_group_post(payments_group, "/payments", pay, NULL);
    svc_group_get(payments_group, "/payments", pay, NULL);
    svc_group_put(payments_group, "/payments", pay, NULL);
    svc_group_patch(payments_group, "/payments", pay, NULL);
    svc_group_post(payments_group, "/others", pay, NULL);
}

void open_default(void)
{
    svc_idempotency keys = by_authorization();
    add_payments(&keys);
}

svc_reply *send_to(const char *method, const char *target, const char *caller, const char *key,
                   const char *body)
{
    const char *headers[5] = {NULL};
    size_t n = 0;
    if (caller) {
        headers[n++] = "Authorization";
        headers[n++] = caller;
    }
    if (key) {
        headers[n++] = "Idempotency-Key";
        headers[n++] = key;
    }
    svc_test test = SVC_TEST_INIT;
    test.method = method;
    test.target = target;
    test.headers = headers;
    test.body = body;
    test.body_len = body ? strlen(body) : 0;
    svc_reply *reply = svc_app_test(payments_app, &test);
    cr_assert(reply, "%s", svc_app_errors(payments_app));
    return reply;
}

svc_reply *post(const char *caller, const char *key, const char *body)
{
    return send_to("POST", "/payments", caller, key, body);
}

void expect_reply(svc_reply *reply, int status, const char *text)
{
    cr_expect_eq(svc_reply_status(reply), status, "%d: %s", svc_reply_status(reply),
                 svc_reply_body(reply, NULL));
    cr_expect(strstr(svc_reply_body(reply, NULL), text), "\"%s\" is not in %s", text,
              svc_reply_body(reply, NULL));
    svc_reply_free(reply);
}

double results(const char *result)
{
    char series[96];
    snprintf(series, sizeof series, "svc_idempotency_requests_total{result=\"%s\"}", result);
    return svc_test_metric(payments_app, series);
}
