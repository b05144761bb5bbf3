/* Heads of replies, byte by byte. */
#include "libsvc/reply/response_head.h"

#include <criterion/criterion.h>

static const char date[] = "Sun, 06 Nov 1994 08:49:37 GMT";
static struct buf out;

static void open_buf(void)
{
    svc__buf_init(&out, 65536);
}

static void close_buf(void)
{
    svc__buf_free(&out);
}

TestSuite(response_head, .init = open_buf, .fini = close_buf);

static struct exchange make_reply(const char *method, int status)
{
    static struct field fields[] = {{{"X-A", 3}, {"b", 1}}, {{"X-Empty", 7}, {"", 0}}};
    struct exchange x = {.framing.chunks = true};
    x.request.method = svc__bytes_z(method);
    x.response.status = status;
    x.response.fields = fields;
    x.response.field_count = 2;
    x.response.field_bytes = sizeof "X-A: b\r\nX-Empty: \r\n" - 1;
    x.response.length = SVC_LENGTH_UNKNOWN;
    return x;
}

static void expect_out(const char *text)
{
    cr_assert_eq(svc__buf_error(&out), 0);
    svc__buf_terminate(&out);
    cr_expect_str_eq(out.data, text);
    svc__buf_clear(&out);
}

#define FIELDS "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\nX-A: b\r\nX-Empty: \r\n"

Test(response_head, states_the_length_of_a_body)
{
    struct exchange x = make_reply("GET", 200);
    x.response.body.kind = REPLY_MEMORY;
    x.response.body.len = 5;
    svc__response_head_append(&out, &x, date, NULL);
    expect_out("HTTP/1.1 200 OK\r\n" FIELDS "Content-Length: 5\r\n\r\n");
    x.response.body.len = SIZE_MAX - 1; /* the other one is SVC_LENGTH_UNKNOWN */
    x.response.status = 999;
    svc__response_head_append(&out, &x, date, "close");
    expect_out("HTTP/1.1 999 Unknown\r\nConnection: close\r\n" FIELDS
               "Content-Length: 18446744073709551614\r\n\r\n");
}

Test(response_head, announces_chunks_if_the_client_knows_them)
{
    struct exchange x = make_reply("GET", 200);
    x.response.body.kind = REPLY_SOURCE;
    x.response.body.source.length = SVC_LENGTH_UNKNOWN;
    svc__response_head_append(&out, &x, date, NULL);
    expect_out("HTTP/1.1 200 OK\r\n" FIELDS "Transfer-Encoding: chunked\r\n\r\n");
    x.framing.chunks = false;
    svc__response_head_append(&out, &x, date, "close");
    expect_out("HTTP/1.1 200 OK\r\nConnection: close\r\n" FIELDS "\r\n");
}

Test(response_head, states_no_length_where_there_is_none)
{
    struct exchange none = make_reply("GET", 204), head = make_reply("HEAD", 200);
    svc__response_head_append(&out, &none, date, NULL);
    expect_out("HTTP/1.1 204 No Content\r\n" FIELDS "\r\n");
    head.response.length = 7;
    svc__response_head_append(&out, &head, date, NULL);
    expect_out("HTTP/1.1 200 OK\r\n" FIELDS "Content-Length: 7\r\n\r\n");
}

Test(response_head, leaves_the_date_to_a_reply_that_has_one)
{
    struct exchange x = make_reply("GET", 200);
    x.response.dated = true;
    svc__response_head_append(&out, &x, date, NULL);
    expect_out("HTTP/1.1 200 OK\r\nX-A: b\r\nX-Empty: \r\nContent-Length: 0\r\n\r\n");
}

Test(response_head, ends_trailers_with_an_empty_line)
{
    struct exchange x = make_reply("GET", 200);
    svc__response_head_fields(&out, &x.response);
    expect_out("X-A: b\r\nX-Empty: \r\n\r\n");
}

Test(response_head, has_no_part_of_a_head_that_does_not_fit)
{
    char text[100];
    struct exchange x = make_reply("GET", 200);
    svc__buf_over(&out, text, sizeof text);
    svc__response_head_append(&out, &x, date, NULL);
    cr_expect_eq(svc__buf_error(&out), SVC_ETOOBIG);
    cr_expect_eq(out.len, 0);
    svc__buf_init(&out, 1);
}
