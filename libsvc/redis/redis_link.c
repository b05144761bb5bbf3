/* The socket is read into a block on the stack, so that an idle connection holds no buffer. */
#include "libsvc/redis/redis_link.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <svc/errors.h>

#include "libsvc/redis/redis_time.h"

enum {
    READ_BYTES = 16 << 10,
    OUT_CEILING =
        256 << 20,     /* more than the longest value, and far more than a server answers in time */
    REPLY_SLACK = 4096 /* what a reply has beside its value */
};

struct redis_link *svc__redis_link_new(int fd, size_t most)
{
    struct redis_link *link = calloc(1, sizeof *link);
    if (!link) {
        close(fd);
        return NULL;
    }
    link->fd = fd;
    link->out.ceiling = OUT_CEILING;
    /* A read may hold the begin of further replies behind the one that is not whole. */
    link->in = svc__redis_reply_new(most + REPLY_SLACK + READ_BYTES);
    if (!link->in) {
        svc__redis_link_free(link);
        return NULL;
    }
    return link;
}

void svc__redis_link_free(struct redis_link *link)
{
    if (!link)
        return;
    close(link->fd);
    svc__redis_text_free(&link->out);
    svc__redis_reply_free(link->in);
    free(link);
}

static bool is_later(int error)
{
    return error == EAGAIN; /* EWOULDBLOCK is the same on Linux */
}

int svc__redis_link_send(struct redis_link *link)
{
    struct redis_text *out = &link->out;
    while (out->sent < out->len) {
        ssize_t sent = send(link->fd, out->data + out->sent, out->len - out->sent, MSG_NOSIGNAL);
        if (sent > 0)
            out->sent += (size_t)sent;
        else if (errno != EINTR)
            return is_later(errno) ? SVC_EAGAIN : SVC_EUNAVAILABLE;
    }
    svc__redis_text_clear(out);
    return 0;
}

int svc__redis_link_receive(struct redis_link *link)
{
    char block[READ_BYTES];
    ssize_t got;
    do
        got = recv(link->fd, block, sizeof block, 0);
    while (got < 0 && errno == EINTR);
    if (got > 0)
        return svc__redis_reply_feed(link->in, block, (size_t)got);
    return got < 0 && is_later(errno) ? SVC_EAGAIN : SVC_EUNAVAILABLE;
}

bool svc__redis_link_is_quiet(const struct redis_link *link)
{
    char byte;
    return svc__redis_reply_is_empty(link->in) &&
           recv(link->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) < 0 && is_later(errno);
}

/* Waits for the socket. 0, SVC_ETIMEDOUT or SVC_ECANCELLED. */
static int wait_for_socket(const struct redis_link *link, uint64_t deadline_ms, int stop_fd)
{
    short events = (short)(POLLIN | (link->out.sent < link->out.len ? POLLOUT : 0));
    return svc__redis_time_poll(link->fd, events, deadline_ms, stop_fd);
}

int svc__redis_link_wait(struct redis_link *link, uint64_t deadline_ms, int stop_fd,
                         redis_take *take, void *arg)
{
    for (;;) {
        int got = svc__redis_reply_next(link->in, &link->reply, take, arg);
        if (got)
            return got > 0 ? 0 : got;
        int error = svc__redis_link_send(link);
        if (error && error != SVC_EAGAIN)
            return error;
        error = wait_for_socket(link, deadline_ms, stop_fd);
        if (!error)
            error = svc__redis_link_receive(link);
        if (error && error != SVC_EAGAIN)
            return error;
    }
}
