/* Sessions as programs use them: what browsers get, and which of their cookies count. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <svc.h>
#include <svc/session.h>
#include <svc/sys/store.h>
#include <time.h>
#include <unistd.h>

#include "libsvc/session/session_cookie.h"
#include "libsvc/session/session_record.h"
#include "libsvc/session/session_seal.h"
#include "tests/support/quiet_app.h"
#include "tests/support/shared_store.h"

#define KEY_A "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
#define KEY_B "ffeeddccbbaa99887766554433221100ffeeddccbbaa99887766554433221100"

static svc_app *app;
static char keys_path[64], shared_path[64], shared_url[80];
static char cookie[5000]; /* of the browser: name=value */
static int result;        /* of a handler's call */

/* ---- The service */

static int get_value(svc_request *req, svc_response *res)
{
    const char *value = svc_session_get(req, svc_request_query(req, "name"));
    return svc_response_text(res, 200, value ? value : "(none)");
}

static int set_value(svc_request *req, svc_response *res)
{
    result = svc_session_set(req, svc_request_query(req, "name"), svc_request_body(req, NULL));
    return svc_response_empty(res, 204);
}

static int remove_value(svc_request *req, svc_response *res)
{
    result = svc_session_remove(req, svc_request_query(req, "name"));
    return svc_response_empty(res, 204);
}

static int log_in(svc_request *req, svc_response *res)
{
    result = svc_session_renew(req);
    if (!result)
        result = svc_session_set(req, "user", "ada");
    return svc_response_empty(res, 204);
}

static int log_out(svc_request *req, svc_response *res)
{
    result = svc_session_end(req);
    return svc_response_empty(res, 204);
}

static int touch_nothing(svc_request *req, svc_response *res)
{
    (void)req;
    return svc_response_empty(res, 204);
}

static void add_routes(const svc_session_options *options)
{
    svc_app_use(app, svc_session_new(app, options));
    svc_app_get(app, "/value", get_value, NULL);
    svc_app_put(app, "/value", set_value, NULL);
    svc_app_delete(app, "/value", remove_value, NULL);
    svc_app_post(app, "/login", log_in, NULL);
    svc_app_post(app, "/logout", log_out, NULL);
    svc_app_get(app, "/nothing", touch_nothing, NULL);
}

static void write_keys(const char *text)
{
    FILE *file = fopen(keys_path, "w");
    cr_assert(file && fputs(text, file) >= 0 && !fclose(file));
}

static void open_app(void)
{
    app = quiet_app_new("site");
}

static void make_file(char *path, size_t size)
{
    snprintf(path, size, "/tmp/svc-session-XXXXXX");
    int fd = mkstemp(path);
    cr_assert_geq(fd, 0);
    close(fd);
}

static void begin(void)
{
    make_file(keys_path, sizeof keys_path);
    make_file(shared_path, sizeof shared_path);
    snprintf(shared_url, sizeof shared_url, "shared:%.60s", shared_path);
    write_keys(KEY_A "\n");
    open_app();
}

static void end(void)
{
    svc_app_free(app);
    unlink(keys_path);
    unlink(shared_path);
}

TestSuite(session, .init = begin, .fini = end);

static svc_session_options sealed(void)
{
    svc_session_options options = SVC_SESSION_OPTIONS_INIT;
    options.keys_file = keys_path;
    return options;
}

static void open_sealed(void)
{
    svc_session_options options = sealed();
    add_routes(&options);
}

static void open_stored(const char *url)
{
    svc_session_options options = SVC_SESSION_OPTIONS_INIT;
    if (!strncmp(url, "shared:", 7))
        cr_assert_eq(shared_store_use(app), 0);
    options.store = svc_store_open(app, url);
    add_routes(&options);
}

/* The service anew, as another instance. */
static void restart(void)
{
    svc_app_free(app);
    open_app();
}

/* ---- The browser */

static svc_reply *send_with(const char *method, const char *target, const char *body,
                            const char *cookies)
{
    const char *const headers[] = {cookies[0] ? "Cookie" : NULL, cookies, NULL};
    svc_test test = SVC_TEST_INIT;
    test.method = method;
    test.target = target;
    test.headers = headers;
    test.body = body;
    test.body_len = body ? strlen(body) : 0;
    svc_reply *reply = svc_app_test(app, &test);
    cr_assert(reply, "%s", svc_app_errors(app));
    return reply;
}

/* Sends the browser's cookie, and takes the reply's. Whether there was one. */
static bool send_to(const char *method, const char *target, const char *body)
{
    svc_reply *reply = send_with(method, target, body, cookie);
    const char *set = svc_reply_header(reply, "Set-Cookie");
    cr_expect_eq(svc_reply_status(reply), 204);
    if (set)
        snprintf(cookie, sizeof cookie, "%.*s",
                 strstr(set, "Expires=Thu, 01 Jan 1970 ") ? 0 : (int)strcspn(set, ";"), set);
    bool sets = set != NULL;
    svc_reply_free(reply);
    return sets;
}

static void expect_value_with(const char *cookies, const char *name, const char *value)
{
    char target[100];
    snprintf(target, sizeof target, "/value?name=%s", name);
    svc_reply *reply = send_with("GET", target, NULL, cookies);
    cr_expect_eq(svc_reply_status(reply), 200);
    cr_expect_str_eq(svc_reply_body(reply, NULL), value);
    svc_reply_free(reply);
}

static void expect_value(const char *name, const char *value)
{
    expect_value_with(cookie, name, value);
}

/* ---- Either way */

static void try_life(void)
{
    expect_value("user", "(none)");
    cr_expect_not(send_to("GET", "/nothing", NULL), "no session, no cookie");
    cr_expect_not(send_to("POST", "/logout", NULL));
    cr_expect(send_to("PUT", "/value?name=basket", "3"));
    cr_expect_eq(result, 0);
    expect_value("basket", "3");
    cr_expect(send_to("POST", "/login", NULL));
    expect_value("user", "ada");
    expect_value("basket", "3");
    cr_expect_not(send_to("GET", "/nothing", NULL), "nothing has changed");
    send_to("DELETE", "/value?name=basket", NULL);
    cr_expect_eq(result, 0);
    expect_value("basket", "(none)");
    send_to("DELETE", "/value?name=basket", NULL);
    cr_expect_eq(result, SVC_ENOTFOUND);
    expect_value("user", "ada");
    cr_expect(send_to("POST", "/logout", NULL));
    cr_expect_str_eq(cookie, "", "the browser drops it");
    expect_value("user", "(none)");
}

Test(session, a_sealed_session_lives_from_its_first_value_to_its_end)
{
    open_sealed();
    try_life();
}

Test(session, so_does_one_in_memory)
{
    open_stored("memory:");
    try_life();
}

Test(session, so_does_one_in_a_store_that_waits)
{
    open_stored(shared_url);
    try_life();
}

/* ---- What is counted */

static double events(const char *event)
{
    char series[64];
    snprintf(series, sizeof series, "session_events_total{event=\"%s\"}", event);
    return svc_test_metric(app, series);
}

static void expect_events(int opened, int rotated, int ended, int refused)
{
    cr_expect_eq(events("opened"), opened);
    cr_expect_eq(events("rotated"), rotated);
    cr_expect_eq(events("ended"), ended);
    cr_expect_eq(events("refused"), refused);
}

/* `old_ones` cookies that a log-out has ended lead to no session. */
static void try_counts(int old_ones)
{
    char old[sizeof cookie];
    send_to("GET", "/nothing", NULL);
    send_to("POST", "/logout", NULL);
    expect_events(0, 0, 0, 0);
    send_to("PUT", "/value?name=basket", "3");
    send_to("PUT", "/value?name=basket", "4");
    expect_events(1, 0, 0, 0);
    send_to("POST", "/login", NULL);
    expect_value("user", "ada");
    expect_events(1, 1, 0, 0);
    memcpy(old, cookie, sizeof old);
    send_to("POST", "/logout", NULL);
    expect_events(1, 1, 1, 0);
    expect_value_with(old, "user", old_ones ? "(none)" : "ada");
    expect_value_with("__Host-session=AAAA", "user", "(none)");
    expect_events(1, 1, 1, old_ones + 1);
    cr_expect_eq(svc_test_metric(app, "session_store_failures_total"), 0);
}

Test(session, what_happens_to_sessions_is_counted)
{
    open_sealed();
    try_counts(0);
    cookie[0] = '\0';
    restart();
    open_stored("memory:");
    try_counts(1);
}

static void try_names(void)
{
    send_to("PUT", "/value?name=a", "1");
    send_to("PUT", "/value?name=a+b", "1");
    cr_expect_eq(result, SVC_EINVAL);
    send_to("PUT", "/value?name=", "1");
    cr_expect_eq(result, SVC_EINVAL);
    expect_value("a", "1");
    expect_value("a+b", "(none)");
}

Test(session, a_bad_name_changes_nothing)
{
    open_sealed();
    try_names();
}

Test(session, another_instance_knows_the_session)
{
    open_sealed();
    send_to("POST", "/login", NULL);
    restart();
    open_sealed();
    expect_value("user", "ada");
    cookie[0] = '\0';
    restart();
    open_stored(shared_url);
    send_to("POST", "/login", NULL);
    expect_value("user", "ada"); /* by now the loop has written it */
    restart();
    open_stored(shared_url);
    expect_value("user", "ada");
}

Test(session, outside_of_the_middleware_there_is_none)
{
    svc_app_get(app, "/value", get_value, NULL);
    svc_app_post(app, "/login", log_in, NULL);
    svc_app_post(app, "/logout", log_out, NULL);
    svc_app_put(app, "/value", set_value, NULL);
    svc_app_delete(app, "/value", remove_value, NULL);
    static const char *const asked[][2] = {{"POST", "/login"},
                                           {"POST", "/logout"},
                                           {"PUT", "/value?name=a"},
                                           {"DELETE", "/value?name=a"}};
    for (size_t i = 0; i < sizeof asked / sizeof *asked; i++) {
        send_to(asked[i][0], asked[i][1], NULL);
        cr_expect_eq(result, SVC_ESTATE);
    }
    expect_value("a", "(none)");
    cr_expect_null(svc_session_get(NULL, "a"));
    cr_expect_eq(svc_session_set(NULL, "a", "b"), SVC_ESTATE);
    cr_expect_eq(svc_session_remove(NULL, "a"), SVC_ESTATE);
    cr_expect_eq(svc_session_renew(NULL), SVC_ESTATE);
    cr_expect_eq(svc_session_end(NULL), SVC_ESTATE);
}

/* ---- The cookie */

static void expect_attributes(const char *name, const char *attributes)
{
    svc_reply *reply = send_with("POST", "/login", NULL, "");
    const char *set = svc_reply_header(reply, "Set-Cookie");
    cr_assert(set);
    cr_expect(!strncmp(set, name, strlen(name)) && set[strlen(name)] == '=', "%s", set);
    cr_expect_str_eq(set + strcspn(set, ";"), attributes);
    cr_expect_str_eq(svc_reply_header(reply, "Cache-Control"), "no-store");
    svc_reply_free(reply);
}

Test(session, its_cookie_is_for_this_host_and_no_script)
{
    open_sealed();
    expect_attributes("__Host-session", "; Path=/; HttpOnly; SameSite=Lax; Secure");
    restart();
    svc_session_options options = sealed();
    options.flags = SVC_SESSION_STRICT;
    options.name = "__Host-id";
    add_routes(&options);
    expect_attributes("__Host-id", "; Path=/; HttpOnly; SameSite=Strict; Secure");
    restart();
    options.flags = SVC_SESSION_INSECURE;
    options.name = NULL;
    add_routes(&options);
    expect_attributes("session", "; Path=/; HttpOnly; SameSite=Lax");
}

Test(session, a_cookie_of_another_name_is_none)
{
    char other[5100];
    open_sealed();
    send_to("POST", "/login", NULL);
    snprintf(other, sizeof other, "__Host-session2%s", strchr(cookie, '='));
    expect_value_with(other, "user", "(none)");
    snprintf(other, sizeof other, "__Host-Session%s", strchr(cookie, '='));
    expect_value_with(other, "user", "(none)");
    snprintf(other, sizeof other, "a=b; %s; c=d", cookie);
    expect_value_with(other, "user", "ada");
    restart();
    svc_session_options options = sealed();
    options.name = "__Host-other";
    add_routes(&options);
    snprintf(other, sizeof other, "__Host-other%s", strchr(cookie, '='));
    expect_value_with(other, "user", "(none)");
}

Test(session, of_two_cookies_none_counts)
{
    char two[10100];
    open_sealed();
    send_to("POST", "/login", NULL);
    snprintf(two, sizeof two, "%s; __Host-session=x", cookie);
    expect_value_with(two, "user", "(none)");
    snprintf(two, sizeof two, "%s;%s", cookie, cookie);
    expect_value_with(two, "user", "(none)");
    snprintf(two, sizeof two, "%s; __Host-session", cookie);
    expect_value_with(two, "user", "ada");
    const char *const headers[] = {"Cookie", cookie, "Cookie", cookie, NULL};
    svc_test test = SVC_TEST_INIT;
    test.target = "/value?name=user";
    test.headers = headers;
    svc_reply *reply = svc_app_test(app, &test);
    cr_assert(reply);
    cr_expect_str_eq(svc_reply_body(reply, NULL), "(none)");
    svc_reply_free(reply);
}

Test(session, a_cookie_that_was_changed_is_none)
{
    open_sealed();
    send_to("POST", "/login", NULL);
    char *value = strchr(cookie, '=') + 1;
    for (size_t i = 0; value[i]; i += 7) {
        char right = value[i];
        value[i] = right == 'A' ? 'B' : 'A';
        expect_value("user", "(none)");
        value[i] = right;
    }
    expect_value("user", "ada");
}

Test(session, a_session_that_does_not_fit_is_refused_whole)
{
    static char body[5000];
    size_t len = 2900;
    open_sealed();
    memset(body, 'v', len);
    send_to("POST", "/login", NULL);
    for (result = 0; !result && len < sizeof body - 1; len++) {
        body[len - 1] = 'v';
        body[len] = '\0';
        char before[sizeof cookie];
        memcpy(before, cookie, sizeof before);
        bool sets = send_to("PUT", "/value?name=a", body);
        cr_expect_eq(sets, !result);
        cr_expect(result == 0 || !strcmp(before, cookie));
    }
    cr_expect_eq(result, SVC_ETOOBIG);
    size_t sent = strlen(cookie) + strlen("; Path=/; HttpOnly; SameSite=Lax; Secure");
    cr_expect(sent <= 4096 && sent > 4088, "%zu bytes", sent);
    expect_value("user", "ada");
    body[len - 2] = '\0';
    expect_value("a", body);
}

Test(session, a_session_in_a_store_is_larger)
{
    static char body[33000];
    open_stored("memory:");
    memset(body, 'v', 32000);
    send_to("PUT", "/value?name=a", body);
    cr_expect_eq(result, 0);
    expect_value("a", body);
    memset(body, 'v', 32768);
    send_to("PUT", "/value?name=a", body);
    cr_expect_eq(result, SVC_ETOOBIG);
    cr_expect_lt(strlen(cookie), 100);
}

/* ---- Fixation and replay */

Test(session, a_log_in_ends_the_id_of_before)
{
    char planted[sizeof cookie];
    open_stored("memory:");
    send_to("PUT", "/value?name=basket", "3");
    memcpy(planted, cookie, sizeof planted);
    send_to("POST", "/login", NULL);
    cr_expect_str_neq(planted, cookie);
    expect_value_with(planted, "user", "(none)");
    expect_value_with(planted, "basket", "(none)");
    expect_value("user", "ada");
}

Test(session, an_id_that_nobody_gave_is_not_taken)
{
    open_stored("memory:");
    snprintf(cookie, sizeof cookie, "__Host-session=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA");
    char planted[sizeof cookie];
    memcpy(planted, cookie, sizeof planted);
    send_to("PUT", "/value?name=basket", "3");
    cr_expect_str_neq(planted, cookie);
    expect_value_with(planted, "basket", "(none)");
    expect_value("basket", "3");
}

Test(session, after_a_log_out_the_store_has_no_session)
{
    char old[sizeof cookie];
    open_stored("memory:");
    send_to("POST", "/login", NULL);
    memcpy(old, cookie, sizeof old);
    send_to("POST", "/logout", NULL);
    expect_value_with(old, "user", "(none)");
}

/* As docs/sessions.md says. */
Test(session, a_copy_of_a_sealed_cookie_outlives_the_log_out)
{
    char old[sizeof cookie];
    open_sealed();
    send_to("POST", "/login", NULL);
    memcpy(old, cookie, sizeof old);
    send_to("POST", "/logout", NULL);
    expect_value_with(old, "user", "ada");
}

static int log_in_after_log_out(svc_request *req, svc_response *res)
{
    result = svc_session_end(req);
    cr_expect_null(svc_session_get(req, "user"));
    cr_expect_eq(svc_session_set(req, "user", "bob"), 0);
    cr_expect_str_eq(svc_session_get(req, "user"), "bob");
    return svc_response_empty(res, 204);
}

Test(session, a_session_that_begins_after_another_has_an_id_of_its_own)
{
    char old[sizeof cookie];
    open_stored("memory:");
    svc_app_post(app, "/switch", log_in_after_log_out, NULL);
    send_to("POST", "/login", NULL);
    memcpy(old, cookie, sizeof old);
    cr_expect(send_to("POST", "/switch", NULL));
    expect_value_with(old, "user", "(none)");
    expect_value("user", "bob");
}

/* A request is under way while another one ends its session. */
static int end_elsewhere(svc_request *req, svc_response *res)
{
    svc_reply_free(send_with("POST", "/logout", NULL, cookie));
    result = svc_session_set(req, "late", "1");
    return svc_response_empty(res, 204);
}

Test(session, a_session_that_was_ended_does_not_come_back)
{
    open_stored("memory:");
    svc_app_post(app, "/elsewhere", end_elsewhere, NULL);
    send_to("POST", "/login", NULL);
    send_to("POST", "/elsewhere", NULL);
    expect_value("user", "(none)");
    expect_value("late", "(none)");
}

/* ---- Time and keys */

Test(session, a_session_in_a_store_ends_when_it_was_not_used)
{
    open_stored("memory:");
    send_to("POST", "/login", NULL);
    cr_assert_eq(svc_test_store_age(svc_test_store(app), 1790000), 0);
    expect_value("user", "ada");
    cr_assert_eq(svc_test_store_age(svc_test_store(app), 20000), 0);
    expect_value("user", "(none)");
}

/* The browser's cookie, sealed by the service's key, of a session of the past. */
static void make_cookie(uint64_t begun_ago_s, uint64_t used_ago_s)
{
    static const char values[] = "user\0ada";
    uint64_t now_s = (uint64_t)time(NULL);
    struct session_record record = {now_s - begun_ago_s, now_s - used_ago_s, values, sizeof values};
    struct session_keys keys;
    char text[100], scratch[200], sealed_text[300];
    unsigned line;
    cr_assert_eq(svc__session_seal_read_keys(KEY_A, &keys, &line), 0);
    size_t len = svc__session_record_write(&record, text);
    svc__session_seal_write(&keys, "__Host-session", text, len, scratch, sealed_text);
    snprintf(cookie, sizeof cookie, "__Host-session=%s", sealed_text);
}

/* Whether a reply to the use of the session has the cookie anew. */
static bool is_renewed(void)
{
    svc_reply *reply = send_with("GET", "/value?name=user", NULL, cookie);
    bool renewed = svc_reply_header(reply, "Set-Cookie") != NULL;
    svc_reply_free(reply);
    return renewed;
}

/* The limits are 1800 s of idleness and 43200 s of age; the tests leave a minute for themselves. */
Test(session, a_sealed_session_ends_by_idleness_and_by_age)
{
    open_sealed();
    make_cookie(5000, 1740);
    expect_value("user", "ada");
    make_cookie(5000, 1800);
    expect_value("user", "(none)");
    make_cookie(43140, 10);
    expect_value("user", "ada");
    make_cookie(43200, 10);
    expect_value("user", "(none)");
}

Test(session, a_sealed_session_that_is_used_is_sealed_anew_now_and_then)
{
    open_sealed();
    make_cookie(5000, 100);
    cr_expect_not(is_renewed());
    make_cookie(5000, 180);
    cr_expect(is_renewed());
    make_cookie(5000, 1800);
    cr_expect_not(is_renewed(), "it has ended");
}

Test(session, keys_rotate_without_a_log_out)
{
    open_sealed();
    send_to("POST", "/login", NULL);
    write_keys(KEY_B "\n" KEY_A "\n");
    restart();
    open_sealed();
    expect_value("user", "ada");
    send_to("PUT", "/value?name=a", "1");
    write_keys(KEY_B "\n");
    restart();
    open_sealed();
    expect_value("user", "ada");
    write_keys(KEY_A "\n");
    restart();
    open_sealed();
    expect_value("user", "(none)");
}

/* ---- A store that waits, or fails, and set-up */

static double count_writes(const char *operation)
{
    char series[120];
    snprintf(series, sizeof series,
             "svc_store_operations_total{backend=\"shared\",operation=\"%s\",outcome=\"ok\"}",
             operation);
    return svc_test_metric(app, series);
}

/* The shared store answers loops in a later turn: an answer that did not wait would be here by
 * then. */
Test(session, an_answer_comes_when_the_store_has_its_session)
{
    open_stored(shared_url);
    cr_expect(send_to("POST", "/login", NULL));
    cr_expect_eq(count_writes("add"), 1);
    cr_expect_not(send_to("PUT", "/value?name=basket", "3"));
    cr_expect_eq(count_writes("compare_and_set"), 1);
    cr_expect(send_to("POST", "/login", NULL), "with another id");
    cr_expect_eq(count_writes("delete"), 1, "of before");
    cr_expect_eq(count_writes("add"), 2);
    cr_expect(send_to("POST", "/logout", NULL));
    cr_expect_eq(count_writes("delete"), 2);
    expect_events(1, 1, 1, 0);
}

static int log_in_without_store(svc_request *req, svc_response *res)
{
    unlink(shared_path);
    return log_in(req, res);
}

static int log_out_without_store(svc_request *req, svc_response *res)
{
    unlink(shared_path);
    return log_out(req, res);
}

static void expect_failure(const char *target)
{
    svc_reply *reply = send_with("POST", target, NULL, cookie);
    cr_expect_eq(svc_reply_status(reply), 500);
    cr_expect_null(svc_reply_header(reply, "Set-Cookie"));
    svc_reply_free(reply);
    cr_expect_eq(svc_test_metric(app, "session_store_failures_total"), 1);
}

/* The store fails between the handler's begin and the answer. */
static void open_failing(const char *target, svc_handler *handler)
{
    open_stored(shared_url);
    svc_app_post(app, target, handler, NULL);
}

Test(session, a_session_that_cannot_be_written_gets_no_cookie)
{
    open_failing("/fail", log_in_without_store);
    expect_failure("/fail");
    expect_events(0, 0, 0, 0);
}

Test(session, a_session_that_cannot_be_removed_is_not_said_to_have_ended)
{
    open_failing("/fail", log_out_without_store);
    cr_expect(send_to("POST", "/login", NULL));
    expect_failure("/fail");
    expect_events(1, 0, 0, 0);
}

Test(session, without_its_store_no_request_with_a_cookie_is_served)
{
    open_stored(shared_url);
    send_to("POST", "/login", NULL);
    unlink(shared_path);
    svc_reply *reply = send_with("GET", "/nothing", NULL, cookie);
    cr_expect_eq(svc_reply_status(reply), 503);
    svc_reply_free(reply);
    reply = send_with("GET", "/nothing", NULL, "");
    cr_expect_eq(svc_reply_status(reply), 204);
    svc_reply_free(reply);
}

static void expect_mistake(svc_session_options options, const char *report)
{
    svc_app_use(app, svc_session_new(app, &options));
    cr_expect_null(svc_app_test_get(app, "/"));
    cr_expect(strstr(svc_app_errors(app), report), "\"%s\" is not in %s", report,
              svc_app_errors(app));
    cr_expect_null(strstr(svc_app_errors(app), "00112233"), "no key is shown");
    restart();
}

Test(session, a_bad_option_or_file_fails_the_start)
{
    svc_session_options options = sealed();
    options.flags = 1u << 7;
    expect_mistake(options, "flags");
    options = sealed();
    options.name = "a b";
    expect_mistake(options, "cookie's");
    options.name = "__Host-a";
    options.flags = SVC_SESSION_INSECURE;
    expect_mistake(options, "__Host-");
    options.name = "__secure-a";
    expect_mistake(options, "__Secure-");
    static char long_name[129];
    memset(long_name, 'a', 128);
    options.name = long_name;
    expect_mistake(options, "127 bytes");
    options = sealed();
    options.idle_s = 59;
    expect_mistake(options, "idle_s");
    options = sealed();
    options.absolute_s = options.idle_s - 1;
    expect_mistake(options, "absolute_s");
    options = sealed();
    options.store = svc_store_open(app, NULL);
    expect_mistake(options, "no keys");
    options = sealed();
    options.keys_file = NULL;
    expect_mistake(options, "session_keys_file");
    options.keys_file = "/nowhere/keys";
    expect_mistake(options, "/nowhere/keys");
    options = sealed();
    options.size = 3;
    expect_mistake(options, "SVC_SESSION_OPTIONS_INIT");
    write_keys("\n" KEY_A "0\n");
    expect_mistake(sealed(), "line 2");
    write_keys("# none\n");
    expect_mistake(sealed(), "64 hexadecimal");
}

Test(session, the_setting_names_the_file)
{
    svc_session_options options = SVC_SESSION_OPTIONS_INIT;
    setenv("SITE_SESSION_KEYS_FILE", keys_path, 1);
    add_routes(&options);
    cr_assert_eq(svc_app_read_environment(app, "SITE"), 0, "%s", svc_app_errors(app));
    send_to("POST", "/login", NULL);
    expect_value("user", "ada");
}
