/* Replies that are written to a socket directly. */
#include "libsvc/fronts/mhd/wire.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "libsvc/base/least.h"
#include "libsvc/proto/problem_text.h"
#include "libsvc/proto/status.h"

static void append_status(struct buf *out, int status)
{
    const char *text = svc__status_text(status);
    svc__buf_printf(out, "HTTP/1.1 %d %s\r\n", status, text ? text : "Unknown");
}

static void append_wire_field(struct buf *out, struct bytes name, struct bytes value)
{
    svc__buf_bytes(out, name);
    svc__buf_puts(out, ": ");
    svc__buf_bytes(out, value);
    svc__buf_puts(out, "\r\n");
}

static void append_head(struct buf *out, const struct exchange *x, const char *date, bool closes)
{
    const svc_response *res = &x->response;
    append_status(out, res->status);
    if (closes)
        svc__buf_puts(out, "Connection: close\r\n");
    if (!res->dated)
        append_wire_field(out, svc__bytes("Date", 4), svc__bytes_z(date));
    for (size_t i = 0; i < res->field_count; i++)
        append_wire_field(out, res->fields[i].name, res->fields[i].value);
    uint64_t length = svc__exchange_reply_length(x);
    if (length != SVC_LENGTH_UNKNOWN && res->status != 204) {
        svc__buf_puts(out, "Content-Length: ");
        svc__buf_u64(out, length);
        svc__buf_puts(out, "\r\n");
    } else if (x->framing.chunks && !svc__exchange_reply_bodiless(x)) {
        svc__buf_puts(out, "Transfer-Encoding: chunked\r\n");
    }
    svc__buf_puts(out, "\r\n");
}

/* Copies the bytes of a head and a body behind the first `sent` ones. */
static int keep_rest(struct bytes head, struct bytes body, size_t sent, struct unsent *rest)
{
    size_t of_head = svc__least(sent, head.len), of_body = sent - of_head;
    size_t len = head.len + body.len - sent;
    char *data = len ? malloc(len) : NULL;
    if (len && !data)
        return SVC_ENOMEM;
    if (len)
        memcpy(data, head.data + of_head, head.len - of_head);
    if (body.len > of_body)
        memcpy(data + head.len - of_head, body.data + of_body, body.len - of_body);
    *rest = (struct unsent){data, len};
    return 0;
}

int svc__wire_send(int fd, struct exchange *x, const char *date, struct unsent *rest)
{
    struct buf *out = &x->host->scratch;
    svc__buf_clear(out);
    append_head(out, x, date, true);
    if (svc__buf_error(out))
        return SVC_ENOMEM;
    struct bytes head = {out->data, out->len}, body = {NULL, 0};
    if (!svc__exchange_reply_bodiless(x))
        body = svc__bytes(x->response.body.data, x->response.body.len);
    struct iovec parts[] = {{(void *)(uintptr_t)head.data, head.len},
                            {(void *)(uintptr_t)body.data, body.len}};
    struct msghdr message = {.msg_iov = parts, .msg_iovlen = 2};
    ssize_t sent = sendmsg(fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent < 0 && errno != EAGAIN)
        return SVC_ESYSTEM;
    return keep_rest(head, body, sent > 0 ? (size_t)sent : 0, rest);
}

int svc__wire_head(struct exchange *x, const char *date, bool closes, struct unsent *head)
{
    struct buf *out = &x->host->scratch;
    svc__buf_clear(out);
    append_head(out, x, date, closes);
    return svc__buf_error(out) ? SVC_ENOMEM
                               : keep_rest(svc__buf_view(out), svc__bytes(NULL, 0), 0, head);
}

void svc__wire_send_problem(int fd, int status, const char *detail, const char *date)
{
    char body_text[512], text[1024];
    struct buf body, out;
    svc__buf_over(&body, body_text, sizeof body_text);
    svc__problem_text_json(&body, status, detail);
    svc__buf_over(&out, text, sizeof text);
    append_status(&out, status);
    svc__buf_printf(&out,
                    "Connection: close\r\nDate: %s\r\n%s"
                    "Content-Type: application/problem+json\r\nContent-Length: %zu\r\n\r\n",
                    date, status == 503 || status == 429 ? "Retry-After: 1\r\n" : "", body.len);
    svc__buf_bytes(&out, svc__buf_view(&body));
    if (!svc__buf_error(&body) && !svc__buf_error(&out))
        send(fd, out.data, out.len, MSG_NOSIGNAL | MSG_DONTWAIT);
}
