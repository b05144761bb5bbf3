/* Cookies: those of requests as handlers see them, and the Set-Cookie fields of replies. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <svc.h>

#define ROWS(rows) (sizeof(rows) / sizeof *(rows))

/* ---- The app: a route lists the request's cookies, the others set what a test says */

static svc_app *app;
static svc_cookie set_first, set_second;
static int results[2];

static int list_cookies(svc_request *req, svc_response *res)
{
    const char *name, *value;
    char text[1000] = "";
    size_t len = 0;
    for (size_t i = 0; svc_request_cookie_at(req, i, &name, &value) == 0; i++)
        len += (size_t)snprintf(text + len, sizeof text - len, "[%s|%s]", name, value);
    cr_expect_eq(svc_request_cookie_at(req, svc_request_cookie_count(req), &name, &value),
                 SVC_ENOTFOUND);
    return svc_response_text(res, 200, text);
}

static int look_up(svc_request *req, svc_response *res)
{
    cr_expect_eq(svc_request_cookie_count(req), 4);
    cr_expect_str_eq(svc_request_cookie(req, "a"), "1");
    cr_expect_str_eq(svc_request_cookie_nth(req, "a", 0), "1");
    cr_expect_str_eq(svc_request_cookie_nth(req, "a", 1), "2");
    cr_expect_null(svc_request_cookie_nth(req, "a", 2));
    cr_expect_str_eq(svc_request_cookie(req, "__Host-id"), "x y");
    cr_expect_null(svc_request_cookie(req, "__host-id"), "names have a case");
    cr_expect_null(svc_request_cookie(req, ""));
    cr_expect_null(svc_request_cookie(req, NULL));
    cr_expect_eq(svc_request_cookie(req, "a"), svc_request_cookie(req, "a"), "read once");
    return svc_response_text(res, 200, "looked");
}

static int set_cookies(svc_request *req, svc_response *res)
{
    (void)req;
    results[0] = svc_response_set_cookie(res, &set_first);
    results[1] = set_second.name ? svc_response_set_cookie(res, &set_second) : 0;
    return svc_response_text(res, 200, "set");
}

static int remove_cookie(svc_request *req, svc_response *res)
{
    (void)req;
    results[0] = svc_response_remove_cookie(res, &set_first);
    return svc_response_text(res, 200, "removed");
}

/* As a handler does that passes the error on. */
static int fail_to_set(svc_request *req, svc_response *res)
{
    (void)req;
    return svc_response_set_cookie(res, &set_first);
}

static void open_app(void)
{
    app = svc_app_new("cookie");
    svc_config config = SVC_CONFIG_INIT;
    config.access_log = config.metrics = config.request_id = 0;
    config.development = true;
    svc_app_configure(app, &config);
    svc_app_get(app, "/list", list_cookies, NULL);
    svc_app_get(app, "/look", look_up, NULL);
    svc_app_get(app, "/set", set_cookies, NULL);
    svc_app_get(app, "/remove", remove_cookie, NULL);
    svc_app_get(app, "/fail", fail_to_set, NULL);
    set_first = set_second = (svc_cookie)SVC_COOKIE_INIT;
    set_first.name = "name";
    set_first.value = "value";
}

static void close_app(void)
{
    svc_app_free(app);
}

TestSuite(cookie, .init = open_app, .fini = close_app);

/* ---- Requests */

static void expect_list(const char *const *headers, const char *list)
{
    svc_test test = SVC_TEST_INIT;
    test.target = "/list";
    test.headers = headers;
    svc_reply *reply = svc_app_test(app, &test);
    cr_assert(reply, "%s", svc_app_errors(app));
    cr_expect_eq(svc_reply_status(reply), 200);
    cr_expect_str_eq(svc_reply_body(reply, NULL), list, "%s", svc_reply_body(reply, NULL));
    svc_reply_free(reply);
}

Test(cookie, all_fields_are_one_list)
{
    expect_list((const char *const[]){NULL}, "");
    expect_list((const char *const[]){"Cookie", "", NULL}, "");
    expect_list((const char *const[]){"Cookie", "a=1; b=\"x y\";c=", NULL}, "[a|1][b|x y][c|]");
    expect_list((const char *const[]){"Cookie", "a=1", "Accept", "*/*", "cookie", "b=2; a=3", NULL},
                "[a|1][b|2][a|3]");
}

Test(cookie, what_is_malformed_does_not_hide_the_others)
{
    expect_list(
        (const char *const[]){"Cookie", "junk; =x; a b=1; good=1; a=\"x; ;; b=x\\y;c=2", NULL},
        "[good|1][c|2]");
    expect_list((const char *const[]){"Cookie", ";;;", "Cookie", "\"", "Cookie", "a=1", NULL},
                "[a|1]");
}

Test(cookie, a_cookie_is_found_by_its_name)
{
    svc_test test = SVC_TEST_INIT;
    test.target = "/look";
    test.headers = (const char *const[]){"Cookie", "a=1; __Host-id=\"x y\"; a=2; b=", NULL};
    svc_reply *reply = svc_app_test(app, &test);
    cr_expect_eq(svc_reply_status(reply), 200);
    svc_reply_free(reply);
}

/* ---- Replies */

/* The Set-Cookie fields of a reply, each in brackets. */
static void expect_set(const char *target, const char *fields)
{
    svc_reply *reply = svc_app_test_get(app, target);
    const char *name, *value;
    char text[16000] = "";
    size_t len = 0;
    for (size_t i = 0; svc_reply_header_at(reply, i, &name, &value) == 0; i++)
        if (!strcmp(name, "Set-Cookie"))
            len += (size_t)snprintf(text + len, sizeof text - len, "[%s]", value);
    cr_expect_str_eq(text, fields, "%s", text);
    svc_reply_free(reply);
}

static void expect_first(const char *field)
{
    expect_set("/set", field);
    cr_expect_eq(results[0], 0);
    cr_expect_null(svc_cookie_mistake(&set_first), "%s", svc_cookie_mistake(&set_first));
}

Test(cookie, a_cookie_is_safe_unless_the_program_says_otherwise)
{
    expect_first("[name=value; Path=/; HttpOnly; SameSite=Lax; Secure]");
}

Test(cookie, each_attribute_is_written)
{
    set_first.path = NULL;
    set_first.secure = set_first.http_only = false;
    set_first.same_site = SVC_SAME_SITE_UNSET;
    expect_first("[name=value]");
    set_first.value = "";
    set_first.path = "/docs/a%20b";
    set_first.domain = "www.example-1.com";
    set_first.same_site = SVC_SAME_SITE_STRICT;
    expect_first("[name=; Path=/docs/a%20b; Domain=www.example-1.com; SameSite=Strict]");
    set_first = set_second;
    set_first.name = "__Host-n";
    set_first.value = "!#$%&'()*+-./:<=>?@[]^_`{|}~";
    set_first.max_age_s = 1;
    set_first.same_site = SVC_SAME_SITE_NONE;
    set_first.partitioned = true;
    expect_first("[__Host-n=!#$%&'()*+-./:<=>?@[]^_`{|}~; Path=/; Max-Age=1; HttpOnly; "
                 "SameSite=None; Secure; Partitioned]");
    set_first.name = "__Secure-n";
    set_first.path = NULL;
    set_first.domain = "localhost";
    set_first.partitioned = false;
    set_first.max_age_s = SVC_COOKIE_MAX_AGE_S;
    expect_first("[__Secure-n=!#$%&'()*+-./:<=>?@[]^_`{|}~; Domain=localhost; Max-Age=34560000; "
                 "HttpOnly; SameSite=None; Secure]");
}

Test(cookie, dates_are_those_of_http)
{
    static const struct {
        int64_t expires_s;
        const char *date;
    } rows[] = {{784111777, "Sun, 06 Nov 1994 08:49:37 GMT"}, /* RFC 6265bis 3.1 */
                {1618784237, "Sun, 18 Apr 2021 22:17:17 GMT"},
                {1709210096, "Thu, 29 Feb 2024 12:34:56 GMT"},
                {4294967296, "Sun, 07 Feb 2106 06:28:16 GMT"},
                {253402300799, "Fri, 31 Dec 9999 23:59:59 GMT"},
                {-1, "Wed, 31 Dec 1969 23:59:59 GMT"},
                {-11644473600, "Mon, 01 Jan 1601 00:00:00 GMT"}};
    for (size_t i = 0; i < ROWS(rows); i++) {
        char field[200];
        set_first.expires_s = rows[i].expires_s;
        snprintf(field, sizeof field,
                 "[name=value; Path=/; Expires=%s; HttpOnly; SameSite=Lax; Secure]", rows[i].date);
        expect_first(field);
    }
}

Test(cookie, a_reply_sets_several_cookies)
{
    set_second.name = "other";
    set_second.value = "x";
    expect_set("/set", "[name=value; Path=/; HttpOnly; SameSite=Lax; Secure]"
                       "[other=x; Path=/; HttpOnly; SameSite=Lax; Secure]");
    cr_expect(results[0] == 0 && results[1] == 0);
}

Test(cookie, a_removed_cookie_ends_in_the_past)
{
    set_first.max_age_s = 60;
    set_first.domain = "example.com";
    set_first.value = NULL;
    expect_set("/remove", "[name=; Path=/; Domain=example.com; Expires=Thu, 01 Jan 1970 00:00:01 "
                          "GMT; HttpOnly; SameSite=Lax; Secure]");
    set_first.name = "__Host-n";
    expect_set("/remove", "");
    cr_expect_eq(results[0], SVC_EINVAL, "the browser would keep it");
}

/* ---- What no browser would take */

static void expect_mistake(int error, const char *reason)
{
    const char *mistake = svc_cookie_mistake(&set_first);
    expect_set("/set", "");
    cr_expect_eq(results[0], error);
    cr_assert(mistake, "%s", reason);
    cr_expect(strstr(mistake, reason), "%s is not of %s", mistake, reason);
}

Test(cookie, each_of_the_256_bytes_may_stand_in_a_value_or_not)
{
    for (int c = 1; c < 256; c++) {
        char value[] = {'a', (char)c, 'b', '\0'};
        bool good = c > 0x20 && c < 0x7f && !strchr("\",;\\", c);
        set_first.value = value;
        cr_expect_eq(!svc_cookie_mistake(&set_first), good, "0x%02x", c);
    }
}

Test(cookie, bytes_that_could_begin_another_attribute_or_field_are_refused)
{
    static const char *const values[] = {
        "a b", "a;b", "a,b", "\"a\"", "a\\b", "\xc3\xa9", "a\r\nSet-Cookie: b=c", "\x7f"};
    static const char *const names[] = {NULL, "", "a b", "a=b", "a;b", "a,b", "\xc3\xa9", "a\n"};
    static const char *const paths[] = {"", "a", "/a;b", "/a b", "/\x01", "/\xc3\xa9"};
    static const char *const domains[] = {"",    ".example.com", "example.com.", "a..b",
                                          "a b", "a;b",          "a:80",         "\xc3\xa9.com"};
    const svc_cookie good = set_first;
    for (size_t i = 0; i < ROWS(values); i++) {
        set_first.value = values[i];
        expect_mistake(SVC_EINVAL, "value");
    }
    set_first = good;
    for (size_t i = 0; i < ROWS(names); i++) {
        set_first.name = names[i];
        expect_mistake(SVC_EINVAL, "token");
    }
    set_first = good;
    for (size_t i = 0; i < ROWS(paths); i++) {
        set_first.path = paths[i];
        expect_mistake(SVC_EINVAL, "path");
    }
    set_first = good;
    for (size_t i = 0; i < ROWS(domains); i++) {
        set_first.domain = domains[i];
        expect_mistake(SVC_EINVAL, "domain");
    }
    set_first = good;
    set_first.value = NULL;
    expect_set("/set", "");
    cr_expect_eq(results[0], SVC_EINVAL);
}

Test(cookie, prefixes_are_checked_in_any_case)
{
    static const char *const host[] = {"__Host-a", "__host-a", "__HOST-", "__hOsT-a"};
    static const char *const secure[] = {"__Secure-a", "__secure-a", "__SECURE-"};
    for (size_t i = 0; i < ROWS(host); i++) {
        set_first.name = host[i];
        set_first.secure = true;
        cr_expect_null(svc_cookie_mistake(&set_first));
        set_first.secure = false;
        expect_mistake(SVC_EINVAL, "__Host-");
        set_first.secure = true;
        set_first.path = "/a";
        expect_mistake(SVC_EINVAL, "__Host-");
        set_first.path = NULL;
        expect_mistake(SVC_EINVAL, "__Host-");
        set_first.path = "/";
        set_first.domain = "example.com";
        expect_mistake(SVC_EINVAL, "__Host-");
        set_first.domain = NULL;
    }
    for (size_t i = 0; i < ROWS(secure); i++) {
        set_first.name = secure[i];
        set_first.secure = true;
        cr_expect_null(svc_cookie_mistake(&set_first));
        set_first.secure = false;
        expect_mistake(SVC_EINVAL, "__Secure-");
    }
    set_first.name = "__Hosta";
    cr_expect_null(svc_cookie_mistake(&set_first));
}

Test(cookie, what_needs_secure_is_refused_without_it)
{
    set_first.secure = false;
    set_first.same_site = SVC_SAME_SITE_NONE;
    expect_mistake(SVC_EINVAL, "secure");
    set_first.same_site = SVC_SAME_SITE_LAX;
    set_first.partitioned = true;
    expect_mistake(SVC_EINVAL, "secure");
    set_first.partitioned = false;
    set_first.same_site = SVC_SAME_SITE_UNSET + 1;
    expect_mistake(SVC_EINVAL, "same_site");
    set_first.same_site = -1;
    expect_mistake(SVC_EINVAL, "same_site");
}

Test(cookie, ends_have_limits)
{
    set_first.max_age_s = -1;
    expect_mistake(SVC_EINVAL, "max_age_s");
    set_first.max_age_s = SVC_COOKIE_MAX_AGE_S + 1;
    expect_mistake(SVC_EINVAL, "400 days");
    set_first.max_age_s = 0;
    set_first.expires_s = 253402300800;
    expect_mistake(SVC_EINVAL, "expires_s");
    set_first.expires_s = -11644473601;
    expect_mistake(SVC_EINVAL, "expires_s");
}

Test(cookie, sizes_have_limits)
{
    static char value[SVC_COOKIE_BYTES + 1], path[SVC_COOKIE_ATTRIBUTE_BYTES + 2];
    memset(value, 'v', SVC_COOKIE_BYTES - 4);
    set_first.value = value;
    cr_expect_null(svc_cookie_mistake(&set_first), "the name has the other 4 bytes");
    value[SVC_COOKIE_BYTES - 4] = 'v';
    expect_mistake(SVC_ETOOBIG, "4096");
    set_first.value = "";
    set_first.name = value;
    memset(value, 'v', SVC_COOKIE_BYTES);
    cr_expect_null(svc_cookie_mistake(&set_first));
    set_first.value = "v";
    expect_mistake(SVC_ETOOBIG, "4096");
    set_first.name = "name";
    memset(path, 'd', SVC_COOKIE_ATTRIBUTE_BYTES);
    set_first.domain = path;
    cr_expect_null(svc_cookie_mistake(&set_first));
    path[SVC_COOKIE_ATTRIBUTE_BYTES] = 'd';
    expect_mistake(SVC_ETOOBIG, "1024");
    path[0] = '/';
    set_first.domain = NULL;
    set_first.path = path;
    expect_mistake(SVC_ETOOBIG, "1024");
    path[SVC_COOKIE_ATTRIBUTE_BYTES] = '\0';
    cr_expect_null(svc_cookie_mistake(&set_first));
}

Test(cookie, the_largest_cookie_fits_into_a_reply)
{
    static char value[SVC_COOKIE_BYTES], path[SVC_COOKIE_ATTRIBUTE_BYTES + 1];
    static char domain[SVC_COOKIE_ATTRIBUTE_BYTES + 1], field[8192];
    memset(value, 'v', SVC_COOKIE_BYTES - 4);
    memset(path, '/', SVC_COOKIE_ATTRIBUTE_BYTES);
    memset(domain, 'd', SVC_COOKIE_ATTRIBUTE_BYTES);
    set_first.value = value;
    set_first.path = path;
    set_first.domain = domain;
    snprintf(field, sizeof field, "[name=%s; Path=%s; Domain=%s; HttpOnly; SameSite=Lax; Secure]",
             value, path, domain);
    expect_first(field);
}

Test(cookie, a_handler_s_mistake_is_reported)
{
    set_first.value = "a;b";
    svc_reply *reply = svc_app_test_get(app, "/fail");
    cr_expect_eq(svc_reply_status(reply), 500);
    cr_expect(strstr(svc_reply_body(reply, NULL), "cookie cannot hold"), "%s",
              svc_reply_body(reply, NULL));
    svc_reply_free(reply);
}

Test(cookie, a_cookie_needs_its_initialiser)
{
    svc_cookie cookie = {0};
    cookie.name = "name";
    cr_expect(svc_cookie_mistake(&cookie) && svc_cookie_mistake(NULL));
    set_first.size = 0;
    expect_mistake(SVC_EINVAL, "SVC_COOKIE_INIT");
    cr_expect_eq(svc_response_set_cookie(NULL, &set_second), SVC_ENOMEM);
    cr_expect_eq(svc_response_remove_cookie(NULL, NULL), SVC_ENOMEM);
    cr_expect_eq(svc_request_cookie_count(NULL), 0);
    cr_expect_null(svc_request_cookie(NULL, "a"));
}
