/* Conditional requests on the wire: the fields of a 304, and that its connection stays open. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "tests/e2e/served.h"
#include "tests/support/client.h"
#include "tests/support/conditions.h"
#include "tests/support/process.h"

static void start(void)
{
    serve("server_cache", NULL);
}

TestSuite(conditions, .init = start, .fini = serve_no_more);

static void send_row(struct client *client, const struct condition_row *row, const char *method)
{
    char head[1024];
    const char *body = strcmp(method, "PUT") ? "" : "Content-Length: 4\r\n\r\nbody";
    int len = snprintf(head, sizeof head, "%s /asked/%s HTTP/1.1\r\nHost: a\r\n", method,
                       condition_states[row->state].name);
    for (size_t i = 0; row->headers[i]; i += 2)
        len += snprintf(head + len, sizeof head - (size_t)len, "%s: %s\r\n", row->headers[i],
                        row->headers[i + 1]);
    snprintf(head + len, sizeof head - (size_t)len, "%s", *body ? body : "\r\n");
    client_send_text(client, head);
}

static void expect_row(struct client *client, size_t index, size_t method)
{
    const struct condition_row *row = &condition_rows[index];
    const char *name = condition_methods[method];
    send_row(client, row, name);
    struct client_reply reply = client_read(client, method == 1);
    cr_assert_eq(reply.end, CLIENT_REPLY, "row %zu, %s: %s", index, name,
                 client_end_name(reply.end));
    cr_expect_eq(reply.status, condition_status(row->outcome[method]), "row %zu, %s: %d", index,
                 name, reply.status);
    cr_assert_not(reply.closes, "row %zu, %s:\n%s", index, name, reply.head);
    if (reply.status == 304 || method == 1)
        cr_expect(reply.body_len == 0 && reply.has_length, "row %zu, %s", index, name);
    if (reply.status == 304 || reply.status == 200)
        cr_expect_eq(reply.length, CONDITION_LENGTH, "row %zu, %s:\n%s", index, name, reply.head);
    if (reply.status == 206)
        cr_expect_eq(reply.length, 2, "row %zu, %s:\n%s", index, name, reply.head);
    client_reply_free(&reply);
}

Test(conditions, every_row_on_one_connection)
{
    struct client *client = connect_client();
    for (size_t i = 0; i < condition_count; i++)
        for (size_t method = 0; method < CONDITION_METHODS; method++)
            expect_row(client, i, method);
    client_close(client);
}

#define ASK(path, field) "GET " path " HTTP/1.1\r\nHost: a\r\n" field ": \"1\"\r\n\r\n"

/* RFC 9110 15.4.5, as bytes. */
Test(conditions, a_304_has_what_guides_a_cache_and_no_more)
{
    static const char *const there[] = {"Date",          "ETag",    "Vary",  "Content-Location",
                                        "Cache-Control", "Expires", "X-Kept"};
    static const char *const gone[] = {"Content-Type", "Content-Language", "Last-Modified",
                                       "Transfer-Encoding"};
    static const char *const requests[] = {ASK("/asked/BOTH", "If-None-Match"),
                                           ASK("/settled/BOTH", "If-None-Match")};
    struct client *client = connect_client();
    for (size_t r = 0; r < 2; r++) {
        struct client_reply reply = client_exchange(client, requests[r]);
        cr_expect_eq(reply.status, 304);
        for (size_t i = 0; i < sizeof there / sizeof *there; i++)
            cr_expect_eq(client_reply_count(&reply, there[i]), 1, "%s", there[i]);
        for (size_t i = 0; i < sizeof gone / sizeof *gone; i++)
            cr_expect_eq(client_reply_count(&reply, gone[i]), 0, "%s", gone[i]);
        client_reply_free(&reply);
    }
    client_close(client);
}

static void expect_thousand(const char *request, int status)
{
    struct client *client = connect_client();
    for (int i = 0; i < 1000; i++) {
        struct client_reply reply = client_exchange(client, request);
        cr_assert_eq(reply.status, status);
        cr_assert_not(reply.closes);
        client_reply_free(&reply);
    }
    client_close(client);
}

Test(conditions, a_connection_survives_1000_times_304_and_412)
{
    expect_thousand(ASK("/asked/STRONG", "If-None-Match"), 304);
    expect_thousand(ASK("/settled/STRONG", "If-None-Match"), 304);
    expect_thousand(ASK("/asked/WEAK", "If-Match"), 412);
}

Test(conditions, pipelined_ones_are_answered_in_order)
{
    struct client *client = connect_client();
    client_send_text(client,
                     ASK("/settled/STRONG", "If-None-Match") ASK("/asked/WEAK", "If-Match")
                         ASK("/settled/BARE", "If-None-Match") ASK("/asked/BOTH", "If-None-Match"));
    static const int statuses[] = {304, 412, 200, 304};
    for (size_t i = 0; i < 4; i++) {
        struct client_reply reply = client_read(client, false);
        cr_expect_eq(reply.status, statuses[i], "%zu: %d", i, reply.status);
        client_reply_free(&reply);
    }
    client_close(client);
}
