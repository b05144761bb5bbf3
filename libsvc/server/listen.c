/* Listening sockets. */
#include "libsvc/server/listen.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/filter.h>
#include <net/if.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "libsvc/base/clock.h"
#include "libsvc/server/handshakes.h"
#include "libsvc/server/lookup.h"

/* The kernel uses the smaller of BACKLOG and net.core.somaxconn. */
enum { BACKLOG = 4096, PORT_TRIES = 8 };

/* The longest wait for other instances, which hold the lock for less than a millisecond. */
enum { LOCK_MS = 2000, LOCK_PAUSE_MS = 5 };

static int fail(svc_app *report, const char *address, const char *why)
{
    svc__faults_add(&report->faults, NULL, 0, "listen on \"%s\": %s", address, why);
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
 * Locks a socket file's folder, so that instances that start and stop at the same time take turns.
 * Otherwise one instance could take the file of another, which has bound it and does not listen
 * yet, for a stale one, or remove the file that has replaced a stale one. -1 if the folder cannot
 * be opened; without the lock the service starts all the same.
 */
static int lock_folder(const char *path)
{
    char folder[PATH_MAX] = ".";
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

/* Removes a socket file that a crash has left and on which no process listens: bind would fail
 * because of it. A listener whose queue is full keeps its file (EAGAIN), and is not waited for. */
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
        listener->path = realpath(path, NULL); /* the program may change its working directory */
    }
    unlock_folder(folder);
    if (fd < 0)
        return fail(report, listener->address, strerror(error));
    listener->fd = fd;
    return 0;
}

/* Removes the socket's file, unless another instance has put its own there. To be called while the
 * socket listens, so that no other instance takes the file for a stale one. */
static void remove_file(struct listener *listener)
{
    struct stat status;
    if (!listener->path)
        return;
    int folder = lock_folder(listener->path);
    if (!lstat(listener->path, &status) && status.st_dev == listener->device &&
        status.st_ino == listener->inode)
        unlink(listener->path);
    unlock_folder(folder);
    free(listener->path);
    listener->path = NULL;
}

/* ---- TCP */

static int open_address(const union address *address, bool dual_stack)
{
    int fd = socket(address->any.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return -1;
    int on = 1, only = !dual_stack;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (address->any.sa_family == AF_INET6)
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &only, sizeof only);
    return bind_and_listen(fd, &address->any, svc__lookup_len(address));
}

/* Whether the machine has no IPv6, and the address itself is not at fault. */
static bool lacks_v6(const union address *address, int error)
{
    return address->any.sa_family == AF_INET6 &&
           (error == EAFNOSUPPORT ||
            (error == EADDRNOTAVAIL && IN6_IS_ADDR_LOOPBACK(&address->v6.sin6_addr)));
}

static in_port_t port_of(int fd)
{
    union address bound = {0};
    socklen_t len = sizeof bound;
    if (getsockname(fd, &bound.any, &len))
        return 0;
    return bound.any.sa_family == AF_INET6 ? bound.v6.sin6_port : bound.v4.sin_port;
}

/* Writes the address to which the socket is bound, with the system's choice for port 0. */
static void describe(struct listener *listener)
{
    union address address;
    socklen_t len = sizeof address;
    char host[INET6_ADDRSTRLEN + IF_NAMESIZE + 1], port[8];
    if (getsockname(listener->fd, &address.any, &len) ||
        getnameinfo(&address.any, len, host, sizeof host, port, sizeof port,
                    NI_NUMERICHOST | NI_NUMERICSERV))
        return;
    bool six = address.any.sa_family == AF_INET6;
    snprintf(listener->address, sizeof listener->address, "%s%s%s:%s", six ? "[" : "", host,
             six ? "]" : "", port);
}

static struct listener *add_listener(struct listeners *listeners, struct bytes text)
{
    struct listener *listener = &listeners->all[listeners->count++];
    *listener = (struct listener){.fd = -1};
    memcpy(listener->address, text.data, text.len);
    return listener;
}

/* Opens all addresses with one port. 0, or the errno of one that cannot be opened: none is open
 * then. EADDRINUSE also if the port that the system chose for the first address is in use at
 * another. */
static int open_addresses(struct listeners *listeners, const struct addresses *addresses,
                          struct bytes text)
{
    size_t first = listeners->count;
    int missing = 0;
    in_port_t port = 0;
    for (size_t i = 0; i < addresses->count; i++) {
        union address address = addresses->all[i];
        in_port_t *wanted =
            address.any.sa_family == AF_INET6 ? &address.v6.sin6_port : &address.v4.sin_port;
        if (!*wanted)
            *wanted = port;
        int fd = open_address(&address, false), error = errno;
        if (fd < 0 && !lacks_v6(&address, error)) {
            while (listeners->count > first)
                close(listeners->all[--listeners->count].fd);
            return error;
        }
        if (fd < 0) {
            missing = error;
            continue;
        }
        port = port_of(fd);
        struct listener *listener = add_listener(listeners, text);
        listener->fd = fd;
        describe(listener);
    }
    return listeners->count > first ? 0 : missing ? missing : EADDRNOTAVAIL;
}

static int open_chosen(struct listeners *listeners, const struct addresses *addresses,
                       struct bytes text, bool system_chooses)
{
    int tries = system_chooses ? PORT_TRIES : 1, error = 0;
    for (int i = 0; i < tries; i++) {
        error = open_addresses(listeners, addresses, text);
        if (error != EADDRINUSE)
            break;
    }
    return error;
}

/* Opens a port of all addresses: on an IPv6 socket that accepts IPv4 too, or on IPv4 alone if the
 * machine has no IPv6. */
static int open_any(struct listeners *listeners, uint16_t port, struct bytes text)
{
    union address v6 = {.v6 = {.sin6_family = AF_INET6, .sin6_port = htons(port)}};
    union address v4 = {.v4 = {.sin_family = AF_INET, .sin_port = htons(port)}};
    int fd = open_address(&v6, true);
    if (fd < 0 && errno != EADDRINUSE && errno != EACCES)
        fd = open_address(&v4, false);
    if (fd < 0)
        return errno;
    struct listener *listener = add_listener(listeners, text);
    listener->fd = fd;
    describe(listener);
    return 0;
}

/* Adds the address that the host's text is, or all addresses of its name. */
static int find_addresses(const struct endpoint *endpoint, struct addresses *out, const char **why)
{
    union address address = {.v4 = {.sin_family = AF_INET, .sin_port = htons(endpoint->port)}};
    if (inet_pton(AF_INET, endpoint->name, &address.v4.sin_addr) == 1)
        return svc__lookup_add(out, &address);
    address = (union address){.v6 = {.sin6_family = AF_INET6, .sin6_port = htons(endpoint->port)}};
    char host[ENDPOINT_TEXT];
    struct bytes zone = svc__bytes_z(endpoint->name), text = svc__bytes_cut(&zone, '%');
    memcpy(host, text.data, text.len);
    host[text.len] = '\0';
    if (inet_pton(AF_INET6, host, &address.v6.sin6_addr) != 1)
        return svc__lookup_name(endpoint->name, endpoint->port, out, why);
    *why = "there is no such network interface";
    if (zone.data)
        address.v6.sin6_scope_id = if_nametoindex(zone.data);
    return zone.data && !address.v6.sin6_scope_id ? SVC_ESYSTEM : svc__lookup_add(out, &address);
}

static int open_inet(struct listeners *listeners, svc_app *report, const struct endpoint *endpoint,
                     struct bytes text)
{
    struct addresses addresses = {.count = 0};
    char name[ENDPOINT_TEXT] = "";
    const char *why;
    int error = 0;
    memcpy(name, text.data, text.len);
    if (*endpoint->name && find_addresses(endpoint, &addresses, &why))
        return fail(report, name, why);
    if (listeners->count + addresses.count > LISTENERS_MAX)
        return fail(report, name, "the names of the list have more than 32 addresses");
    if (*endpoint->name)
        error = open_chosen(listeners, &addresses, text, !endpoint->port);
    else
        error = open_any(listeners, endpoint->port, text);
    return error ? fail(report, name, strerror(error)) : 0;
}

static int open_local(struct listeners *listeners, svc_app *report, const char *path,
                      struct bytes text)
{
    if (listeners->count == LISTENERS_MAX)
        return fail(report, path, "the names of the list have more than 32 addresses");
    struct listener *listener = add_listener(listeners, text);
    listener->local = true;
    return open_unix(listener, report, path);
}

const struct front *svc__listen_front(const svc_app *report, const struct front *const *fronts,
                                      const struct listen_text *text)
{
    int chosen = text->options[LISTEN_FRONT];
    size_t index = (size_t)(chosen == LISTEN_UNSET ? report->config.http1 : chosen), at = 0;
    while (fronts[at] && at < index)
        at++;
    return fronts[at];
}

static int open_one(struct listeners *listeners, svc_app *report, struct bytes listed,
                    const struct front *const *fronts)
{
    struct listen_text text;
    const char *reason;
    size_t first = listeners->count;
    if (svc__listen_text_parse(listed, &text, &reason))
        return SVC_ECONFIG;
    const struct front *front = svc__listen_front(report, fronts, &text);
    if (!front)
        return SVC_ECONFIG;
    int error = text.endpoint.local
                    ? open_local(listeners, report, text.endpoint.name, text.address)
                    : open_inet(listeners, report, &text.endpoint, text.address);
    for (size_t i = first; i < listeners->count; i++)
        listeners->all[i].front = front;
    return error;
}

int svc__listen_open(struct listeners *listeners, svc_app *report, const char *addresses,
                     const struct front *const *fronts)
{
    struct bytes rest = svc__bytes_z(addresses);
    int first = 0;
    while (rest.data) {
        int error = open_one(listeners, report, svc__listen_text_next(&rest), fronts);
        first = first ? first : error;
    }
    if (first)
        svc__listen_close(listeners);
    return first;
}

bool svc__listen_is_private(const struct listener *listener)
{
    union address bound;
    socklen_t len = sizeof bound;
    if (listener->local)
        return true;
    if (getsockname(listener->fd, &bound.any, &len))
        return false;
    if (bound.any.sa_family == AF_INET6)
        return IN6_IS_ADDR_LOOPBACK(&bound.v6.sin6_addr);
    return ntohl(bound.v4.sin_addr.s_addr) >> 24 == IN_LOOPBACKNET;
}

/* ---- The end */

/* Has the kernel drop segments with SYN and without ACK; byte 13 of the header has the flags. */
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
