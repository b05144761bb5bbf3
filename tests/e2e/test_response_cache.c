/* Many requests for one reply at a time, over sockets. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "tests/e2e/served.h"
#include "tests/support/client.h"

enum { AT_ONCE = 40 };

static void start(void)
{
    static const char *const settings[] = {"SVC_THREADS=2", NULL};
    serve("server_response_cache", settings);
}

TestSuite(shared_cache, .init = start, .fini = serve_no_more);

static struct client *begin_request(const char *target)
{
    struct client *client = connect_client();
    cr_assert(client_printf(client, "GET %s HTTP/1.1\r\nHost: a\r\n\r\n", target));
    return client;
}

/* The reply's body, which begins with "run ". */
static unsigned end_request(struct client *client, bool *hit)
{
    unsigned run = 0;
    char status[128] = "";
    struct client_reply reply = client_read(client, false);
    cr_assert_eq(reply.status, 200, "%d %s", reply.status, client_end_name(reply.end));
    sscanf(reply.body, "run %u", &run);
    client_reply_field(&reply, "Cache-Status", status, sizeof status);
    *hit = strstr(status, "; hit") != NULL;
    client_reply_free(&reply);
    client_close(client);
    return run;
}

static void ask(const char *target)
{
    bool hit;
    end_request(begin_request(target), &hit);
}

static void begin_all(struct client *clients[static AT_ONCE], const char *name)
{
    char target[64];
    snprintf(target, sizeof target, "/%s?await=%d", name, AT_ONCE);
    for (int i = 0; i < AT_ONCE; i++)
        clients[i] = begin_request(target);
}

Test(shared_cache, runs_the_handler_once_for_all_that_ask_at_once)
{
    struct client *clients[AT_ONCE];
    int hits = 0;
    bool hit;
    begin_all(clients, "stored");
    for (int i = 0; i < AT_ONCE; i++) {
        cr_expect_eq(end_request(clients[i], &hit), 1);
        hits += hit;
    }
    cr_expect_eq(hits, AT_ONCE - 1);
}

Test(shared_cache, runs_it_for_each_if_the_reply_is_not_stored)
{
    struct client *clients[AT_ONCE];
    bool seen[AT_ONCE + 1] = {false}, hit;
    begin_all(clients, "passed");
    for (int i = 0; i < AT_ONCE; i++) {
        unsigned run = end_request(clients[i], &hit);
        cr_assert(run >= 1 && run <= AT_ONCE && !seen[run] && !hit, "%u", run);
        seen[run] = true;
    }
}

/* The first run does not end before the test says so. */
Test(shared_cache, keeps_the_reply_for_the_others_when_the_first_client_leaves)
{
    bool hit;
    struct client *first = begin_request("/stored?await=1000000");
    ask("/run");
    struct client *second = begin_request("/stored?await=1000000");
    ask("/come/2");
    client_close(first);
    ask("/open");
    cr_expect_eq(end_request(second, &hit), 1);
    cr_expect(hit);
}
