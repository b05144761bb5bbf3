/* Out of descriptors the server neither spins nor floods its log, and recovers when some are free.
 */
#include <criterion/criterion.h>
#include <string.h>
#include <sys/resource.h>

#include "tests/e2e/served.h"
#include "tests/support/life.h"

enum {
    CLIENTS = 500,
    DESCRIPTORS = 64,
    LOOPS = 2,
    WINDOW_MS = 2000 /* over which the use of CPU is measured */
};

static struct client *clients[CLIENTS];

static void start(void)
{
    struct rlimit limit;
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = DESCRIPTORS;
    setrlimit(RLIMIT_NOFILE, &limit);
    static const char *const settings[] = {"SVC_THREADS=2", NULL};
    serve("server_life", settings);
    limit.rlim_cur = limit.rlim_max < 4096 ? limit.rlim_max : 4096;
    setrlimit(RLIMIT_NOFILE, &limit);
}

static void stop(void)
{
    cr_expect_eq(process_stop(server), 0, "the server ends badly");
    process_free(server);
}

TestSuite(descriptors, .init = start, .fini = stop);

static const char request[] = "GET /hello/x HTTP/1.1\r\nHost: a\r\n\r\n";

static void connect_all(void)
{
    for (size_t i = 0; i < CLIENTS; i++) {
        clients[i] = client_connect(process_address(server, 0));
        cr_assert(clients[i]);
        client_send_text(clients[i], request);
    }
}

static void close_all(void)
{
    for (size_t i = 0; i < CLIENTS; i++)
        client_close(clients[i]);
}

static bool served(struct client *client)
{
    struct client_reply reply = client_exchange(client, request);
    bool good = reply.status == 200 && !strcmp(reply.body, "hello");
    client_reply_free(&reply);
    return good;
}

/* Connects until a new client is served. */
static void expect_recovery(void)
{
    uint64_t due = client_clock_ms() + CLIENT_WAIT_MS;
    bool good = false;
    while (!good && client_clock_ms() < due) {
        struct client *client = client_connect(process_address(server, 0));
        good = client && served(client);
        client_close(client);
    }
    cr_expect(good, "nobody is served");
}

static void expect_little_cpu(uint64_t since, uint64_t cpu)
{
    uint64_t took = client_clock_ms() - since, used = process_cpu_ms(server) - cpu;
    cr_expect_lt(used, took / 4, "%lu ms of CPU in %lu ms", (unsigned long)used,
                 (unsigned long)took);
}

static void expect_lines(const char *text, uint64_t since, size_t least)
{
    size_t lines = process_count_log(server, text), seconds = (client_clock_ms() - since) / 1000;
    cr_expect(lines >= least && lines <= seconds + 2, "%zu lines in %zu s", lines, seconds);
}

/* The library counts its sockets, and refuses connections that would leave it without descriptors.
 */
Test(descriptors, for_64_of_500_clients_are_served_and_the_others_told)
{
    uint64_t begin = client_clock_ms();
    size_t good = 0, told = 0, ended = 0;
    struct client *kept = NULL; /* not always the first to connect, since two loops accept */
    connect_all();
    for (size_t i = 0; i < CLIENTS; i++) {
        struct client_reply reply = client_read(clients[i], false);
        good += reply.status == 200;
        if (reply.status == 200)
            kept = clients[i];
        told += reply.status == 503;
        ended += reply.end == CLIENT_CLOSED || reply.end == CLIENT_RESET;
        client_reply_free(&reply);
    }
    cr_expect_eq(good + told + ended, CLIENTS, "%zu served, %zu told, %zu closed", good, told,
                 ended);
    cr_assert_geq(good, 10, "%zu served", good);
    cr_expect_geq(told, 10, "%zu told", told);

    uint64_t quiet = client_clock_ms(), cpu = process_cpu_ms(server);
    cr_expect_not(client_readable(kept, WINDOW_MS), "one that was served is closed");
    expect_little_cpu(quiet, cpu);
    expect_lines("cannot accept", begin, 0);
    close_all();
    expect_recovery();
}

/* The number of clients that are answered in time. */
static size_t count_answered(uint64_t due)
{
    size_t answered = 0;
    for (size_t i = 0; i < CLIENTS; i++) {
        uint64_t now = client_clock_ms();
        clients[i]->wait_ms = now < due ? (unsigned)(due - now) : 0;
        answered += client_await_end(clients[i]) == CLIENT_GARBAGE;
    }
    return answered;
}

/*
 * The program itself has taken all descriptors, which the library cannot know before it accepts. A
 * loop keeps a spare one, with which it closes connections; another loop may use it first and serve
 * a client.
 */
Test(descriptors, that_the_program_has_taken_are_waited_for)
{
    cr_assert(life_hoard(server));
    uint64_t begin = client_clock_ms(), cpu = process_cpu_ms(server);
    connect_all();
    size_t answered = count_answered(begin + WINDOW_MS);
    cr_expect_leq(answered, LOOPS, "%zu are answered", answered);
    expect_little_cpu(begin, cpu);
    expect_lines("cannot accept", begin, 1);
    cr_expect(life_share(server));
    close_all();
    expect_recovery();
    cr_expect_gt(client_metric(process_admin(server), "svc_accept_errors_total"), 0);
}
