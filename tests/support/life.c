/* The letters of tests for server_life. */
#include "tests/support/life.h"

#include <stdio.h>

/* A new connection goes to a loop without connections, so each request blocks another loop. */
static struct client *block_one(struct process *server, size_t already)
{
    char line[64];
    struct client *client = client_connect(process_address(server, 0));
    snprintf(line, sizeof line, "loops blocked: %zu\n", already + 1);
    if (client && client_send_text(client, "GET /block HTTP/1.1\r\nHost: a\r\n\r\n") &&
        process_await_log(server, line, PROCESS_WAIT_MS))
        return client;
    client_close(client);
    return NULL;
}

bool life_block(struct process *server, struct client **clients, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        clients[i] = block_one(server, i);
        if (!clients[i])
            return false;
    }
    return true;
}

static bool tell(struct process *server, char letter)
{
    const char text[] = {letter, '\0'};
    return process_tell(server, text);
}

bool life_unblock(struct process *server, size_t count)
{
    bool told = true;
    for (size_t i = 0; i < count && told; i++)
        told = tell(server, LIFE_UNBLOCK);
    return told;
}

bool life_release(struct process *server)
{
    return tell(server, LIFE_RELEASE);
}

bool life_hoard(struct process *server)
{
    return tell(server, LIFE_HOARD) &&
           process_await_log(server, "descriptors hoarded\n", PROCESS_WAIT_MS);
}

bool life_share(struct process *server)
{
    return tell(server, LIFE_SHARE);
}
