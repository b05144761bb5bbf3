/* The addresses of each text, and the file of a unix socket. */
#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "tests/e2e/served.h"
#include "tests/support/client.h"
#include "tests/support/process.h"

static const char hello[] = "GET /hello/x HTTP/1.1\r\nHost: a\r\n\r\n";

static bool serves(const char *address)
{
    struct client *client = client_connect(address);
    if (!client)
        return false;
    struct client_reply reply = client_exchange(client, hello);
    bool good = reply.status == 200;
    client_reply_free(&reply);
    client_close(client);
    return good;
}

static bool has_v6(void)
{
    struct sockaddr_in6 loopback = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool has = fd >= 0 && !bind(fd, (struct sockaddr *)&loopback, sizeof loopback);
    if (fd >= 0)
        close(fd);
    return has;
}

/* Whether the server answers at each of two addresses with the port of its first one. */
static void expect_hosts(const char *listen, bool v4, bool v6)
{
    char setting[64], address[64];
    snprintf(setting, sizeof setting, "SVC_LISTEN=%s", listen);
    serve("server_life", (const char *const[]){setting, NULL});
    const char *port = strrchr(process_address(server, 0), ':');
    snprintf(address, sizeof address, "127.0.0.1%s", port);
    cr_expect_eq(serves(address), v4, "%s at %s", listen, address);
    snprintf(address, sizeof address, "[::1]%s", port);
    cr_expect_eq(serves(address), v6 && has_v6(), "%s at %s", listen, address);
    serve_no_more();
}

Test(listen, without_a_host_or_with_a_star_it_is_on_all_addresses)
{
    expect_hosts(":0", true, true);
    expect_hosts("*:0", true, true);
}

Test(listen, an_address_is_that_one)
{
    expect_hosts("127.0.0.1:0", true, false);
    expect_hosts("0.0.0.0:0", true, false);
    if (!has_v6())
        return;
    expect_hosts("[::1]:0", false, true);
    expect_hosts("[::]:0", false, true);
}

Test(listen, a_name_is_all_its_addresses_with_one_port)
{
    expect_hosts("localhost:0", true, true);
    expect_hosts("LOCALHOST.:0", true, true);
}

/* ---- Fronts */

static void expect_accepted(const char *front, long count)
{
    char name[96];
    snprintf(name, sizeof name, "svc_connections_accepted_total{listener=\"service\",front=\"%s\"}",
             front);
    cr_expect_eq(client_metric(process_admin(server), name), count, "%s", front);
}

Test(listen, each_listener_has_the_front_that_its_text_or_else_the_setting_chooses)
{
    static const char *const settings[] = {
        "SVC_LISTEN=127.0.0.1:0;front=native, 127.0.0.1:0 ; front=libmicrohttpd,127.0.0.1:0",
        "SVC_HTTP1=native", NULL};
    serve("server_life", settings);
    for (size_t i = 0; i < 3; i++)
        cr_expect(serves(process_address(server, i)), "%zu", i);
    expect_accepted("native", 2);
    expect_accepted("libmicrohttpd", 1);
    serve_no_more();
}

/* ---- Unix sockets */

static char path[64], listen_setting[96];
static const char *const unix_settings[] = {listen_setting, NULL};

static void name_socket(const char *name)
{
    snprintf(path, sizeof path, "/tmp/svc-%s-%ld", name, (long)getpid());
    snprintf(listen_setting, sizeof listen_setting, "SVC_LISTEN=unix:%s", path);
}

static bool serves_path(void)
{
    return serves(strchr(listen_setting, '=') + 1);
}

Test(listen, a_socket_that_another_instance_has_bound_is_left_to_it)
{
    name_socket("taken-over");
    serve("server_life", unix_settings);
    struct process *old = server;
    cr_assert_not(unlink(path));
    serve("server_life", unix_settings);
    cr_expect_eq(process_stop(old), 0);
    process_free(old);
    cr_expect(serves_path(), "its file is gone");
    serve_no_more();
    cr_expect(access(path, F_OK), "its own file is left");
}

/* A file that a crash has left, or that is not a socket */
static void leave_socket(bool listens, int backlog)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
    cr_assert(fd >= 0 && !bind(fd, (struct sockaddr *)&address, sizeof address));
    if (listens)
        cr_assert_not(listen(fd, backlog));
    else
        close(fd);
}

static void expect_refusal(const char *text)
{
    struct process *second = process_spawn(process_program("server_life"), unix_settings, NULL);
    cr_expect_eq(process_await_exit(second, PROCESS_WAIT_MS), 1);
    cr_expect(process_await_log(second, text, PROCESS_WAIT_MS));
    process_free(second);
}

Test(listen, what_stands_in_the_way_is_removed_only_when_it_is_stale)
{
    name_socket("stale");
    leave_socket(false, 0);
    serve("server_life", unix_settings);
    cr_expect(serves_path());
    expect_refusal("Address already in use");
    cr_expect(serves_path());
    serve_no_more();
    FILE *file = fopen(path, "we");
    cr_assert(file && !fclose(file));
    expect_refusal("Address already in use");
    cr_expect_not(access(path, F_OK), "a file that is no socket is gone");
    unlink(path);
}

/* No process accepts from it, and one client fills its queue: the check of it must not wait. */
Test(listen, a_socket_whose_queue_is_full_is_not_waited_for)
{
    name_socket("full");
    leave_socket(true, 0);
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
    int clients[2];
    for (int i = 0; i < 2; i++) {
        clients[i] = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        (void)connect(clients[i], (struct sockaddr *)&address, sizeof address);
    }
    expect_refusal("Address already in use");
    close(clients[0]);
    close(clients[1]);
    unlink(path);
}

/* Of instances that start at once over a stale socket, one serves and the others report the reason.
 */
Test(listen, of_instances_that_start_at_once_one_serves)
{
    enum { INSTANCES = 4, ROUNDS = 5 };
    name_socket("race");
    for (int round = 0; round < ROUNDS; round++) {
        struct process *all[INSTANCES];
        leave_socket(false, 0);
        for (int i = 0; i < INSTANCES; i++) {
            all[i] = process_spawn(process_program("server_life"), unix_settings, NULL);
            cr_assert(all[i]);
        }
        int serving = 0;
        for (int i = 0; i < INSTANCES; i++) {
            cr_assert(process_await_log(all[i], "i", PROCESS_WAIT_MS));
            while (!process_count_log(all[i], "listening") && process_await_exit(all[i], 1) < 0)
                continue;
            serving += process_count_log(all[i], "listening") > 0;
        }
        cr_expect_eq(serving, 1, "%d serve", serving);
        cr_expect(serves_path());
        for (int i = 0; i < INSTANCES; i++) {
            if (process_count_log(all[i], "listening"))
                cr_expect_eq(process_stop(all[i]), 0);
            process_free(all[i]);
        }
        cr_expect(access(path, F_OK), "the file is left");
    }
}
