/* Each request has a line, whatever its content, and lost lines are counted. */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <jansson.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/support/client.h"
#include "tests/support/large.h"
#include "tests/support/life.h"
#include "tests/support/process.h"

static struct process *start(const char *const *settings)
{
    struct process *server = process_start(process_program("server_life"), settings, NULL);
    cr_assert(server);
    return server;
}

/* Sends a request and reads its answer, on a new connection. */
static int ask_bytes(const char *address, const char *data, size_t len)
{
    struct client *client = client_connect(address);
    cr_assert(client);
    client_send(client, data, len);
    struct client_reply reply = client_read(client, false);
    int status = reply.status;
    client_reply_free(&reply);
    client_close(client);
    return status;
}

static int ask(const char *address, const char *text)
{
    return ask_bytes(address, text, strlen(text));
}

/* The requests' lines of a log, parsed, in an array; every line must be one JSON object. */
static json_t *request_lines(char *log)
{
    json_t *found = json_array();
    char *rest;
    for (char *line = strtok_r(log, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
        json_error_t error;
        json_t *json = json_loads(line, JSON_REJECT_DUPLICATES, &error);
        cr_assert(json_is_object(json), "%s: %s", error.text, line);
        const char *message = json_string_value(json_object_get(json, "msg"));
        if (message && !strcmp(message, "request"))
            json_array_append(found, json);
        json_decref(json);
    }
    return found;
}

/* Stops the server, and returns the lines of its requests. */
static json_t *stop_and_read(struct process *server)
{
    cr_expect_eq(process_stop(server), 0);
    char *log = process_copy_log(server);
    json_t *lines = request_lines(log);
    free(log);
    process_free(server);
    return lines;
}

static const char *text(const json_t *json, const char *name)
{
    const char *value = json_string_value(json_object_get(json, name));
    return value ? value : "(none)";
}

static json_int_t number(const json_t *json, const char *name)
{
    const json_t *value = json_object_get(json, name);
    return json_is_integer(value) ? json_integer_value(value) : -1;
}

/* Serves one request, stops the server, and returns its line. */
static json_t *line_of(const char *request, int status, const char *const *settings)
{
    struct process *server = start(settings);
    cr_expect_eq(ask(process_address(server, 0), request), status);
    json_t *lines = stop_and_read(server);
    cr_assert_eq(json_array_size(lines), 1);
    json_t *line = json_incref(json_array_get(lines, 0));
    json_decref(lines);
    return line;
}

Test(log, a_request_leaves_a_line_with_all_members)
{
    json_t *line =
        line_of("POST /echo?secret=1 HTTP/1.1\r\nHost: a\r\nX-Request-Id: id-1\r\n"
                "traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01\r\n"
                "Content-Length: 3\r\n\r\nabc",
                200, NULL);
    cr_assert(line);
    cr_expect_eq(strlen(text(line, "time")), strlen("2026-11-24T02:44:46.123456Z"));
    cr_expect_str_eq(text(line, "level"), "info");
    cr_expect_str_eq(text(line, "app"), "life");
    cr_expect_str_eq(text(line, "module"), "access");
    cr_expect_str_eq(text(line, "id"), "id-1");
    cr_expect_str_eq(text(line, "trace_id"), "4bf92f3577b34da6a3ce929d0e0e4736");
    cr_expect_eq(strspn(text(line, "span_id"), "0123456789abcdef"), 16);
    cr_expect_str_neq(text(line, "span_id"), "00f067aa0ba902b7");
    cr_expect_str_eq(text(line, "method"), "POST");
    cr_expect_str_eq(text(line, "route"), "POST /echo");
    cr_expect_str_eq(text(line, "path"), "/echo");
    cr_expect_str_eq(text(line, "peer"), "127.0.0.1");
    cr_expect_null(json_object_get(line, "end"));
    cr_expect_null(json_object_get(line, "query"));
    cr_expect_eq(number(line, "status"), 200);
    cr_expect_eq(number(line, "bytes_in"), 3);
    cr_expect_eq(number(line, "bytes_out"), 3);
    cr_expect_geq(number(line, "duration_us"), 0);
    json_decref(line);
}

Test(log, a_line_has_nothing_that_tells_nothing)
{
    json_t *line = line_of("GET /hello/x HTTP/1.1\r\nHost: a\r\n\r\n", 200, NULL);
    cr_expect_eq(strlen(text(line, "id")), 32);
    static const char *const left_out[] = {"trace_id", "span_id", "query", "bytes_in", "end"};
    for (size_t i = 0; i < sizeof left_out / sizeof *left_out; i++)
        cr_expect_null(json_object_get(line, left_out[i]), "%s", left_out[i]);
    json_decref(line);
}

Test(log, a_line_has_all_of_it_when_asked_for)
{
    static const char *const settings[] = {"SVC_LOG_FULL=on", NULL};
    json_t *line = line_of("GET /hello/x HTTP/1.1\r\nHost: a\r\n\r\n", 200, settings);
    cr_expect_str_eq(text(line, "trace_id"), text(line, "id"));
    cr_expect_eq(strlen(text(line, "span_id")), 16);
    cr_expect_eq(number(line, "bytes_in"), 0);
    cr_expect_str_eq(text(line, "end"), "complete");
    json_decref(line);
}

Test(log, a_line_has_no_ids_when_they_are_off)
{
    static const char *const settings[] = {"SVC_TRACE_CONTEXT=off", "SVC_REQUEST_ID=off", NULL};
    json_t *line = line_of("GET /hello/x HTTP/1.1\r\nHost: a\r\n\r\n", 200, settings);
    cr_expect_null(json_object_get(line, "id"));
    cr_expect_null(json_object_get(line, "trace_id"));
    cr_expect_null(json_object_get(line, "span_id"));
    json_decref(line);
}

Test(log, what_a_handler_adds_stands_in_its_requests_line)
{
    json_t *line = line_of("GET /note/2?text=%22%0a%01%ff HTTP/1.1\r\nHost: a\r\n\r\n", 400, NULL);
    cr_expect_null(json_object_get(line, "noted"), "no handler ran");
    json_decref(line);
    line = line_of("GET /note/2?text=%22%0a%01 HTTP/1.1\r\nHost: a\r\n\r\n", 200, NULL);
    cr_expect_eq(number(line, "notes"), 2);
    cr_expect_str_eq(text(line, "noted"), "\"\n\001");
    cr_expect_str_eq(text(line, "module"), "access");
    json_decref(line);
}

Test(log, the_query_is_there_when_asked_for)
{
    static const char *const settings[] = {"SVC_LOG_QUERY=on", NULL};
    json_t *line = line_of("GET /hello/x?a=1 HTTP/1.1\r\nHost: a\r\n\r\n", 200, settings);
    cr_expect_str_eq(text(line, "query"), "a=1");
    json_decref(line);
}

#define GET(target, fields) "GET " target " HTTP/1.1\r\nHost: a\r\n" fields "\r\n"
#define METHOD(method) method " /hello/x HTTP/1.1\r\nHost: a\r\n\r\n"
#define REPLACED "\xef\xbf\xbd" /* what stands for bytes that are no UTF-8 */

/* Requests, and the items of their lines. NULL: not checked; MADE: an id that the server has made.
 */
static const char made[] = "made";
static const struct row {
    const char *bytes;
    size_t len;
    int status;
    const char *method, *path, *query, *id;
} rows[] = {
#define ROW(bytes, ...)                                                                            \
    {                                                                                              \
        bytes, sizeof(bytes) - 1, __VA_ARGS__                                                      \
    }
    ROW(GET("/hello/\"q\"{}", ""), 200, "GET", "/hello/\"q\"{}", NULL, NULL),
    ROW(GET("/hello/a\\b", ""), 400, "GET", "/hello/a\\b", NULL, NULL),
    ROW(GET("/hello/%0a%22%00", ""), 400, "GET", "/hello/%0a%22%00", NULL, NULL),
    ROW(GET("/hello/\x01\x1f\x7f", ""), 400, "GET", "/hello/\x01\x1f\x7f", NULL, NULL),
    ROW(GET("/hello/a\tb", ""), 400, "GET", "/hello/a\tb", NULL, NULL),
    ROW(GET("/hello/a\rb", ""), 400, "GET", "/hello/a\rb", NULL, NULL),
    ROW(GET("/hello/\xc3\xa9\xe2\x80\xa8", ""), 200, "GET", "/hello/\xc3\xa9\xe2\x80\xa8", NULL,
        NULL),
    ROW(GET("/hello/a\"b\xc3\xa9\xff%0a{}", ""), 400, "GET", "/hello/a\"b\xc3\xa9" REPLACED "%0a{}",
        NULL, NULL),
    ROW(GET("/hello/\xc3", ""), 400, "GET", "/hello/" REPLACED, NULL, NULL),
    ROW(GET("/hello/\xc0\xaf\xed\xa0\x80\xf5\x80", ""), 400, "GET", NULL, NULL, NULL),
    ROW(GET("/hello/a\0b", ""), 400, "GET", NULL, NULL, NULL),
    ROW(GET("/hello/x?a=\"1\"&b={}", ""), 200, "GET", "/hello/x", "a=\"1\"&b={}", NULL),
    ROW(GET("/hello/x?a=%0a%ff", ""), 400, "GET", "/hello/x", "a=%0a%ff", NULL),
    ROW(GET("/hello/x?\xff", ""), 400, "GET", "/hello/x", REPLACED, NULL),
    ROW(GET("/hello/x?a=\\", ""), 200, "GET", "/hello/x", "a=\\", NULL),
    ROW(GET("/hello/x?\x01", ""), 400, "GET", "/hello/x", NULL, NULL),
    ROW(GET("/hello/x", "X-Request-Id: good-1_2.3\r\n"), 200, "GET", NULL, NULL, "good-1_2.3"),
    ROW(GET("/hello/x", "X-Request-Id: a\"b\r\n"), 200, "GET", NULL, NULL, made),
    ROW(GET("/hello/x", "X-Request-Id: a\\\r\n"), 200, "GET", NULL, NULL, made),
    ROW(GET("/hello/x", "X-Request-Id: \xff\xc3\r\n"), 200, "GET", NULL, NULL, made),
    ROW(GET("/hello/x", "X-Request-Id: a\tb\r\n"), 200, "GET", NULL, NULL, made),
    ROW(GET("/hello/x", "X-Request-Id: a\x01\r\n"), 400, "GET", NULL, NULL, NULL),
    ROW(GET("/hello/x", "X-Request-Id: a\0b\r\n"), 400, "GET", NULL, NULL, NULL),
    ROW(METHOD("G\"T"), 400, "G\"T", NULL, NULL, NULL),
    ROW(METHOD("G{\\}T"), 400, "G{\\}T", NULL, NULL, NULL),
    ROW(METHOD("G\x01T"), 400, "G\x01T", NULL, NULL, NULL),
    ROW(METHOD("G\xffT"), 400, "G" REPLACED "T", NULL, NULL, NULL),
    ROW(METHOD("BREW"), 405, "BREW", NULL, NULL, NULL),
#undef ROW
};
enum { ROWS = sizeof rows / sizeof *rows };

static void expect_member(const json_t *line, size_t row, const char *name, const char *value)
{
    if (!value)
        return;
    const char *found = text(line, name);
    if (value == made)
        cr_expect_eq(strspn(found, "0123456789abcdef"), 32, "%zu: %s is %s", row, name, found);
    else
        cr_expect_str_eq(found, value, "%zu: %s is %s", row, name, found);
}

/* One loop writes their lines in their order. */
Test(log, no_byte_of_a_request_can_break_its_line)
{
    static const char *const settings[] = {"SVC_LOG_QUERY=on", "SVC_THREADS=1", NULL};
    struct process *server = start(settings);
    for (size_t i = 0; i < ROWS; i++) {
        int status = ask_bytes(process_address(server, 0), rows[i].bytes, rows[i].len);
        cr_expect_eq(status, rows[i].status, "%zu: %d", i, status);
    }
    json_t *lines = stop_and_read(server);
    cr_assert_eq(json_array_size(lines), ROWS, "%zu lines", json_array_size(lines));
    for (size_t i = 0; i < ROWS; i++) {
        const json_t *line = json_array_get(lines, i);
        cr_expect_eq(number(line, "status"), rows[i].status, "%zu", i);
        expect_member(line, i, "method", rows[i].method);
        expect_member(line, i, "path", rows[i].path);
        expect_member(line, i, "query", rows[i].query);
        expect_member(line, i, "id", rows[i].id);
    }
    json_decref(lines);
}

/* Each of its bytes becomes six in the line. */
Test(log, the_longest_target_of_control_bytes_leaves_one_whole_line)
{
    enum { LEN = 7900 };
    static char target[LEN + 1], request[LEN + 64];
    memset(target, '\x01', LEN);
    memcpy(target, "/hello/", 7);
    snprintf(request, sizeof request, GET("%s", ""), target);
    json_t *line = line_of(request, 400, NULL);
    cr_expect_str_eq(text(line, "path"), target);
    json_decref(line);
}

/* As many lines as the rings of all loops hold, until the stop: a slow writer loses none. */
Test(log, a_clean_stop_loses_no_line)
{
    enum { CLIENTS = 8, ROUNDS = 75, PIPED = 20, REQUESTS = CLIENTS * ROUNDS * PIPED };
    static const char *const settings[] = {"SVC_THREADS=4", NULL};
    static char piped[PIPED * 64];
    struct process *server = start(settings);
    struct client *clients[CLIENTS];
    for (size_t i = 0; i < PIPED; i++)
        strcat(piped, GET("/hello/x", ""));
    for (size_t i = 0; i < CLIENTS; i++)
        cr_assert(clients[i] = client_connect(process_address(server, 0)));
    for (size_t i = 0; i < ROUNDS * CLIENTS; i++) {
        client_send_text(clients[i % CLIENTS], piped);
        for (size_t answer = 0; answer < PIPED; answer++) {
            struct client_reply reply = client_read(clients[i % CLIENTS], false);
            cr_assert_eq(reply.status, 200, "%s", client_end_name(reply.end));
            client_reply_free(&reply);
        }
    }
    json_t *lines = stop_and_read(server);
    cr_expect_eq(json_array_size(lines), REQUESTS, "%zu lines", json_array_size(lines));
    json_decref(lines);
    for (size_t i = 0; i < CLIENTS; i++)
        client_close(clients[i]);
}

Test(log, a_client_that_leaves_is_told_apart)
{
    struct process *server = start(NULL);
    struct client *client = client_connect(process_address(server, 0));
    client_send_text(client, "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\na");
    cr_assert(client_await_read(client));
    client_reset(client);
    cr_expect(process_await_log(server, "\"end\":\"client gone\"", PROCESS_WAIT_MS));
    cr_expect_eq(process_stop(server), 0);
    process_free(server);
}

Test(log, it_can_go_to_a_file_which_is_appended_to)
{
    char path[] = "/tmp/svc-log-XXXXXX", setting[64];
    int fd = mkstemp(path);
    cr_assert_geq(fd, 0);
    cr_assert_eq(write(fd, "before\n", 7), 7);
    snprintf(setting, sizeof setting, "SVC_LOG_OUTPUT=%s", path);
    const char *const settings[] = {setting, "SVC_LISTEN=127.0.0.1:0", NULL};
    struct process *server = process_spawn(process_program("server_life"), settings, NULL);
    cr_assert(server);
    char content[4096] = "";
    uint64_t due = client_clock_ms() + CLIENT_WAIT_MS;
    while (!strstr(content, "\"listening\"") && client_clock_ms() < due)
        cr_assert_geq(pread(fd, content, sizeof content - 1, 0), 0);
    cr_expect_eq(strncmp(content, "before\n{", 8), 0, "%s", content);
    cr_expect_eq(process_stop(server), 0);
    process_free(server);
    close(fd);
    unlink(path);
}

/* Serves a request with one form of log, on a socket whose address is known for each form. The
 * caller frees the log. */
static char *log_in_form(const char *setting, const char *request)
{
    char folder[] = "/tmp/svc-log-XXXXXX", listen[64];
    cr_assert(mkdtemp(folder));
    snprintf(listen, sizeof listen, "SVC_LISTEN=unix:%s/socket", folder);
    const char *const settings[] = {setting, listen, "SVC_LOG_QUERY=on", NULL};
    struct process *server = process_spawn(process_program("server_life"), settings, NULL);
    cr_assert(server);
    cr_expect(process_await_log(server, "listening", PROCESS_WAIT_MS));
    cr_expect_eq(ask(listen + strlen("SVC_LISTEN="), request), 200);
    cr_expect_eq(process_stop(server), 0);
    char *log = process_copy_log(server);
    process_free(server);
    rmdir(folder);
    return log;
}

static const char noted[] =
    "GET /note/1?text=a%0ab%1b HTTP/1.1\r\nHost: a\r\nX-Request-Id: i\r\n\r\n";

static void expect_in(const char *log, const char *what)
{
    cr_expect(strstr(log, what), "no %s in %s", what, log);
}

Test(log, all_lines_are_logfmt_when_asked_for)
{
    char *log = log_in_form("SVC_LOG_FORMAT=logfmt", noted);
    expect_in(log, " level=info app=life msg=\"hook begins\" module=app\n");
    expect_in(log, " level=info app=life msg=listening module=svc address=unix:/tmp/svc-log-");
    expect_in(log, " level=info app=life msg=\"it is noted\" module=app id=i ");
    expect_in(log, " route=\"GET /note/{count}\" text=\"a\\nb\\u001b\" sure=true\n");
    expect_in(log, " level=info app=life msg=request module=access id=i ");
    expect_in(log, " method=GET path=/note/1 query=\"text=a%0ab%1b\" peer=unix status=200 "
                   "bytes_out=5 duration_us=");
    expect_in(log, " notes=1 noted=\"a\\nb\\u001b\"\n");
    expect_in(log,
              " level=info app=life msg=stopped module=svc requests_cut=0 connections_left=0\n");
    cr_expect_null(strchr(log, '\033'));
    free(log);
}

Test(log, all_lines_are_for_people_when_asked_for)
{
    char *log = log_in_form("SVC_LOG_FORMAT=text", noted);
    expect_in(log, "Z INFO  app: hook begins\n");
    expect_in(log, "Z INFO  svc: listening address=unix:/tmp/svc-log-");
    expect_in(log, "Z INFO  app: it is noted text=\"a\\nb\\u001b\" sure=true id=i ");
    expect_in(log, "Z INFO  access: request method=GET path=/note/1 ");
    cr_expect_null(strchr(log, '\033'));
    free(log);
}

Test(log, hooks_log_from_the_first_to_the_last)
{
    char *log = log_in_form("SVC_LOG_FORMAT=json", "GET /hello/x HTTP/1.1\r\nHost: a\r\n\r\n");
    const char *begins = strstr(log, "\"hook begins\""), *listening = strstr(log, "\"listening\"");
    const char *stopped = strstr(log, "\"stopped\""), *ended = strstr(log, "\"hook ended\"");
    cr_assert(begins && listening && stopped && ended, "%s", log);
    cr_expect(begins < listening && listening < stopped && stopped < ended, "%s", log);
    cr_expect(strstr(ended, "\"hook\":\"first hook stopped\""), "%s", log);
    free(log);
}

/* Logged by another thread than the request's. */
Test(log, a_thread_that_holds_a_request_logs_with_its_ids)
{
    struct process *server = start(NULL);
    struct client *client = client_connect(process_address(server, 0));
    client_send_text(client, GET("/hold", "X-Request-Id: held-1\r\n"));
    cr_expect(process_await_log(server, "\"msg\":\"held\"", PROCESS_WAIT_MS));
    cr_expect(life_release(server));
    struct client_reply reply = client_read(client, false);
    cr_expect_eq(reply.status, 200);
    client_reply_free(&reply);
    client_close(client);
    cr_expect_eq(process_stop(server), 0);
    char *log = process_copy_log(server);
    expect_in(log, "\"msg\":\"released\",\"route\":\"/hold\",\"id\":\"held-1\",\"module\":\"");
    free(log);
    process_free(server);
}

Test(log, a_level_holds_for_a_module)
{
    static const char *const settings[] = {"SVC_LOG_LEVELS=access=error,app=warn", NULL};
    struct process *server = start(settings);
    cr_expect_eq(ask(process_address(server, 0), noted), 200);
    cr_expect_eq(process_stop(server), 0);
    char *log = process_copy_log(server);
    expect_in(log, "\"msg\":\"listening\"");
    cr_expect_null(strstr(log, "\"msg\":\"request\""), "%s", log);
    cr_expect_null(strstr(log, "noted"), "%s", log);
    free(log);
    process_free(server);
}

static size_t sum_of(const char *log, const char *key)
{
    size_t n = 0;
    for (const char *at = log; (at = strstr(at, key)); at += strlen(key))
        n += strtoul(at + strlen(key), NULL, 10);
    return n;
}

static size_t count(const char *text_, const char *what);

/* No request comes after it: the loop reports by itself. */
Test(log, what_repeats_is_held_back_and_told_without_another_line)
{
    enum { LINES = 500 };
    static const char *const settings[] = {"SVC_LOG_REPEAT_PER_S=5", NULL};
    struct process *server = start(settings);
    cr_expect_eq(ask(process_address(server, 0), GET("/note/500", "")), 200);
    cr_expect(process_await_log(server, "\"log lines suppressed\"", PROCESS_WAIT_MS));
    cr_expect_eq(process_stop(server), 0);
    char *log = process_copy_log(server);
    size_t lines = count(log, "\"msg\":\"it is noted\""), held = sum_of(log, "\"suppressed\":");
    cr_expect_eq(lines + held, LINES, "%zu lines, %zu held back", lines, held);
    cr_expect_gt(held, 0);
    expect_in(log, "\"msg\":\"log lines suppressed\",\"line\":\"it is noted\","
                   "\"site\":\"server_life.c:");
    free(log);
    process_free(server);
}

static size_t count(const char *text_, const char *what)
{
    size_t n = 0;
    for (const char *at = text_; (at = strstr(at, what)); at += strlen(what))
        n++;
    return n;
}

/* A server whose output goes into a pipe that is read only after all requests are served. */
Test(log, a_reader_that_stops_costs_lines_but_no_answers)
{
    enum { REQUESTS = 3000 };
    char path[] = "/tmp/svc-fifo-XXXXXX", setting[96];
    cr_assert(mkdtemp(path));
    char fifo[64];
    snprintf(fifo, sizeof fifo, "%s/fifo", path);
    cr_assert_eq(mkfifo(fifo, 0600), 0);
    int fd = open(fifo, O_RDWR | O_CLOEXEC); /* opens at once, and keeps the pipe open */
    cr_assert_geq(fd, 0);
    snprintf(setting, sizeof setting, "SVC_LOG_OUTPUT=%s", fifo);
    static char address[128];
    snprintf(address, sizeof address, "unix:%s/socket", path);
    char listen[160];
    snprintf(listen, sizeof listen, "SVC_LISTEN=%s", address);
    const char *const settings[] = {setting, listen, "SVC_LOG_RING_BYTES=65536", "SVC_THREADS=1",
                                    NULL};
    struct process *server = process_spawn(process_program("server_life"), settings, NULL);
    cr_assert(server);
    struct client *client = NULL;
    uint64_t due = client_clock_ms() + CLIENT_WAIT_MS;
    while (!client && client_clock_ms() < due)
        client = access(address + strlen("unix:"), F_OK) ? NULL : client_connect(address);
    cr_assert(client);
    for (size_t i = 0; i < REQUESTS; i++) {
        struct client_reply reply =
            client_exchange(client, "GET /hello/x HTTP/1.1\r\nHost: a\r\n\r\n");
        cr_assert_eq(reply.status, 200, "request %zu: %s", i, client_end_name(reply.end));
        client_reply_free(&reply);
    }
    client_close(client);
    cr_assert(process_signal(server, SIGTERM));
    enum { ROOM = 4 << 20 };
    char *log = large(ROOM);
    size_t len = 0;
    while (!strstr(log, "\"stopped\"")) {
        ssize_t n = read(fd, log + len, ROOM - 1 - len);
        cr_assert_gt(n, 0);
        len += (size_t)n;
    }
    cr_expect_eq(process_await_exit(server, PROCESS_WAIT_MS), 0);
    fcntl(fd, F_SETFL, O_NONBLOCK);
    for (ssize_t n; (n = read(fd, log + len, ROOM - 1 - len)) > 0;)
        len += (size_t)n;
    size_t lines = count(log, "\"msg\":\"request\""), drops = sum_of(log, "\"dropped\":");
    cr_expect_lt(lines, REQUESTS, "the pipe should have been too small");
    cr_expect_eq(lines + drops, REQUESTS, "%zu lines, %zu drops", lines, drops);
    process_free(server);
    close(fd);
    unlink(fifo);
    rmdir(path);
}

/* ---- Rotation */

static bool file_holds(const char *path, const char *text)
{
    static char content[1 << 20];
    FILE *file = fopen(path, "re");
    size_t len = file ? fread(content, 1, sizeof content - 1, file) : 0;
    content[len] = '\0';
    if (file)
        fclose(file);
    return strstr(content, text) != NULL;
}

static bool await_in_file(const char *path, const char *text)
{
    uint64_t due = client_clock_ms() + CLIENT_WAIT_MS;
    bool found;
    while (!(found = file_holds(path, text)) && client_clock_ms() < due)
        poll(NULL, 0, 1);
    return found;
}

Test(log, a_hangup_opens_the_file_again)
{
    char home[] = "/tmp/svc-rotate-XXXXXX", path[64], old[64], output[96], listen[96];
    cr_assert(mkdtemp(home));
    snprintf(path, sizeof path, "%s/log", home);
    snprintf(old, sizeof old, "%s/old", home);
    snprintf(output, sizeof output, "SVC_LOG_OUTPUT=%s", path);
    snprintf(listen, sizeof listen, "SVC_LISTEN=unix:%s/socket", home);
    const char *const settings[] = {output, listen, NULL};
    struct process *server = process_spawn(process_program("server_life"), settings, NULL);
    cr_assert(server);
    const char *address = listen + strlen("SVC_LISTEN=");
    cr_assert(await_in_file(path, "\"listening\""));
    cr_expect_eq(ask(address, "GET /hello/before HTTP/1.1\r\nHost: a\r\n\r\n"), 200);
    cr_expect(await_in_file(path, "/hello/before"));

    cr_assert_eq(rename(path, old), 0);
    cr_assert(process_signal(server, SIGHUP));
    while (access(path, F_OK))
        poll(NULL, 0, 1);
    cr_expect_eq(ask(address, "GET /hello/behind HTTP/1.1\r\nHost: a\r\n\r\n"), 200);
    cr_expect(await_in_file(path, "/hello/behind"));
    cr_expect_not(file_holds(old, "/hello/behind"));

    cr_assert(process_signal(server, SIGTERM));
    cr_expect_eq(process_await_exit(server, PROCESS_WAIT_MS), 0);
    cr_expect(file_holds(path, "\"stopped\""));
    process_free(server);
    unlink(path);
    unlink(old);
    rmdir(home);
}

Test(log, a_hangup_ends_nothing_where_there_is_no_file)
{
    struct process *server = start(NULL);
    cr_assert(process_signal(server, SIGHUP));
    cr_assert(process_signal(server, SIGHUP));
    cr_expect_eq(ask(process_address(server, 0), "GET /hello/x HTTP/1.1\r\nHost: a\r\n\r\n"), 200);
    cr_expect(process_await_log(server, "/hello/x", PROCESS_WAIT_MS));
    cr_expect_eq(process_stop(server), 0);
    process_free(server);
}
