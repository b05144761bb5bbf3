/*
 * Connections that are ready at once are served at once, however many they are. libmicrohttpd takes
 * its events in batches of 128, and by itself waits after a full batch.
 */
#include <criterion/criterion.h>
#include <sys/resource.h>

#include "tests/support/life.h"

enum { MOST = 384 };

static const char request[] = "GET /hello/x HTTP/1.1\r\nHost: a\r\n\r\n";

static void expect_hello(struct client *client, size_t i)
{
    struct client_reply reply = client_read(client, false);
    cr_expect_eq(reply.status, 200, "client %zu: %s", i, client_end_name(reply.end));
    client_reply_free(&reply);
}

/* Connections of the loop, each of which has been served. */
static void open_clients(struct process *server, struct client **clients, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        clients[i] = client_connect(process_address(server, 0));
        cr_assert(clients[i]);
        client_send_text(clients[i], request);
        expect_hello(clients[i], i);
    }
}

/* All of them, and no others, become ready while the loop is held. */
static void expect_round(struct process *server, struct client **clients, size_t count)
{
    struct client *blocker;
    cr_assert(life_block(server, &blocker, 1));
    for (size_t i = 0; i < count; i++)
        client_send_text(clients[i], request);
    cr_assert(life_unblock(server, 1));
    for (size_t i = 0; i < count; i++)
        expect_hello(clients[i], i);
    client_close(blocker);
}

static void expect_crowd_served(struct process *server, size_t count)
{
    static struct client *clients[MOST];
    open_clients(server, clients, count);
    for (int round = 0; round < 3; round++)
        expect_round(server, clients, count);
    for (size_t i = 0; i < count; i++)
        client_close(clients[i]);
}

Test(crowds, of_any_size_are_served_at_once_by_one_loop)
{
    static const char *const settings[] = {"SVC_THREADS=1", "SVC_IDLE_TIMEOUT_MS=60000", NULL};
    static const size_t counts[] = {127, 128, 129, 255, 256, 257, 384};
    struct rlimit limit;
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max < 4096 ? limit.rlim_max : 4096;
    setrlimit(RLIMIT_NOFILE, &limit);
    struct process *server = process_start(process_program("server_life"), settings, NULL);
    cr_assert(server);
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++)
        expect_crowd_served(server, counts[i]);
    cr_expect_eq(process_stop(server), 0);
    process_free(server);
}
