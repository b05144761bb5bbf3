/* The service without sockets, on a store in memory. */
#include <criterion/criterion.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "shortener.h"
#include "url.h"

static struct shortener shortener;
static svc_app *app;

static void set_up(void)
{
    app = shortener_new(&shortener);
}

static void tear_down(void)
{
    svc_app_free(app);
}

TestSuite(shortener, .init = set_up, .fini = tear_down);

static svc_reply *ask(const char *method, const char *target, const char *body,
                      const char *const *headers)
{
    static const char type[] = "application/json";
    const char *all[8] = {"Content-Type", type};
    size_t count = body ? 2 : 0;
    for (size_t i = 0; headers && headers[i]; i++)
        all[count++] = headers[i];
    all[count] = NULL;
    svc_test test = SVC_TEST_INIT;
    test.method = method;
    test.target = target;
    test.headers = all;
    test.body = body;
    test.body_len = body ? strlen(body) : 0;
    svc_reply *reply = svc_app_test(app, &test);
    cr_assert(reply, "%s", svc_app_errors(app));
    return reply;
}

static int status_of(const char *method, const char *target, const char *body,
                     const char *const *headers)
{
    svc_reply *reply = ask(method, target, body, headers);
    int status = svc_reply_status(reply);
    svc_reply_free(reply);
    return status;
}

#define LINK "{\"url\":\"https://example.com/a?b=c#d\"}"

/* Makes a link; its code. */
static const char *make_link(const char *const *headers)
{
    static char codes[2][CODE_LEN + 1];
    static int turn;
    char location[64], *code = codes[turn ^= 1];
    svc_reply *reply = ask("POST", "/links", LINK, headers);
    cr_assert_eq(svc_reply_status(reply), 201, "%d %s", svc_reply_status(reply),
                 svc_reply_body(reply, NULL));
    json_t *link = json_loads(svc_reply_body(reply, NULL), 0, NULL);
    snprintf(code, CODE_LEN + 1, "%s", json_string_value(json_object_get(link, "code")));
    snprintf(location, sizeof location, "/links/%s", code);
    cr_expect(links_is_code(code), "%s", code);
    cr_expect_str_eq(svc_reply_header(reply, "Location"), location);
    json_decref(link);
    svc_reply_free(reply);
    return code;
}

static json_int_t clicks_of(const char *code)
{
    char target[64];
    snprintf(target, sizeof target, "/links/%s", code);
    svc_reply *reply = ask("GET", target, NULL, NULL);
    cr_assert_eq(svc_reply_status(reply), 200);
    json_t *link = json_loads(svc_reply_body(reply, NULL), 0, NULL);
    cr_expect_str_eq(json_string_value(json_object_get(link, "url")),
                     "https://example.com/a?b=c#d");
    json_int_t clicks = json_integer_value(json_object_get(link, "clicks"));
    json_decref(link);
    svc_reply_free(reply);
    return clicks;
}

Test(shortener, a_link_is_made_followed_and_counted)
{
    const char *code = make_link(NULL);
    char target[64];
    snprintf(target, sizeof target, "/%s", code);
    cr_expect_eq(clicks_of(code), 0);
    for (int i = 0; i < 3; i++) {
        svc_reply *reply = ask("GET", target, NULL, NULL);
        cr_expect_eq(svc_reply_status(reply), 302);
        cr_expect_str_eq(svc_reply_header(reply, "Location"), "https://example.com/a?b=c#d");
        cr_expect_str_eq(svc_reply_header(reply, "Cache-Control"), "no-store");
        svc_reply_free(reply);
    }
    cr_expect_eq(clicks_of(code), 3);
    cr_expect_eq(svc_test_metric(app, "shortener_links_total{result=\"created\"}"), 1);
    cr_expect_eq(svc_test_metric(app, "shortener_redirects_total{result=\"found\"}"), 3);
    cr_expect_eq(svc_test_metric(app, "shortener_clicks_lost_total"), 0);
}

Test(shortener, each_link_has_a_code_of_its_own)
{
    cr_expect_str_neq(make_link(NULL), make_link(NULL));
}

Test(shortener, a_code_that_nobody_has_made_is_404)
{
    static const char *const targets[] = {"/0000000",   "/short",         "/longer-than-7",
                                          "/000000%20", "/links/0000000", "/links/x"};
    for (size_t i = 0; i < sizeof targets / sizeof *targets; i++) {
        svc_reply *reply = ask("GET", targets[i], NULL, NULL);
        cr_expect_eq(svc_reply_status(reply), 404, "%s", targets[i]);
        cr_expect_str_eq(svc_reply_header(reply, "Content-Type"), "application/problem+json");
        svc_reply_free(reply);
    }
    cr_expect_eq(svc_test_metric(app, "shortener_redirects_total{result=\"unknown\"}"), 4);
    double counted = svc_test_metric(app, "svc_store_operations_total{backend=\"memory\","
                                          "operation=\"increment\",outcome=\"ok\"}");
    cr_expect_not(counted > 0, "no click is counted for it");
}

Test(shortener, urls_that_cannot_be_links_are_refused)
{
    static const char *const bodies[] = {
        "{\"url\":\"\"}",
        "{\"url\":7}",
        "{}",
        "{\"url\":\"ftp://example.com/\"}",
        "{\"url\":\"javascript:alert(1)\"}",
        "{\"url\":\"//example.com/\"}",
        "{\"url\":\"https://\"}",
        "{\"url\":\"https:///path\"}",
        "{\"url\":\"https://bank.example@evil.example/\"}",
        "{\"url\":\"https://a b/\"}",
        "{\"url\":\"https://a/\\r\\nSet-Cookie: x=y\"}",
        "{\"url\":\"https://a\\\\b/\"}",
        "{\"url\":\"https://a:x/\"}",
        "{\"url\":\"https://[::1/\"}",
        "{\"url\":\"https://a/\\u00fc\"}",
    };
    for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++) {
        svc_reply *reply = ask("POST", "/links", bodies[i], NULL);
        cr_expect_eq(svc_reply_status(reply), 422, "%s: %d", bodies[i], svc_reply_status(reply));
        cr_expect(strstr(svc_reply_body(reply, NULL), "\"pointer\":\"#/url\""), "%s",
                  svc_reply_body(reply, NULL));
        svc_reply_free(reply);
    }
    cr_expect_eq(svc_test_metric(app, "shortener_links_total{result=\"refused\"}"), 15);
}

Test(shortener, urls_of_many_forms_are_links)
{
    static const char *const urls[] = {"http://a",
                                       "HTTPS://Example.COM:8443/x",
                                       "https://192.0.2.1/?q=%20",
                                       "https://[2001:db8::1]:80/#",
                                       "https://xn--bcher-kva.example",
                                       "https://a?b"};
    for (size_t i = 0; i < sizeof urls / sizeof *urls; i++)
        cr_expect_null(url_fault(urls[i]), "%s: %s", urls[i], url_fault(urls[i]));
    static char url[URL_MAX + 64];
    memset(url, 'a', sizeof url - 1);
    memcpy(url, "{\"url\":\"https://", 16);
    memcpy(url + 16 + URL_MAX - 8, "\"}", 3);
    cr_expect_eq(status_of("POST", "/links", url, NULL), 201);
    memcpy(url + 16 + URL_MAX - 8, "a\"}", 4);
    cr_expect_eq(status_of("POST", "/links", url, NULL), 422);
}

Test(shortener, with_keys_only_those_who_have_one_make_links)
{
    static const char *const
        first[] = {"Api-Key", "one", NULL},
        *const second[] = {"Api-Key", "second", NULL}, *const bad[] = {"Api-Key", "on", NULL},
        *const both[] = {"Api-Key", "one,second", NULL}, *const empty[] = {"Api-Key", "", NULL};
    shortener.api_keys = "one,,second";
    make_link(first);
    make_link(second);
    cr_expect_eq(status_of("POST", "/links", LINK, NULL), 401);
    cr_expect_eq(status_of("POST", "/links", LINK, bad), 401);
    cr_expect_eq(status_of("POST", "/links", LINK, both), 401);
    cr_expect_eq(status_of("POST", "/links", LINK, empty), 401);
    cr_expect_eq(status_of("GET", "/links/0000000", NULL, NULL), 401);
    cr_expect_eq(status_of("GET", "/0000000", NULL, NULL), 404, "to follow needs no key");
}

Test(shortener, each_key_has_a_limit)
{
    static const char *const first[] = {"Api-Key", "one", NULL}, *const second[] = {"Api-Key",
                                                                                    "second", NULL};
    shortener.api_keys = "one,second";
    int made = 0;
    while (made < 2 * LINKS_AT_ONCE && status_of("POST", "/links", LINK, first) == 201)
        made++;
    cr_expect_geq(made, LINKS_AT_ONCE);
    cr_expect_lt(made, 2 * LINKS_AT_ONCE);
    make_link(second);
    cr_expect_eq(svc_test_metric(app, "svc_rate_limit_refused_total{policy=\"links\"}"), 1);
}

Test(shortener, a_repeated_request_makes_one_link)
{
    static const char *const first[] = {"Idempotency-Key", "8e03978e-40d5-43dd", NULL},
                             *const second[] = {"Idempotency-Key", "another", NULL};
    char code[CODE_LEN + 1];
    strcpy(code, make_link(first));
    cr_expect_str_eq(make_link(first), code);
    cr_expect_str_neq(make_link(second), code);
    cr_expect_eq(svc_test_metric(app, "shortener_links_total{result=\"created\"}"), 2);
}

/* The answers of idempotency keys are lost, as that of an instance that has ended before it could
 * answer. */
Test(shortener, a_request_whose_answer_was_lost_makes_one_link_too)
{
    static const char *const first[] = {"Idempotency-Key", "8e03978e-40d5-43dd", NULL};
    static const char other[] = "{\"url\":\"https://example.org/\"}";
    char code[CODE_LEN + 1];
    strcpy(code, make_link(first));
    svc_test_store_age(shortener.store, 25 * 3600 * 1000);
    cr_expect_str_eq(make_link(first), code);
    cr_expect_eq(svc_test_metric(app, "shortener_links_total{result=\"repeated\"}"), 1);
    svc_test_store_age(shortener.store, 25 * 3600 * 1000);
    svc_reply *reply = ask("POST", "/links", other, first);
    cr_expect_eq(svc_reply_status(reply), 201);
    cr_expect(strstr(svc_reply_body(reply, NULL), "https://example.org/"), "%s",
              svc_reply_body(reply, NULL));
    svc_reply_free(reply);
}

Test(shortener, a_link_may_have_an_end)
{
    shortener.days = 1;
    const char *code = make_link(NULL);
    char target[64];
    snprintf(target, sizeof target, "/%s", code);
    cr_expect_eq(status_of("GET", target, NULL, NULL), 302);
    svc_test_store_age(shortener.store, 86400000);
    svc_test_memo_age(shortener.links, KEPT_MS);
    cr_expect_eq(status_of("GET", target, NULL, NULL), 404);
}

static double lookups(const char *outcome)
{
    char series[96];
    snprintf(series, sizeof series, "svc_memo_lookups_total{memo=\"links\",outcome=\"%s\"}",
             outcome);
    return svc_test_metric(app, series);
}

/* The link is removed from the store behind the instance's back, to see what it has kept. */
Test(shortener, a_link_that_was_followed_is_read_from_the_process_for_a_minute)
{
    const char *code = make_link(NULL);
    char target[64], key[LINK_KEY];
    snprintf(target, sizeof target, "/%s", code);
    cr_expect_eq(status_of("GET", target, NULL, NULL), 302);
    links_key(key, code);
    cr_assert_eq(svc_store_delete(shortener.store, NULL, key), 0);
    cr_expect_eq(status_of("GET", target, NULL, NULL), 302);
    cr_expect_eq(status_of("GET", target, NULL, NULL), 302);
    cr_expect_eq(lookups("miss"), 1);
    cr_expect_eq(lookups("hit"), 2);
    svc_test_memo_age(shortener.links, KEPT_MS);
    cr_expect_eq(status_of("GET", target, NULL, NULL), 404);
}

Test(shortener, a_code_that_is_guessed_often_is_asked_for_once_a_second)
{
    for (int i = 0; i < 3; i++)
        cr_expect_eq(status_of("GET", "/0000000", NULL, NULL), 404);
    cr_expect_eq(lookups("negative"), 2);
    cr_expect_eq(svc_test_metric(app, "svc_memo_loads_total{memo=\"links\",outcome=\"not_found\"}"),
                 1);
}
