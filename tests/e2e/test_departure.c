/* Clients that leave during a request delay no other client, and neither do clients that stay. */
#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/client.h"
#include "tests/support/process.h"

static const char hello[] = "GET /hello/x HTTP/1.1\r\nHost: a\r\n\r\n";

static struct process *start(const char *program, const char *const *settings)
{
    struct process *server = process_start(process_program(program), settings, NULL);
    cr_assert(server);
    return server;
}

static struct client *connect_to(const struct process *server)
{
    struct client *client = client_connect(process_address(server, 0));
    cr_assert(client);
    return client;
}

static void expect_status(struct client *client, const char *request, int status)
{
    struct client_reply reply = client_exchange(client, request);
    cr_expect_eq(reply.status, status, "%s: %d %s", request, reply.status,
                 client_end_name(reply.end));
    client_reply_free(&reply);
}

/* On a kept connection, the last bytes and the end after them come as one event. */
static void expect_departure_noticed(const char *half)
{
    static const char *const settings[] = {"SVC_HEADER_TIMEOUT_MS=600000",
                                           "SVC_BODY_TIMEOUT_MS=600000",
                                           "SVC_DRAIN_TIMEOUT_MS=600000", NULL};
    struct process *server = start("server_life", settings);
    for (int i = 0; i < 20; i++) {
        struct client *client = connect_to(server);
        expect_status(client, hello, 200);
        expect_status(client, hello, 200);
        client_send_text(client, half);
        client_close(client);
    }
    cr_expect_eq(process_stop(server), 0, "somebody is waited for");
    process_free(server);
}

Test(departure, in_the_middle_of_a_body_is_noticed)
{
    expect_departure_noticed("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 30000\r\n\r\nabc");
}

Test(departure, in_the_middle_of_a_head_is_noticed)
{
    expect_departure_noticed("GET /hello/x HTTP/1.1\r\nHost");
}

Test(departure, in_the_middle_of_a_request_line_is_noticed)
{
    expect_departure_noticed("GET /hel");
}

Test(departure, of_the_sending_side_alone_still_gets_an_answer)
{
    struct process *server = start("server_life", NULL);
    for (int i = 0; i < 20; i++) {
        struct client *client = connect_to(server);
        expect_status(client, hello, 200);
        client_send_text(client, "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc");
        client_finish_sending(client);
        struct client_reply reply = client_read(client, false);
        cr_expect_str_eq(reply.body, "abc", "%s", client_end_name(reply.end));
        client_reply_free(&reply);
        client_close(client);
    }
    cr_expect_eq(process_stop(server), 0);
    process_free(server);
}

Test(departure, a_client_of_chunked_bodies_is_closed_on_while_the_service_drains)
{
    static const char chunked[] = "POST /echo HTTP/1.1\r\nHost: a\r\n"
                                  "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n";
    static const char *const settings[] = {"SVC_DRAIN_DELAY_MS=600000", NULL};
    struct process *server = start("server_life", settings);
    struct client *client = connect_to(server);
    expect_status(client, chunked, 200);
    cr_assert(process_signal(server, SIGTERM));
    cr_assert(process_await_log(server, "\"draining\"", PROCESS_WAIT_MS));
    unsigned asked = 0;
    bool closes = false;
    for (; !closes && asked < 3; asked++) {
        struct client_reply reply = client_exchange(client, chunked);
        cr_expect_eq(reply.status, 200, "%s", client_end_name(reply.end));
        closes = reply.closes;
        client_reply_free(&reply);
    }
    cr_expect(closes, "kept for %u requests", asked);
    client_close(client);
    cr_expect(process_signal(server, SIGTERM)); /* SIGTERM ends the delay */
    cr_expect_eq(process_await_exit(server, PROCESS_WAIT_MS), 0);
    process_free(server);
}

/* Probes and a request for metrics are under way when the server ends. */
Test(departure, a_readiness_check_that_takes_its_time_does_not_make_a_stop_a_forced_one)
{
    enum { PROBES = 4 };
    struct process *server = start("server_life", NULL);
    struct client *client = connect_to(server);
    expect_status(client, "GET /fail/120 HTTP/1.1\r\nHost: a\r\n\r\n", 200);
    struct client *probes[PROBES];
    for (size_t i = 0; i < PROBES; i++) {
        probes[i] = client_connect(process_admin(server));
        cr_assert(probes[i]);
        client_printf(probes[i], "GET %s HTTP/1.1\r\nHost: a\r\n\r\n",
                      i + 1 < PROBES ? "/readyz" : "/metrics");
    }
    client_close(client);
    cr_expect_eq(process_stop(server), 0);
    for (size_t i = 0; i < PROBES; i++)
        client_close(probes[i]);
    process_free(server);
}

Test(departure, a_request_that_timed_out_leaves_no_mark_on_the_next)
{
    static const char *const settings[] = {"SVC_REQUEST_TIMEOUT_MS=300", NULL};
    struct process *server = start("server_wire", settings);
    struct client *client = connect_to(server);
    expect_status(client, "GET /wait HTTP/1.1\r\nHost: a\r\n\r\n", 504);
    expect_status(client, "GET /path/next HTTP/1.1\r\nHost: a\r\n\r\n", 200);
    expect_status(client, "GET /release HTTP/1.1\r\nHost: a\r\n\r\n", 200);
    client_close(client);
    cr_expect_eq(process_stop(server), 0);
    char *log = process_copy_log(server);
    char *line = strstr(log, "\"path\":\"/path/next\"");
    cr_assert(line, "%s", log);
    line[strcspn(line, "\n")] = '\0';
    cr_expect(strstr(line, "\"bytes_out\":4"), "%s", line);
    cr_expect_null(strstr(line, "\"end\":"), "it is complete: %s", line);
    free(log);
    process_free(server);
}

/* The answer is larger than the socket's buffer, and the client sends before it reads. */
Test(departure, a_large_refusal_reaches_a_client_that_sends_before_it_reads)
{
    enum { BODY = 40000000, ANSWER = 8000000 };
    struct process *server = start("server_wire", NULL);
    char *body = calloc(1, BODY);
    cr_assert(body);
    struct client *client = connect_to(server);
    client_printf(
        client, "POST /refused-at-length HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n", BODY);
    cr_expect(client_send(client, body, BODY), "the upload stalls");
    struct client_reply reply = client_read(client, false);
    cr_expect_eq(reply.status, 413, "%s", client_end_name(reply.end));
    cr_expect_eq(reply.body_len, ANSWER);
    client_reply_free(&reply);
    client_close(client);
    free(body);
    cr_expect_eq(process_stop(server), 0);
    process_free(server);
}
