/*
 * The floor: what the kernel and the test's own traffic cost, with the least program that can be
 * written around them. One epoll a thread, level-triggered; recv, look for the end of the head,
 * send a reply that was made at the start. No parsing, no limits, no log: not a server.
 *
 *     floor PORT THREADS CONTENT-TYPE BODY
 */
#define _GNU_SOURCE
#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { EVENTS = 128, BLOCK = 4096 };

static int listener;
static char reply[1024];
static size_t reply_len;

static int fail(const char *what)
{
    perror(what);
    exit(1);
}

static void make_reply(const char *type, const char *body)
{
    reply_len = (size_t)snprintf(reply, sizeof reply,
                                 "HTTP/1.1 200 OK\r\nDate: Tue, 24 Nov 2026 12:00:00 GMT\r\n"
                                 "Content-Type: %s\r\nContent-Length: %zu\r\n\r\n%s",
                                 type, strlen(body), body);
    if (reply_len >= sizeof reply)
        fail("reply");
}

static void listen_on(const char *port)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((in_port_t)atoi(port)),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int on = 1;
    listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(listener, (struct sockaddr *)&address, sizeof address) || listen(listener, 16384))
        fail("listen");
}

static void watch(int epoll, int fd, unsigned events)
{
    struct epoll_event event = {.events = events, .data.fd = fd};
    if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event))
        fail("epoll_ctl");
}

static void take(int epoll)
{
    int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK);
    if (fd >= 0)
        watch(epoll, fd, EPOLLIN);
    else if (errno != EAGAIN)
        perror("accept4");
}

/* The load tool sends one small request and waits, so that one recv holds it whole. */
static void serve(int fd)
{
    char block[BLOCK];
    ssize_t n = recv(fd, block, sizeof block, 0);
    if (n >= 4 && !memcmp(block + n - 4, "\r\n\r\n", 4))
        n = send(fd, reply, reply_len, MSG_NOSIGNAL);
    if (n == 0 || (n < 0 && errno != EAGAIN))
        close(fd);
}

static void *run(void *arg)
{
    int epoll = epoll_create1(0);
    watch(epoll, listener, EPOLLIN | EPOLLEXCLUSIVE);
    for (;;) {
        struct epoll_event events[EVENTS];
        int count = epoll_wait(epoll, events, EVENTS, -1);
        for (int i = 0; i < count; i++) {
            if (events[i].data.fd == listener)
                take(epoll);
            else
                serve(events[i].data.fd);
        }
    }
    return arg;
}

int main(int argc, char **argv)
{
    if (argc != 5)
        return 2;
    listen_on(argv[1]);
    make_reply(argv[3], argv[4]);
    for (int i = 1; i < atoi(argv[2]); i++) {
        pthread_t thread;
        pthread_create(&thread, NULL, run, NULL);
    }
    run(NULL);
}
