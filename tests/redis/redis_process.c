/* Starting and asking a redis-server. */
#include "tests/redis/redis_process.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PROGRAM "/usr/bin/redis-server"

bool redis_process_is_there(void)
{
    return access(PROGRAM, X_OK) == 0;
}

unsigned long redis_process_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (unsigned long)now.tv_sec * 1000 + (unsigned long)now.tv_nsec / 1000000;
}

void redis_process_rest(void)
{
    const struct timespec time = {0, 2000000};
    nanosleep(&time, NULL);
}

static void give_up(const char *why)
{
    perror(why);
    abort();
}

/* The socket never listens, so redis-server can have the port beside it, and the system gives it to
 * nobody else. */
static void keep_port(struct redis_process *redis)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof address;
    int on = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) ||
        bind(fd, (struct sockaddr *)&address, len) ||
        getsockname(fd, (struct sockaddr *)&address, &len))
        give_up("port");
    redis->port_fd = fd;
    redis->port = ntohs(address.sin_port);
}

void redis_process_prepare(struct redis_process *redis, bool tcp)
{
    *redis = (struct redis_process){0};
    if (tcp)
        keep_port(redis);
    snprintf(redis->folder, sizeof redis->folder, "/tmp/libsvc-redis-XXXXXX");
    if (!mkdtemp(redis->folder))
        give_up("folder");
    snprintf(redis->socket, sizeof redis->socket, "%s/redis.sock", redis->folder);
    snprintf(redis->url, sizeof redis->url, "redis+unix:%s?" REDIS_PATIENCE, redis->socket);
}

static int connect_to(const struct redis_process *redis)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    snprintf(address.sun_path, sizeof address.sun_path, "%s", redis->socket);
    if (fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof address)) {
        close(fd);
        return -1;
    }
    return fd;
}

bool redis_process_ask(const struct redis_process *redis, const char *line, char *reply,
                       size_t space)
{
    int fd = connect_to(redis);
    size_t len = 0;
    if (fd < 0)
        return false;
    bool good = send(fd, line, strlen(line), MSG_NOSIGNAL) == (ssize_t)strlen(line) &&
                send(fd, "\r\n", 2, MSG_NOSIGNAL) == 2;
    while (good && (len < 2 || reply[len - 1] != '\n') && len + 1 < space) {
        struct pollfd readable = {fd, POLLIN, 0};
        ssize_t got =
            poll(&readable, 1, REDIS_WAIT_MS) == 1 ? recv(fd, reply + len, space - len - 1, 0) : 0;
        good = got > 0;
        len += good ? (size_t)got : 0;
    }
    close(fd);
    while (len > 0 && (reply[len - 1] == '\n' || reply[len - 1] == '\r'))
        len--;
    reply[len] = '\0';
    return good;
}

bool redis_process_says(const struct redis_process *redis, const char *line, const char *wanted)
{
    char reply[4096];
    if (!redis_process_ask(redis, line, reply, sizeof reply))
        return false;
    if (strncmp(reply, wanted, strlen(wanted)) != 0) {
        fprintf(stderr, "%s: %s\n", line, reply);
        return false;
    }
    return true;
}

static void execute(const struct redis_process *redis, const char *const *arguments)
{
    char port[8];
    const char *list[40] = {
        "redis-server", "--port",     port,          "--bind", "127.0.0.1", "--unixsocket",
        redis->socket,  "--dir",      redis->folder, "--save", "",          "--appendonly",
        "no",           "--loglevel", "warning"};
    size_t count = 15;
    snprintf(port, sizeof port, "%d", redis->port);
    for (; arguments && *arguments && count + 1 < sizeof list / sizeof *list; arguments++)
        list[count++] = *arguments;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    for (int fd = 0; fd < 3; fd++)
        dup2(null, fd);
    execv(PROGRAM, (char **)(uintptr_t)list);
    _exit(127);
}

void redis_process_start(struct redis_process *redis, const char *const *arguments)
{
    unsigned long until = redis_process_ms() + REDIS_WAIT_MS;
    char reply[256];
    unlink(redis->socket);
    redis->pid = fork();
    if (redis->pid < 0)
        give_up("fork");
    if (redis->pid == 0)
        execute(redis, arguments);
    while (!redis_process_ask(redis, "PING", reply, sizeof reply)) {
        if (redis_process_ms() > until || waitpid(redis->pid, NULL, WNOHANG) != 0)
            give_up("redis-server does not serve");
        redis_process_rest();
    }
}

void redis_process_stop(struct redis_process *redis)
{
    kill(redis->pid, SIGSTOP);
    waitpid(redis->pid, NULL, WUNTRACED);
}

void redis_process_kill(struct redis_process *redis)
{
    if (redis->pid <= 0)
        return;
    kill(redis->pid, SIGKILL);
    waitpid(redis->pid, NULL, 0);
    redis->pid = 0;
}

void redis_process_remove(struct redis_process *redis)
{
    char path[128];
    static const char *const files[] = {"redis.sock", "password", "dump.rdb"};
    redis_process_kill(redis);
    if (redis->port)
        close(redis->port_fd);
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        snprintf(path, sizeof path, "%s/%s", redis->folder, files[i]);
        unlink(path);
    }
    rmdir(redis->folder);
}
