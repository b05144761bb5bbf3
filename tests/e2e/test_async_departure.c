/* Clients that leave while the service works for them: by a FIN or a reset, in each phase. */
#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/e2e/served.h"
#include "tests/support/client.h"
#include "tests/support/flow.h"
#include "tests/support/process.h"

enum { LOOK_MS = 5 };

static void start(const char *const *settings)
{
    serve("server_async", settings);
}

static void expect_metric(const char *name, long value)
{
    cr_expect(client_await_metric(process_admin(server), name, value), "%s is %ld and not %ld",
              name, client_metric(process_admin(server), name), value);
}

static void await_log(const char *text)
{
    bool found = process_await_log(server, text, PROCESS_WAIT_MS);
    char *log = found ? NULL : process_copy_log(server);
    cr_assert(found, "%s is not in\n%s", text, log);
}

static void await_lines(const char *text, size_t count)
{
    process_await_lines(server, text, count, PROCESS_WAIT_MS);
    cr_assert_eq(process_count_log(server, text), count, "%s", text);
}

/* Sends a request, and waits until the log has `line`. */
static struct client *ask(const char *path, const char *line)
{
    struct client *client = connect_client();
    cr_assert(client_printf(client, "GET %s HTTP/1.1\r\nHost: a\r\nX-Tag: t\r\n\r\n", path));
    if (line)
        await_log(line);
    return client;
}

static void let(const char *letters)
{
    cr_assert(process_tell(server, letters));
}

/* The outcome of the request in its access log line; NULL without a line. The caller frees it. */
static char *find_end(const char *path)
{
    char *log = process_copy_log(server), key[96], *end = NULL;
    snprintf(key, sizeof key, "\"path\":\"%s\"", path);
    for (char *line = strtok(log, "\n"); line && !end; line = strtok(NULL, "\n"))
        if (strstr(line, "\"msg\":\"request\"") && strstr(line, key))
            end = strdup(line);
    free(log);
    return end;
}

/* `how` is NULL for a request that was answered as a whole. */
static void expect_end(const char *path, const char *how)
{
    char key[64], *line;
    uint64_t due = client_clock_ms() + CLIENT_WAIT_MS;
    snprintf(key, sizeof key, "\"end\":\"%s\"", how ? how : "");
    while (!(line = find_end(path)) && client_clock_ms() < due)
        process_await_log(server, "what never comes", LOOK_MS);
    bool is_complete = line && !strstr(line, "\"end\":"), is_so = line && strstr(line, key);
    cr_expect(how ? is_so : is_complete, "%s did not end as %s: %s", path, how ? how : "complete",
              line);
    free(line);
}

static void expect_nobody(void)
{
    expect_metric("svc_connections{listener=\"service\"", 0);
    expect_metric("http_server_active_requests", 0);
}

static void expect_answer(struct client *client, const char *body)
{
    struct client_reply reply = client_read(client, false);
    cr_expect_eq(reply.status, 200, "%d %s", reply.status, client_end_name(reply.end));
    cr_expect_str_eq(reply.body, body);
    client_reply_free(&reply);
}

/* With one loop: it has noticed the end when it answers a later request of another client. */
static void take_a_turn(void)
{
    struct client *other = ask("/hello/0", NULL);
    expect_answer(other, "0");
    client_close(other);
}

/* ---- The ways to leave */

typedef void leave_fn(struct client *client);

static leave_fn *const ways[] = {client_close, client_reset};

enum { WAYS = sizeof ways / sizeof *ways };

/* ---- Waiting for a worker, and on a worker */

static const char *const one_worker[] = {"SVC_WORKERS_MAX=1", "SVC_WORKER_QUEUE_MS=600000",
                                         "SVC_REQUEST_TIMEOUT_MS=600000", NULL};

Test(async_departure, from_the_queue_frees_its_place)
{
    for (int i = 0; i < WAYS; i++) {
        start(one_worker);
        struct client *first = ask("/block/1", "\"n\":\"1\"");
        struct client *queued = ask("/block/2", NULL);
        expect_metric("svc_workers_queued", 1);
        ways[i](queued);
        expect_metric("svc_workers_queued", 0);
        expect_end("/block/2", i ? "client gone" : NULL);
        expect_metric("svc_connections{listener=\"service\"", 1);
        let("w");
        struct client_reply reply = client_read(first, false);
        cr_expect_eq(reply.status, 200);
        client_reply_free(&reply);
        client_close(first);
        expect_nobody();
        cr_expect_eq(process_count_log(server, "at a worker"), 1);
        serve_no_more();
    }
}

static const char *const patient[] = {"SVC_REQUEST_TIMEOUT_MS=600000", "SVC_BODY_TIMEOUT_MS=600000",
                                      "SVC_SEND_TIMEOUT_MS=600000", NULL};

Test(async_departure, is_seen_by_a_handler_on_a_worker)
{
    start(patient);
    for (int i = 0; i < WAYS; i++) {
        char path[16], line[16];
        snprintf(path, sizeof path, "/heed/%d", i);
        snprintf(line, sizeof line, "\"n\":\"%d\"", i);
        ways[i](ask(path, line));
        expect_nobody();
        await_lines("has heeded", (size_t)i + 1);
    }
    expect_end("/heed/1", "client gone");
    serve_no_more();
}

/* Twenty at once, on one loop, of which some have sent more than their request. */
Test(async_departure, of_many_at_once_is_seen_by_each)
{
    enum { MANY = 20 };
    start(patient);
    struct client *clients[MANY];
    for (int i = 0; i < MANY; i++) {
        clients[i] = connect_client();
        client_printf(clients[i], "GET /heed/%d HTTP/1.1\r\nHost: a\r\n\r\n%s", i,
                      i % 3 ? "" : "GET /hello/x HTTP/1.1\r\nHost: a\r\n\r\n");
    }
    await_lines("at a worker", MANY);
    for (int i = 0; i < MANY; i++)
        ways[i % WAYS](clients[i]);
    expect_nobody();
    await_lines("has heeded", MANY);
    serve_no_more();
}

/* ---- Deferred */

Test(async_departure, is_told_to_who_will_answer)
{
    start(patient);
    for (int i = 0; i < WAYS; i++) {
        char path[16];
        snprintf(path, sizeof path, "/quit/%d", i);
        struct client *client = ask(path, NULL);
        await_lines("\"kept\"", (size_t)i + 1);
        ways[i](client);
        expect_nobody();
        await_lines("answer not wanted", (size_t)i + 1);
    }
    expect_end("/quit/1", "client gone");
    serve_no_more();
}

/* Its answer comes nevertheless, but no client gets it. */
Test(async_departure, does_not_keep_an_answer_from_being_given)
{
    for (int i = 0; i < WAYS; i++) {
        start(patient);
        ways[i](ask("/keep/1", "\"kept\""));
        await_log("answer not wanted");
        let("c");
        await_log("has given");
        expect_nobody();
        expect_end("/keep/1", i ? "client gone" : NULL);
        serve_no_more();
    }
}

Test(async_departure, is_seen_by_a_layer_that_waits)
{
    for (int i = 0; i < WAYS; i++) {
        static const char *const settings[] = {"SVC_THREADS=1", "SVC_REQUEST_TIMEOUT_MS=600000",
                                               NULL};
        start(settings);
        ways[i](ask("/hold/1", "\"held\""));
        take_a_turn();
        let("l");
        await_log("released in vain");
        expect_nobody();
        serve_no_more();
    }
}

/* ---- Half-closed: the other, older connection makes a difference to libmicrohttpd */

Test(async_departure, of_the_sending_side_cancels_and_an_answer_is_sent)
{
    static const char *const settings[] = {"SVC_THREADS=1", "SVC_REQUEST_TIMEOUT_MS=600000", NULL};
    start(settings);
    struct client *older = ask("/hello/1", NULL);
    expect_answer(older, "1");
    struct client *client = ask("/keep/7", "\"kept\"");
    client_finish_sending(client);
    await_log("answer not wanted");
    let("c");
    expect_answer(client, "7");
    client_close(client);
    client_close(older);
    expect_nobody();
    serve_no_more();
}

Test(async_departure, of_the_sending_side_cancels_nothing_where_it_is_told_so)
{
    static const char *const settings[] = {"SVC_THREADS=1", "SVC_CANCEL_HALF_CLOSED=off",
                                           "SVC_REQUEST_TIMEOUT_MS=600000", NULL};
    start(settings);
    struct client *older = ask("/hello/1", NULL);
    expect_answer(older, "1");
    struct client *kept = ask("/keep/7", "\"kept\""), *working = ask("/heed/8", "\"n\":\"8\"");
    client_finish_sending(kept);
    client_finish_sending(working);
    take_a_turn();
    take_a_turn();
    let("cw");
    expect_answer(kept, "7");
    expect_answer(working, "8");
    client_close(kept);
    client_close(working);
    client_close(older);
    expect_nobody();
    cr_expect_eq(process_count_log(server, "answer not wanted"), 0);
    cr_expect_eq(process_count_log(server, "has heeded"), 0);
    serve_no_more();
}

/* Each request begins when the loop knows of the end already. */
Test(async_departure, of_the_sending_side_cancels_all_that_were_sent_before)
{
    start(patient);
    struct client *client = connect_client();
    client_printf(client, "GET /quit/1 HTTP/1.1\r\nHost: a\r\n\r\n"
                          "GET /quit/2 HTTP/1.1\r\nHost: a\r\n\r\n"
                          "GET /quit/3 HTTP/1.1\r\nHost: a\r\n\r\n");
    await_log("\"kept\"");
    client_finish_sending(client);
    expect_answer(client, "1");
    expect_answer(client, "2");
    expect_answer(client, "3");
    client_close(client);
    expect_nobody();
    await_lines("answer not wanted", 3);
    serve_no_more();
}

/* If the other half is closed too, the client has left, by either setting. */
Test(async_departure, of_the_other_side_behind_it_cancels)
{
    static const char *const settings[] = {"SVC_THREADS=1", "SVC_CANCEL_HALF_CLOSED=off",
                                           "SVC_REQUEST_TIMEOUT_MS=600000", NULL};
    start(settings);
    struct client *client = ask("/heed/8", "\"n\":\"8\"");
    client_finish_sending(client);
    take_a_turn();
    client_reset(client);
    await_log("has heeded");
    expect_nobody();
    serve_no_more();
}

/* ---- Streams in */

static struct client *post(const char *path, uint64_t length)
{
    struct client *client = connect_client();
    cr_assert(client_printf(client, "POST %s HTTP/1.1\r\nHost: a\r\nContent-Length: %llu\r\n\r\n",
                            path, (unsigned long long)length));
    return client;
}

static void await_progress(const char *name, uint64_t least)
{
    char key[32];
    uint64_t due = client_clock_ms() + CLIENT_WAIT_MS, value = 0;
    snprintf(key, sizeof key, "\"%s\":", name);
    struct client *client = connect_client();
    while (value < least && client_clock_ms() < due) {
        struct client_reply reply =
            client_exchange(client, "GET /progress HTTP/1.1\r\nHost: a\r\n\r\n");
        const char *at = strstr(reply.body, key);
        value = at ? strtoull(at + strlen(key), NULL, 10) : 0;
        client_reply_free(&reply);
    }
    client_close(client);
    cr_assert_geq(value, least);
}

Test(async_departure, in_the_middle_of_a_body_ends_its_reading)
{
    static const char *const paths[] = {"/sink/0", "/loop-sink"};
    for (int i = 0; i < WAYS * 2; i++) {
        start(patient);
        struct client *client = post(paths[i / WAYS], 1 << 20);
        cr_assert(client_send(client, flow_at(0, 50000), 50000));
        if (i / WAYS == 0)
            await_progress("sunk", 50000);
        else
            cr_assert(client_await_read(client));
        ways[i % WAYS](client);
        await_log("body ended early");
        expect_nobody();
        expect_end(paths[i / WAYS], "client gone");
        serve_no_more();
    }
}

/* More bytes than the server reads: the rest in the socket belongs to a body that does not end. */
static struct client *stalled(const char *path)
{
    enum { SENT = 400000 };
    struct client *client = post(path, 1 << 20);
    cr_assert(client_send(client, flow_at(0, SENT), SENT));
    await_log("\"stalls\"");
    while (client_count_under_way(client) == SENT)
        continue;
    return client;
}

/* The handler that would read later finds its request cancelled. */
Test(async_departure, from_the_queue_in_the_middle_of_a_body)
{
    for (int i = 0; i < WAYS; i++) {
        start(one_worker);
        struct client *first = ask("/block/1", "\"n\":\"1\""), *queued = post("/stall/0", 100);
        cr_assert(client_send(queued, flow_at(0, 50), 50));
        expect_metric("svc_workers_queued", 1);
        ways[i](queued);
        expect_metric("svc_workers_queued", 0);
        expect_end("/stall/0", "client gone");
        let("w");
        expect_answer(first, "1");
        client_close(first);
        expect_nobody();
        cr_expect_eq(process_count_log(server, "\"stalls\""), 0);
        serve_no_more();
    }
}

Test(async_departure, of_whom_nobody_reads_is_seen_when_it_is_a_reset)
{
    start(patient);
    client_reset(stalled("/stall/0"));
    await_log("has heeded");
    await_log("body ended early");
    expect_nobody();
    expect_end("/stall/0", "client gone");
    cr_expect_lt(process_cpu_ms(server), 2000, "it was busy meanwhile");
    serve_no_more();
}

/* The handler ignores the departure, and reads nothing. */
Test(async_departure, of_whom_nobody_reads_frees_its_connection_when_it_is_a_reset)
{
    start(patient);
    struct client *client = post("/keep-body/1", 1 << 20);
    cr_assert(client_send(client, flow_at(0, 120000), 120000));
    await_log("\"kept\"");
    client_reset(client);
    await_log("answer not wanted");
    expect_nobody();
    expect_end("/keep-body/1", "client gone");
    cr_expect_lt(process_cpu_ms(server), 2000, "it was busy meanwhile");
    let("c");
    await_log("has given late");
    serve_no_more();
}

/* The sent bytes fill the socket, so the FIN after them has not arrived. */
Test(async_departure, of_whom_nobody_reads_is_seen_at_the_latest_when_somebody_does)
{
    start(patient);
    struct client *client = stalled("/stall/0");
    client_finish_sending(client);
    let("w");
    await_log("body ended early");
    expect_nobody();
    client_close(client);
    serve_no_more();
}

/* ---- Streams out */

static void expect_begin(struct client *client)
{
    char data[4096];
    long len = 0;
    while (len >= 0 && !memmem(data, (size_t)len, "begin", 5)) {
        long n = client_receive(client, data + len, sizeof data - (size_t)len);
        cr_assert_gt(n, 0);
        len += n;
    }
}

/* While its writer writes nothing, and so does not notice the departure. */
Test(async_departure, from_a_reply_that_waits_for_its_writer)
{
    static const char *const settings[] = {"SVC_THREADS=1", "SVC_SEND_TIMEOUT_MS=600000", NULL};
    start(settings);
    struct client *older = ask("/hello/1", NULL);
    expect_answer(older, "1");
    struct client *client = ask("/dry", NULL);
    expect_begin(client);
    await_log("runs dry");
    client_reset(client);
    expect_metric("svc_connections{listener=\"service\"", 1);
    client_close(older);
    expect_nobody();
    expect_end("/dry", "client gone");
    cr_expect_eq(process_count_log(server, "wrote the rest"), 0);
    let("w");
    await_log("wrote the rest");
    cr_expect_eq(process_count_log(server, "wrote the rest\",\"error\":0"), 0);
    serve_no_more();
}

Test(async_departure, of_the_sending_side_lets_a_reply_go_on_where_it_is_told_so)
{
    static const char *const settings[] = {"SVC_THREADS=1", "SVC_CANCEL_HALF_CLOSED=off", NULL};
    start(settings);
    struct client *client = ask("/dry", "runs dry");
    client_finish_sending(client);
    take_a_turn();
    let("w");
    expect_answer(client, "beginend");
    client_close(client);
    expect_nobody();
    serve_no_more();
}

Test(async_departure, from_a_reply_that_it_did_not_read)
{
    static const char *const paths[] = {"/source/100000000/0/65536",
                                        "/own-source/100000000/0/65536"};
    for (int i = 0; i < WAYS * 2; i++) {
        start(patient);
        struct client *client = client_connect_slow(process_address(server, 0), 4096);
        cr_assert(client);
        client_printf(client, "GET %s HTTP/1.1\r\nHost: a\r\n\r\n", paths[i / WAYS]);
        await_progress("poured", 300000);
        ways[i % WAYS](client);
        await_log("\"msg\":\"poured\"");
        expect_nobody();
        expect_end(paths[i / WAYS], "client gone");
        serve_no_more();
    }
}
