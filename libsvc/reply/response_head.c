/* The heads of replies in HTTP/1. */
#include "libsvc/reply/response_head.h"

#include <string.h>

#include "libsvc/proto/problem_text.h"
#include "libsvc/proto/status.h"

enum {
    OWN_BYTES = 256 /* status line, Connection, Date, length or coding, and the empty line */
};

#define PUT_TEXT(at, text) put_bytes_at(at, text, sizeof text - 1)

static char *put_bytes_at(char *at, const char *text, size_t len)
{
    memcpy(at, text, len);
    return at + len;
}

static char *put_field(char *at, struct bytes name, struct bytes value)
{
    at = put_bytes_at(at, name.data, name.len);
    at = PUT_TEXT(at, ": ");
    at = put_bytes_at(at, value.data, value.len);
    return PUT_TEXT(at, "\r\n");
}

static char *put_status(char *at, int status)
{
    const char *text = svc__status_text(status);
    const char digits[] = {(char)('0' + status / 100 % 10), (char)('0' + status / 10 % 10),
                           (char)('0' + status % 10), ' '};
    text = text ? text : "Unknown";
    at = PUT_TEXT(at, "HTTP/1.1 ");
    at = put_bytes_at(at, digits, sizeof digits);
    at = put_bytes_at(at, text, strlen(text));
    return PUT_TEXT(at, "\r\n");
}

static char *put_length(char *at, uint64_t n)
{
    char digits[20];
    size_t count = 0;
    do
        digits[sizeof digits - ++count] = (char)('0' + n % 10);
    while ((n /= 10) > 0);
    return put_bytes_at(at, digits + sizeof digits - count, count);
}

static char *put_reply_fields(char *at, const svc_response *res)
{
    for (size_t i = 0; i < res->field_count; i++)
        at = put_field(at, res->fields[i].name, res->fields[i].value);
    return at;
}

/* The library's own fields have a limited length, and those of the response are counted. */
void svc__response_head_append(struct buf *out, const struct exchange *x, const char *date,
                               const char *connection)
{
    const svc_response *res = &x->response;
    char *begin = svc__buf_reserve(out, res->field_bytes + OWN_BYTES), *at = begin;
    if (!begin)
        return;
    at = put_status(at, res->status);
    if (connection)
        at = put_field(at, svc__bytes("Connection", 10), svc__bytes_z(connection));
    if (!res->dated)
        at = put_field(at, svc__bytes("Date", 4), svc__bytes_z(date));
    at = put_reply_fields(at, res);
    uint64_t length = svc__exchange_reply_length(x);
    if (length != SVC_LENGTH_UNKNOWN && res->status != 204) {
        at = PUT_TEXT(at, "Content-Length: ");
        at = put_length(at, length);
        at = PUT_TEXT(at, "\r\n");
    } else if (x->framing.chunks && !svc__exchange_reply_bodiless(x)) {
        at = PUT_TEXT(at, "Transfer-Encoding: chunked\r\n");
    }
    at = PUT_TEXT(at, "\r\n");
    out->len += (size_t)(at - begin);
}

void svc__response_head_fields(struct buf *out, const svc_response *res)
{
    char *begin = svc__buf_reserve(out, res->field_bytes + OWN_BYTES);
    if (begin)
        out->len += (size_t)(PUT_TEXT(put_reply_fields(begin, res), "\r\n") - begin);
}

void svc__response_head_problem(struct buf *out, int status, const char *detail, const char *date)
{
    char body_text[512], head[OWN_BYTES];
    struct buf body;
    svc__buf_over(&body, body_text, sizeof body_text);
    svc__problem_text_json(&body, status, detail);
    svc__buf_append(out, head, (size_t)(put_status(head, status) - head));
    svc__buf_printf(out,
                    "Connection: close\r\nDate: %s\r\n%s"
                    "Content-Type: application/problem+json\r\nContent-Length: %zu\r\n\r\n",
                    date, status == 503 || status == 429 ? "Retry-After: 1\r\n" : "", body.len);
    svc__buf_bytes(out, svc__buf_view(&body));
}
