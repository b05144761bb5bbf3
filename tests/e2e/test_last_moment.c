/*
 * The last moment of a listener: each client that could connect is served, also while both cores
 * are busy, so that handshakes end at any point of the close. SVC_TEST_DRAINS is the number of
 * drains.
 */
#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <errno.h>
#include <linux/filter.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/e2e/served.h"
#include "tests/support/life.h"

enum { DRAINS = 6, CLIENTS = 6, WARM = 30, BUSY = 2 };

static char address[128];
static atomic_uint served, failed;
static atomic_bool quiet;

/* Keeps a core busy. */
static void *spin(void *arg)
{
    while (!atomic_load(&quiet))
        continue;
    return arg;
}

static const char hello[] = "GET /hello/x HTTP/1.1\r\nHost: a\r\n\r\n";

/* Connects, sends a request and leaves, until the listener is closed. */
static void *come_and_go(void *arg)
{
    for (struct client *client; (client = client_connect(address));) {
        client_send_text(client, hello);
        struct client_reply reply = client_read(client, false);
        atomic_fetch_add(reply.status == 200 ? &served : &failed, 1);
        if (reply.status != 200)
            fprintf(stderr, "a client that had connected: %s\n", client_end_name(reply.end));
        client_reply_free(&reply);
        client_close(client);
    }
    return arg;
}

static void drain_once(const char *listen)
{
    const char *settings[] = {listen, "SVC_THREADS=2", NULL};
    pthread_t clients[CLIENTS];
    serve("server_life", settings);
    snprintf(address, sizeof address, "%s", process_address(server, 0));
    atomic_store(&served, 0);
    for (size_t i = 0; i < CLIENTS; i++)
        cr_assert_not(pthread_create(&clients[i], NULL, come_and_go, NULL));
    while (atomic_load(&served) + atomic_load(&failed) < WARM)
        sched_yield();
    cr_assert(process_signal(server, SIGTERM));
    for (size_t i = 0; i < CLIENTS; i++)
        pthread_join(clients[i], NULL);
    await_exit(0);
}

static void drain_often(const char *listen)
{
    const char *wanted = getenv("SVC_TEST_DRAINS");
    int drains = wanted ? atoi(wanted) : DRAINS;
    pthread_t busy[BUSY];
    for (size_t i = 0; i < BUSY; i++)
        cr_assert_not(pthread_create(&busy[i], NULL, spin, NULL));
    for (int i = 0; i < drains; i++)
        drain_once(listen);
    atomic_store(&quiet, true);
    for (size_t i = 0; i < BUSY; i++)
        pthread_join(busy[i], NULL);
    cr_expect_eq(atomic_load(&failed), 0, "%u clients that had connected were not served",
                 atomic_load(&failed));
}

Test(last_moment, nobody_who_could_connect_is_reset)
{
    drain_often("SVC_LISTEN=127.0.0.1:0");
}

Test(last_moment, nobody_who_could_connect_to_both_families_is_reset)
{
    drain_often("SVC_LISTEN=:0");
}

Test(last_moment, nobody_who_could_connect_to_a_unix_socket_is_reset)
{
    char listen[128];
    snprintf(listen, sizeof listen, "SVC_LISTEN=unix:/tmp/svc-last-moment-%ld", (long)getpid());
    drain_often(listen);
}

/* ---- Handshakes that take longer than the stop's steps */

/* A client that does not get the server's answer to its first segment, so that its handshake is
 * half done; the server repeats the answer after a second. */
static struct client *half_connect(void)
{
    struct sock_filter nothing = BPF_STMT(BPF_RET | BPF_K, 0);
    struct sock_fprog deaf = {1, &nothing};
    struct sockaddr_in to = {.sin_family = AF_INET};
    const char *colon = strrchr(process_address(server, 0), ':');
    to.sin_port = htons((in_port_t)atoi(colon + 1));
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    struct client *client = calloc(1, sizeof *client);
    cr_assert(client);
    client->wait_ms = CLIENT_WAIT_MS;
    client->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    cr_assert_geq(client->fd, 0);
    cr_assert_not(setsockopt(client->fd, SOL_SOCKET, SO_ATTACH_FILTER, &deaf, sizeof deaf));
    cr_assert(connect(client->fd, (struct sockaddr *)&to, sizeof to) && errno == EINPROGRESS);
    return client;
}

/* Starts a stop with a handshake half done: the server has seen it when another client has been
 * served since. */
static struct client *half_connect_and_stop(void)
{
    serve("server_life", NULL);
    struct client *client = half_connect(), *other = connect_client();
    struct client_reply reply = client_exchange(other, hello);
    cr_assert_eq(reply.status, 200);
    client_reply_free(&reply);
    client_close(other);
    cr_assert(process_signal(server, SIGTERM));
    cr_assert(process_await_log(server, "\"draining\"", PROCESS_WAIT_MS));
    return client;
}

Test(last_moment, a_handshake_that_had_begun_is_awaited)
{
    struct client *client = half_connect_and_stop();
    cr_assert_not(setsockopt(client->fd, SOL_SOCKET, SO_DETACH_FILTER, &(int){0}, sizeof(int)));
    struct pollfd connected = {.fd = client->fd, .events = POLLOUT};
    cr_assert_eq(poll(&connected, 1, CLIENT_WAIT_MS), 1);
    struct client_reply reply = client_exchange(client, hello);
    cr_expect_eq(reply.status, 200, "%s", client_end_name(reply.end));
    client_reply_free(&reply);
    client_close(client);
    await_exit(0);
}

Test(last_moment, a_handshake_that_never_ends_does_not_hold_the_stop)
{
    struct client *client = half_connect_and_stop();
    await_exit(0);
    client_close(client);
}
