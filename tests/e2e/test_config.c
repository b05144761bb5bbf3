/* Settings from the environment: each takes effect, and all bad ones are reported at once. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/support/client.h"
#include "tests/support/process.h"

static const char request[] = "GET /hello/x?q=1 HTTP/1.1\r\nHost: a\r\n\r\n";

/* Starts with one setting, serves a request, stops, and returns the output. */
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

/* Starts with bad settings: the program ends with 1, and its output has every text. */
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
        "SVC_MAX_FIELDS: \"3\" is not in 8 to 200",
        "setting listen: \"nowhere\": expected host:port",
        "setting admin_listen: \"127.0.0.1:99999\": expected host:port, with a port up to 65535",
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

/* Errors that only the start can find are reported together with those of the settings' check. */
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

/* The size of a request to /echo. */
struct shape {
    size_t target, fields, body;
};

static int status_of(struct process *server, struct shape shape)
{
    char text[4096], fill[512];
    memset(fill, 'x', sizeof fill);
    int len = snprintf(text, sizeof text,
                       "POST /echo?%.*s HTTP/1.1\r\nHost: a\r\nContent-Length: %zu\r\n",
                       (int)(shape.target - strlen("/echo?")), fill, shape.body);
    for (size_t i = 2; i < shape.fields; i++)
        len += snprintf(text + len, sizeof text - (size_t)len, "A: 1\r\n");
    snprintf(text + len, sizeof text - (size_t)len, "\r\n%.*s", (int)shape.body, fill);
    struct client *client = client_connect(process_address(server, 0));
    cr_assert(client);
    struct client_reply reply = client_exchange(client, text);
    int status = reply.status;
    client_reply_free(&reply);
    client_close(client);
    return status;
}

/* Each limit is exact, and differs from its default. */
Test(config, limits_take_effect)
{
    static const struct {
        const char *setting;
        struct shape within, beyond;
        int status;
    } rows[] = {
        {"SVC_MAX_TARGET_BYTES=256", {256, 2, 0}, {257, 2, 0}, 414},
        {"SVC_MAX_FIELDS=8", {10, 8, 0}, {10, 9, 0}, 431},
        {"SVC_MAX_BODY_BYTES=4", {10, 2, 4}, {10, 2, 5}, 413},
        {"SVC_MAX_BODY_BYTES=0", {10, 2, 0}, {10, 2, 1}, 413},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const char *const settings[] = {rows[i].setting, NULL};
        struct process *limited = process_start(process_program("server_life"), settings, NULL);
        struct process *other = process_start(process_program("server_life"), NULL, NULL);
        cr_assert(limited && other);
        cr_expect_eq(status_of(limited, rows[i].within), 200, "within %s", rows[i].setting);
        cr_expect_eq(status_of(limited, rows[i].beyond), rows[i].status, "beyond %s",
                     rows[i].setting);
        cr_expect_eq(status_of(other, rows[i].beyond), 200, "without %s", rows[i].setting);
        cr_expect_eq(process_stop(limited), 0);
        cr_expect_eq(process_stop(other), 0);
        process_free(limited);
        process_free(other);
    }
}

/* Whether requests are counted on the admin pages, with this setting. */
static bool counts_requests(const char *setting)
{
    const char *const settings[] = {setting, NULL};
    struct process *server = process_start(process_program("server_life"), settings, NULL);
    cr_assert(server);
    struct client *client = client_connect(process_admin(server));
    cr_assert(client);
    struct client_reply reply = client_exchange(client, "GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n");
    cr_expect_eq(reply.status, 200);
    cr_expect(strstr(reply.body, "\nsvc_connections_accepted_total{"), "others are always there");
    bool counted = strstr(reply.body, "http_server_active_requests") != NULL;
    client_reply_free(&reply);
    client_close(client);
    cr_expect_eq(process_stop(server), 0);
    process_free(server);
    return counted;
}

Test(config, requests_are_counted_unless_that_is_turned_off)
{
    cr_expect(counts_requests("SVC_METRICS=on"));
    cr_expect_not(counts_requests("SVC_METRICS=off"));
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

/* ---- Arguments, which server_config passes to svc_app_main */

/* The output of a run, and its exit status. */
struct run {
    char *output;
    int status;
};

/* Runs a shell command, in which $0 is the server, until it ends. */
static struct run run_shell(const char *command, const char *const *settings)
{
    const char *const arguments[] = {"-c", command, process_program("server_config"), NULL};
    struct process *shell = process_spawn("/bin/sh", settings, arguments);
    cr_assert(shell);
    struct run run = {.status = process_await_exit(shell, PROCESS_WAIT_MS)};
    run.output = process_copy_log(shell);
    process_free(shell);
    return run;
}

/* The same, and checks the status, and that the output contains or equals a text. */
static void expect_run(const char *command, const char *const *settings, int status,
                       const char *text)
{
    struct run run = run_shell(command, settings);
    cr_expect_eq(run.status, status, "%s: %d", command, run.status);
    if (*text)
        cr_expect(strstr(run.output, text), "%s: %s in:\n%s", command, text, run.output);
    else
        cr_expect_str_eq(run.output, "", "%s", command);
    free(run.output);
}

static const char *const given[] = {"SVC_DATABASE=db", "SVC_TOKEN=hidden", "SVC_LOUD=yes", NULL};

Test(config, help_goes_to_stdout_whatever_the_settings_are)
{
    static const char *const wrong[] = {"SVC_THREADS=many", NULL};
    static const char *const texts[] = {"Usage: config [--help",
                                        "\nTells its settings.\n",
                                        "  SVC_DATABASE (required)\n      Where notes live\n",
                                        "  SVC_MAX_NOTES (default 10000 notes; 1 to 1000000)\n",
                                        "  SVC_MAX_FIELDS (default 100; 8 to 200)\n",
                                        "Exit status: 0"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        expect_run("exec $0 --help 2>/dev/null", wrong, 0, texts[i]);
    expect_run("exec $0 --help >/dev/null", wrong, 0, "");
    expect_run("exec $0 --help >/dev/full", wrong, 1, "cannot print");
}

Test(config, settings_are_printed_with_their_origin_and_without_secrets)
{
    static const char command[] = "exec $0 --print-config 2>/dev/null";
    expect_run(command, given, 0,
               "SVC_DATABASE=db # environment SVC_DATABASE\n"
               "SVC_TOKEN=******** # environment SVC_TOKEN\n"
               "SVC_MAX_NOTES=10000 # default\n"
               "SVC_LOUD=on # environment SVC_LOUD\n"
               "SVC_COLOUR=green # default\n"
               "SVC_LISTEN=127.0.0.1:0 # environment SVC_LISTEN\n");
    struct run run = run_shell("exec $0 --print-config", given);
    cr_expect_null(strstr(run.output, "hidden"));
    free(run.output);
}

Test(config, the_url_of_the_store_is_not_shown)
{
    static const char *const bad[] = {"SVC_STORE=redis://ada:hidden@db/0", "SVC_DATABASE=db",
                                      "SVC_COLOUR=grey", NULL};
    static const char *const commands[] = {"exec $0 --print-config", "exec $0 --check-config",
                                           "exec $0 --help", "exec $0"};
    expect_run("exec $0 --print-config 2>/dev/null", bad, 1,
               "SVC_STORE=******** # environment SVC_STORE\n");
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) {
        struct run run = run_shell(commands[i], bad);
        cr_expect_null(strstr(run.output, "hidden"), "%s", commands[i]);
        free(run.output);
    }
}

Test(config, settings_are_printed_although_some_are_bad)
{
    static const char *const bad[] = {"SVC_COLOUR=grey", "SVC_THREADS=2", NULL};
    expect_run("exec $0 --print-config 2>/dev/null", bad, 1, "SVC_THREADS=2 # environment");
    expect_run("exec $0 --print-config >/dev/null", bad, 1,
               "config: cannot start: bad configuration\n"
               "SVC_COLOUR: \"grey\" is not red, green or blue\n"
               "setting database: SVC_DATABASE must be set\n");
}

Test(config, settings_are_checked_without_a_start)
{
    expect_run("exec $0 --check-config", given, 0, "");
    expect_run("exec $0 --check-config", NULL, 1, "SVC_DATABASE must be set");
}

Test(config, arguments_that_there_are_not_are_refused)
{
    expect_run("exec $0 --unknown 2>/dev/null", given, 2, "");
    expect_run("exec $0 --unknown", given, 2, "unknown argument \"--unknown\"");
    expect_run("exec $0 --help plain", given, 2, "unknown argument \"plain\"");
    expect_run("exec $0 --env-file", given, 2, "unknown argument \"--env-file\"");
    expect_run("exec $0 --check-config -- --unknown", given, 0, "");
}

/* Makes a folder for the test and changes into it. */
static void enter_folder(char path[static 32])
{
    strcpy(path, "/tmp/svc-config-XXXXXX");
    cr_assert(mkdtemp(path) && !chdir(path));
}

static void leave_folder(const char *path)
{
    unlink(".env");
    cr_expect(!chdir("/") && !rmdir(path));
}

static void write_env(const char *text)
{
    FILE *file = fopen(".env", "w");
    cr_assert(file && fputs(text, file) >= 0 && !fclose(file));
}

Test(config, a_file_is_read_when_it_is_asked_for)
{
    char folder[32];
    enter_folder(folder);
    write_env("# comment\nexport SVC_DATABASE='a file'\nSVC_LOUD=off\nSVC_MAX_NOTES=5\n");
    expect_run("exec $0 --print-config 2>/dev/null", NULL, 1, "SVC_DATABASE=\"\" # default\n");
    expect_run("exec $0 --env-file=.env --print-config", given + 1, 0,
               "SVC_DATABASE=\"a file\" # file .env:2\n"
               "SVC_TOKEN=******** # environment SVC_TOKEN\n"
               "SVC_MAX_NOTES=5 # file .env:4\n"
               "SVC_LOUD=on # environment SVC_LOUD\n");
    leave_folder(folder);
}

Test(config, what_is_wrong_in_a_file_is_told_with_its_line)
{
    char folder[32];
    enter_folder(folder);
    write_env("SVC_DATABASE=\"db\nSVC_THREADS=many\nSVC_LISTEN=nowhere\n");
    static const char *const settings[] = {"SVC_ADMIN_LISTEN=127.0.0.1:0", NULL};
    expect_run("unset SVC_LISTEN; exec $0 --env-file=.env", settings, 1,
               "config: cannot start: bad configuration\n"
               ".env:1: the double quote has no end\n"
               ".env:2: SVC_THREADS: \"many\" is not a whole number\n"
               "setting database: SVC_DATABASE must be set\n"
               "setting listen: \"nowhere\"");
    expect_run("exec $0 --env-file=none", settings, 1, "none: No such file or directory\n");
    leave_folder(folder);
}

/* A run that reads the printed settings of another from a file prints the same settings. */
Test(config, what_is_printed_can_be_read)
{
    static const char *const odd[] = {"SVC_DATABASE= # \"'$\\\n", "SVC_COLOUR=blue", NULL};
    char folder[32];
    enter_folder(folder);
    expect_run("$0 --print-config | sed /TOKEN/d > .env; unset SVC_DATABASE SVC_COLOUR; "
               "exec $0 --print-config --env-file=.env",
               odd, 0, "SVC_DATABASE=\" # \\\"'\\$\\\\\\n\" # file .env:1\n");
    leave_folder(folder);
}

Test(config, a_program_runs_with_its_own_settings_and_arguments)
{
    char folder[32];
    enter_folder(folder);
    write_env("SVC_MAX_NOTES=77\n");
    static const char *const arguments[] = {"--env-file=.env", "--", "--own", NULL};
    struct process *server = process_start(process_program("server_config"), given, arguments);
    cr_assert(server);
    cr_expect(process_await_log(server, "hook: db hidden 77 1 1 --own", PROCESS_WAIT_MS));
    cr_expect_eq(process_stop(server), 0);
    process_free(server);
    leave_folder(folder);
}

/* ---- Closed standard descriptors, and files that are not regular files */

static const char *const needed[] = {"SVC_DATABASE=db", "SVC_TOKEN=t", NULL};

static struct process *spawn_shell(const char *command)
{
    const char *const arguments[] = {"-c", command, process_program("server_config"), NULL};
    struct process *shell = process_spawn("/bin/sh", needed, arguments);
    cr_assert(shell);
    return shell;
}

/* Sockets and descriptors without a name belong to the service. The program that starts it may put
 * a file in the place of a closed descriptor. */
static void expect_foreign(const struct process *process, int fd, const char *command)
{
    char path[64], target[128];
    snprintf(path, sizeof path, "/proc/%ld/fd/%d", (long)process_pid(process), fd);
    ssize_t len = readlink(path, target, sizeof target - 1);
    cr_assert_gt(len, 0, "%s: %d is closed", command, fd);
    target[len] = '\0';
    cr_expect_eq(*target, '/', "%s: %d is %s", command, fd, target);
}

Test(config, nothing_of_the_service_is_on_a_standard_descriptor_that_was_closed)
{
    static const struct {
        const char *command;
        int closed[2];
    } rows[] = {{"exec $0 <&-", {0, 0}},
                {"exec $0 2>&-", {2, 2}},
                {"exec $0 <&- 2>&-", {0, 2}},
                {"export SVC_LOG_OUTPUT=stderr; exec $0 <&- >&-", {0, 1}}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct process *process = spawn_shell(rows[i].command);
        cr_assert(process_await_log(process, "\"listening\"", PROCESS_WAIT_MS), "%s",
                  rows[i].command);
        for (int j = 0; j < 2; j++)
            expect_foreign(process, rows[i].closed[j], rows[i].command);
        cr_expect_eq(process_stop(process), 0);
        process_free(process);
    }
}

Test(config, a_log_that_goes_to_a_closed_descriptor_is_told)
{
    static const char closed[] = "log_output \"stdout\": it is closed, or not open for writing";
    expect_run("exec $0 >&-", needed, 1, closed);
    expect_run("exec $0 <&- >&-", needed, 1, closed);
    expect_run("exec $0 1</dev/null", needed, 1, closed);
    expect_run("export SVC_LOG_OUTPUT=stderr; exec $0 2>&-", needed, 1, "");
}

Test(config, a_log_output_that_is_meant_otherwise_is_told)
{
    static const char *const outputs[] = {"-", "STDOUT", "Stderr", "", "/dev", "/nowhere/log"};
    for (size_t i = 0; i < sizeof outputs / sizeof *outputs; i++) {
        char setting[64];
        snprintf(setting, sizeof setting, "SVC_LOG_OUTPUT=%s", outputs[i]);
        expect_refusal((const char *const[]){setting, NULL},
                       (const char *const[]){"log_output \"", NULL});
    }
}

/* The wait for a reader of the log's FIFO, or for a writer of the settings' FIFO, has an end; a
 * FIFO that has a writer is read. */
Test(config, fifos_are_not_waited_for_without_end)
{
    expect_run("f=/tmp/svc-fifo-$$; mkfifo $f; SVC_LOG_OUTPUT=$f $0; s=$?; rm $f; exit $s", needed,
               1, "No such device or address");
    expect_run(
        "f=/tmp/svc-fifo-$$; mkfifo $f; $0 --check-config --env-file=$f; s=$?; rm $f; exit $s",
        needed, 1, "Connection timed out");
    expect_run("f=/tmp/svc-fifo-$$; mkfifo $f; (sleep 1; echo SVC_THREADS=many; sleep 1) >$f & "
               "$0 --check-config --env-file=$f; s=$?; rm $f; exit $s",
               needed, 1, "\"many\" is not a whole number");
    expect_run("echo SVC_THREADS=many | $0 --check-config --env-file=/dev/stdin", needed, 1,
               "\"many\" is not a whole number");
}
