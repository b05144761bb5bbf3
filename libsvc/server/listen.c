/* Listening sockets. */
#include "libsvc/server/listen.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "libsvc/base/clock.h"
#include "libsvc/server/handshakes.h"

/* The kernel takes the smaller of this and net.core.somaxconn. */
enum { BACKLOG = 4096 };

/* For another instance that starts or stops, which takes less than a millisecond each. */
enum { LOCK_MS = 2000, LOCK_PAUSE_MS = 5 };

static int fail(svc_app *report, const char *address, const char *why)
{
    svc__app_error(report, NULL, 0, "listen on \"%s\": %s", address, why);
    return SVC_ELISTEN;
}

static int bind_and_listen(int fd, const struct sockaddr *address, socklen_t len)
{
    if (bind(fd, address, len) || listen(fd, BACKLOG)) {
        int saved = errno;
        close(fd);
        errno = saved;
        return -1;
    }
    return fd;
}

/* ---- Unix sockets */

/*
 * Instances that start and stop at a time take turns at a socket's folder: otherwise one could take
 * the file of another, which is bound and not listened on yet, for a stale one, or remove what has
 * replaced the stale one. -1 where the folder cannot be locked, which is no reason not to serve.
 */
static int lock_folder(const char *path)
{
    char folder[ENDPOINT_TEXT] = ".";
    const char *slash = strrchr(path, '/');
    if (slash)
        snprintf(folder, sizeof folder, "%.*s", slash == path ? 1 : (int)(slash - path), path);
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    uint64_t until_ms = svc__clock_ms() + LOCK_MS;
    while (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) && errno == EWOULDBLOCK &&
           svc__clock_ms() < until_ms)
        poll(NULL, 0, LOCK_PAUSE_MS);
    return fd;
}

static void unlock_folder(int fd)
{
    if (fd >= 0)
        close(fd);
}

/* A socket file that nobody listens on any more, left by a crash, is in the way of bind. Somebody
 * whose queue is full is no reason to wait, and none to remove his file. */
static void remove_stale(const struct sockaddr_un *address)
{
    struct stat status;
    if (lstat(address->sun_path, &status) || !S_ISSOCK(status.st_mode))
        return;
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return;
    if (connect(fd, (const struct sockaddr *)address, sizeof *address) && errno == ECONNREFUSED)
        unlink(address->sun_path);
    close(fd);
}

static int open_unix(struct listener *listener, svc_app *report, const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    memcpy(address.sun_path, path, strlen(path) + 1);
    int folder = lock_folder(path);
    remove_stale(&address);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd >= 0)
        fd = bind_and_listen(fd, (const struct sockaddr *)&address, sizeof address);
    int error = errno;
    struct stat status;
    if (fd >= 0 && !lstat(path, &status)) {
        listener->device = status.st_dev;
        listener->inode = status.st_ino;
        memcpy(listener->path, path, strlen(path) + 1);
    }
    unlock_folder(folder);
    if (fd < 0)
        return fail(report, listener->address, strerror(error));
    listener->fd = fd;
    return 0;
}

/* Unless another instance has put its own there. While the socket still listens, nobody takes the
 * file for a stale one meanwhile. */
static void remove_file(struct listener *listener)
{
    struct stat status;
    if (!*listener->path)
        return;
    int folder = lock_folder(listener->path);
    if (!lstat(listener->path, &status) && status.st_dev == listener->device &&
        status.st_ino == listener->inode)
        unlink(listener->path);
    unlock_folder(folder);
    *listener->path = '\0';
}

/* ---- TCP */

static int open_address(const struct addrinfo *info, bool dual_stack)
{
    int type = info->ai_socktype | SOCK_CLOEXEC | SOCK_NONBLOCK;
    int fd = socket(info->ai_family, type, info->ai_protocol);
    if (fd < 0)
        return -1;
    int on = 1, only = !dual_stack;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (info->ai_family == AF_INET6)
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &only, sizeof only);
    return bind_and_listen(fd, info->ai_addr, info->ai_addrlen);
}

/* Without a host: IPv6 that takes IPv4 too, or IPv4 alone on a machine without IPv6. */
static int open_any(const char *port)
{
    static const int families[] = {AF_INET6, AF_INET};
    int fd = -1;
    for (size_t i = 0; i < 2 && fd < 0; i++) {
        struct addrinfo hints = {.ai_family = families[i],
                                 .ai_socktype = SOCK_STREAM,
                                 .ai_flags = AI_PASSIVE | AI_NUMERICSERV};
        struct addrinfo *found;
        if (getaddrinfo(NULL, port, &hints, &found))
            continue;
        fd = open_address(found, true);
        int saved = errno;
        freeaddrinfo(found);
        errno = saved;
        if (fd < 0 && errno == EADDRINUSE)
            break;
    }
    return fd;
}

static int open_host(const char *host, const char *port, const char **why)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV};
    struct addrinfo *found;
    int error = getaddrinfo(host, port, &hints, &found);
    if (error) {
        *why = gai_strerror(error);
        return -1;
    }
    int fd = -1;
    for (const struct addrinfo *info = found; info && fd < 0; info = info->ai_next)
        fd = open_address(info, false);
    *why = strerror(errno);
    freeaddrinfo(found);
    return fd;
}

/* What the socket is bound to, where port 0 has become the one that the system chose. */
static void describe(struct listener *listener)
{
    struct sockaddr_storage address;
    socklen_t len = sizeof address;
    char host[INET6_ADDRSTRLEN], port[8];
    if (getsockname(listener->fd, (struct sockaddr *)&address, &len) ||
        getnameinfo((struct sockaddr *)&address, len, host, sizeof host, port, sizeof port,
                    NI_NUMERICHOST | NI_NUMERICSERV))
        return;
    bool six = address.ss_family == AF_INET6;
    snprintf(listener->address, sizeof listener->address, "%s%s%s:%s", six ? "[" : "", host,
             six ? "]" : "", port);
}

static int open_inet(struct listener *listener, svc_app *report, const struct endpoint *endpoint)
{
    char port[8];
    const char *why;
    snprintf(port, sizeof port, "%u", endpoint->port);
    if (*endpoint->name) {
        listener->fd = open_host(endpoint->name, port, &why);
    } else {
        listener->fd = open_any(port);
        why = strerror(errno);
    }
    if (listener->fd < 0)
        return fail(report, listener->address, why);
    describe(listener);
    return 0;
}

static int open_one(struct listeners *listeners, svc_app *report, struct bytes text)
{
    struct endpoint endpoint;
    const char *reason;
    if (listeners->count == ENDPOINTS_MAX || svc__endpoint_parse(text, &endpoint, &reason))
        return SVC_ECONFIG;
    struct listener *listener = &listeners->all[listeners->count++];
    *listener = (struct listener){.watch = {WATCH_LISTENER}, .fd = -1, .local = endpoint.local};
    memcpy(listener->address, text.data, text.len);
    return endpoint.local ? open_unix(listener, report, endpoint.name)
                          : open_inet(listener, report, &endpoint);
}

int svc__listen_open(struct listeners *listeners, svc_app *report, const char *addresses)
{
    struct bytes rest = svc__bytes_z(addresses);
    int first = 0;
    while (rest.data) {
        int error = open_one(listeners, report, svc__endpoint_next(&rest));
        first = first ? first : error;
    }
    if (first)
        svc__listen_close(listeners);
    return first;
}

/* ---- The end */

/* Drops the segments that have SYN and not ACK; byte 13 of the head has the flags. */
static int drop_handshakes(int fd)
{
    struct sock_filter program[] = {
        BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 13),
        BPF_STMT(BPF_ALU | BPF_AND | BPF_K, TH_SYN | TH_ACK),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, TH_SYN, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, 0),
        BPF_STMT(BPF_RET | BPF_K, UINT32_MAX),
    };
    struct sock_fprog filter = {sizeof program / sizeof *program, program};
    return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &filter, sizeof filter);
}

void svc__listen_refuse(struct listeners *listeners, svc_app *app)
{
    for (size_t i = 0; i < listeners->count; i++) {
        struct listener *listener = &listeners->all[i];
        remove_file(listener);
        if (listener->local ? shutdown(listener->fd, SHUT_RD) : drop_handshakes(listener->fd))
            svc_app_log_warn(app, "a listener cannot be kept from new clients while it closes",
                             svc_kv_str("address", listener->address),
                             svc_kv_str("reason", strerror(errno)));
    }
}

bool svc__listen_expects(const struct listeners *listeners)
{
    bool expects = false;
    for (size_t i = 0; i < listeners->count && !expects; i++)
        expects = svc__handshakes_pending(listeners->all[i].fd);
    return expects;
}

void svc__listen_close(struct listeners *listeners)
{
    for (size_t i = 0; i < listeners->count; i++) {
        struct listener *listener = &listeners->all[i];
        remove_file(listener);
        int fd = atomic_exchange(&listener->fd, -1);
        if (fd >= 0)
            close(fd);
    }
}
