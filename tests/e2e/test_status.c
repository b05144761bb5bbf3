/* The status page, its JSON, and the requests in flight that SIGUSR1 has logged. */
#include <criterion/criterion.h>
#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "tests/e2e/served.h"
#include "tests/support/life.h"

/* Requests that are shown and logged: CENSUS_FLIGHTS. */
enum { LISTED = 100, CROWD = 1000 };

static void start(void)
{
    static const char *const settings[] = {"SVC_DEBUG_PAGES=on", "SVC_THREADS=1", NULL};
    serve("server_status", settings);
}

TestSuite(status, .init = start);

static struct client *ask(const char *address, const char *target, const char *fields)
{
    struct client *client = client_connect(address);
    cr_assert(client);
    client_printf(client, "GET %s HTTP/1.1\r\nHost: localhost\r\n%s\r\n", target, fields);
    return client;
}

/* The reply of the admin listener, which the caller frees. */
static struct client_reply read_admin(const char *target)
{
    struct client *client = ask(process_admin(server), target, "");
    struct client_reply reply = client_read(client, false);
    client_close(client);
    return reply;
}

static void expect_answer(struct client *client, int status)
{
    struct client_reply reply = client_read(client, false);
    cr_expect_eq(reply.status, status, "%d %s", reply.status, client_end_name(reply.end));
    client_reply_free(&reply);
    client_close(client);
}

/* ---- The JSON */

static json_t *read_vars(void)
{
    json_error_t error;
    struct client_reply reply = read_admin("/debug/vars");
    cr_assert_eq(reply.status, 200, "%d %s", reply.status, client_end_name(reply.end));
    json_t *vars = json_loadb(reply.body, reply.body_len, JSON_REJECT_DUPLICATES, &error);
    cr_assert(vars, "%s in %s", error.text, reply.body);
    client_reply_free(&reply);
    return vars;
}

static json_t *rows_of(const json_t *vars, const char *table)
{
    json_t *rows = json_object_get(json_object_get(vars, table), "rows");
    cr_assert(json_is_array(rows), "%s", table);
    return rows;
}

static const char *text_of(const json_t *row, const char *key)
{
    const char *text = json_string_value(json_object_get(row, key));
    cr_assert(text, "%s", key);
    return text;
}

static double number_of(const json_t *row, const char *key)
{
    const json_t *number = json_object_get(row, key);
    cr_assert(json_is_number(number), "%s", key);
    return json_number_value(number);
}

/* The first row whose member `key` is `value`; NULL. */
static const json_t *find_row(const json_t *vars, const char *table, const char *key,
                              const char *value)
{
    size_t i;
    json_t *row;
    json_array_foreach(rows_of(vars, table), i,
                       row) if (!strcmp(text_of(row, key), value)) return row;
    return NULL;
}

static size_t count_in_flight(const json_t *vars)
{
    const json_t *left_out = json_object_get(json_object_get(vars, "in_flight"), "left_out");
    return json_array_size(rows_of(vars, "in_flight")) + (size_t)json_integer_value(left_out);
}

/* The JSON, once so many requests are in flight; the one for it is among them. */
static json_t *await_in_flight(size_t count)
{
    for (;;) {
        json_t *vars = read_vars();
        if (count_in_flight(vars) >= count)
            return vars;
        json_decref(vars);
    }
}

/* ---- When it is there */

Test(status, pages_are_off_by_default)
{
    static const char *const targets[] = {"/debug/", "/debug/vars", "/debug"};
    serve_no_more();
    serve("server_status", NULL);
    for (size_t i = 0; i < 3; i++)
        expect_answer(ask(process_admin(server), targets[i], ""), 404);
    serve_no_more();
}

Test(status, a_name_of_another_site_is_refused)
{
    struct client *client = client_connect(process_admin(server));
    client_printf(client, "GET /debug/vars HTTP/1.1\r\nHost: evil.example\r\n\r\n");
    expect_answer(client, 421);
    serve_no_more();
}

Test(status, nothing_can_be_changed)
{
    static const char *const methods[] = {"POST", "PUT", "PATCH", "DELETE"};
    for (size_t i = 0; i < 4; i++) {
        struct client *client = client_connect(process_admin(server));
        client_printf(client, "%s /debug/ HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n",
                      methods[i]);
        expect_answer(client, 405);
    }
    serve_no_more();
}

/* ---- What it shows */

Test(status, every_table_is_there)
{
    static const char *const tables[] = {"service",  "routes",     "in_flight", "loops",
                                         "workers",  "tasks",      "listeners", "metrics",
                                         "settings", "route_table"};
    struct client_reply page = read_admin("/debug/");
    json_t *vars = read_vars();
    cr_expect_eq(page.status, 200);
    for (size_t i = 0; i < sizeof tables / sizeof *tables; i++) {
        char id[64];
        snprintf(id, sizeof id, "<table id=\"%s\">", tables[i]);
        cr_expect(strstr(page.body, id), "%s", tables[i]);
        cr_expect(json_array_size(rows_of(vars, tables[i])) > 0 || !strcmp(tables[i], "routes"),
                  "%s", tables[i]);
    }
    cr_expect(find_row(vars, "tasks", "name", "idler"));
    const json_t *listener = find_row(vars, "listeners", "address", process_admin(server));
    cr_assert(listener);
    cr_expect_str_eq(text_of(listener, "server"), "admin pages");
    cr_expect_str_eq(text_of(listener, "front"), process_front());
    cr_expect(find_row(vars, "route_table", "pattern", "GET /hello/{name}"));
    cr_expect(find_row(vars, "route_table", "pattern", "GET /debug/vars"));
    cr_expect(find_row(vars, "metrics", "name", "process_open_fds"));
    cr_expect_str_eq(text_of(find_row(vars, "workers", "server", "service"), "state"), "ok");
    json_decref(vars);
    client_reply_free(&page);
    serve_no_more();
}

Test(status, routes_have_rates_and_errors)
{
    const char *address = process_address(server, 0), *admin = process_admin(server);
    for (int i = 0; i < 6; i++)
        expect_answer(ask(address, i % 3 ? "/hello/ada" : "/fail", ""), i % 3 ? 200 : 500);
    cr_assert(client_await_metric(admin, "http_server_request_duration_seconds_count", 6));
    json_t *vars = read_vars();
    const json_t *hello = find_row(vars, "routes", "route", "/hello/{name}"),
                 *fail = find_row(vars, "routes", "route", "/fail");
    cr_assert(hello && fail);
    cr_expect_eq(number_of(hello, "requests"), 4);
    cr_expect_eq(number_of(hello, "errors"), 0);
    cr_expect_eq(number_of(fail, "errors"), 2);
    cr_expect_eq(number_of(fail, "error_share"), 1);
    cr_expect_eq(number_of(hello, "error_share"), 0);
    cr_expect_gt(number_of(hello, "per_s"), 0);
    cr_expect_gt(number_of(hello, "p99_s"), 0);
    cr_expect_geq(number_of(hello, "p99_s"), number_of(hello, "p50_s"));
    cr_expect_gt(number_of(hello, "window_s"), 0);
    json_decref(vars);
    serve_no_more();
}

/* What is secret: the value of a setting, and what clients send beside method, path and id. */
static void expect_no_secret(const char *text, const char *where)
{
    cr_expect_not(strstr(text, "squeamish"), "the setting's value in %s", where);
    cr_expect_not(strstr(text, "hushhush"), "what the client has sent in %s", where);
}

Test(status, nothing_secret_is_shown)
{
    struct client *client =
        ask(process_address(server, 0),
            "/raw%FF%3Cscript%3Ealert(1)%3C/script%3E%22'&/hushhush?q=hushhush",
            "Cookie: c=hushhush\r\nAuthorization: Bearer hushhush\r\nX-Request-Id: my-id-17\r\n");
    json_t *vars = await_in_flight(2);
    struct client_reply page = read_admin("/debug/"), json = read_admin("/debug/vars");
    cr_expect(find_row(vars, "in_flight", "id", "my-id-17"));
    cr_expect(strstr(page.body, "my-id-17"));
    cr_expect(strstr(page.body, "SVC_PASSWORD"));
    expect_no_secret(page.body, "the page");
    expect_no_secret(json.body, "the JSON");
    cr_expect_str_eq(text_of(find_row(vars, "settings", "name", "SVC_PASSWORD"), "value"),
                     "********");
    cr_assert(process_signal(server, SIGUSR1));
    cr_assert(process_await_log(server, "my-id-17", PROCESS_WAIT_MS));
    char *log = process_copy_log(server);
    const char *line = strstr(log, "\"request in flight\"");
    cr_assert(line);
    expect_no_secret(line, "the log");
    free(log);
    client_reply_free(&page);
    client_reply_free(&json);
    json_decref(vars);
    life_release(server);
    expect_answer(client, 200);
    serve_no_more();
}

Test(status, names_that_are_markup_are_text)
{
    struct client *client =
        ask(process_address(server, 0), "/raw%FF%3Cscript%3Ealert(1)%3C/script%3E%22'&/7", "");
    json_t *vars = await_in_flight(2);
    struct client_reply page = read_admin("/debug/");
    cr_expect_not(strstr(page.body, "<script>"), "one with a nonce is all that there is");
    cr_expect_not(strstr(page.body, "<b>"));
    cr_expect(strstr(page.body, "<h1>&lt;b&gt;status&lt;/b&gt;</h1>"));
    cr_expect(
        strstr(page.body,
               "GET /raw\xef\xbf\xbd&lt;script&gt;alert(1)&lt;/script&gt;&quot;&#39;&amp;/{x}"));
    cr_expect_not(memchr(page.body, '\xff', page.body_len));
    cr_expect(find_row(vars, "in_flight", "route",
                       "GET /raw\xef\xbf\xbd<script>alert(1)</script>\"'&/{x}"));
    cr_expect_str_eq(text_of(json_array_get(rows_of(vars, "service"), 0), "name"), "<b>status</b>");
    client_reply_free(&page);
    json_decref(vars);
    life_release(server);
    expect_answer(client, 200);
    serve_no_more();
}

/* The nonce of a page, which its policy and its two elements have in common. */
static void read_nonce(char nonce[64])
{
    char policy[512] = "", element[128];
    struct client_reply page = read_admin("/debug/");
    cr_assert(client_reply_field(&page, "Content-Security-Policy", policy, sizeof policy));
    cr_expect_eq(strncmp(policy, "default-src 'none';", 19), 0, "%s", policy);
    const char *at = strstr(policy, "script-src 'nonce-");
    cr_assert(at);
    cr_assert_eq(sscanf(at, "script-src 'nonce-%32[0-9a-f]'", nonce), 1);
    snprintf(element, sizeof element, "<script nonce=\"%s\">", nonce);
    cr_expect(strstr(page.body, element));
    snprintf(element, sizeof element, "<style nonce=\"%s\">", nonce);
    cr_expect(strstr(page.body, element));
    cr_expect_not(strstr(page.body, "style=\""));
    cr_expect_not(strstr(page.body, "onclick"));
    cr_expect_not(strstr(page.body, "://"), "nothing is loaded from elsewhere");
    client_reply_free(&page);
}

Test(status, the_policy_allows_the_page_its_own_script_alone)
{
    char one[64] = "", other[64] = "";
    read_nonce(one);
    read_nonce(other);
    cr_expect_eq(strlen(one), 32);
    cr_expect_str_neq(one, other);
    serve_no_more();
}

/* ---- Loops that are held */

static struct client *block(int number)
{
    char line[32];
    struct client *client = ask(process_address(server, 0), "/block", "");
    snprintf(line, sizeof line, "\"number\":%d", number);
    cr_assert(process_await_log(server, line, PROCESS_WAIT_MS));
    return client;
}

Test(status, a_loop_that_is_held_is_shown_as_stuck)
{
    struct client *client = block(1);
    json_t *vars = read_vars();
    const json_t *loop = find_row(vars, "loops", "server", "service");
    cr_expect_str_eq(text_of(loop, "state"), "stuck");
    cr_expect_str_eq(text_of(loop, "stuck_in"), "GET /block");
    cr_expect(json_is_null(json_object_get(loop, "in_flight")));
    double first = number_of(loop, "stuck_s");
    json_decref(vars);

    vars = read_vars();
    cr_expect_gt(number_of(find_row(vars, "loops", "server", "service"), "stuck_s"), first);
    cr_expect_str_eq(text_of(find_row(vars, "loops", "server", "admin pages"), "state"), "ok");
    json_decref(vars);
    struct client_reply page = read_admin("/debug/");
    cr_expect(strstr(page.body, "data-state=\"stuck\""));
    client_reply_free(&page);

    cr_assert(process_signal(server, SIGUSR1));
    cr_expect(process_await_log(server, "a loop does not answer", PROCESS_WAIT_MS));
    life_unblock(server, 1);
    expect_answer(client, 200);
    for (bool ok = false; !ok;) {
        vars = read_vars();
        ok = !strcmp(text_of(find_row(vars, "loops", "server", "service"), "state"), "ok");
        json_decref(vars);
    }
    serve_no_more();
}

/* ---- Many requests */

static struct client **hold(size_t count)
{
    struct rlimit limit;
    cr_assert_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    struct client **clients = calloc(count, sizeof *clients);
    cr_assert(clients);
    for (size_t i = 0; i < count; i++)
        clients[i] = ask(process_address(server, 0), "/hold", "");
    return clients;
}

static void let_go(struct client **clients, size_t count)
{
    life_release(server);
    for (size_t i = 0; i < count; i++)
        expect_answer(clients[i], 200);
    free(clients);
}

Test(status, of_a_thousand_requests_the_oldest_are_shown)
{
    struct client **clients = hold(CROWD);
    json_t *vars = await_in_flight(CROWD + 1), *rows = rows_of(vars, "in_flight"), *row;
    size_t i;
    double last = 1e9;
    cr_expect_eq(json_array_size(rows), LISTED);
    cr_expect_geq(count_in_flight(vars), CROWD);
    json_array_foreach(rows, i, row)
    {
        cr_expect_leq(number_of(row, "age_s"), last);
        cr_expect_str_eq(text_of(row, "phase"), "deferred");
        cr_expect_str_eq(text_of(row, "method"), "GET");
        cr_expect_str_eq(text_of(row, "route"), "GET /hold");
        cr_expect_str_eq(text_of(row, "peer"), "127.0.0.1");
        cr_expect_gt(strlen(text_of(row, "id")), 0);
        last = number_of(row, "age_s");
    }
    struct client_reply page = read_admin("/debug/");
    cr_expect(strstr(page.body, " more</p>"));
    client_reply_free(&page);
    json_decref(vars);
    let_go(clients, CROWD);
    serve_no_more();
}

Test(status, sigusr1_logs_as_many_and_no_more)
{
    struct client **clients = hold(CROWD);
    json_decref(await_in_flight(CROWD + 1));
    cr_assert(process_signal(server, SIGUSR1));
    cr_expect(process_await_lines(server, "\"request in flight\"", LISTED, PROCESS_WAIT_MS));
    cr_expect(process_await_log(server, "\"count\":1000,\"listed\":100", PROCESS_WAIT_MS));
    let_go(clients, CROWD);
    serve_no_more();
}

Test(status, sigusr1_does_not_end_a_service_that_drains)
{
    static const char *const settings[] = {"SVC_DRAIN_TIMEOUT_MS=3600000", "SVC_THREADS=1", NULL};
    serve_no_more();
    serve("server_status", settings); /* it needs no page */
    struct client **clients = hold(1);
    while (client_metric(process_admin(server), "http_server_active_requests") < 1)
        continue;
    cr_assert(process_signal(server, SIGTERM));
    cr_assert(process_await_log(server, "\"draining\"", PROCESS_WAIT_MS));
    cr_assert(process_signal(server, SIGUSR1));
    cr_expect(process_await_log(server, "\"request in flight\"", PROCESS_WAIT_MS));
    let_go(clients, 1);
    await_exit(0);
}
