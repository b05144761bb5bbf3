/* A raw HTTP client for tests of the wire. */
#include "tests/support/client.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <linux/sockios.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

enum {
    BLOCK = 65536,
    MAX_UNREAD = 64 << 20,
    /* A server on another core reads a byte soon; after that, a busy one gets this core. */
    SPINS = 20,
    POLL_NS = 100000
};

uint64_t client_clock_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

const char *client_end_name(enum client_end end)
{
    static const char *const names[] = {"reply", "closed", "reset", "cut", "timeout", "garbage"};
    return names[end];
}

/* ---- Connecting */

union address {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
    struct sockaddr_un local;
};

static socklen_t parse_local(const char *path, union address *out)
{
    if (strlen(path) >= sizeof out->local.sun_path)
        return 0;
    out->local.sun_family = AF_UNIX;
    strcpy(out->local.sun_path, path);
    return sizeof out->local;
}

static socklen_t parse_address(const char *text, union address *out)
{
    memset(out, 0, sizeof *out);
    if (!strncmp(text, "unix:", 5))
        return parse_local(text + 5, out);
    char host[64];
    const char *colon = strrchr(text, ':');
    bool brackets = *text == '[';
    size_t skip = brackets ? 1 : 0;
    if (!colon || (size_t)(colon - text) >= sizeof host || colon - text < 3)
        return 0;
    size_t len = (size_t)(colon - text) - 2 * skip;
    memcpy(host, text + skip, len);
    host[len] = '\0';
    in_port_t port = htons((in_port_t)strtoul(colon + 1, NULL, 10));
    if (brackets) {
        out->v6.sin6_family = AF_INET6;
        out->v6.sin6_port = port;
        return inet_pton(AF_INET6, host, &out->v6.sin6_addr) == 1 ? sizeof out->v6 : 0;
    }
    out->v4.sin_family = AF_INET;
    out->v4.sin_port = port;
    return inet_pton(AF_INET, host, &out->v4.sin_addr) == 1 ? sizeof out->v4 : 0;
}

static int open_socket(const union address *address, socklen_t len, int receive_buffer)
{
    int fd = socket(address->any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    int on = 1;
    if (receive_buffer)
        setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof receive_buffer);
    if (address->any.sa_family != AF_UNIX)
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    struct timeval patience = {CLIENT_WAIT_MS / 1000, 0};
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    if (!connect(fd, &address->any, len))
        return fd;
    int saved = errno;
    close(fd);
    errno = saved;
    return -1;
}

struct client *client_connect_slow(const char *address, int bytes)
{
    union address parsed;
    struct client *client = calloc(1, sizeof *client);
    socklen_t len = address ? parse_address(address, &parsed) : 0;
    if (client && len)
        client->fd = open_socket(&parsed, len, bytes);
    if (!client || !len || client->fd < 0) {
        fprintf(stderr, "cannot connect to %s: %s\n", address ? address : "nothing",
                len ? strerror(errno) : "no such address");
        free(client);
        return NULL;
    }
    client->wait_ms = CLIENT_WAIT_MS;
    return client;
}

struct client *client_connect(const char *address)
{
    return client_connect_slow(address, 0);
}

static void pause_briefly(void)
{
    const struct timespec pause = {0, POLL_NS};
    nanosleep(&pause, NULL);
}

void client_close(struct client *client)
{
    if (!client)
        return;
    close(client->fd);
    free(client->unread);
    free(client);
}

void client_reset(struct client *client)
{
    if (!client)
        return;
    struct linger now = {1, 0};
    setsockopt(client->fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    client_close(client);
}

/* ---- Sending */

static bool await(const struct client *client, short events, uint64_t due)
{
    struct pollfd fd = {.fd = client->fd, .events = events};
    for (;;) {
        uint64_t now = client_clock_ms();
        if (now >= due)
            return false;
        int ready = poll(&fd, 1, (int)(due - now));
        if (ready > 0)
            return true;
        if (ready < 0 && errno != EINTR)
            return false;
    }
}

bool client_send(struct client *client, const char *data, size_t len)
{
    uint64_t due = client_clock_ms() + client->wait_ms;
    while (len > 0) {
        ssize_t n = send(client->fd, data, len, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (n > 0) {
            data += n;
            len -= (size_t)n;
            client->sent_bytes += (uint64_t)n;
        } else if (errno != EAGAIN || !await(client, POLLOUT, due)) {
            client->send_failed = true;
            return false;
        }
    }
    return true;
}

bool client_send_text(struct client *client, const char *text)
{
    return client_send(client, text, strlen(text));
}

bool client_printf(struct client *client, const char *format, ...)
{
    char text[65536];
    va_list arguments;
    va_start(arguments, format);
    int len = vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    return len >= 0 && (size_t)len < sizeof text && client_send(client, text, (size_t)len);
}

void client_finish_sending(struct client *client)
{
    shutdown(client->fd, SHUT_WR);
}

/* ---- The peer's socket, as the kernel reports it */

static void put_end(const union address *end, __be32 *host, __be16 *port)
{
    if (end->any.sa_family == AF_INET6) {
        memcpy(host, &end->v6.sin6_addr, sizeof end->v6.sin6_addr);
        *port = end->v6.sin6_port;
    } else {
        host[0] = end->v4.sin_addr.s_addr;
        *port = end->v4.sin_port;
    }
}

struct diag_query {
    struct nlmsghdr header;
    struct inet_diag_req_v2 body;
};

/* The socket whose own end is `own`, and that is connected to `peer`. */
static void make_query(const union address *own, const union address *peer,
                       struct diag_query *query)
{
    *query = (struct diag_query){.header = {.nlmsg_len = sizeof *query,
                                            .nlmsg_type = SOCK_DIAG_BY_FAMILY,
                                            .nlmsg_flags = NLM_F_REQUEST}};
    query->body.sdiag_family = (unsigned char)own->any.sa_family;
    query->body.sdiag_protocol = IPPROTO_TCP;
    query->body.idiag_states = ~0u;
    struct inet_diag_sockid *id = &query->body.id;
    put_end(own, id->idiag_src, &id->idiag_sport);
    put_end(peer, id->idiag_dst, &id->idiag_dport);
    id->idiag_cookie[0] = id->idiag_cookie[1] = INET_DIAG_NOCOOKIE;
}

/* The socket at the other end of a client's connection. */
static bool query_peer(const struct client *client, struct diag_query *query)
{
    union address own, peer;
    socklen_t own_len = sizeof own, peer_len = sizeof peer;
    if (getsockname(client->fd, &own.any, &own_len) ||
        getpeername(client->fd, &peer.any, &peer_len))
        return false;
    make_query(&peer, &own, query);
    return true;
}

struct diag_answer {
    struct nlmsghdr header;
    struct inet_diag_msg body;
    char attributes[512];
};

/* Whether the socket was found. */
static bool look_at_socket(int diag_fd, const struct diag_query *query, struct diag_answer *answer)
{
    if (send(diag_fd, query, sizeof *query, 0) < 0)
        return false;
    ssize_t len = recv(diag_fd, answer, sizeof *answer, 0);
    return len >= (ssize_t)(sizeof answer->header + sizeof answer->body) &&
           answer->header.nlmsg_type == SOCK_DIAG_BY_FAMILY;
}

/* Bytes that the socket's program has not read, or connections that it has not accepted; -1 if the
 * socket does not exist. */
static long count_unread(int diag_fd, const struct diag_query *query)
{
    struct diag_answer answer;
    return look_at_socket(diag_fd, query, &answer) ? (long)answer.body.idiag_rqueue : -1;
}

static bool await_read(const struct diag_query *query, int diag_fd, uint64_t due)
{
    for (int i = 0;; i++) {
        long unread = count_unread(diag_fd, query);
        if (unread <= 0)
            return unread == 0;
        if (client_clock_ms() >= due)
            return false;
        if (i < SPINS)
            sched_yield();
        else
            pause_briefly();
    }
}

static int open_diag(void)
{
    return socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
}

bool client_await_read(struct client *client)
{
    struct diag_query query;
    int diag_fd = open_diag();
    bool read = diag_fd >= 0 && query_peer(client, &query) &&
                await_read(&query, diag_fd, client_clock_ms() + client->wait_ms);
    if (diag_fd >= 0)
        close(diag_fd);
    return read;
}

long client_count_under_way(const struct client *client)
{
    struct diag_query query;
    struct diag_answer peer;
    int diag_fd = open_diag(), unread = 0, unacknowledged = 0;
    bool known = diag_fd >= 0 && query_peer(client, &query) &&
                 look_at_socket(diag_fd, &query, &peer) && !ioctl(client->fd, SIOCINQ, &unread) &&
                 !ioctl(client->fd, SIOCOUTQ, &unacknowledged);
    if (diag_fd >= 0)
        close(diag_fd);
    return known ? (long)peer.body.idiag_rqueue + (long)peer.body.idiag_wqueue + unread +
                       unacknowledged
                 : -1;
}

bool client_send_bytes(struct client *client, const char *data, size_t len)
{
    struct diag_query query;
    int diag_fd = open_diag();
    bool sent = diag_fd >= 0 && query_peer(client, &query);
    uint64_t due = client_clock_ms() + client->wait_ms;
    for (size_t i = 0; i < len && sent; i++)
        sent = client_send(client, data + i, 1) && await_read(&query, diag_fd, due);
    if (diag_fd >= 0)
        close(diag_fd);
    return sent;
}

/* A listener has no peer: its other end is all zeros. */
static bool await_close(const union address *listener, int diag_fd, uint64_t due)
{
    union address nobody = {.any = {.sa_family = listener->any.sa_family}};
    struct diag_query query;
    make_query(listener, &nobody, &query);
    while (count_unread(diag_fd, &query) >= 0) {
        if (client_clock_ms() >= due)
            return false;
        pause_briefly();
    }
    return true;
}

bool client_await_refusal(const char *address)
{
    union address parsed;
    socklen_t len = parse_address(address, &parsed);
    int diag_fd = open_diag();
    bool gone =
        len && diag_fd >= 0 && await_close(&parsed, diag_fd, client_clock_ms() + CLIENT_WAIT_MS);
    if (diag_fd >= 0)
        close(diag_fd);
    int fd = gone ? open_socket(&parsed, len, 0) : -1;
    bool refused = gone && fd < 0 && errno == ECONNREFUSED;
    if (fd >= 0)
        close(fd);
    return refused;
}

/* ---- Receiving */

/* Receives once. False at the end, on reset, or when time is over. */
static bool receive_more(struct client *client, uint64_t due)
{
    if (client->eof || client->reset || client->len > MAX_UNREAD)
        return false;
    if (client->space - client->len < BLOCK) {
        size_t space = client->space * 2 + BLOCK;
        char *unread = realloc(client->unread, space);
        if (!unread)
            return false;
        client->unread = unread;
        client->space = space;
    }
    for (;;) {
        ssize_t n = recv(client->fd, client->unread + client->len, BLOCK, MSG_DONTWAIT);
        if (n > 0) {
            client->len += (size_t)n;
            return true;
        }
        client->eof = n == 0;
        client->reset = n < 0 && errno != EAGAIN && errno != EINTR;
        if (client->eof || client->reset || !await(client, POLLIN, due))
            return false;
    }
}

static void consume(struct client *client, size_t len)
{
    if (len > 0)
        memmove(client->unread, client->unread + len, client->len - len);
    client->len -= len;
}

bool client_readable(const struct client *client, unsigned ms)
{
    return await(client, POLLIN, client_clock_ms() + ms);
}

long client_receive(struct client *client, char *data, size_t len)
{
    if (!client->len && !receive_more(client, client_clock_ms() + client->wait_ms))
        return client->eof ? 0 : -1;
    size_t n = len < client->len ? len : client->len;
    memcpy(data, client->unread, n);
    consume(client, n);
    return (long)n;
}

/* Why reading stopped early; `begun`: a part of a response had come. */
static enum client_end ended(const struct client *client, bool begun)
{
    if (!client->eof && !client->reset)
        return CLIENT_TIMEOUT;
    if (begun)
        return CLIENT_CUT;
    return client->eof ? CLIENT_CLOSED : CLIENT_RESET;
}

enum client_end client_await_end(struct client *client)
{
    uint64_t due = client_clock_ms() + client->wait_ms;
    if (client->len || receive_more(client, due))
        return CLIENT_GARBAGE;
    return ended(client, false);
}

/* Takes the first `len` bytes as text. NULL if they do not come, or when out of memory. */
static char *take(struct client *client, size_t len, uint64_t due)
{
    while (client->len < len)
        if (!receive_more(client, due))
            return NULL;
    char *text = malloc(len + 1);
    if (!text)
        return NULL;
    if (len)
        memcpy(text, client->unread, len);
    text[len] = '\0';
    consume(client, len);
    return text;
}

/* Takes the bytes up to the end of `mark`. */
static char *take_until(struct client *client, const char *mark, uint64_t due)
{
    size_t mark_len = strlen(mark);
    for (;;) {
        const char *end = client->len ? memmem(client->unread, client->len, mark, mark_len) : NULL;
        if (end)
            return take(client, (size_t)(end - client->unread) + mark_len, due);
        if (!receive_more(client, due))
            return NULL;
    }
}

/* ---- Reading a response */

/* The value of the field at `line`, if its name is `name`: without white space at its ends. */
static const char *value_of(const char *line, const char *name, size_t *len)
{
    size_t name_len = strlen(name);
    if (strncasecmp(line, name, name_len) || line[name_len] != ':')
        return NULL;
    const char *value = line + name_len + 1;
    value += strspn(value, " \t");
    *len = strcspn(value, "\r");
    return value;
}

static const char *next_line(const char *line)
{
    const char *end = strstr(line, "\r\n");
    return end ? end + 2 : "";
}

bool client_reply_field(const struct client_reply *reply, const char *name, char *value,
                        size_t size)
{
    for (const char *line = reply->head ? next_line(reply->head) : ""; *line;
         line = next_line(line)) {
        size_t len;
        const char *found = value_of(line, name, &len);
        if (!found)
            continue;
        if (len >= size)
            return false;
        memcpy(value, found, len);
        value[len] = '\0';
        return true;
    }
    return false;
}

unsigned client_reply_count(const struct client_reply *reply, const char *name)
{
    unsigned count = 0;
    size_t len;
    for (const char *line = reply->head ? next_line(reply->head) : ""; *line;
         line = next_line(line))
        count += value_of(line, name, &len) != NULL;
    return count;
}

/* Fills in the values of the head. False if it is malformed. */
static bool read_fields(struct client_reply *reply)
{
    char value[64];
    if (strncmp(reply->head, "HTTP/1.1 ", 9) || !isdigit((unsigned char)reply->head[9]))
        return false;
    reply->status = (int)strtol(reply->head + 9, NULL, 10);
    if (client_reply_field(reply, "Content-Length", value, sizeof value)) {
        reply->has_length = true;
        reply->length = strtoull(value, NULL, 10);
    }
    if (client_reply_field(reply, "Transfer-Encoding", value, sizeof value))
        reply->chunked = !strcasecmp(value, "chunked");
    if (client_reply_field(reply, "Connection", value, sizeof value))
        reply->closes = !strcasecmp(value, "close");
    bool framing_once = client_reply_count(reply, "Content-Length") +
                            client_reply_count(reply, "Transfer-Encoding") <=
                        1;
    return reply->status >= 100 && reply->status <= 599 && framing_once;
}

static bool append(struct client_reply *reply, const char *data, size_t len)
{
    char *body = realloc(reply->body, reply->body_len + len + 1);
    if (!body)
        return false;
    memcpy(body + reply->body_len, data, len);
    reply->body = body;
    reply->body_len += len;
    body[reply->body_len] = '\0';
    return true;
}

static bool append_trailer(struct client_reply *reply, const char *line)
{
    size_t before = strlen(reply->trailers), len = strlen(line);
    char *text = realloc(reply->trailers, before + len + 1);
    if (!text)
        return false;
    memcpy(text + before, line, len + 1);
    reply->trailers = text;
    return true;
}

static bool read_trailers(struct client *client, struct client_reply *reply, uint64_t due)
{
    char *line;
    while ((line = take_until(client, "\r\n", due))) {
        bool last = !strcmp(line, "\r\n"), good = append_trailer(reply, last ? "" : line);
        free(line);
        if (last || !good)
            return good;
    }
    return false;
}

/* One chunk. 1: a chunk, 0: the last one and the trailers, -1: neither. */
static int read_chunk(struct client *client, struct client_reply *reply, uint64_t due)
{
    char *line = take_until(client, "\r\n", due);
    if (!line)
        return -1;
    char *end;
    unsigned long size = strtoul(line, &end, 16);
    bool good = end != line && !strcmp(end, "\r\n");
    free(line);
    if (good && !size)
        return read_trailers(client, reply, due) ? 0 : -1;
    char *data = good ? take(client, size + 2, due) : NULL;
    good = data && !strcmp(data + size, "\r\n") && append(reply, data, size);
    free(data);
    return good ? 1 : -1;
}

static bool read_to_end(struct client *client, struct client_reply *reply, uint64_t due)
{
    while (receive_more(client, due))
        continue;
    if (client->len && !append(reply, client->unread, client->len))
        return false;
    client->len = 0;
    return client->eof;
}

static bool read_body(struct client *client, struct client_reply *reply, bool to_head, uint64_t due)
{
    if (to_head || reply->status == 204 || reply->status == 304)
        return true;
    if (reply->chunked) {
        int more = 1;
        while (more > 0)
            more = read_chunk(client, reply, due);
        return more == 0;
    }
    if (!reply->has_length)
        return read_to_end(client, reply, due);
    char *body = take(client, (size_t)reply->length, due);
    bool whole = body && append(reply, body, (size_t)reply->length);
    free(body);
    return whole;
}

static void read_reply(struct client *client, struct client_reply *reply, bool to_head,
                       uint64_t due)
{
    do {
        free(reply->head);
        reply->head = take_until(client, "\r\n\r\n", due);
        if (!reply->head) {
            reply->end = ended(client, client->len > 0 || reply->interim);
            return;
        }
        if (!read_fields(reply)) {
            reply->end = CLIENT_GARBAGE;
            return;
        }
        reply->interim += reply->status < 200;
    } while (reply->status < 200);
    if (read_body(client, reply, to_head, due))
        reply->end = CLIENT_REPLY;
    else
        reply->end = client->eof || client->reset ? CLIENT_CUT
                     : client_clock_ms() >= due   ? CLIENT_TIMEOUT
                                                  : CLIENT_GARBAGE;
}

struct client_reply client_read(struct client *client, bool to_head)
{
    struct client_reply reply = {.body = calloc(1, 1), .trailers = calloc(1, 1)};
    read_reply(client, &reply, to_head, client_clock_ms() + client->wait_ms);
    if (reply.end != CLIENT_REPLY && reply.end != CLIENT_CUT)
        reply.status = 0;
    return reply;
}

struct client_reply client_exchange(struct client *client, const char *text)
{
    client_send_text(client, text);
    return client_read(client, !strncmp(text, "HEAD ", 5));
}

void client_reply_free(struct client_reply *reply)
{
    free(reply->head);
    free(reply->body);
    free(reply->trailers);
    reply->head = reply->body = reply->trailers = NULL;
}

/* ---- Metrics */

/* The sum of all lines of that name, up to a '{' in it, that have what is behind it. */
static long find_metric(const char *text, const char *name)
{
    size_t len = strcspn(name, "{");
    const char *part = name + len + (name[len] == '{');
    long sum = -1;
    for (const char *at = text; at; at = strchr(at, '\n')) {
        at += *at == '\n';
        if (strncmp(at, name, len) != 0 || !strchr("{ ", at[len]))
            continue;
        size_t line = strcspn(at, "\n");
        const char *found = *part ? memmem(at, line, part, strlen(part)) : at, *value = at + line;
        while (value > at && value[-1] != ' ')
            value--;
        if (found)
            sum = (sum < 0 ? 0 : sum) + strtol(value, NULL, 10);
    }
    return sum;
}

long client_metric(const char *admin, const char *name)
{
    struct client *client = client_connect(admin);
    if (!client)
        return -1;
    struct client_reply reply = client_exchange(client, "GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n");
    long value = reply.end == CLIENT_REPLY ? find_metric(reply.body, name) : -1;
    client_reply_free(&reply);
    client_close(client);
    return value;
}

bool client_await_metric(const char *admin, const char *name, long value)
{
    uint64_t due = client_clock_ms() + CLIENT_WAIT_MS;
    bool reached = false;
    while (!reached && client_clock_ms() < due)
        reached = client_metric(admin, name) == value;
    return reached;
}

bool client_await_count(const char *admin, const char *name, long least)
{
    uint64_t due = client_clock_ms() + CLIENT_WAIT_MS;
    bool reached = false;
    while (!reached && client_clock_ms() < due)
        reached = client_metric(admin, name) >= least;
    return reached;
}
