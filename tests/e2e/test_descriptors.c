/* Out of descriptors the server neither spins nor floods its log, and recovers when some are free.
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "tests/support/client.h"
#include "tests/support/process.h"

enum { CLIENTS = 500, DESCRIPTORS = 64 };

/* Clock ticks of CPU that the process has used. */
static long cpu_ticks(pid_t pid)
{
    char path[64], text[1024];
    snprintf(path, sizeof path, "/proc/%ld/stat", (long)pid);
    FILE *file = fopen(path, "r");
    cr_assert(file);
    cr_assert(fgets(text, sizeof text, file));
    fclose(file);
    unsigned long user = 0, system = 0;
    sscanf(strrchr(text, ')'), ") %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user,
           &system);
    return (long)(user + system);
}

static struct process *start_limited(void)
{
    struct rlimit limit, before;
    getrlimit(RLIMIT_NOFILE, &before);
    limit = before;
    limit.rlim_cur = DESCRIPTORS;
    setrlimit(RLIMIT_NOFILE, &limit);
    struct process *server = process_start(process_program("server_life"), NULL, NULL);
    setrlimit(RLIMIT_NOFILE, &before);
    return server;
}

static bool served(struct client *client, unsigned wait_ms)
{
    client->wait_ms = wait_ms;
    struct client_reply reply = client_exchange(client, "GET /hello/x HTTP/1.1\r\nHost: a\r\n\r\n");
    bool good = reply.status == 200 && !strcmp(reply.body, "hello");
    client_reply_free(&reply);
    return good;
}

Test(descriptors, five_hundred_clients_meet_sixty_four_descriptors)
{
    struct rlimit limit;
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    struct process *server = start_limited();
    cr_assert(server);
    static struct client *clients[CLIENTS];
    size_t count = 0;
    for (size_t i = 0; i < CLIENTS; i++) {
        clients[i] = client_connect(process_address(server, 0));
        cr_assert(clients[i]);
        count += served(clients[i], 200);
    }
    cr_expect_gt(count, 5, "%zu were served", count);

    long before = cpu_ticks(process_pid(server)), tick = sysconf(_SC_CLK_TCK);
    uint64_t began = client_clock_ms();
    while (client_clock_ms() < began + 2000)
        usleep(50000); /* what is measured is the server's CPU over this time */
    cr_expect_lt(cpu_ticks(process_pid(server)) - before, tick,
                 "half of a CPU while nothing happens");

    for (size_t i = 0; i < CLIENTS; i++)
        client_close(clients[i]);
    began = client_clock_ms();
    bool recovered = false;
    while (!recovered && client_clock_ms() < began + CLIENT_WAIT_MS) {
        struct client *client = client_connect(process_address(server, 0));
        recovered = client && served(client, 500);
        client_close(client);
    }
    cr_expect(recovered);
    uint64_t lived = (client_clock_ms() - began) / 1000 + CLIENTS / 4;
    cr_expect_leq(process_count_log(server, "cannot accept"), lived);
    cr_expect_eq(process_stop(server), 0);
    process_free(server);
}
