/* Which route answers, and what is answered where none does. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include <svc.h>

/* Answers with the route, and the value of {w} or {w...} where there is one. */
static int show(svc_request *req, svc_response *res)
{
    const char *value = svc_request_param(req, "w");
    char text[256];
    snprintf(text, sizeof text, "%s%s%s", svc_request_route(req), value ? " w=" : "",
             value ? value : "");
    return svc_response_text(res, 200, text);
}

/* An app with a route for each pattern; NULL ends them. */
static svc_app *serve(const char *const *patterns)
{
    svc_app *app = svc_app_new("routing");
    for (; *patterns; patterns++)
        cr_assert_eq(svc_app_method_at(app, NULL, *patterns, show, NULL, __FILE__, __LINE__), 0,
                     "%s", *patterns);
    return app;
}

struct row {
    const char *method, *target;
    int status;
    const char *told; /* the body of a 200, the Location of a 308, the Allow of a 405 or 204 */
};

static const char *told(const svc_reply *reply)
{
    switch (svc_reply_status(reply)) {
    case 200:
        return svc_reply_body(reply, NULL);
    case 308:
        return svc_reply_header(reply, "Location");
    case 204:
    case 405:
        return svc_reply_header(reply, "Allow");
    default:
        return "";
    }
}

static void expect_row(svc_app *app, const struct row *row)
{
    svc_test test = SVC_TEST_INIT;
    test.method = row->method;
    test.target = row->target;
    svc_reply *reply = svc_app_test(app, &test);
    cr_assert(reply, "%s", svc_app_errors(app));
    cr_expect_eq(svc_reply_status(reply), row->status, "%s %s: %d", row->method, row->target,
                 svc_reply_status(reply));
    const char *text = told(reply);
    cr_expect_str_eq(text ? text : "(none)", row->told, "%s %s: %s", row->method, row->target,
                     text ? text : "(none)");
    svc_reply_free(reply);
}

static void expect_rows(const char *const *patterns, const struct row *rows, size_t count)
{
    svc_app *app = serve(patterns);
    for (size_t i = 0; i < count; i++)
        expect_row(app, &rows[i]);
    svc_app_free(app);
}

#define EXPECT(patterns, rows) expect_rows((patterns), (rows), sizeof(rows) / sizeof *(rows))

Test(routing, a_tail_of_each_kind)
{
    static const char *const patterns[] = {"/a/b/{$}", "/a/b/{w}", "/a/b/{w...}", NULL};
    static const struct row rows[] = {
        {"GET", "/a/b/", 200, "/a/b/{$}"},
        {"GET", "/a/b/c", 200, "/a/b/{w} w=c"},
        {"GET", "/a/b/c/", 200, "/a/b/{w...} w=c/"},
        {"GET", "/a/b/c/d", 200, "/a/b/{w...} w=c/d"},
        {"GET", "/a/b", 308, "/a/b/"}, /* it matches nothing, and /a/b/ does exactly */
        {"GET", "/a/b?c=d", 308, "/a/b/?c=d"},
        {"GET", "/a", 404, ""},
    };
    EXPECT(patterns, rows);
}

Test(routing, unclean_paths_lead_to_clean_ones_and_those_of_connect_are_data)
{
    static const char *const patterns[] = {"/", "/foo/", "/foo", "/bar/", NULL};
    static const struct row rows[] = {
        {"GET", "/bar", 308, "/bar/"},
        {"GET", "/foo", 200, "/foo"},
        {"GET", "/foo/x", 200, "/foo/"},
        {"GET", "/foo/../bar/./..//baz", 308, "/baz"},
        {"GET", "/foo/../bar/./..//baz?q=/./", 308, "/baz?q=/./"},
        {"GET", "/foo/../bar", 308, "/bar/"},
        {"GET", "/a//b%2Fc", 308, "/a/b%2Fc"}, /* not %252F: what is escaped stays as it is */
        {"GET", "/a//\"><b?\"><", 308, "/a/%22%3E%3Cb?%22%3E%3C"},
        {"GET", "/a//\xc3\xa4[1]?b[]=\xff", 308, "/a/%C3%A4%5B1%5D?b%5B%5D=%FF"},
        {"CONNECT", "/foo/x", 200, "/foo/"},
        {"CONNECT", "/foo/../bar", 200, "/foo/"},
        {"CONNECT", "/foo//x", 200, "/foo/"},
        {"CONNECT", "//foo", 200, "/"},
    };
    EXPECT(patterns, rows);
}

Test(routing, methods_of_a_path_are_told_in_order)
{
    static const char *const patterns[] = {"PUT /a", "GET /a", "DELETE /a", "POST /b/", NULL};
    static const struct row rows[] = {
        {"POST", "/a", 405, "DELETE, GET, HEAD, OPTIONS, PUT"},
        {"OPTIONS", "/a", 204, "DELETE, GET, HEAD, OPTIONS, PUT"},
        {"GET", "/b", 405, "OPTIONS, POST"},
        {"PROPFIND", "/a", 405, "DELETE, GET, HEAD, OPTIONS, PUT"},
        {"QUERY", "/none", 404, ""},
        {"OPTIONS", "/b", 204, "OPTIONS, POST"},
        {"POST", "/none", 404, ""},
        {"BREW", "/a", 501, ""},
        {"BREW", "/none", 501, ""},
    };
    EXPECT(patterns, rows);
}

Test(routing, connect_is_a_method_of_none_unless_a_route_has_it)
{
    static const char *const patterns[] = {"GET /{$}", "GET /a", NULL};
    static const struct row rows[] = {
        {"CONNECT", "a:80", 405, "OPTIONS"},
        {"CONNECT", "/a", 405, "GET, HEAD, OPTIONS"},
        {"CONNECT", "/%zz", 400, ""},
    };
    EXPECT(patterns, rows);
}

Test(routing, connect_of_a_route_is_for_paths_and_makes_no_tunnels)
{
    static const char *const patterns[] = {"CONNECT /tunnel", "GET /a", NULL};
    static const char *const every[] = {"/", NULL};
    static const struct row rows[] = {
        {"CONNECT", "/tunnel", 200, "CONNECT /tunnel"},
        {"CONNECT", "/a", 405, "GET, HEAD, OPTIONS"},
        {"CONNECT", "a:80", 405, "OPTIONS"},
        {"CONNECT", "a", 400, ""},
        {"CONNECT", "a:", 400, ""},
        {"GET", "a:80", 400, ""},
    };
    static const struct row tunnel[] = {{"CONNECT", "a:80", 405, "OPTIONS"}};
    EXPECT(patterns, rows);
    EXPECT(every, tunnel);
}

/* Each method of the registry, to a path that has others, to none, and to an app without routes. */
Test(routing, a_method_that_http_knows_is_never_501)
{
    static const char *const patterns[] = {"GET /a", NULL}, *const none[] = {NULL};
    static const char *const methods[] = {
        "POST", "PUT",    "DELETE",   "PATCH", "TRACE",  "CONNECT", "QUERY",          "MKCOL",
        "LOCK", "REPORT", "PROPFIND", "ACL",   "SEARCH", "UNLINK",  "VERSION-CONTROL"};
    svc_app *app = serve(patterns), *empty = serve(none);
    for (size_t i = 0; i < sizeof methods / sizeof *methods; i++) {
        expect_row(app, &(struct row){methods[i], "/a", 405, "GET, HEAD, OPTIONS"});
        expect_row(app, &(struct row){methods[i], "/b", 404, ""});
        expect_row(empty, &(struct row){methods[i], "/a", 404, ""});
    }
    expect_row(empty, &(struct row){"GET", "/", 404, ""});
    expect_row(empty, &(struct row){"get", "/", 501, ""});
    svc_app_free(empty);
    svc_app_free(app);
}

Test(routing, methods_near_options_are_told_in_order)
{
    static const char *const patterns[] = {"OPTION /a", "OPTIONS /a",  "OPTIONSX /a",
                                           "OPTION /b", "OPTIONSX /b", NULL};
    static const struct row rows[] = {
        {"GET", "/a", 405, "OPTION, OPTIONS, OPTIONSX"},
        {"GET", "/b", 405, "OPTION, OPTIONS, OPTIONSX"},
        {"OPTIONS", "/b", 204, "OPTION, OPTIONS, OPTIONSX"},
    };
    EXPECT(patterns, rows);
}
