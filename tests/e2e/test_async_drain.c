/* A stop of the service while its requests are away: it waits, but not for ever. */
#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/e2e/served.h"
#include "tests/support/client.h"
#include "tests/support/flow.h"
#include "tests/support/process.h"

enum { TIMEOUT_MS = 300 };

static void start(const char *const *settings)
{
    serve("server_async", settings);
}

static void await_log(const char *text)
{
    bool found = process_await_log(server, text, PROCESS_WAIT_MS);
    char *log = found ? NULL : process_copy_log(server);
    cr_assert(found, "%s is not in\n%s", text, log);
}

static void let(const char *letters)
{
    cr_assert(process_tell(server, letters));
}

/* Takes the stop past the step that closes listeners. */
static void stop_listening(void)
{
    cr_assert(process_signal(server, SIGTERM));
    cr_assert(client_await_refusal(process_address(server, 0)));
}

/* ---- The phases: the request, the log line when the phase is reached, and the letter that ends it
 */

struct phase {
    const char *request;
    const char *reached;
    const char *letters;
    const char *body; /* of the answer */
};

static const struct phase phases[] = {
    {"GET /block/1 HTTP/1.1\r\nHost: a\r\nX-Tag: t\r\n\r\n", "at a worker", "w", "1"},
    {"GET /heed/2 HTTP/1.1\r\nHost: a\r\n\r\n", "at a worker", "w", "2"},
    {"GET /keep/3 HTTP/1.1\r\nHost: a\r\n\r\n", "\"kept\"", "c", "3"},
    {"GET /hold/4 HTTP/1.1\r\nHost: a\r\n\r\n", "\"held\"", "l", "4"},
    {"POST /stall/0 HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n", "\"stalls\"", "w",
     "{\"length\":0,\"right\":true}"},
    {"GET /dry HTTP/1.1\r\nHost: a\r\n\r\n", "runs dry", "w", "beginend"},
};

enum { PHASES = sizeof phases / sizeof *phases };

static struct client *reach(const struct phase *phase)
{
    struct client *client = connect_client();
    cr_assert(client_send_text(client, phase->request));
    if (phase->reached)
        await_log(phase->reached);
    else /* the answer has begun, or the whole body was read */
        cr_assert(strstr(phase->request, "POST") ? client_await_read(client)
                                                 : client_readable(client, CLIENT_WAIT_MS));
    return client;
}

Test(async_drain, waits_for_whoever_has_a_request)
{
    for (size_t i = 0; i < PHASES; i++) {
        start(NULL);
        struct client *client = reach(&phases[i]);
        stop_listening();
        let(phases[i].letters);
        struct client_reply reply = client_read(client, false);
        cr_expect_eq(reply.status, 200, "%zu: %d %s", i, reply.status, client_end_name(reply.end));
        cr_expect_str_eq(reply.body, phases[i].body);
        client_reply_free(&reply);
        cr_expect_eq(client_await_end(client), CLIENT_CLOSED);
        client_close(client);
        await_exit(0);
    }
}

Test(async_drain, waits_for_what_waits_for_a_worker)
{
    static const char *const settings[] = {"SVC_WORKERS_MAX=1", "SVC_WORKER_QUEUE_MS=600000", NULL};
    start(settings);
    struct client *first = reach(&phases[0]), *second = connect_client();
    client_send_text(second, "GET /block/2 HTTP/1.1\r\nHost: a\r\n\r\n");
    cr_assert(client_await_metric(process_admin(server), "svc_workers_queued", 1));
    stop_listening();
    let("ww");
    for (int i = 0; i < 2; i++) {
        struct client_reply reply = client_read(i ? second : first, false);
        cr_expect_eq(reply.status, 200);
        client_reply_free(&reply);
    }
    client_close(first);
    client_close(second);
    await_exit(0);
}

Test(async_drain, waits_for_an_upload)
{
    start(NULL);
    struct client *client = connect_client();
    client_send_text(client, "POST /sink/0 HTTP/1.1\r\nHost: a\r\nContent-Length: 300000\r\n\r\n");
    client_send(client, flow_at(0, 100000), 100000);
    cr_assert(client_await_read(client));
    stop_listening();
    client_send(client, flow_at(100000, 200000), 200000);
    struct client_reply reply = client_read(client, false);
    cr_expect_str_eq(reply.body, "{\"length\":300000,\"right\":true}");
    client_reply_free(&reply);
    client_close(client);
    await_exit(0);
}

/* ---- After the drain timeout */

/* All other limits are longer than the common one, so only the drain timeout can end it. */
static const char *const short_drain[] = {
    "SVC_DRAIN_TIMEOUT_MS=300", "SVC_REQUEST_TIMEOUT_MS=600000", "SVC_BODY_TIMEOUT_MS=600000",
    "SVC_SEND_TIMEOUT_MS=600000", NULL};

/* The answer to a client in a forced stop: 503, or 0 for a cut. If `told` is not NULL, the log has
 * that line. */
static void expect_forced(const char *request, const char *reached, int status, const char *told)
{
    const struct phase phase = {request, reached, NULL, NULL};
    start(short_drain);
    struct client *client = reach(&phase);
    uint64_t began = client_clock_ms();
    cr_assert(process_signal(server, SIGTERM));
    struct client_reply reply = client_read(client, false);
    if (status)
        cr_expect_eq(reply.status, status, "%s: %d %s", request, reply.status,
                     client_end_name(reply.end));
    else
        cr_expect_eq(reply.end, CLIENT_CUT, "%s: %s", request, client_end_name(reply.end));
    client_reply_free(&reply);
    cr_expect_eq(process_await_exit(server, PROCESS_WAIT_MS), 3, "%s", request);
    cr_expect_geq(client_clock_ms() - began, TIMEOUT_MS, "%s", request);
    client_close(client);
    if (told)
        cr_expect_geq(process_count_log(server, told), 1, "%s: no %s", request, told);
    process_free(server);
}

Test(async_drain, cuts_a_handler_that_heeds)
{
    expect_forced("GET /heed/1 HTTP/1.1\r\nHost: a\r\n\r\n", "at a worker", 503, "has heeded");
}

Test(async_drain, cuts_a_handler_that_never_returns)
{
    expect_forced("GET /block/1 HTTP/1.1\r\nHost: a\r\n\r\n", "at a worker", 503, NULL);
}

Test(async_drain, cuts_an_answer_that_is_given_when_it_is_not_wanted)
{
    expect_forced("GET /quit/1 HTTP/1.1\r\nHost: a\r\n\r\n", "\"kept\"", 503, "answer not wanted");
}

Test(async_drain, cuts_an_answer_that_is_never_given)
{
    expect_forced("GET /keep/1 HTTP/1.1\r\nHost: a\r\n\r\n", "\"kept\"", 503, "answer not wanted");
    expect_forced("GET /forget/1 HTTP/1.1\r\nHost: a\r\n\r\n", "\"kept\"", 503,
                  "answer not wanted");
}

Test(async_drain, cuts_a_layer_that_waits)
{
    expect_forced("GET /hold/1 HTTP/1.1\r\nHost: a\r\n\r\n", "\"held\"", 503, NULL);
}

Test(async_drain, cuts_a_body_that_does_not_end)
{
    expect_forced("POST /sink/0 HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nabc", NULL, 503,
                  "body ended early");
}

Test(async_drain, cuts_a_reply_that_does_not_end)
{
    expect_forced("GET /dry HTTP/1.1\r\nHost: a\r\n\r\n", "runs dry", 0, NULL);
    expect_forced("GET /source/1000000/100000/10 HTTP/1.1\r\nHost: a\r\n\r\n", NULL, 0,
                  "\"poured\"");
}

/* ---- No work begins after the cut */

/* The next request on the connection of a request that is cut. */
Test(async_drain, no_next_request_begins_once_it_has_cut)
{
    for (size_t i = 0; i < PHASES; i++) {
        start(short_drain);
        struct client *client = connect_client();
        client_printf(client, "%s%s%s", phases[i].request,
                      "GET /begin/7 HTTP/1.1\r\nHost: a\r\n\r\n",
                      "GET /begin/8 HTTP/1.1\r\nHost: a\r\n\r\n");
        await_log(phases[i].reached);
        cr_assert(process_signal(server, SIGTERM));
        struct client_reply reply = client_read(client, false);
        cr_expect(reply.status == 503 || reply.end == CLIENT_CUT, "%zu: %d %s", i, reply.status,
                  client_end_name(reply.end));
        cr_expect(reply.end == CLIENT_CUT || reply.closes);
        client_reply_free(&reply);
        cr_expect_neq(client_await_end(client), CLIENT_GARBAGE, "%zu: something else came", i);
        client_close(client);
        cr_expect_eq(process_await_exit(server, PROCESS_WAIT_MS), 3);
        cr_expect_eq(process_count_log(server, "a handler begins"), 0, "%zu", i);
        process_free(server);
    }
}

/* A request that waits for a worker, which becomes free after the cut. */
Test(async_drain, nothing_that_is_queued_begins_once_it_has_cut)
{
    static const char *const settings[] = {"SVC_DRAIN_TIMEOUT_MS=100", "SVC_WORKERS_MAX=1",
                                           "SVC_WORKER_QUEUE_MS=600000", "ASYNC_OUTLIVE=1", NULL};
    start(settings);
    struct client *first = reach(&phases[0]), *second = connect_client();
    client_send_text(second, "GET /block/2 HTTP/1.1\r\nHost: a\r\n\r\n");
    cr_assert(client_await_metric(process_admin(server), "svc_workers_queued", 1));
    cr_assert(process_signal(server, SIGTERM));
    for (int i = 0; i < 2; i++) {
        struct client_reply reply = client_read(i ? second : first, false);
        cr_expect_eq(reply.status, 503);
        client_reply_free(&reply);
    }
    client_close(first);
    client_close(second);
    await_log("the app has ended");
    let("w");
    await_log("has gone on");
    let("e");
    cr_expect_eq(process_await_exit(server, PROCESS_WAIT_MS), 3);
    cr_expect_eq(process_count_log(server, "at a worker"), 1);
    process_free(server);
}

/* A request whose next step would run on a worker. */
Test(async_drain, no_handler_begins_behind_a_layer_that_outlives_the_cut)
{
    static const char *const settings[] = {"SVC_DRAIN_TIMEOUT_MS=100", "ASYNC_OUTLIVE=1", NULL};
    start(settings);
    struct client *client = connect_client();
    client_send_text(client, "GET /block-layer/1 HTTP/1.1\r\nHost: a\r\n\r\n");
    await_log("at a worker");
    cr_assert(process_signal(server, SIGTERM));
    struct client_reply reply = client_read(client, false);
    cr_expect_eq(reply.status, 503);
    client_reply_free(&reply);
    client_close(client);
    await_log("the app has ended");
    let("w");
    await_log("the layer has gone on");
    let("e");
    cr_expect_eq(process_await_exit(server, PROCESS_WAIT_MS), 3);
    cr_expect_eq(process_count_log(server, "a handler begins"), 0);
    process_free(server);
}

/* ---- Handlers that outlive their request */

/* With an idle worker, so that no deadline passes before the request has one. */
static void start_with_worker(const char *const *settings)
{
    start(settings);
    cr_assert(client_await_metric(process_admin(server), "svc_workers", 1));
    cr_assert(client_await_metric(process_admin(server), "svc_workers_busy", 0));
}

static void expect_late_answer(const char *path, const char *reached, const char *letter,
                               const char *line)
{
    static const char *const settings[] = {"SVC_LOG_REPEAT_PER_S=0", "SVC_WORKERS_MIN=1", NULL};
    start_with_worker(settings);
    struct client *client = connect_client();
    client_printf(client,
                  "POST %s HTTP/1.1\r\nHost: a\r\nX-Request-Timeout: 500\r\nX-Tag: t\r\n"
                  "Content-Length: 3\r\n\r\nabc",
                  path);
    await_log(reached);
    struct client_reply reply = client_read(client, false);
    cr_expect_eq(reply.status, 504, "%d %s", reply.status, client_end_name(reply.end));
    client_reply_free(&reply);
    for (int i = 0; i < 50; i++) { /* other requests use its connection's memory */
        client_send_text(client, "GET /now/5 HTTP/1.1\r\nHost: a\r\n\r\n");
        reply = client_read(client, false);
        cr_expect_str_eq(reply.body, "5");
        client_reply_free(&reply);
    }
    client_close(client);
    cr_expect(
        client_await_metric(process_admin(server), "svc_connections{listener=\"service\"", 0));
    let(letter);
    await_log(line);
    serve_no_more();
}

Test(async_drain, a_handler_may_outlive_its_deadline_and_its_connection)
{
    expect_late_answer("/block/1", "at a worker", "w",
                       "\"tag\":\"t\",\"sum\":294,\"cancelled\":true");
    expect_late_answer("/keep/1", "\"kept\"", "c", "has given late");
    expect_late_answer("/hold/1", "\"held\"", "l", "released in vain");
}

/* The handler returns while the service waits for another request. */
Test(async_drain, a_handler_may_come_back_in_the_drain)
{
    static const char *const settings[] = {"SVC_WORKERS_MIN=1", NULL};
    start_with_worker(settings);
    struct client *late = connect_client(), *kept = connect_client();
    client_send_text(late, "GET /block/1 HTTP/1.1\r\nHost: a\r\nX-Request-Timeout: 1000\r\n\r\n");
    client_send_text(kept, "GET /keep/2 HTTP/1.1\r\nHost: a\r\n\r\n");
    await_log("\"kept\"");
    struct client_reply reply = client_read(late, false);
    cr_expect_eq(reply.status, 504);
    client_reply_free(&reply);
    client_close(late);
    stop_listening();
    let("w");
    await_log("has gone on");
    let("c");
    reply = client_read(kept, false);
    cr_expect_str_eq(reply.body, "2");
    client_reply_free(&reply);
    client_close(kept);
    await_exit(0);
}

/* After a forced end of the app its program may go on, and so may the holders of its requests. */
static void expect_outlived(const char *path, const char *reached, const char *letter,
                            const char *line)
{
    static const char *const settings[] = {"SVC_DRAIN_TIMEOUT_MS=100", "ASYNC_OUTLIVE=1",
                                           "SVC_WORKERS_MIN=1", NULL};
    start_with_worker(settings);
    struct client *client = connect_client();
    client_printf(
        client,
        "POST %s HTTP/1.1\r\nHost: a\r\nX-Request-Timeout: 300\r\nContent-Length: 3\r\n\r\nabc",
        path);
    await_log(reached);
    struct client_reply reply = client_read(client, false);
    cr_expect_eq(reply.status, 504);
    client_reply_free(&reply);
    client_close(client);
    cr_assert(process_signal(server, SIGTERM));
    await_log("the app has ended");
    let(letter);
    if (line)
        await_log(line);
    let("e");
    await_exit(3);
}

Test(async_drain, a_handler_may_outlive_the_service)
{
    expect_outlived("/block/1", "at a worker", "w", "has gone on");
    expect_outlived("/keep/1", "\"kept\"", "c", "has given late");
    expect_outlived("/hold/1", "\"held\"", "l", NULL);
}
