/* What replies tell in development mode, and never else. */
#include <criterion/criterion.h>
#include <jansson.h>
#include <string.h>

#include <svc.h>

static int fail(svc_request *req, svc_response *res)
{
    (void)req, (void)res;
    return SVC_ELATE;
}

static int forget(svc_request *req, svc_response *res)
{
    (void)req, (void)res;
    return 0;
}

static int fail_late(svc_request *req, svc_response *res, const svc_layer *layer)
{
    (void)req, (void)res, (void)layer;
    return SVC_ETOOBIG;
}

static const svc_middleware broken = {
    .size = sizeof broken, .name = "broken", .on_response = fail_late};

static svc_app *make(int development)
{
    svc_app *app = svc_app_new("debug");
    svc_config config = SVC_CONFIG_INIT;
    config.development = development;
    svc_app_configure(app, &config);
    svc_app_get(app, "/fails/{id}", fail, NULL);
    svc_app_get(app, "/forgets", forget, NULL);
    svc_group *group = svc_app_group(app, "/late");
    svc_group_use(group, &broken);
    svc_group_get(group, "/x", forget, NULL);
    return app;
}

static void expect(svc_app *app, const char *target, int status, const char *body)
{
    svc_reply *reply = svc_app_test_get(app, target);
    cr_expect_eq(svc_reply_status(reply), status);
    cr_expect(strstr(svc_reply_body(reply, NULL), body), "%s is not in %s", body,
              svc_reply_body(reply, NULL));
    svc_reply_free(reply);
}

Test(development, development_mode_tells_why_a_request_failed)
{
    svc_app *app = make(1);
    expect(app, "/fails/7", 500,
           "handler of \\\"GET /fails/{id}\\\" returned SVC_ELATE: too late: the request has been "
           "answered");
    expect(app, "/forgets", 500, "handler of \\\"GET /forgets\\\" returned without an answer");
    expect(app, "/late/x", 500, "on_response of \\\"GET /late/x\\\" returned SVC_ETOOBIG");
    svc_app_free(app);
}

Test(development, development_mode_lists_the_routes_at_404)
{
    svc_app *app = make(1);
    expect(app, "/nothing", 404, "\"routes\":[\"GET /fails/{id} (");
    expect(app, "/nothing", 404, "GET /late/x (");
    svc_app_free(app);
}

Test(development, production_tells_nothing)
{
    svc_app *app = make(0);
    expect(app, "/fails/7", 500, "{\"title\":\"Internal Server Error\",\"status\":500}\n");
    expect(app, "/late/x", 500, "{\"title\":\"Internal Server Error\",\"status\":500}\n");
    expect(app, "/nothing", 404, "{\"title\":\"Not Found\",\"status\":404}\n");
    svc_app_free(app);
}

static int fail_oddly(svc_request *req, svc_response *res)
{
    (void)req;
    json_t *members = json_pack("{s:i}", "n", 1);
    return svc_response_problem_take(res, 409, "detail \xff", members);
}

/* A pattern may have any bytes, and so may what a handler says. */
Test(development, a_name_that_is_no_utf8_spoils_no_page)
{
    static const char *const accepts[] = {"application/json", "text/plain"};
    svc_app *app = make(1);
    svc_route route = SVC_ROUTE_INIT;
    route.pattern = "GET /raw\xff/{x}";
    route.handler = fail;
    route.flags = SVC_ANY_BYTES;
    svc_app_route(app, &route);
    svc_app_get(app, "/odd", fail_oddly, NULL);
    for (size_t i = 0; i < sizeof accepts / sizeof *accepts; i++) {
        const char *const headers[] = {"Accept", accepts[i], NULL};
        static const char *const targets[] = {"/raw%FF/7", "/raw%FE", "/odd"};
        for (size_t j = 0; j < sizeof targets / sizeof *targets; j++) {
            svc_test test = SVC_TEST_INIT;
            size_t len;
            test.target = targets[j];
            test.headers = headers;
            svc_reply *reply = svc_app_test(app, &test);
            const char *body = svc_reply_body(reply, &len);
            json_t *text = json_stringn(body, len); /* which takes UTF-8 alone */
            cr_expect_not_null(text, "%s: %s", targets[j], body);
            cr_expect(i == 1 && j == 1 ? true : strstr(body, "\xef\xbf\xbd") != NULL, "%s: %s",
                      targets[j], body);
            json_decref(text);
            svc_reply_free(reply);
        }
    }
    svc_app_free(app);
}
