/* Replies that are written to a socket directly. */
#include "libsvc/fronts/mhd/wire.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "libsvc/base/least.h"
#include "libsvc/reply/response_head.h"

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
    svc__response_head_append(out, x, date, "close");
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
    svc__response_head_append(out, x, date, closes ? "close" : NULL);
    return svc__buf_error(out) ? SVC_ENOMEM
                               : keep_rest(svc__buf_view(out), svc__bytes(NULL, 0), 0, head);
}

void svc__wire_send_problem(int fd, int status, const char *detail, const char *date)
{
    char text[1024];
    struct buf out;
    svc__buf_over(&out, text, sizeof text);
    svc__response_head_problem(&out, status, detail, date);
    if (!svc__buf_error(&out))
        send(fd, out.data, out.len, MSG_NOSIGNAL | MSG_DONTWAIT);
}
