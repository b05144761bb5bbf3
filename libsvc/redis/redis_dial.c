/* Sockets, and the words before the first command. */
#include "libsvc/redis/redis_dial.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <svc/errors.h>

#include "libsvc/redis/redis_time.h"

/* The words before the first command. */
enum { GREETINGS = 3 };

/* A text for the errno of a step. Returns the error. */
static int explain(struct redis_why *why, int error, const char *step, int number)
{
    char text[96];
    (void)snprintf(why->text, sizeof why->text, "%s: %s", step,
                   strerror_r(number, text, sizeof text));
    return error;
}

/* ---- The socket */

/* Connects a socket that does not block. 0, or an error with `why`. */
static int connect_socket(int fd, const struct sockaddr *address, socklen_t len,
                          uint64_t deadline_ms, int stop_fd, struct redis_why *why)
{
    int number = 0;
    socklen_t number_len = sizeof number;
    if (connect(fd, address, len) == 0)
        return 0;
    if (errno != EINPROGRESS)
        return explain(why, SVC_EUNAVAILABLE, "connect", errno);
    int error = svc__redis_time_poll(fd, POLLOUT, deadline_ms, stop_fd);
    if (error)
        return explain(why, error, "connect", ETIMEDOUT);
    if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &number, &number_len) || number)
        return explain(why, SVC_EUNAVAILABLE, "connect", number);
    return 0;
}

/* A peer that has vanished is noticed within half a minute, also where only replies are awaited. */
static void keep_alive(int fd)
{
    const int on = 1, idle_s = 15, again_s = 5, times = 3;
    (void)setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
    (void)setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle_s, sizeof idle_s);
    (void)setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &again_s, sizeof again_s);
    (void)setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &times, sizeof times);
}

/* Makes and connects a socket. 0 with `*fd`, or an error with `why`. */
static int open_socket(int family, const struct sockaddr *address, socklen_t len,
                       uint64_t deadline_ms, int stop_fd, int *fd, struct redis_why *why)
{
    const int on = 1;
    int made = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (made < 0)
        return explain(why, SVC_EUNAVAILABLE, "socket", errno);
    int error = connect_socket(made, address, len, deadline_ms, stop_fd, why);
    if (error) {
        close(made);
        return error;
    }
    if (family != AF_UNIX) {
        (void)setsockopt(made, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        keep_alive(made);
    }
    *fd = made;
    return 0;
}

static int open_unix(const struct redis_url *url, uint64_t deadline_ms, int stop_fd, int *fd,
                     struct redis_why *why)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    memcpy(address.sun_path, url->path, sizeof url->path);
    return open_socket(AF_UNIX, (const struct sockaddr *)&address, sizeof address, deadline_ms,
                       stop_fd, fd, why);
}

/* Tries each address that was found; as long as another follows, for half of the time that is left.
 */
static int open_found(const struct addrinfo *found, struct redis_address *address,
                      uint64_t deadline_ms, int stop_fd, int *fd, struct redis_why *why)
{
    int error = SVC_EUNAVAILABLE;
    for (const struct addrinfo *each = found; each; each = each->ai_next) {
        uint64_t now = svc__redis_time_ms();
        bool is_last = !each->ai_next || now >= deadline_ms;
        error =
            open_socket(each->ai_family, each->ai_addr, each->ai_addrlen,
                        is_last ? deadline_ms : now + (deadline_ms - now) / 2, stop_fd, fd, why);
        if (!error) {
            memcpy(&address->socket, each->ai_addr, each->ai_addrlen);
            address->len = each->ai_addrlen;
        }
        if (!error || error == SVC_ECANCELLED)
            return error;
    }
    return error;
}

static int open_tcp(const struct redis_url *url, struct redis_address *address,
                    uint64_t deadline_ms, int stop_fd, int *fd, struct redis_why *why)
{
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV};
    struct addrinfo *found;
    if (address->len > 0)
        return open_socket(address->socket.ss_family, (const struct sockaddr *)&address->socket,
                           address->len, deadline_ms, stop_fd, fd, why);
    int failed = getaddrinfo(url->host, url->port, &hints, &found);
    if (failed) {
        (void)snprintf(why->text, sizeof why->text, "host name: %s", gai_strerror(failed));
        return SVC_EUNAVAILABLE;
    }
    int error = open_found(found, address, deadline_ms, stop_fd, fd, why);
    freeaddrinfo(found);
    return error;
}

/* ---- The words before the first command */

/* Reads the password's file: its text up to the end of the first line. */
static int read_password(const char *path, char *password, size_t space, struct redis_why *why)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t len = fd < 0 ? -1 : read(fd, password, space);
    int number = errno;
    if (fd >= 0)
        close(fd);
    if (len < 0)
        return explain(why, SVC_EUNAVAILABLE, "password_file", number);
    if ((size_t)len == space)
        return explain(why, SVC_EUNAVAILABLE, "password_file", EFBIG);
    password[len] = '\0';
    password[strcspn(password, "\r\n")] = '\0';
    return 0;
}

static int write_auth(const struct redis_url *url, struct redis_text *out, struct redis_why *why)
{
    char password[REDIS_SECRET_BYTES + 1];
    memcpy(password, url->password, sizeof password);
    int error =
        url->password_file ? read_password(url->password_file, password, sizeof password, why) : 0;
    if (!error && *password) {
        svc__redis_text_begin(out, *url->user ? 3 : 2);
        svc__redis_text_string(out, "AUTH");
        if (*url->user)
            svc__redis_text_string(out, url->user);
        svc__redis_text_string(out, password);
    }
    explicit_bzero(password, sizeof password);
    return error;
}

/* The name of a command that is awaited, for the log. */
static int await_status(struct redis_link *link, const char *command, uint64_t deadline_ms,
                        int stop_fd, struct redis_why *why)
{
    const struct redis_reply *reply = &link->reply;
    int error = svc__redis_link_wait(link, deadline_ms, stop_fd, NULL, NULL);
    if (error) {
        (void)snprintf(why->text, sizeof why->text, "%s: %s", command,
                       error == SVC_EUNAVAILABLE ? "the connection was closed"
                                                 : svc_error_text(error));
        return error;
    }
    if (reply->kind == REDIS_STATUS)
        return 0;
    (void)snprintf(why->text, sizeof why->text, "%s: %s", command,
                   reply->kind == REDIS_ERROR ? reply->text : "an answer of another kind");
    return reply->kind == REDIS_ERROR ? SVC_EUNAVAILABLE : SVC_ESYNTAX;
}

static int greet(const struct redis_url *url, struct redis_link *link, uint64_t deadline_ms,
                 int stop_fd, struct redis_why *why)
{
    const char *commands[GREETINGS];
    size_t count = 0;
    int error = write_auth(url, &link->out, why);
    if (error)
        return error;
    if (link->out.len > 0)
        commands[count++] = "AUTH";
    if (url->db) {
        svc__redis_text_begin(&link->out, 2);
        svc__redis_text_string(&link->out, "SELECT");
        svc__redis_text_number(&link->out, url->db);
        commands[count++] = "SELECT";
    }
    svc__redis_text_begin(&link->out, 1);
    svc__redis_text_string(&link->out, "PING");
    commands[count++] = "PING";
    for (size_t i = 0; i < count && !error; i++)
        error = await_status(link, commands[i], deadline_ms, stop_fd, why);
    return error;
}

int svc__redis_dial(const struct redis_url *url, struct redis_address *address, size_t most,
                    uint64_t deadline_ms, int stop_fd, struct redis_link **link,
                    struct redis_why *why)
{
    int fd = -1;
    int error = *url->host ? open_tcp(url, address, deadline_ms, stop_fd, &fd, why)
                           : open_unix(url, deadline_ms, stop_fd, &fd, why);
    if (error)
        return error;
    struct redis_link *made = svc__redis_link_new(fd, most);
    if (!made)
        return explain(why, SVC_ENOMEM, "connect", ENOMEM);
    error = greet(url, made, deadline_ms, stop_fd, why);
    if (error) {
        svc__redis_link_free(made);
        return error;
    }
    *link = made;
    return 0;
}
