/* One thread polls all sockets, until the next piece is due. */
#include "tests/support/slow_proxy.h"

#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

enum { PAIRS_MOST = 64, PIECE_BYTES = 16384, LOOK_MS = 10 };

/* A piece of a reply that waits. */
struct piece {
    struct piece *next;
    uint64_t arrived_ms;
    size_t len;
    char data[];
};

struct pair {
    int client, server;
    struct piece *first, **last;
};

struct slow_proxy {
    char path[108], server_path[108];
    pthread_mutex_t lock; /* of the delay, and of the decision that a reply is passed on */
    unsigned delay_ms;
    _Atomic unsigned asked, replied;
    int listener, stop[2];
    struct pair pairs[PAIRS_MOST];
    int count;
    pthread_t thread;
};

static uint64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static void give_up(const char *step)
{
    perror(step);
    abort();
}

static struct sockaddr_un address_of(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
    return address;
}

static bool pass_on(int fd, const char *data, size_t len)
{
    for (size_t at = 0; at < len;) {
        ssize_t sent = sendto(fd, data + at, len - at, MSG_NOSIGNAL, NULL, 0);
        if (sent <= 0)
            return false;
        at += (size_t)sent;
    }
    return true;
}

/* ---- Pairs of connections */

static void accept_pair(struct slow_proxy *proxy)
{
    const struct sockaddr_un address = address_of(proxy->server_path);
    int client = accept(proxy->listener, NULL, NULL);
    int server = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (client < 0 || server < 0 || proxy->count == PAIRS_MOST ||
        connect(server, (const struct sockaddr *)&address, sizeof address)) {
        close(client);
        close(server);
        return;
    }
    struct pair *pair = &proxy->pairs[proxy->count++];
    *pair = (struct pair){client, server, NULL, NULL};
    pair->last = &pair->first;
}

static void close_pair(struct slow_proxy *proxy, int index)
{
    struct pair *pair = &proxy->pairs[index];
    close(pair->client);
    close(pair->server);
    for (struct piece *piece = pair->first, *next; piece; piece = next) {
        next = piece->next;
        free(piece);
    }
    *pair = proxy->pairs[--proxy->count];
    if (!pair->first)
        pair->last = &pair->first;
}

static bool pass_request(struct slow_proxy *proxy, const struct pair *pair)
{
    char data[PIECE_BYTES];
    ssize_t got = recv(pair->client, data, sizeof data, 0);
    proxy->asked++;
    return got > 0 && pass_on(pair->server, data, (size_t)got);
}

static bool keep_reply(struct pair *pair)
{
    struct piece *piece = malloc(sizeof *piece + PIECE_BYTES);
    if (!piece)
        give_up("malloc");
    ssize_t got = recv(pair->server, piece->data, PIECE_BYTES, 0);
    if (got <= 0) {
        free(piece);
        return false;
    }
    piece->next = NULL;
    piece->len = (size_t)got;
    piece->arrived_ms = now_ms();
    *pair->last = piece;
    pair->last = &piece->next;
    return true;
}

static unsigned read_delay(struct slow_proxy *proxy)
{
    pthread_mutex_lock(&proxy->lock);
    unsigned delay_ms = proxy->delay_ms;
    pthread_mutex_unlock(&proxy->lock);
    return delay_ms;
}

/* Whether a piece is passed on now, which is counted before: who has read the piece, or has set
 * another delay, finds it counted. */
static bool is_due(struct slow_proxy *proxy, const struct piece *piece)
{
    pthread_mutex_lock(&proxy->lock);
    bool due = piece->arrived_ms + proxy->delay_ms <= now_ms();
    proxy->replied += due;
    pthread_mutex_unlock(&proxy->lock);
    return due;
}

/* Passes on the pieces that are due. False: the client has left. */
static bool pass_replies(struct slow_proxy *proxy, struct pair *pair)
{
    while (pair->first && is_due(proxy, pair->first)) {
        struct piece *piece = pair->first;
        bool passed = pass_on(pair->client, piece->data, piece->len);
        pair->first = piece->next;
        if (!pair->first)
            pair->last = &pair->first;
        free(piece);
        if (!passed)
            return false;
    }
    return true;
}

/* ---- The thread */

/* The milliseconds until the next piece is due; -1: there is none. The delay may become less. */
static int next_due(struct slow_proxy *proxy)
{
    uint64_t now = now_ms(), least = UINT64_MAX;
    for (int i = 0; i < proxy->count; i++)
        if (proxy->pairs[i].first && proxy->pairs[i].first->arrived_ms < least)
            least = proxy->pairs[i].first->arrived_ms;
    if (least == UINT64_MAX)
        return -1;
    uint64_t due = least + read_delay(proxy);
    return due <= now ? 0 : due - now < LOOK_MS ? (int)(due - now) : LOOK_MS;
}

static void *run_proxy(void *arg)
{
    struct slow_proxy *proxy = arg;
    for (;;) {
        struct pollfd fds[2 + 2 * PAIRS_MOST] = {{proxy->stop[0], POLLIN, 0},
                                                 {proxy->listener, POLLIN, 0}};
        int count = proxy->count;
        for (int i = 0; i < count; i++) {
            fds[2 + 2 * i] = (struct pollfd){proxy->pairs[i].client, POLLIN, 0};
            fds[3 + 2 * i] = (struct pollfd){proxy->pairs[i].server, POLLIN, 0};
        }
        (void)poll(fds, 2 + 2 * (nfds_t)count, next_due(proxy));
        if (fds[0].revents)
            return NULL;
        for (int i = count - 1; i >= 0; i--) {
            struct pair *pair = &proxy->pairs[i];
            if ((fds[2 + 2 * i].revents && !pass_request(proxy, pair)) ||
                (fds[3 + 2 * i].revents && !keep_reply(pair)) || !pass_replies(proxy, pair))
                close_pair(proxy, i);
        }
        if (fds[1].revents)
            accept_pair(proxy);
    }
}

/* ---- The calls */

struct slow_proxy *slow_proxy_start(const char *path, const char *server_path, unsigned delay_ms)
{
    const struct sockaddr_un address = address_of(path);
    struct slow_proxy *proxy = calloc(1, sizeof *proxy);
    if (!proxy)
        give_up("calloc");
    snprintf(proxy->path, sizeof proxy->path, "%s", path);
    snprintf(proxy->server_path, sizeof proxy->server_path, "%s", server_path);
    pthread_mutex_init(&proxy->lock, NULL);
    proxy->delay_ms = delay_ms;
    proxy->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (proxy->listener < 0 || pipe(proxy->stop) ||
        bind(proxy->listener, (const struct sockaddr *)&address, sizeof address) ||
        listen(proxy->listener, PAIRS_MOST) ||
        pthread_create(&proxy->thread, NULL, run_proxy, proxy))
        give_up("proxy");
    return proxy;
}

void slow_proxy_set_delay(struct slow_proxy *proxy, unsigned delay_ms)
{
    pthread_mutex_lock(&proxy->lock);
    proxy->delay_ms = delay_ms;
    pthread_mutex_unlock(&proxy->lock);
}

unsigned slow_proxy_asked(const struct slow_proxy *proxy)
{
    return proxy->asked;
}

unsigned slow_proxy_replied(const struct slow_proxy *proxy)
{
    return proxy->replied;
}

void slow_proxy_end(struct slow_proxy *proxy)
{
    if (!proxy)
        return;
    close(proxy->stop[1]);
    pthread_join(proxy->thread, NULL);
    while (proxy->count > 0)
        close_pair(proxy, proxy->count - 1);
    close(proxy->stop[0]);
    close(proxy->listener);
    unlink(proxy->path);
    pthread_mutex_destroy(&proxy->lock);
    free(proxy);
}
