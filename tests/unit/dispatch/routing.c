/* Who answers a request: the answers that RFC 9110 asks for where no route does, and what a route's
 * handler is given. */
#include "libsvc/dispatch/routing.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "libsvc/dispatch/dispatch.h"
#include "tests/support/hand.h"

static char outer, shop;
#define APP(name) ((svc_app *)(void *)&(name))

static struct route *items, *tunnel;

/* Says what it was given. */
static int say_params(svc_request *req, svc_response *res)
{
    char text[256] = "";
    for (size_t i = 0; i < req->match.count; i++) {
        strncat(text, req->params[i], 40);
        strcat(text, "|");
    }
    return svc_response_text(res, 200, text);
}

static int say_arg(svc_request *req, svc_response *res)
{
    return svc_response_text(res, 200, svc_request_arg(req));
}

static void open_plan(void)
{
    hand_open();
    struct plan *plan = hand.plan;
    plan->apps->app = APP(outer);
    struct plan_app *mounted = hand_mount(plan, "/shop", APP(shop));
    items = hand_route(plan, plan->apps, "GET /items/{id}/{rest...}", say_params);
    hand_route(plan, plan->apps, "POST /items/{id}", say_params)->max_body = 10;
    hand_route(plan, plan->apps, "PURGE /items/{id}", say_params);
    hand_route(plan, plan->apps, "GET /folder/", say_arg)->arg = "folder";
    hand_route(plan, plan->apps, "GET other.test/here", say_arg)->arg = "other";
    hand_route(plan, mounted, "GET /shop/b", say_arg)->arg = "shop";
    tunnel = hand_route(plan, plan->apps, "CONNECT /tunnel/", say_arg);
    tunnel->arg = "tunnel";
    hand_plant(plan);
}

TestSuite(dispatch_routing, .init = open_plan, .fini = hand_close);

/* The reply to a request, of which a field and the body are expected; NULL: any. */
static void expect_with(const char *method, const char *target, const char *const *fields,
                        int status, const char *name, const char *value, const char *body)
{
    size_t len;
    struct exchange *x = hand_begin(hand.plan, method, target, fields);
    svc_response *res = &x->response;
    cr_assert_eq(svc__dispatch_run(x), EXCHANGE_REPLY, "%s %s", method, target);
    cr_expect_eq(res->status, status, "%s %s: %d", method, target, res->status);
    const char *field = name ? svc_response_header(res, name) : NULL;
    cr_expect(!name || (field && !strcmp(field, value)), "%s %s: %s", method, target,
              field ? field : "no field");
    const char *data = svc_response_body(res, &len);
    cr_expect(!body || svc__bytes_eq_z(svc__bytes(data, len), body), "%s %s: %.*s", method, target,
              (int)len, data);
    hand_end(x);
}

static void expect(const char *method, const char *target, int status, const char *body)
{
    expect_with(method, target, NULL, status, NULL, NULL, body);
}

static void expect_field(const char *method, const char *target, int status, const char *name,
                         const char *value)
{
    expect_with(method, target, NULL, status, name, value, NULL);
}

/* ---- Parameters */

Test(dispatch_routing, parameters_are_decoded_where_they_stand)
{
    expect("GET", "/items/7/a/b", 200, "7|a/b|");
    expect("GET", "/items/a%2Fb/", 200, "a/b||");
    expect("GET", "/items/%C3%A9/%20%25", 200, "\xc3\xa9| %|");
    expect("HEAD", "/items/1/2", 200, NULL);
}

Test(dispatch_routing, what_is_no_text_is_for_routes_that_ask_for_any_bytes)
{
    expect("GET", "/items/%FF/", 400, NULL);
    expect("GET", "/items/%C3/", 400, NULL);
    expect("GET", "/items/a/%ED%A0%80", 400, NULL);
    expect("GET", "/items/a/?q=%FF", 400, NULL);
    expect("GET", "/items/a/?q=%00", 400, NULL);
    expect("GET", "/items/a/?q=%C3%A9", 200, NULL);
    items->flags = SVC_ANY_BYTES;
    expect("GET", "/items/%FF/", 200, "\xff||");
    expect("GET", "/items/a/?q=%FF", 200, NULL);
}

Test(dispatch_routing, a_body_that_is_known_to_be_over_the_limit_of_its_route_is_refused_at_once)
{
    const char *const over[] = {"Content-Length", "11", NULL};
    const char *const within[] = {"Content-Length", "10", NULL};
    expect_with("POST", "/items/1", over, 413, NULL, NULL, NULL);
    struct exchange *x = hand_begin(hand.plan, "POST", "/items/1", within);
    cr_expect_eq(svc__dispatch_run(x), EXCHANGE_BODY);
    cr_expect_eq(x->body.store.limit, 10);
    hand_end(x);
}

Test(dispatch_routing, the_time_of_a_route_begins_with_its_request)
{
    items->timeout_ms = 4000000;
    struct exchange *x = hand_begin(hand.plan, "GET", "/items/1/", NULL);
    cr_expect_eq(x->request.deadline_ns, x->request.started_ns + UINT64_C(4000000000000),
                 "no product of it wraps");
    svc__dispatch_run(x);
    hand_end(x);
}

Test(dispatch_routing, without_memory_for_a_parameter_the_answer_is_503)
{
    struct exchange *x = hand_begin(hand.plan, "GET", "/none", NULL);
    hand_exhaust(&x->arena);
    x->request.target.path = svc__bytes_z("/items/1/2");
    svc__routing_resolve(x);
    cr_expect_eq(x->own.status, 503);
    x->request.target.path = svc__bytes_z("/folder");
    x->own.status = 0;
    svc__routing_resolve(x);
    cr_expect_eq(x->own.status, 503, "of a redirect");
    x->request.method = svc__bytes_z("PUT");
    x->request.target.path = svc__bytes_z("/items/1");
    x->own.status = 0;
    svc__routing_resolve(x);
    cr_expect_eq(x->own.status, 503, "of the methods");
    x->request.target.path = svc__bytes_z("/a/../b");
    x->request.target.unclean = true;
    x->own.status = 0;
    svc__routing_resolve(x);
    cr_expect_eq(x->own.status, 503, "of the clean path");
    hand_end(x);
}

/* ---- Where no route answers */

Test(dispatch_routing, other_methods_of_a_path_are_named)
{
    expect_field("PUT", "/items/1", 405, "Allow", "GET, HEAD, OPTIONS, POST, PURGE");
    expect_field("OPTIONS", "/items/1", 204, "Allow", "GET, HEAD, OPTIONS, POST, PURGE");
    expect_field("DELETE", "/items/1/2", 405, "Allow", "GET, HEAD, OPTIONS");
    expect_field("POST", "/folder/x", 405, "Allow", "GET, HEAD, OPTIONS");
}

/* A list that is sorted has OPTIONS where it belongs, and once. */
Test(dispatch_routing, options_stands_in_its_place_among_the_methods)
{
    static const char *const tables[][3] = {
        {"OPTIONS", "PUT", "OPTIONS, PUT"},  {"OPTION", "OPTIONSA", "OPTION, OPTIONS, OPTIONSA"},
        {"A", "B", "A, B, OPTIONS"},         {"PUT", "PATCH", "OPTIONS, PATCH, PUT"},
        {"OPT", "OPU", "OPT, OPTIONS, OPU"},
    };
    for (size_t i = 0; i < sizeof tables / sizeof *tables; i++) {
        char text[64];
        struct plan *plan = hand_plan();
        for (size_t k = 0; k < 2; k++) {
            snprintf(text, sizeof text, "%s /a", tables[i][k]);
            hand_route(plan, plan->apps, text, say_arg);
        }
        hand_plant(plan);
        struct exchange *x = hand_begin(plan, "DELETE", "/a", NULL);
        cr_assert_eq(svc__dispatch_run(x), EXCHANGE_REPLY);
        cr_expect_eq(x->response.status, 405);
        cr_expect_str_eq(svc_response_header(&x->response, "Allow"), tables[i][2]);
        hand_end(x);
        svc__plan_free(plan);
    }
}

Test(dispatch_routing, a_path_is_redirected_to_its_clean_form_with_its_query)
{
    expect_field("GET", "/folder", 308, "Location", "/folder/");
    expect_field("GET", "/folder?a=/../b", 308, "Location", "/folder/?a=/../b");
    expect_field("GET", "/folder?", 308, "Location", "/folder/?");
    expect_field("GET", "/x/../folder/y", 308, "Location", "/folder/y");
    expect_field("GET", "/x/..//folder", 308, "Location", "/folder/");
    expect_field("POST", "/./none", 308, "Location", "/none");
    expect("GET", "/folder/y", 200, "folder");
}

/* None of these may send a client to another host. */
Test(dispatch_routing, no_redirect_leads_to_another_host)
{
    expect_field("GET", "//evil.test/a", 308, "Location", "/evil.test/a");
    expect_field("GET", "///evil.test//a", 308, "Location", "/evil.test/a");
    expect_field("GET", "/x/..//evil.test/a", 308, "Location", "/evil.test/a");
    expect_field("GET", "/.//evil.test", 308, "Location", "/evil.test");
    expect("GET", "/%5Cevil.test/..", 308, NULL);
}

Test(dispatch_routing, hosts_are_told_apart_by_field_and_by_target)
{
    expect("GET", "/here", 404, NULL);
    expect("GET", "http://other.test/here", 200, "other");
    expect("GET", "http://OTHER.test:8080/here", 200, "other");
    expect("GET", "http://another.test/here", 404, NULL);
}

Test(dispatch_routing, the_server_as_a_whole_has_nothing_to_tell)
{
    expect("OPTIONS", "*", 200, "");
    expect_field("CONNECT", "a:443", 405, "Allow", "OPTIONS");
    expect("GET", "*", 400, NULL);
}

Test(dispatch_routing, a_path_of_connect_is_taken_as_it_is)
{
    expect("CONNECT", "/tunnel/a//b/../c", 200, "tunnel");
}

Test(dispatch_routing, methods_that_nobody_knows_are_none_of_any_path)
{
    expect("BREW", "/items/1/2", 501, NULL);
    expect("BREW", "/none", 501, NULL);
    expect("PURGE", "/none", 404, NULL);
    expect("PUT", "/none", 404, NULL);
    expect("get", "/items/1/2", 501, NULL);
}

/* ---- Whose the 404 is */

static int say_fallback(svc_request *req, svc_response *res)
{
    char text[64];
    snprintf(text, sizeof text, "%s %s %zu", req->route->pattern.text, svc_request_mount(req),
             req->match.count);
    return svc_response_text(res, 404, text);
}

Test(dispatch_routing, the_app_below_whose_prefix_a_path_lies_answers_for_it)
{
    struct plan_app *mounted = &hand.plan->apps[1];
    mounted->fallback = (struct route){.pattern.text = "",
                                       .owner = mounted,
                                       .handler = say_fallback,
                                       .timeout_ms = 1000,
                                       .max_body = 5};
    expect("GET", "/shop/none", 404, " /shop 0");
    expect("GET", "/shop/b", 200, "shop");
    expect("GET", "/shopping", 404, NULL);
    const char *const over[] = {"Content-Length", "6", NULL};
    expect_with("POST", "/shop/none", over, 413, NULL, NULL, NULL);
    struct exchange *x = hand_begin(hand.plan, "PUT", "/shop/b", NULL);
    cr_expect_eq(svc_request_app(&x->request), APP(shop), "also where it is not allowed");
    cr_expect_eq(x->request.route, NULL);
    hand_end(x);
}

Test(dispatch_routing, a_refusal_is_a_problem_with_its_detail)
{
    struct exchange *x = hand_begin(hand.plan, "GET", "/none", NULL);
    svc__routing_refuse(x, 418, "short and stout");
    cr_assert_eq(svc__dispatch_run(x), EXCHANGE_REPLY);
    size_t len;
    const char *body = svc_response_body(&x->response, &len);
    cr_expect_eq(x->response.status, 418);
    cr_expect(memmem(body, len, "short and stout", 15));
    hand_end(x);
}
