/*
 * Errors of the library are requests like all others: layers see them, and each has a log line. If
 * the service's own code has failed, another line names the route.
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/client.h"
#include "tests/support/process.h"

/* Its deadline for bodies is short, and its largest body has 8 bytes. */
static struct process *start(const char *program)
{
    static const char *const settings[] = {"SVC_BODY_TIMEOUT_MS=200",
                                           "SVC_REQUEST_TIMEOUT_MS=600000", "SVC_MAX_BODY_BYTES=8",
                                           "SVC_MAX_TARGET_BYTES=256", NULL};
    struct process *server = process_start(process_program(program), settings, NULL);
    cr_assert(server);
    return server;
}

static void stop(struct process *server)
{
    cr_expect_eq(process_stop(server), 0);
    process_free(server);
}

#define REQUEST(line, fields, body)                                                                \
    line " HTTP/1.1\r\nHost: a\r\nX-Request-Id: id-%zu\r\n" fields "\r\n" body
#define PLAIN(line) REQUEST(line, "", "")
#define LONG "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"

static const struct row {
    const char *request; /* with its number for the id */
    int status;
} rows[] = {
    {PLAIN("GET /none"), 404},
    {PLAIN("GET /a//b"), 308},
    {PLAIN("PUT /echo"), 405},
    {PLAIN("OPTIONS /echo"), 204},
    {PLAIN("OPTIONS *"), 200},
    {PLAIN("BREW /echo"), 501},
    {PLAIN("CONNECT a:80"), 405},
    {PLAIN("GET /path/%%zz"), 400},
    {PLAIN("GET /path/%%ff"), 400},
    {PLAIN("GET /" LONG LONG LONG LONG), 414},
    {REQUEST("GET /hello", "Bad Name: 1\r\n", ""), 400},
    {REQUEST("GET /hello", "Host: b\r\n", ""), 400},
    {REQUEST("POST /echo", "Expect: tea\r\nContent-Length: 1\r\n", "x"), 417},
    {REQUEST("POST /echo", "Transfer-Encoding: gzip\r\n", ""), 501},
    {REQUEST("POST /echo", "Content-Length: 9\r\n", "too large"), 413},
    {REQUEST("POST /echo", "Transfer-Encoding: chunked\r\n", "9\r\ntoo large\r\n0\r\n\r\n"), 413},
    {REQUEST("POST /echo", "Content-Length: 5\r\n", "half"), 408},
    {REQUEST("GET /wait", "X-Request-Timeout: 500\r\n", ""), 504},
    {PLAIN("GET /release"), 200}, /* releases the layer in which the last one waits */
};

/* A layer adds the id to the reply. */
static void expect_id(struct process *server, const struct row *row, size_t number)
{
    char id[64] = "", wanted[32];
    struct client *client = client_connect(process_address(server, 0));
    cr_assert(client);
    client_printf(client, row->request, number);
    struct client_reply reply = client_read(client, false);
    client_reply_field(&reply, "X-Request-Id", id, sizeof id);
    snprintf(wanted, sizeof wanted, "id-%zu", number);
    cr_expect_eq(reply.status, row->status, "row %zu: %d", number, reply.status);
    cr_expect_str_eq(id, wanted, "row %zu: %s", number, id);
    client_reply_free(&reply);
    client_close(client);
}

/* Another layer writes the line, at the end. */
static void expect_line(const char *log, const struct row *row, size_t number)
{
    char id[32], status[32];
    snprintf(id, sizeof id, "\"id\":\"id-%zu\"", number);
    snprintf(status, sizeof status, "\"status\":%d,", row->status);
    const char *line = strstr(log, id);
    cr_assert(line, "%s", id);
    const char *at = strstr(line, status);
    cr_expect(at && at < strchr(line, '\n'), "row %zu: %s", number, status);
}

Test(errors, of_the_library_run_through_the_chain_whatever_they_are)
{
    struct process *server = start("server_wire");
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        expect_id(server, &rows[i], i);
    cr_expect_eq(process_stop(server), 0);
    char *log = process_copy_log(server);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        expect_line(log, &rows[i], i);
    free(log);
    process_free(server);
}

/* Sends a request, and waits for a log line that has both texts and "request failed". */
static void expect_failure(struct process *server, const char *target, const char *route,
                           const char *error)
{
    char line[256];
    struct client *client = client_connect(process_address(server, 0));
    client_printf(client, "GET %s HTTP/1.1\r\nHost: a\r\nX-Request-Id: the-id\r\n\r\n", target);
    struct client_reply reply = client_read(client, false);
    cr_expect_eq(reply.status, 500, "%s: %d", target, reply.status);
    snprintf(
        line, sizeof line,
        "\"level\":\"error\",\"app\":\"exchanges\",\"msg\":\"request failed\",\"route\":\"%s\","
        "\"method\":\"GET\",\"where\":\"handler\",\"error\":\"%s\",\"id\":\"the-id\",",
        route, error);
    cr_expect(process_await_log(server, line, PROCESS_WAIT_MS), "%s", line);
    client_reply_free(&reply);
    client_close(client);
}

Test(errors, of_a_handler_leave_a_line_that_names_the_route)
{
    struct process *server = start("server_exchanges");
    expect_failure(server, "/error", "GET /error", "out of memory");
    expect_failure(server, "/no-answer", "GET /no-answer", "no answer");
    expect_failure(server, "/redirect/200", "GET /redirect/{status}", "invalid argument");
    stop(server);
}
