/* What routes offer, and what clients get of it. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include <svc.h>

static const char *const types[] = {"application/json", "text/csv", "text/html;level=1", NULL};
static const char *const languages[] = {"en", "de-CH", NULL};
static const char *const codings[] = {"gzip", "identity", NULL};

static const char *or_none(const char *text)
{
    return text ? text : "none";
}

/* Answers with the chosen forms. */
static int tell(svc_request *req, svc_response *res)
{
    char text[128];
    snprintf(text, sizeof text, "%s %s %s", or_none(svc_request_chosen(req, SVC_ACCEPT_TYPE)),
             or_none(svc_request_chosen(req, SVC_ACCEPT_LANGUAGE)),
             or_none(svc_request_chosen(req, SVC_ACCEPT_CODING)));
    return svc_response_text(res, 200, text);
}

static int fail(svc_request *req, svc_response *res)
{
    (void)req, (void)res;
    return SVC_EUNAVAILABLE;
}

static void add_route(svc_app *app, const char *pattern, const svc_offers *offers)
{
    svc_route route = SVC_ROUTE_INIT;
    route.pattern = pattern;
    route.handler = tell;
    route.offers = offers;
    cr_assert_eq(svc_app_route(app, &route), 0, "%s", svc_app_errors(app));
}

static svc_app *make_app(void)
{
    svc_app *app = svc_app_new("offers");
    svc_offers all = SVC_OFFERS_INIT, typed = SVC_OFFERS_INIT, strict = SVC_OFFERS_INIT;
    all.types = typed.types = types;
    all.languages = strict.languages = languages;
    all.codings = codings;
    strict.strict_languages = true;
    add_route(app, "/all", &all);
    add_route(app, "GET /types", &typed);
    add_route(app, "GET /strict", &strict);
    svc_app_get(app, "/none", tell, NULL);
    return app;
}

struct row {
    const char *method, *target;
    const char *headers[7];
    int status;
    const char *body, *vary; /* NULL: is not compared, and absent */
};

static void expect_row(svc_app *app, const struct row *row)
{
    svc_test test = SVC_TEST_INIT;
    test.method = row->method;
    test.target = row->target;
    test.headers = row->headers;
    svc_reply *reply = svc_app_test(app, &test);
    const char *body = svc_reply_body(reply, NULL), *vary = svc_reply_header(reply, "Vary");
    cr_expect_eq(svc_reply_status(reply), row->status, "%s %s: %d %s", row->target,
                 or_none(row->headers[1]), svc_reply_status(reply), svc_app_errors(app));
    if (row->body)
        cr_expect_str_eq(body, row->body, "%s %s", row->target, or_none(row->headers[1]));
    cr_expect_str_eq(or_none(vary), or_none(row->vary), "%s %s", row->target,
                     or_none(row->headers[1]));
    svc_reply_free(reply);
}

static const char ALL[] = "Accept, Accept-Language, Accept-Encoding";

Test(negotiation, a_route_gets_the_form_that_the_client_prefers)
{
    static const struct row rows[] = {
        {"GET", "/all", {NULL}, 200, "application/json en identity", ALL},
        {"GET", "/all", {"Accept", "text/csv, */*;q=0.1"}, 200, "text/csv en identity", ALL},
        {"GET", "/all", {"Accept", "text/html"}, 200, "text/html;level=1 en identity", ALL},
        {"GET",
         "/all",
         {"Accept-Language", "de-CH, en;q=0.5", "Accept-Encoding", "gzip"},
         200,
         "application/json de-CH gzip",
         ALL},
        {"GET", "/all", {"Accept-Language", "fr"}, 200, "application/json en identity", ALL},
        {"GET", "/all", {"Accept-Language", "de"}, 200, "application/json de-CH identity", ALL},
        {"POST", "/all", {"Accept", "text/csv"}, 200, "text/csv en identity", ALL},
        {"HEAD", "/types", {"Accept", "text/csv"}, 200, "", "Accept"},
        {"GET", "/types", {"Accept", "json, text/csv"}, 200, "text/csv none none", "Accept"},
        {"GET", "/strict", {"Accept-Language", "en-AU"}, 200, "none en none", "Accept-Language"},
        {"GET", "/none", {"Accept", "image/png"}, 200, "none none none", NULL},
        {"OPTIONS", "/types", {"Accept", "image/png"}, 204, "", NULL},
        {"PUT", "/types", {"Accept", "text/csv"}, 405, NULL, "Accept"},
    };
    svc_app *app = make_app();
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        expect_row(app, &rows[i]);
    svc_app_free(app);
}

Test(negotiation, a_client_that_accepts_no_form_is_shown_what_there_is)
{
    static const struct row rows[] = {
        {"GET",
         "/types",
         {"Accept", "image/png, application/problem+json"},
         406,
         "{\"title\":\"Not Acceptable\",\"status\":406,\"detail\":\"the resource has no media type "
         "that Accept allows\",\"types\":[\"application/json\",\"text/csv\","
         "\"text/html;level=1\"]}\n",
         "Accept"},
        {"GET",
         "/types",
         {"Accept", "image/png"},
         406,
         "Not Acceptable: the resource has no media type that Accept allows\napplication/json\n"
         "text/csv\ntext/html;level=1\n",
         "Accept"},
        {"HEAD", "/types", {"Accept", "image/png"}, 406, "", "Accept"},
        {"GET",
         "/strict",
         {"Accept-Language", "fr"},
         406,
         "{\"title\":\"Not Acceptable\",\"status\":406,\"detail\":\"the resource has no language "
         "that Accept-Language allows\",\"languages\":[\"en\",\"de-CH\"]}\n",
         "Accept, Accept-Language"},
        {"POST",
         "/all",
         {"Accept-Encoding", "br, identity;q=0"},
         406,
         "{\"title\":\"Not Acceptable\",\"status\":406,\"detail\":\"the resource has no content "
         "coding that Accept-Encoding allows\",\"types\":[\"application/json\",\"text/csv\","
         "\"text/html;level=1\"],\"languages\":[\"en\",\"de-CH\"],\"codings\":[\"gzip\","
         "\"identity\"]}\n",
         ALL},
    };
    svc_app *app = make_app();
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        expect_row(app, &rows[i]);
    svc_app_free(app);
}

Test(negotiation, a_field_without_a_well_formed_element_is_400_and_names_itself)
{
    static const struct row rows[] = {
        {"GET",
         "/types",
         {"Accept", "json"},
         400,
         "{\"title\":\"Bad Request\",\"status\":400,\"detail\":\"Accept has no media range, such "
         "as "
         "text/html or text/*;q=0.5\"}\n",
         "Accept"},
        {"GET",
         "/all",
         {"Accept-Language", "en_US"},
         400,
         "{\"title\":\"Bad Request\",\"status\":400,\"detail\":\"Accept-Language has no language "
         "range, such as en or de-CH;q=0.5\"}\n",
         ALL},
        {"GET",
         "/all",
         {"Accept-Encoding", "gzip;q=high"},
         400,
         "{\"title\":\"Bad Request\",\"status\":400,\"detail\":\"Accept-Encoding has no content "
         "coding, such as gzip or br;q=0.5\"}\n",
         ALL},
        {"GET", "/none", {"Accept", "json"}, 200, "none none none", NULL},
        {"GET",
         "/types",
         {"Accept-Language", "en_US"},
         200,
         "application/json none none",
         "Accept"},
    };
    svc_app *app = make_app();
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        expect_row(app, &rows[i]);
    svc_app_free(app);
}

Test(negotiation, groups_have_offers_and_mounted_apps_their_own)
{
    static const char *const deeper[] = {"text/plain", NULL}, *const one[] = {"en", NULL};
    static const struct row rows[] = {
        {"GET", "/group/a", {"Accept", "text/csv"}, 200, "text/csv en none", "Accept"},
        {"GET", "/group/deep/a", {"Accept", "text/csv"}, 406, NULL, "Accept"},
        {"GET", "/group/deep/a", {"Accept", "text/*"}, 200, "text/plain en none", "Accept"},
        {"GET", "/group/own", {"Accept", "image/png"}, 406, NULL, "Accept, Accept-Encoding"},
        {"GET",
         "/group/own",
         {"Accept", "text/csv"},
         200,
         "text/csv en identity",
         "Accept, Accept-Encoding"},
        {"GET",
         "/inner/",
         {"Accept", "image/png", "Accept-Language", "de"},
         200,
         "none de-CH none",
         "Accept-Language"},
        {"GET", "/group/nothing", {"Accept", "image/png"}, 404, NULL, "Accept"},
        {"GET", "/fallback", {"Accept", "image/png", "Accept-Language", "fr"}, 404, NULL, "Accept"},
    };
    svc_app *app = svc_app_new("offers"), *inner = svc_app_new("inner");
    svc_group *group = svc_app_group(app, "/group"), *deep = svc_group_group(group, "/deep");
    svc_offers offers = SVC_OFFERS_INIT, below = SVC_OFFERS_INIT, own = SVC_OFFERS_INIT,
               mounted = SVC_OFFERS_INIT;
    offers.types = types;
    offers.languages = one;
    below.types = deeper;
    own.codings = codings;
    mounted.languages = languages;
    svc_route route = SVC_ROUTE_INIT;
    route.pattern = "/own";
    route.handler = tell;
    route.offers = &own;
    svc_group_get(group, "/a", tell, NULL);
    cr_expect_eq(svc_group_set_offers(group, &offers), 0);
    cr_expect_eq(svc_group_set_offers(deep, &below), 0);
    svc_group_get(deep, "/a", tell, NULL);
    svc_group_route(group, &route);
    cr_expect_eq(svc_app_set_offers(inner, &mounted), 0);
    svc_app_get(inner, "/", tell, NULL);
    svc_app_mount(app, "/inner", inner);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        expect_row(app, &rows[i]);
    svc_app_free(app);
}

static int vary_more(svc_request *req, svc_response *res)
{
    (void)req;
    svc_response_set_header(res, "Vary", "Origin, accept");
    return svc_response_text(res, 200, "ok");
}

/* Outer layers, such as a cache, decide by the field. */
static int see_vary(svc_request *req, svc_response *res, const svc_layer *layer)
{
    (void)req, (void)layer;
    const char *vary = svc_response_header(res, "Vary");
    return vary ? svc_response_set_header(res, "X-Seen", vary) : 0;
}

Test(negotiation, each_reply_of_a_route_has_the_vary_that_layers_see)
{
    static const struct {
        svc_handler *handler;
        int status;
        const char *vary;
    } rows[] = {{vary_more, 200, "Origin, accept, Accept-Encoding"},
                {fail, 500, "Accept, Accept-Encoding"}};
    svc_middleware layer = SVC_MIDDLEWARE_INIT;
    layer.name = "see";
    layer.on_response = see_vary;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        svc_app *app = svc_app_new("offers");
        svc_offers offers = SVC_OFFERS_INIT;
        svc_route route = SVC_ROUTE_INIT;
        offers.types = types;
        offers.codings = codings;
        route.pattern = "/";
        route.handler = rows[i].handler;
        route.offers = &offers;
        svc_app_use(app, &layer);
        svc_app_route(app, &route);
        svc_reply *reply = svc_app_test_get(app, "/");
        cr_expect_eq(svc_reply_status(reply), rows[i].status);
        cr_expect_str_eq(or_none(svc_reply_header(reply, "Vary")), rows[i].vary);
        cr_expect_str_eq(or_none(svc_reply_header(reply, "X-Seen")), rows[i].vary);
        svc_reply_free(reply);
        svc_app_free(app);
    }
}

Test(negotiation, bad_offers_are_errors_of_the_set_up)
{
    static const char *const none[] = {NULL}, *const range[] = {"text/*", NULL},
                             *const tag[] = {"de_CH", NULL}, *const coding[] = {"gzip;q=1", NULL};
    const struct {
        svc_offers offers;
        const char *why;
    } rows[] = {
        {{sizeof(svc_offers), NULL, NULL, NULL, false}, "they need SVC_OFFERS_INIT and a list"},
        {{0, types, NULL, NULL, false}, "they need SVC_OFFERS_INIT and a list"},
        {{sizeof(svc_offers), none, NULL, NULL, false}, "a list is empty"},
        {{sizeof(svc_offers), range, NULL, NULL, false}, "\"text/*\" is no media type"},
        {{sizeof(svc_offers), NULL, tag, NULL, false}, "\"de_CH\" is no language"},
        {{sizeof(svc_offers), NULL, NULL, coding, false}, "\"gzip;q=1\" is no content coding"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        svc_app *app = svc_app_new("offers");
        svc_route route = SVC_ROUTE_INIT;
        route.pattern = "/";
        route.handler = tell;
        route.offers = &rows[i].offers;
        cr_expect_eq(svc_app_route(app, &route), SVC_EINVAL, "%zu", i);
        cr_expect_eq(svc_app_set_offers(app, &rows[i].offers), SVC_EINVAL, "%zu", i);
        cr_expect_not_null(strstr(svc_app_errors(app), rows[i].why), "%s", svc_app_errors(app));
        cr_expect_not_null(strstr(svc_app_errors(app), "negotiation.c:"), "the route's place");
        cr_expect_null(svc_app_test_get(app, "/"));
        svc_app_free(app);
    }
}

static int ask(svc_request *req, svc_response *res)
{
    static const char *const none[] = {NULL};
    cr_expect_eq(svc_request_accepts(req, SVC_ACCEPT_TYPE, types), 1);
    cr_expect_eq(svc_request_accepts(req, SVC_ACCEPT_LANGUAGE, languages), SVC_ENOTFOUND);
    cr_expect_eq(svc_request_accepts(req, SVC_ACCEPT_CODING, codings), 0);
    cr_expect_eq(svc_request_accepts(req, SVC_ACCEPT_TYPE, none), SVC_ENOTFOUND);
    cr_expect_eq(svc_request_accepts(req, SVC_ACCEPT_TYPE, NULL), SVC_ENOTFOUND);
    cr_expect_eq(svc_request_accepts(req, 3, types), SVC_ENOTFOUND);
    cr_expect_eq(svc_request_accepts(req, -1, types), SVC_ENOTFOUND);
    cr_expect_eq(svc_request_weight(req, SVC_ACCEPT_TYPE, "text/csv"), 500);
    cr_expect_eq(svc_request_weight(req, SVC_ACCEPT_TYPE, "text/plain"), 0);
    cr_expect_eq(svc_request_weight(req, SVC_ACCEPT_TYPE, "text"), 0);
    cr_expect_eq(svc_request_weight(req, SVC_ACCEPT_LANGUAGE, "fr-CA"), 1000);
    cr_expect_eq(svc_request_weight(req, SVC_ACCEPT_CODING, "gzip"), 900);
    cr_expect_eq(svc_request_weight(req, SVC_ACCEPT_CODING, NULL), 0);
    cr_expect_eq(svc_request_weight(req, 3, "gzip"), 0);
    cr_expect_null(svc_request_chosen(req, SVC_ACCEPT_TYPE));
    cr_expect_null(svc_request_chosen(req, 3));
    return svc_response_empty(res, 204);
}

Test(negotiation, a_handler_can_choose_by_itself)
{
    static const struct row row = {
        "GET",
        "/",
        {"Accept", "text/csv;q=0.5", "Accept-Language", "fr", "Accept-Encoding", "gzip;q=0.9"},
        204,
        "",
        NULL};
    svc_app *app = svc_app_new("offers");
    svc_app_get(app, "/", ask, NULL);
    expect_row(app, &row);
    svc_app_free(app);
}
