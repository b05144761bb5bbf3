/* The server of a wire test. */
#include "tests/e2e/served.h"

#include <criterion/criterion.h>

#include "tests/support/client.h"
#include "tests/support/process.h"

struct process *server;

void serve(const char *program, const char *const *settings)
{
    server = process_start(process_program(program), settings, NULL);
    cr_assert(server);
}

void serve_no_more(void)
{
    cr_expect_eq(process_stop(server), 0, "the server ends badly");
    process_free(server);
}

void await_exit(int status)
{
    int found = process_await_exit(server, PROCESS_WAIT_MS);
    cr_expect_eq(found, status, "exit status %d", found);
    process_free(server);
}

struct client *connect_client(void)
{
    struct client *client = client_connect(process_address(server, 0));
    cr_assert(client);
    return client;
}
