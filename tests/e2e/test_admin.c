/* The admin pages: they answer at all times, and report the state of the service. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tests/e2e/served.h"
#include "tests/support/life.h"

enum { LOOPS = 2 };

static void start(void)
{
    static const char *const settings[] = {"SVC_THREADS=2", NULL};
    serve("server_life", settings);
}

TestSuite(admin, .init = start, .fini = serve_no_more);

/* Sends a request to `address`, and returns the body, which the caller owns. */
static char *get(const char *address, const char *target, const char *fields, int status)
{
    struct client *client = client_connect(address);
    cr_assert(client);
    client_printf(client, "GET %s HTTP/1.1\r\nHost: a\r\n%s\r\n", target, fields);
    struct client_reply reply = client_read(client, false);
    cr_expect_eq(reply.status, status, "%s: %d %s", target, reply.status,
                 client_end_name(reply.end));
    char vary[32] = "";
    client_reply_field(&reply, "Vary", vary, sizeof vary);
    bool negotiated = status == 404 || !strcmp(target, "/readyz");
    cr_expect_str_eq(vary, negotiated ? "Accept" : "", "%s", target);
    char *body = strdup(reply.body);
    client_reply_free(&reply);
    client_close(client);
    return body;
}

static void expect(const char *target, const char *fields, int status, const char *body)
{
    char *text = get(process_admin(server), target, fields, status);
    cr_expect_str_eq(text, body);
    free(text);
}

static void set_check(int value)
{
    char target[32];
    snprintf(target, sizeof target, "/fail/%d", value);
    free(get(process_address(server, 0), target, "", 200));
}

Test(admin, liveness_is_that_it_answers)
{
    expect("/livez", "", 200, "ok\n");
}

Test(admin, readiness_names_its_checks)
{
    expect("/readyz", "", 200, "ok switch\nready\n");
    expect("/readyz", "Accept: application/json\r\n", 200,
           "{\"status\":\"ready\",\"draining\":false,\"checks\":{\"switch\":\"ok\"}}");
    set_check(1);
    expect("/readyz", "", 503, "failed switch\nnot ready\n");
    expect("/readyz", "Accept: application/json\r\n", 503,
           "{\"status\":\"not ready\",\"draining\":false,\"checks\":{\"switch\":\"failed\"}}");
    set_check(0);
    expect("/readyz", "", 200, "ok switch\nready\n");
}

/* ---- A check that does not answer */

static struct client *probe(void)
{
    struct client *client = client_connect(process_admin(server));
    cr_assert(client);
    client_send_text(client, "GET /readyz HTTP/1.1\r\nHost: a\r\n\r\n");
    return client;
}

/* Reads the answer to a probe, checks its `status`, and returns its body. */
static char *read_probe(struct client *client, int status)
{
    struct client_reply reply = client_read(client, false);
    cr_expect_eq(reply.status, status, "%d %s", reply.status, client_end_name(reply.end));
    char *body = strdup(reply.body);
    client_reply_free(&reply);
    client_close(client);
    return body;
}

/* Restarts with a check that is late after so many milliseconds. */
static void restart(const char *timeout)
{
    const char *const settings[] = {timeout, NULL};
    serve_no_more();
    serve("server_life", settings);
}

static void await_ready(void)
{
    for (int status = 0; status != 200;) {
        struct client *client = probe();
        struct client_reply reply = client_read(client, false);
        cr_assert_eq(reply.end, CLIENT_REPLY, "%s", client_end_name(reply.end));
        status = reply.status;
        client_reply_free(&reply);
        client_close(client);
    }
}

Test(admin, pages_answer_while_a_check_does_not)
{
    restart("SVC_CHECK_TIMEOUT_MS=3600000");
    set_check(-1);
    struct client *waiting = probe();
    cr_assert(process_await_log(server, "check hangs", PROCESS_WAIT_MS));
    expect("/livez", "", 200, "ok\n");
    cr_expect_eq(client_metric(process_admin(server), "svc_connections"), 0);
    cr_expect(process_tell(server, (char[]){LIFE_ANSWER, '\0'}));
    char *body = read_probe(waiting, 503);
    cr_expect_str_eq(body, "failed switch\nnot ready\n");
    free(body);
    set_check(0);
    expect("/readyz", "", 200, "ok switch\nready\n");
}

Test(admin, a_check_that_does_not_answer_in_time_is_late_until_it_does)
{
    restart("SVC_CHECK_TIMEOUT_MS=50");
    set_check(-1);
    char *body = read_probe(probe(), 503);
    cr_expect_str_eq(body, "late switch, no answer yet\nnot ready\n");
    free(body);
    expect("/readyz", "Accept: application/json\r\n", 503,
           "{\"status\":\"not ready\",\"draining\":false,\"checks\":{\"switch\":\"late\"},"
           "\"late\":{\"switch\":{}}}");
    set_check(0); /* for the calls after the hanging one */
    cr_expect(process_tell(server, (char[]){LIFE_ANSWER, '\0'}));
    await_ready();
    set_check(-1);
    body = read_probe(probe(), 503);
    cr_expect_eq(strncmp(body, "late switch, ok ", 16), 0, "%s", body);
    cr_expect(strstr(body, " ms ago\nnot ready\n"), "%s", body);
    free(body);
    cr_expect(process_tell(server, (char[]){LIFE_ANSWER, '\0'}));
}

Test(admin, metrics_count_what_was_served)
{
    const char *address = process_address(server, 0);
    for (int i = 0; i < 5; i++)
        free(get(address, "/hello/x", "", 200));
    for (int i = 0; i < 3; i++)
        free(get(address, "/none", "", 404));
    const char *admin = process_admin(server);
    cr_expect(client_await_metric(admin, "http_server_request_duration_seconds_count", 8));
    cr_expect_eq(client_metric(admin, "http_server_request_duration_seconds_count{status_code=\"2"),
                 5);
    cr_expect_eq(client_metric(admin, "http_server_request_duration_seconds_count{status_code=\"4"),
                 3);
    cr_expect_eq(client_metric(admin, "http_server_active_requests"), 0);
    cr_expect_eq(client_metric(admin, "svc_connections_accepted_total"), 8);
    cr_expect_eq(client_metric(admin, "svc_log_lines_dropped_total"), 0);
}

Test(admin, metrics_of_the_process_are_those_of_the_system)
{
    const char *admin = process_admin(server);
    cr_expect_geq(client_metric(admin, "process_open_fds"), 4);
    cr_expect_leq(client_metric(admin, "process_open_fds"),
                  client_metric(admin, "process_max_fds"));
    cr_expect_geq(client_metric(admin, "process_threads"), LOOPS + 1);
    cr_expect_geq(client_metric(admin, "process_resident_memory_bytes"), 100000);
    cr_expect_geq(client_metric(admin, "process_virtual_memory_bytes"),
                  client_metric(admin, "process_resident_memory_bytes"));
    cr_expect_geq(client_metric(admin, "process_cpu_seconds_total"), 0);
    long age = (long)time(NULL) - client_metric(admin, "process_start_time_seconds");
    cr_expect(age >= -1 && age < 3600, "%ld", age);
    cr_expect_eq(client_metric(admin, "svc_build_info{version=\"0."), 1);
}

static void expect_unblocked(struct client *client)
{
    struct client_reply reply = client_read(client, false);
    cr_expect_str_eq(reply.body, "unblocked", "%s", client_end_name(reply.end));
    client_reply_free(&reply);
    client_close(client);
}

Test(admin, pages_answer_while_every_loop_is_blocked)
{
    struct client *blockers[LOOPS], *waiting;
    cr_assert(life_block(server, blockers, LOOPS));
    waiting = client_connect(process_address(server, 0));
    cr_assert(waiting);
    client_send_text(waiting, "GET /hello/x HTTP/1.1\r\nHost: a\r\n\r\n");
    expect("/livez", "", 200, "ok\n");
    expect("/readyz", "", 200, "ok switch\nready\n");
    cr_expect_eq(client_metric(process_admin(server), "svc_connections"), LOOPS);
    cr_expect_not(client_readable(waiting, 1), "a loop is left");

    cr_expect(life_unblock(server, LOOPS));
    for (size_t i = 0; i < LOOPS; i++)
        expect_unblocked(blockers[i]);
    struct client_reply reply = client_read(waiting, false);
    cr_expect_eq(reply.status, 200, "%s", client_end_name(reply.end));
    client_reply_free(&reply);
    client_close(waiting);
}

Test(admin, no_cache_stores_a_page_whatever_its_status)
{
    static const struct {
        const char *request;
        int status;
    } rows[] = {
        {"GET /livez", 200},  {"GET /readyz", 200},   {"HEAD /metrics", 200},
        {"GET /none", 404},   {"POST /metrics", 405}, {"OPTIONS /livez", 204},
        {"GET //livez", 308}, {"BREW /livez", 501},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct client *client = client_connect(process_admin(server));
        cr_assert(client);
        client_printf(client, "%s HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n",
                      rows[i].request);
        struct client_reply reply = client_read(client, rows[i].request[0] == 'H');
        char value[32] = "";
        client_reply_field(&reply, "Cache-Control", value, sizeof value);
        cr_expect_eq(reply.status, rows[i].status, "%s: %d", rows[i].request, reply.status);
        cr_expect_str_eq(value, "no-store", "%s", rows[i].request);
        client_reply_free(&reply);
        client_close(client);
    }
}

Test(admin, pages_of_the_service_are_not_among_them)
{
    free(get(process_admin(server), "/hello/x", "", 404));
    free(get(process_address(server, 0), "/livez", "", 404));
}
