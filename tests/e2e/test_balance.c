/* Connections are spread over the event loops, also after many connections of one loop have ended.
 */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/client.h"
#include "tests/support/process.h"

enum { LOOPS = 4, FIRST = 200, NEXT = 100, ALL = FIRST + NEXT };

static long loop_ids[LOOPS];
static struct client *clients[ALL];
static int loop_of[ALL]; /* -1: closed */

static int loop_index(long id)
{
    for (int i = 0; i < LOOPS; i++) {
        if (!loop_ids[i])
            loop_ids[i] = id;
        if (loop_ids[i] == id)
            return i;
    }
    cr_assert_fail("more loops than there are");
    return -1;
}

static void open_client(struct process *server, int i)
{
    char id[32];
    clients[i] = client_connect(process_address(server, 0));
    cr_assert(clients[i]);
    struct client_reply reply =
        client_exchange(clients[i], "GET /hello/x HTTP/1.1\r\nHost: a\r\n\r\n");
    cr_assert(client_reply_field(&reply, "X-Loop", id, sizeof id));
    loop_of[i] = loop_index(atol(id));
    client_reply_free(&reply);
}

static int count(int loop)
{
    int n = 0;
    for (int i = 0; i < ALL; i++)
        n += loop_of[i] == loop;
    return n;
}

static int largest(void)
{
    int most = 0;
    for (int i = 0; i < LOOPS; i++)
        most = count(i) > most ? count(i) : most;
    return most;
}

Test(balance, new_connections_go_to_the_emptiest_loop)
{
    static const char *const settings[] = {"SVC_THREADS=4", "SVC_ACCESS_LOG=off", NULL};
    struct process *server = process_start(process_program("server_life"), settings, NULL);
    cr_assert(server);
    memset(loop_of, 0xff, sizeof loop_of);
    for (int i = 0; i < FIRST; i++)
        open_client(server, i);
    cr_expect_leq(largest(), FIRST / LOOPS * 12 / 10);

    int closed = 0;
    for (int i = 0; i < FIRST && closed < FIRST / LOOPS / 2; i++) {
        if (loop_of[i] != 0)
            continue;
        client_close(clients[i]);
        clients[i] = NULL;
        loop_of[i] = -1;
        closed++;
    }
    cr_expect(client_await_metric(process_admin(server), "svc_connections{listener=\"service\"",
                                  FIRST - closed));

    for (int i = FIRST; i < ALL; i++)
        open_client(server, i);
    int mean_times_loops = ALL - closed;
    cr_expect_leq(largest() * LOOPS * 10, mean_times_loops * 12, "largest loop %d of %d", largest(),
                  ALL - closed);
    for (int i = 0; i < ALL; i++)
        client_close(clients[i]);
    cr_expect_eq(process_stop(server), 0);
    process_free(server);
}
