/* Coded request bodies on the wire. */
#include <criterion/criterion.h>
#include <string.h>

#include "tests/e2e/served.h"
#include "tests/support/client.h"
#include "tests/support/process.h"

static void start(void)
{
    serve("server_wire", NULL);
}

TestSuite(coded, .init = start, .fini = serve_no_more);

/* "hello hello hello\n" in gzip. */
static const char body[] =
    "\037\213\010\000\000\000\000\000\002\003\313\110\315\311\311\127\310\100"
    "\220\134\000\073\174\212\337\022\000\000\000";
enum { BODY = sizeof body - 1 };
static const char text[] = "hello hello hello\n";

#define HEAD(path, more)                                                                           \
    "POST " path " HTTP/1.1\r\nHost: a\r\nContent-Encoding: gzip\r\n" more "\r\n"

static void expect_reply(struct client *client, int status, const char *shown, unsigned interim)
{
    struct client_reply reply = client_read(client, false);
    cr_expect_eq(reply.status, status, "%d", reply.status);
    cr_expect(strstr(reply.body, shown), "%s", reply.body);
    cr_expect_eq(reply.interim, interim);
    client_reply_free(&reply);
}

Test(coded, a_body_is_undone_whatever_its_framing_and_the_connection_stays)
{
    struct client *client = connect_client();
    for (int i = 0; i < 3; i++) {
        client_printf(client, HEAD("/undo/echo", "Content-Length: %d\r\n"), (int)BODY);
        client_send(client, body, BODY);
        expect_reply(client, 200, text, 0);
    }
    client_send_text(client, HEAD("/undo/echo", "Transfer-Encoding: chunked\r\n"));
    for (int i = 0; i < BODY; i++) {
        client_send_text(client, "1\r\n");
        client_send(client, body + i, 1);
        client_send_text(client, "\r\n");
    }
    client_send_text(client, "0\r\n\r\n");
    expect_reply(client, 200, text, 0);
    client_printf(client, HEAD("/undo/echo", "Content-Length: %d\r\n"), (int)BODY);
    cr_expect(client_send_bytes(client, body, BODY));
    expect_reply(client, 200, text, 0);
    client_close(client);
}

Test(coded, a_client_that_asks_first_is_told_to_send_or_why_not)
{
    struct client *client = connect_client();
    client_printf(client, HEAD("/undo/echo", "Expect: 100-continue\r\nContent-Length: %d\r\n"),
                  (int)BODY);
    cr_assert(client_readable(client, CLIENT_WAIT_MS));
    client_send(client, body, BODY);
    expect_reply(client, 200, text, 1);
    client_printf(client, HEAD("/echo", "Expect: 100-continue\r\nContent-Length: %d\r\n"),
                  (int)BODY);
    expect_reply(client, 415, "content coding", 0);
    cr_expect_eq(client_await_end(client), CLIENT_CLOSED);
    client_close(client);
}

Test(coded, a_bad_body_is_refused_and_the_connection_stays)
{
    struct client *client = connect_client();
    client_printf(client, HEAD("/undo/echo", "Content-Length: %d\r\n"), (int)BODY - 1);
    client_send(client, body, BODY - 1);
    expect_reply(client, 400, "ends before", 0);
    client_printf(client, HEAD("/undo/echo", "Content-Length: %d\r\n"), (int)BODY);
    client_send(client, text, sizeof text - 1);
    client_send(client, text, BODY - (sizeof text - 1));
    expect_reply(client, 400, "is not of the coding", 0);
    client_printf(client, HEAD("/echo", "Content-Length: %d\r\n"), (int)BODY);
    client_send(client, body, BODY);
    expect_reply(client, 415, "content coding", 0);
    client_printf(client, HEAD("/undo/echo", "Content-Length: %d\r\n"), (int)BODY);
    client_send(client, body, BODY);
    expect_reply(client, 200, text, 0);
    client_close(client);
}
