/* Settings from the environment: each takes effect, and every bad one is named at once. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/support/client.h"
#include "tests/support/process.h"

static const char request[] = "GET /hello/x?q=1 HTTP/1.1\r\nHost: a\r\n\r\n";

/* Starts with one setting, serves a request, stops, and gives the output. */
static char *output_with(const char *setting, int status)
{
    const char *const settings[] = {setting, NULL};
    struct process *server = process_start(process_program("server_life"), settings, NULL);
    cr_assert(server, "%s", setting);
    struct client *client = client_connect(process_address(server, 0));
    struct client_reply reply = client_exchange(client, request);
    cr_expect_eq(reply.status, status, "%s: %d", setting, reply.status);
    client_reply_free(&reply);
    client_close(client);
    cr_expect_eq(process_stop(server), 0);
    char *log = process_copy_log(server);
    process_free(server);
    return log;
}

static void expect_output(const char *setting, const char *text, bool there)
{
    char *log = output_with(setting, 200);
    cr_expect_eq(strstr(log, text) != NULL, there, "%s: %s", setting, log);
    free(log);
}

/* Starts with settings that are bad: the program ends with 1, and its output has every text. */
static void expect_refusal(const char *const *settings, const char *const *texts)
{
    struct process *server = process_spawn(process_program("server_life"), settings, NULL);
    cr_assert(server);
    cr_expect_eq(process_await_exit(server, PROCESS_WAIT_MS), 1);
    char *log = process_copy_log(server);
    for (size_t i = 0; texts[i]; i++)
        cr_expect(strstr(log, texts[i]), "%s in:\n%s", texts[i], log);
    free(log);
    process_free(server);
}

Test(config, every_bad_value_is_named_at_once_and_nothing_starts)
{
    static const char *const settings[] = {"SVC_THREADS=many",
                                           "SVC_LOG_LEVEL=loud",
                                           "SVC_ACCESS_LOG=2",
                                           "SVC_MAX_FIELDS=3",
                                           "SVC_LISTEN=nowhere",
                                           "SVC_ADMIN_LISTEN=127.0.0.1:0, 127.0.0.1:99999",
                                           "SVC_LOG_OUTPUT=/nowhere/log",
                                           NULL};
    static const char *const named[] = {
        "SVC_THREADS: \"many\" is not a whole number",
        "SVC_LOG_LEVEL: \"loud\" is not error, warn, info or debug",
        "SVC_ACCESS_LOG: \"2\" is not on or off",
        "setting max_fields: 3 is not in 8 to 200",
        "setting listen: \"nowhere\": expected host:port",
        "setting admin_listen: \"127.0.0.1:99999\": expected host:port",
        "log_output \"/nowhere/log\": No such file or directory",
        NULL};
    expect_refusal(settings, named);
}

Test(config, every_address_that_does_not_parse_is_named)
{
    static const char *const settings[] = {
        "SVC_LISTEN=nowhere,127.0.0.1:0,,::1:80,unix:", "SVC_ADMIN_LISTEN=x:y", NULL};
    static const char *const named[] = {
        "setting listen: \"nowhere\":",   "setting listen: \"\":",
        "setting listen: \"::1:80\":",    "setting listen: \"unix:\": the path is empty",
        "setting admin_listen: \"x:y\":", NULL};
    expect_refusal(settings, named);
}

Test(config, more_addresses_than_can_be_served_are_refused)
{
    char listen[512] = "SVC_LISTEN=127.0.0.1:0";
    for (int i = 0; i < 16; i++)
        strcat(listen, ",127.0.0.1:0");
    const char *const settings[] = {listen, NULL};
    static const char *const named[] = {"more than 16 addresses", NULL};
    expect_refusal(settings, named);
}

/* What only the attempt can show is told together with what the check of the settings shows. */
Test(config, all_that_cannot_be_opened_is_named_beside_the_bad_settings)
{
    struct process *first = process_start(process_program("server_life"), NULL, NULL);
    cr_assert(first);
    char listen[160], admin[96], listen_named[96], admin_named[96];
    const char *address = process_address(first, 0), *admin_address = process_admin(first);
    snprintf(listen, sizeof listen, "SVC_LISTEN=%s,unix:/nowhere/socket", address);
    snprintf(admin, sizeof admin, "SVC_ADMIN_LISTEN=%s", admin_address);
    snprintf(listen_named, sizeof listen_named, "\"%s\": Address already in use", address);
    snprintf(admin_named, sizeof admin_named, "\"%s\": Address already in use", admin_address);
    const char *const settings[] = {listen, admin, "SVC_LOG_OUTPUT=/nowhere/log",
                                    "SVC_THREADS=many", NULL};
    const char *const named[] = {listen_named,
                                 admin_named,
                                 "\"unix:/nowhere/socket\": No such file or directory",
                                 "log_output \"/nowhere/log\": No such file or directory",
                                 "SVC_THREADS: \"many\" is not a whole number",
                                 NULL};
    expect_refusal(settings, named);
    expect_refusal((const char *const[]){listen, admin, "SVC_LOG_OUTPUT=/nowhere/log", NULL},
                   (const char *const[]){listen_named, admin_named, "/nowhere/log", NULL});
    cr_expect_eq(process_stop(first), 0);
    process_free(first);
}

Test(config, a_bad_address_is_told)
{
    static const char *const addresses[] = {
        "SVC_LISTEN=nowhere",         "SVC_LISTEN=127.0.0.1:99999", "SVC_LISTEN=::1:80",
        "SVC_LISTEN=127.0.0.1:0,",    "SVC_LISTEN=unix:",           "SVC_ADMIN_LISTEN=x:y",
        "SVC_LOG_OUTPUT=/nowhere/log"};
    for (size_t i = 0; i < sizeof addresses / sizeof *addresses; i++) {
        const char *const settings[] = {addresses[i], NULL};
        struct process *server = process_spawn(process_program("server_life"), settings, NULL);
        cr_expect_eq(process_await_exit(server, PROCESS_WAIT_MS), 1, "%s", addresses[i]);
        cr_expect(process_await_log(server, "cannot start", PROCESS_WAIT_MS), "%s", addresses[i]);
        process_free(server);
    }
}

Test(config, an_address_in_use_is_told)
{
    struct process *first = process_start(process_program("server_life"), NULL, NULL);
    char setting[96];
    snprintf(setting, sizeof setting, "SVC_LISTEN=%s", process_address(first, 0));
    const char *const settings[] = {setting, NULL};
    struct process *second = process_spawn(process_program("server_life"), settings, NULL);
    cr_expect_eq(process_await_exit(second, PROCESS_WAIT_MS), 1);
    cr_expect(process_await_log(second, "Address already in use", PROCESS_WAIT_MS));
    process_free(second);
    cr_expect_eq(process_stop(first), 0);
    process_free(first);
}

Test(config, each_part_of_the_default_stack_can_be_turned_off)
{
    expect_output("SVC_ACCESS_LOG=on", "\"msg\":\"request\"", true);
    expect_output("SVC_ACCESS_LOG=off", "\"msg\":\"request\"", false);
    expect_output("SVC_REQUEST_ID=on", "\"id\":\"", true);
    expect_output("SVC_REQUEST_ID=off", "\"id\":\"", false);
    expect_output("SVC_LOG_QUERY=on", "\"query\":\"q=1\"", true);
    expect_output("SVC_THREADS=3", "\"loops\":3", true);
}

Test(config, levels_below_the_setting_are_not_logged)
{
    char address[64], listen[96];
    snprintf(address, sizeof address, "unix:/tmp/svc-level-%ld", (long)getpid());
    snprintf(listen, sizeof listen, "SVC_LISTEN=%s", address);
    const char *path = address + strlen("unix:"), *const settings[] = {"SVC_LOG_LEVEL=error",
                                                                       listen, NULL};
    struct process *server = process_spawn(process_program("server_life"), settings, NULL);
    struct client *client = NULL;
    uint64_t due = client_clock_ms() + CLIENT_WAIT_MS;
    while (!client && client_clock_ms() < due)
        client = access(path, F_OK) ? NULL : client_connect(address);
    cr_assert(client);
    struct client_reply reply = client_exchange(client, request);
    cr_expect_eq(reply.status, 200);
    client_reply_free(&reply);
    client_close(client);
    cr_expect_eq(process_stop(server), 0);
    cr_expect_eq(process_count_log(server, "\"level\""), 0);
    process_free(server);
    cr_expect_neq(access(path, F_OK), 0, "the socket's file is removed");
}

Test(config, limits_take_effect)
{
    free(output_with("SVC_MAX_TARGET_BYTES=256", 200));
    char *log = output_with("SVC_METRICS=off", 200);
    free(log);
}

Test(config, several_listeners_serve_and_admin_pages_can_be_left_out)
{
    char listen[128];
    snprintf(listen, sizeof listen, "SVC_LISTEN=127.0.0.1:0, [::1]:0 ,unix:/tmp/svc-several-%ld",
             (long)getpid());
    const char *const settings[] = {listen, "SVC_ADMIN_LISTEN=", NULL};
    struct process *server = process_start(process_program("server_life"), settings, NULL);
    cr_assert(server);
    cr_assert(process_await_log(server, "svc-several", PROCESS_WAIT_MS)); /* the last one */
    for (size_t i = 0; i < 3; i++) {
        struct client *client = client_connect(process_address(server, i));
        cr_assert(client, "%s", process_address(server, i));
        struct client_reply reply = client_exchange(client, request);
        cr_expect_eq(reply.status, 200);
        client_reply_free(&reply);
        client_close(client);
    }
    cr_expect_null(process_admin(server));
    cr_expect_eq(process_stop(server), 0);
    process_free(server);
}
