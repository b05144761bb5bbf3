/* A connection as a machine of three phases. */
#include "libsvc/memcached/memcached_link.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "libsvc/memcached/memcached_clock.h"
#include "libsvc/memcached/memcached_md5.h"

enum {
    READS_AT_ONCE = 16,     /* so that a loop comes to its other work */
    OUTPUT_KEPT = 64 << 10, /* bytes of a buffer that is kept for the next commands */
    IDENTITY_BITS = 16
};

/* ---- Queues */

void svc__memcached_queue_put(struct memcached_queue *queue, struct memcached_task *task)
{
    task->next = NULL;
    if (!queue->first)
        queue->last = &queue->first;
    *queue->last = task;
    queue->last = &task->next;
}

struct memcached_task *svc__memcached_queue_take(struct memcached_queue *queue)
{
    struct memcached_task *task = queue->first;
    if (task)
        queue->first = task->next;
    return task;
}

/* ---- Connecting */

static void close_link(struct memcached_link *link)
{
    if (link->fd < 0)
        return;
    if (link->closing)
        link->closing(link->arg, link->fd);
    close(link->fd);
    link->fd = -1;
}

/* Begins with the next address that takes a connection. 0 or SVC_EUNAVAILABLE. */
static int begin_connect(struct memcached_link *link)
{
    for (; link->address < link->address_count; link->address++) {
        const struct memcached_socket_address *to = &link->addresses[link->address];
        const int on = 1;
        close_link(link);
        link->fd = socket(to->address.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        if (link->fd < 0)
            continue;
        if (to->address.ss_family != AF_UNIX)
            setsockopt(link->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        if (!connect(link->fd, (const struct sockaddr *)&to->address, to->len) ||
            errno == EINPROGRESS || errno == EINTR)
            return 0;
    }
    return SVC_EUNAVAILABLE;
}

struct memcached_link *svc__memcached_link_open(struct memcached_server *server, uint64_t wait_ms)
{
    struct memcached_link *link = calloc(1, sizeof *link);
    if (!link)
        return NULL;
    link->server = server;
    link->fd = -1;
    link->limit_at = svc__memcached_clock_ms() + server->place->connect_ms;
    link->address_count = svc__memcached_host_find(server->host, wait_ms, link->addresses);
    if (begin_connect(link)) {
        svc__memcached_link_free(link);
        return NULL;
    }
    return link;
}

void svc__memcached_link_free(struct memcached_link *link)
{
    if (!link)
        return;
    close_link(link);
    free(link->out.bytes);
    free(link);
}

/* To connect again reports how the first call has ended. 0, SVC_EAGAIN or SVC_EUNAVAILABLE. */
static int end_connect(struct memcached_link *link)
{
    const struct memcached_socket_address *to = &link->addresses[link->address];
    if (!connect(link->fd, (const struct sockaddr *)&to->address, to->len) || errno == EISCONN)
        return 0;
    if (errno == EALREADY || errno == EINPROGRESS || errno == EINTR)
        return SVC_EAGAIN;
    link->address++;
    return begin_connect(link) ? SVC_EUNAVAILABLE : SVC_EAGAIN;
}

bool svc__memcached_link_is_quiet(const struct memcached_link *link)
{
    char byte;
    return recv(link->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) < 0 && errno == EAGAIN;
}

/* ---- Sending */

void svc__memcached_link_add(struct memcached_link *link, struct memcached_task *task)
{
    if (!svc__memcached_link_is_busy(link))
        link->limit_at = svc__memcached_clock_ms() + link->server->place->answer_ms;
    svc__memcached_queue_put(&link->waiting, task);
}

void svc__memcached_link_forget(struct memcached_link *link, const struct memcached_task *task)
{
    if (link->sent.first == task && link->reader.in_value)
        link->reader.into = NULL;
}

bool svc__memcached_link_is_busy(const struct memcached_link *link)
{
    return link->phase != MEMCACHED_READY || link->waiting.first || link->sent.first;
}

short svc__memcached_link_events(const struct memcached_link *link)
{
    if (link->phase == MEMCACHED_CONNECTING)
        return POLLOUT;
    return link->out.sent < link->out.len ? POLLIN | POLLOUT : POLLIN;
}

/* Appends the commands of all tasks that wait. */
static void encode_waiting(struct memcached_link *link)
{
    struct memcached_task *task;
    while ((task = svc__memcached_queue_take(&link->waiting))) {
        if (!task->op) {
            link->done(link->arg, task);
            continue;
        }
        int error = svc__memcached_task_encode(task, &link->out, ++link->opaque, link->identity);
        if (!error) {
            svc__memcached_queue_put(&link->sent, task);
            continue;
        }
        task->op->error = error;
        link->done(link->arg, task);
    }
}

static int send_output(struct memcached_link *link)
{
    struct memcached_output *out = &link->out;
    while (out->sent < out->len) {
        ssize_t count = send(link->fd, out->bytes + out->sent, out->len - out->sent, MSG_NOSIGNAL);
        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0)
            return errno == EAGAIN ? 0 : SVC_EUNAVAILABLE;
        out->sent += (size_t)count;
    }
    out->sent = out->len = 0;
    if (out->room > OUTPUT_KEPT) {
        free(out->bytes);
        *out = (struct memcached_output){0};
    }
    return 0;
}

/* ---- Greeting */

static int begin_greeting(struct memcached_link *link)
{
    static const char greeting[] = "mn\r\nstats\r\n";
    struct memcached_output *out = &link->out;
    out->bytes = malloc(sizeof greeting);
    if (!out->bytes)
        return SVC_ENOMEM;
    out->room = sizeof greeting;
    out->len = sizeof greeting - 1;
    memcpy(out->bytes, greeting, out->len);
    link->phase = MEMCACHED_GREETING;
    return 0;
}

/* The server's start: both times are read from one clock, so their difference does not change. */
static int end_greeting(struct memcached_link *link)
{
    uint32_t digest[4];
    const uint64_t start[] = {link->pid, link->time_s - link->uptime_s};
    if (link->time_s == 0 || link->pid == 0)
        return SVC_ESYNTAX;
    svc__memcached_md5_sum(start, sizeof start, digest);
    link->identity = digest[0] >> (32 - IDENTITY_BITS);
    svc__memcached_md5_sum(link->server->name, strlen(link->server->name), digest);
    link->identity ^= digest[0] >> (32 - IDENTITY_BITS);
    link->identity += link->identity == 0;
    link->phase = MEMCACHED_READY;
    return 0;
}

static bool is_name(const struct memcached_reply *reply, const char *name)
{
    return reply->name_len == strlen(name) && memcmp(reply->name, name, reply->name_len) == 0;
}

static int take_greeting(struct memcached_link *link, const struct memcached_reply *reply)
{
    uint64_t *number = NULL;
    if (reply->code == MEMCACHED_MN)
        return 0;
    if (reply->code == MEMCACHED_END)
        return end_greeting(link);
    if (reply->code != MEMCACHED_STAT)
        return SVC_ESYNTAX;
    if (is_name(reply, "pid"))
        number = &link->pid;
    else if (is_name(reply, "time"))
        number = &link->time_s;
    else if (is_name(reply, "uptime"))
        number = &link->uptime_s;
    if (number && !svc__memcached_reply_number(reply->value, reply->value_len, number))
        return SVC_ESYNTAX;
    return 0;
}

/* ---- Replies */

static char *place_value(void *arg, const struct memcached_reply *reply, size_t *skip)
{
    struct memcached_link *link = arg;
    struct memcached_task *task = link->sent.first;
    return task && reply->opaque == task->opaque ? svc__memcached_task_place(task, reply, skip)
                                                 : NULL;
}

static int take_reply(void *arg, const struct memcached_reply *reply)
{
    struct memcached_link *link = arg;
    struct memcached_task *task = link->sent.first;
    if (link->phase == MEMCACHED_GREETING)
        return take_greeting(link, reply);
    if (!task)
        return SVC_ESYNTAX;
    int result = svc__memcached_task_take(task, reply, link->identity);
    if (result < 0)
        return result;
    (void)svc__memcached_queue_take(&link->sent);
    if (result == MEMCACHED_AGAIN)
        svc__memcached_queue_put(&link->waiting, task);
    else
        link->done(link->arg, task);
    return 0;
}

/* Reads some bytes, and takes the replies in them. 0, SVC_EAGAIN: there is nothing more, or an
 * error. */
static int read_some(struct memcached_link *link)
{
    const struct memcached_sink sink = {place_value, take_reply, link};
    ssize_t count = recv(link->fd, link->in + link->in_len, sizeof link->in - link->in_len, 0);
    if (count < 0 && (errno == EAGAIN || errno == EINTR))
        return SVC_EAGAIN;
    if (count <= 0)
        return count == 0 && (link->in_len > 0 || link->reader.in_value) ? SVC_ESYNTAX
                                                                         : SVC_EUNAVAILABLE;
    bool is_whole = (size_t)count < sizeof link->in - link->in_len;
    link->in_len += (size_t)count;
    long used = svc__memcached_reply_feed(&link->reader, link->in, link->in_len, &sink);
    if (used < 0)
        return (int)used;
    link->in_len -= (size_t)used;
    memmove(link->in, link->in + used, link->in_len);
    return is_whole ? SVC_EAGAIN : 0;
}

static int read_replies(struct memcached_link *link)
{
    int error = 0;
    for (int i = 0; i < READS_AT_ONCE && !error; i++)
        error = read_some(link);
    if (error && error != SVC_EAGAIN)
        return error;
    if (link->phase == MEMCACHED_READY) {
        link->limit_at = svc__memcached_clock_ms() + link->server->place->answer_ms;
        svc__memcached_server_answered(link->server);
    }
    return 0;
}

int svc__memcached_link_pump(struct memcached_link *link, bool readable)
{
    int error = 0;
    if (link->phase == MEMCACHED_CONNECTING) {
        error = end_connect(link);
        if (error)
            return error == SVC_EAGAIN ? 0 : error;
        readable = false;
        error = begin_greeting(link);
    }
    if (!error && readable)
        error = read_replies(link);
    if (!error && link->phase == MEMCACHED_READY)
        encode_waiting(link);
    return error ? error : send_output(link);
}
