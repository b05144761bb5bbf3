/* Children of a service's code begin with the program's signals, on whatever thread the code runs.
 */
#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "tests/e2e/served.h"
#include "tests/support/client.h"
#include "tests/support/process.h"

static void ask(const char *address, const char *target)
{
    struct client *client = client_connect(address);
    cr_assert(client);
    client_printf(client, "GET %s HTTP/1.1\r\nHost: a\r\n\r\n", target);
    struct client_reply reply = client_read(client, false);
    cr_expect_eq(reply.status, 200, "%s: %s", target, client_end_name(reply.end));
    client_reply_free(&reply);
    client_close(client);
}

static void expect_children(const char *where)
{
    char line[128];
    snprintf(line, sizeof line, "\"where\":\"%s\",\"same\":true,\"ended\":true", where);
    if (process_await_log(server, line, 0))
        return;
    char *log = process_copy_log(server);
    cr_expect(false, "%s: %s", where, log);
    free(log);
}

static void expect_all(const char *const *settings)
{
    static const char *const places[] = {"start hook", "task",   "loop",  "worker's begin",
                                         "worker",     "writer", "check", "stop hook"};
    serve("server_children", settings);
    ask(process_address(server, 0), "/loop");
    ask(process_address(server, 0), "/worker");
    ask(process_address(server, 0), "/writer");
    ask(process_admin(server), "/readyz");
    cr_expect(process_await_log(server, "\"where\":\"task\"", PROCESS_WAIT_MS));
    cr_expect(process_signal(server, SIGTERM));
    cr_expect_eq(process_await_exit(server, PROCESS_WAIT_MS), 0);
    for (size_t i = 0; i < sizeof places / sizeof *places; i++)
        expect_children(places[i]);
    process_free(server);
}

Test(children, have_the_signals_that_the_program_began_with)
{
    expect_all(NULL);
}

Test(children, have_what_the_program_ignored)
{
    static const char *const settings[] = {"CHILDREN_IGNORE_PIPE=1", NULL};
    expect_all(settings);
}
