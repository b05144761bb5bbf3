/* Responses past libmicrohttpd: what is on the wire, and what a full socket leaves over. */
#include "libsvc/fronts/mhd/wire.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "libsvc/run/reactor.h"

static const char date[] = "Sun, 06 Nov 1994 08:49:37 GMT";

static int ends[2];
static struct exchange_host host;
static struct svc_loop loop;

static void open_ends(void)
{
    cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    host = (struct exchange_host){.loop = &loop};
    svc__buf_init(&host.scratch, 65536);
}

static void close_ends(void)
{
    svc__buf_free(&host.scratch);
    close(ends[0]);
    close(ends[1]);
}

TestSuite(wire, .init = open_ends, .fini = close_ends);

static void expect_text(const char *expected)
{
    char text[1024] = "";
    ssize_t len = recv(ends[1], text, sizeof text - 1, MSG_DONTWAIT);
    cr_expect_eq(len, (ssize_t)strlen(expected));
    cr_expect_str_eq(text, expected);
}

/* An exchange whose reply is decided. */
static struct exchange make_reply(const char *method, int status, const char *data, size_t len)
{
    static struct field fields[] = {{{"X-A", 3}, {"b", 1}}};
    struct exchange x = {.host = &host};
    x.request.method = svc__bytes_z(method);
    x.response.status = status;
    x.response.fields = fields;
    x.response.field_count = 1;
    x.response.field_bytes = sizeof "X-A: b\r\n" - 1;
    x.response.length = SVC_LENGTH_UNKNOWN;
    x.response.body.kind = REPLY_MEMORY;
    x.response.body.data = data;
    x.response.body.len = len;
    return x;
}

Test(wire, sends_a_problem_to_whoever_has_no_exchange)
{
    svc__wire_send_problem(ends[0], 429, "too many", date);
    expect_text("HTTP/1.1 429 Too Many Requests\r\nConnection: close\r\n"
                "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\nRetry-After: 1\r\n"
                "Content-Type: application/problem+json\r\nContent-Length: 63\r\n\r\n"
                "{\"title\":\"Too Many Requests\",\"status\":429,\"detail\":\"too many\"}\n");
}

static void expect_wire(const char *method, int status, const char *expected)
{
    struct unsent rest = {(char *)"", 1};
    struct exchange x = make_reply(method, status, "hello", 5);
    cr_expect_eq(svc__wire_send(ends[0], &x, date, &rest), 0);
    cr_expect_eq(rest.data, NULL);
    expect_text(expected);
}

Test(wire, sends_a_reply_whole_or_without_the_body_that_it_must_not_have)
{
    expect_wire("GET", 200,
                "HTTP/1.1 200 OK\r\nConnection: close\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
                "X-A: b\r\nContent-Length: 5\r\n\r\nhello");
    expect_wire("HEAD", 200,
                "HTTP/1.1 200 OK\r\nConnection: close\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
                "X-A: b\r\nContent-Length: 5\r\n\r\n");
    expect_wire("GET", 204,
                "HTTP/1.1 204 No Content\r\nConnection: close\r\n"
                "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\nX-A: b\r\n\r\n");
}

/* The bytes that were read and those that were left over are the reply, one behind the other. */
Test(wire, leaves_over_what_the_socket_has_no_room_for)
{
    enum { LEN = 4 << 20 };
    char *body = malloc(LEN), *got = malloc(LEN + 1024);
    cr_assert(body && got);
    for (size_t i = 0; i < LEN; i++)
        body[i] = (char)(i * 2654435761U >> 24);
    struct unsent rest = {NULL, 0};
    struct exchange x = make_reply("GET", 200, body, LEN);
    cr_assert_eq(svc__wire_send(ends[0], &x, date, &rest), 0);
    cr_assert(rest.data && rest.len > 0 && rest.len < LEN);
    size_t len = 0;
    ssize_t n;
    while ((n = recv(ends[1], got + len, LEN + 1024 - len, MSG_DONTWAIT)) > 0)
        len += (size_t)n;
    cr_assert_leq(len + rest.len, LEN + 1024);
    memcpy(got + len, rest.data, rest.len);
    len += rest.len;
    cr_expect_eq(memcmp(got + len - LEN, body, LEN), 0);
    cr_expect_eq(memcmp(got + len - LEN - 4, "\r\n\r\n", 4), 0);
    free(rest.data);
    free(got);
    free(body);
}

Test(wire, renders_a_head_alone)
{
    struct unsent head = {NULL, 0};
    struct exchange x = make_reply("GET", 200, "hello", 5);
    static const char expected[] = "HTTP/1.1 200 OK\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
                                   "X-A: b\r\nContent-Length: 5\r\n\r\n";
    cr_assert_eq(svc__wire_head(&x, date, false, &head), 0);
    cr_expect_eq(head.len, sizeof expected - 1);
    cr_expect_eq(memcmp(head.data, expected, head.len), 0);
    free(head.data);
    head.data = NULL;
    svc__buf_free(&host.scratch);
    svc__buf_init(&host.scratch, 32);
    cr_expect_eq(svc__wire_head(&x, date, false, &head), SVC_ENOMEM);
    cr_expect_eq(head.data, NULL);
}

Test(wire, says_that_the_peer_is_gone)
{
    struct unsent rest = {NULL, 0};
    struct exchange x = make_reply("GET", 200, "hello", 5);
    shutdown(ends[0], SHUT_WR);
    cr_expect_eq(svc__wire_send(ends[0], &x, date, &rest), SVC_ESYSTEM);
}
