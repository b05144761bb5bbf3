/* Streamed bodies on the wire: no byte is lost, memory does not grow, and limits hold. */
#include <criterion/criterion.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/e2e/served.h"
#include "tests/support/client.h"
#include "tests/support/flow.h"
#include "tests/support/process.h"

enum {
    MEMORY_KB = 4096, /* the most memory of a stream, whatever its length */
    RATE = 1 << 20,   /* bytes a second that the slow side takes, */
    PIECE = 16384,    /* at a time */
    SLOW_MS = 3000,   /* for which it is watched */
    SAMPLE_US = 2000
};

static void start(const char *const *settings)
{
    serve("server_async", settings);
}

static void finish(void)
{
    cr_expect(
        client_await_metric(process_admin(server), "svc_connections{listener=\"service\"", 0));
    cr_expect_eq(client_metric(process_admin(server), "http_server_active_requests"), 0);
    serve_no_more();
}

static struct client_reply get(const char *path)
{
    struct client *client = connect_client();
    client_printf(client, "GET %s HTTP/1.1\r\nHost: a\r\n\r\n", path);
    struct client_reply reply = client_read(client, false);
    cr_assert_eq(reply.status, 200, "%s: %d %s", path, reply.status, client_end_name(reply.end));
    client_close(client);
    return reply;
}

/* With a sanitizer all work takes longer, and the use of memory shows nothing. */
static bool is_sanitized(void)
{
    struct client_reply reply = get("/sanitized");
    bool is = !strcmp(reply.body, "yes");
    client_reply_free(&reply);
    return is;
}

static uint64_t progress(const char *name)
{
    char key[32];
    snprintf(key, sizeof key, "\"%s\":", name);
    struct client_reply reply = get("/progress");
    const char *at = strstr(reply.body, key);
    uint64_t value = at ? strtoull(at + strlen(key), NULL, 10) : 0;
    client_reply_free(&reply);
    return value;
}

/* ---- Memory */

static long resident_kb(void)
{
    char path[64], line[128];
    long kb = -1;
    snprintf(path, sizeof path, "/proc/%ld/status", (long)process_pid(server));
    FILE *file = fopen(path, "re");
    while (file && fgets(line, sizeof line, file))
        if (!strncmp(line, "RssAnon:", 8))
            kb = strtol(line + 8, NULL, 10);
    if (file)
        fclose(file);
    return kb;
}

static pthread_t sampler;
static atomic_bool sampling;
static long before_kb, most_kb;

static void *sample(void *arg)
{
    (void)arg;
    while (atomic_load(&sampling)) {
        long kb = resident_kb();
        most_kb = kb > most_kb ? kb : most_kb;
        usleep(SAMPLE_US);
    }
    return NULL;
}

static void begin_sampling(void)
{
    before_kb = most_kb = resident_kb();
    cr_assert_gt(before_kb, 0);
    atomic_store(&sampling, true);
    cr_assert_eq(pthread_create(&sampler, NULL, sample, NULL), 0);
}

static void end_sampling(bool counts)
{
    atomic_store(&sampling, false);
    pthread_join(sampler, NULL);
    if (counts)
        cr_expect_lt(most_kb - before_kb, MEMORY_KB, "from %ld to %ld kB", before_kb, most_kb);
}

/* ---- Request bodies */

static struct client *post(const char *path, const char *framing)
{
    struct client *client = connect_client();
    cr_assert(client_printf(client, "POST %s HTTP/1.1\r\nHost: a\r\n%s\r\n\r\n", path, framing));
    return client;
}

static struct client *post_length(const char *path, uint64_t length)
{
    char framing[64];
    snprintf(framing, sizeof framing, "Content-Length: %llu", (unsigned long long)length);
    return post(path, framing);
}

/* The next answer, which must report exactly the body that was sent. */
static void expect_sum(struct client *client, uint64_t length)
{
    char expected[64];
    snprintf(expected, sizeof expected, "{\"length\":%llu,\"right\":true}",
             (unsigned long long)length);
    client->wait_ms = 2 * CLIENT_WAIT_MS;
    struct client_reply reply = client_read(client, false);
    cr_expect_eq(reply.status, 200, "%d %s", reply.status, client_end_name(reply.end));
    cr_expect_str_eq(reply.body, expected);
    client_reply_free(&reply);
}

static void send_flow(struct client *client, uint64_t at, uint64_t end)
{
    while (at < end) {
        size_t n = end - at < FLOW_MOST ? (size_t)(end - at) : FLOW_MOST;
        cr_assert(client_send(client, flow_at(at, n), n), "at %llu", (unsigned long long)at);
        at += n;
    }
}

static void expect_large_upload(const char *path)
{
    static const char *const settings[] = {"SVC_REQUEST_TIMEOUT_MS=600000",
                                           "SVC_BODY_TIMEOUT_MS=600000", NULL};
    start(settings);
    bool sanitized = is_sanitized();
    uint64_t length = (uint64_t)(sanitized ? 64 : 1024) << 20;
    begin_sampling();
    struct client *client = post_length(path, length);
    send_flow(client, 0, length);
    expect_sum(client, length);
    end_sampling(!sanitized);
    client_close(client);
    finish();
}

Test(async_streams, a_large_upload_takes_no_memory)
{
    expect_large_upload("/sink/0");
}

/* Bytes that are sent, and neither in a socket nor with the reader, are in the server. */
Test(async_streams, a_slow_reader_slows_the_sender)
{
    static const char *const settings[] = {"SVC_REQUEST_TIMEOUT_MS=600000",
                                           "SVC_BODY_TIMEOUT_MS=600000", NULL};
    char path[32];
    start(settings);
    bool sanitized = is_sanitized();
    snprintf(path, sizeof path, "/sink/%d", RATE);
    begin_sampling();
    uint64_t began = client_clock_ms(), took = 0, last = 0;
    struct client *client = post_length(path, (uint64_t)1 << 30);
    client->wait_ms = 20;
    while (took < SLOW_MS || (last <= RATE && took < CLIENT_WAIT_MS)) {
        size_t n = FLOW_MOST / 2;
        client_send(client, flow_at(client->sent_bytes, n),
                    n); /* as many as the socket has room for */
        long under_way = client_count_under_way(client);
        cr_assert_geq(under_way, 0);
        last = progress("sunk"); /* after the other count, so that no byte is missing in both */
        took = client_clock_ms() - began;
        cr_expect_leq(client->sent_bytes, last + (uint64_t)under_way + MEMORY_KB * 1024ul);
        cr_expect_leq(last, PIECE + (uint64_t)RATE * (took + 1) / 1000);
    }
    cr_expect_gt(last, (uint64_t)RATE, "it has hardly come on");
    end_sampling(!sanitized);
    client_reset(client);
    cr_assert(process_await_log(server, "body ended early", PROCESS_WAIT_MS));
    finish();
}

/* As chunks of `size` bytes each. */
static void expect_chunks(const char *path, uint64_t length, size_t size)
{
    struct client *client = post(path, "Transfer-Encoding: chunked");
    char *data = malloc(1 << 20);
    size_t len = 0;
    cr_assert(data);
    for (uint64_t at = 0; at < length; at += size) {
        len += (size_t)sprintf(data + len, "%zx\r\n", size);
        memcpy(data + len, flow_at(at, size), size);
        len += size;
        memcpy(data + len, "\r\n", 2);
        len += 2;
        if (len < 900000 && at + size < length)
            continue;
        cr_assert(client_send(client, data, len));
        len = 0;
    }
    client_send_text(client, "0\r\n\r\n");
    expect_sum(client, length);
    free(data);
    client_send_text(client, "GET /hello/1 HTTP/1.1\r\nHost: a\r\n\r\n");
    struct client_reply reply = client_read(client, false);
    cr_expect_str_eq(reply.body, "1");
    client_reply_free(&reply);
    client_close(client);
}

Test(async_streams, many_small_chunks_come_whole)
{
    start(NULL);
    expect_chunks("/sink/0", 100000, 1);
    expect_chunks("/loop-sink", 100000, 1);
    expect_chunks("/sink/0", 700000, 7);
    expect_chunks("/loop-sink", 10000000, 1000);
    finish();
}

Test(async_streams, bytes_that_come_one_by_one_are_handed_on_one_by_one)
{
    enum { BYTES = 300 };
    static const char *const paths[] = {"/sink/0", "/loop-sink"};
    start(NULL);
    for (size_t i = 0; i < 2; i++) {
        struct client *client = post_length(paths[i], BYTES);
        cr_assert(client_send_bytes(client, flow_at(0, BYTES), BYTES));
        expect_sum(client, BYTES);
        client_close(client);
    }
    finish();
}

Test(async_streams, a_client_that_asks_first_is_told_to_send)
{
    start(NULL);
    struct client *client = post("/sink/0", "Content-Length: 200000\r\nExpect: 100-continue");
    cr_assert(client_readable(client, CLIENT_WAIT_MS));
    send_flow(client, 0, 200000);
    client->wait_ms = CLIENT_WAIT_MS;
    struct client_reply reply = client_read(client, false);
    cr_expect_eq(reply.interim, 1);
    cr_expect_str_eq(reply.body, "{\"length\":200000,\"right\":true}");
    client_reply_free(&reply);
    client_close(client);
    finish();
}

/* ---- Request bodies over the limit of 100,000 bytes */

static void expect_status(struct client *client, int status)
{
    struct client_reply reply = client_read(client, false);
    cr_expect_eq(reply.status, status, "%d %s", reply.status, client_end_name(reply.end));
    client_reply_free(&reply);
}

Test(async_streams, an_announced_length_over_the_limit_never_reaches_the_handler)
{
    start(NULL);
    struct client *client = post_length("/small-stall/0", 100001);
    expect_status(client, 413);
    client_close(client);
    struct client *larger = post_length("/small-stall/0", (uint64_t)1 << 40);
    expect_status(larger, 413);
    client_close(larger);
    cr_expect_eq(process_count_log(server, "\"stalls\""), 0);
    finish();
}

static void send_chunk(struct client *client, uint64_t at, size_t len)
{
    client_printf(client, "%zx\r\n", len);
    client_send(client, flow_at(at, len), len);
    client_send_text(client, "\r\n");
}

/* The reader gets the error. If the rest of the body is small enough to be read, the connection
 * stays. */
Test(async_streams, an_unknown_length_is_refused_where_the_limit_is)
{
    static const char *const paths[] = {"/small/0", "/small-loop"};
    for (size_t i = 0; i < 2; i++) {
        start(NULL);
        struct client *client = post(paths[i], "Transfer-Encoding: chunked");
        for (uint64_t at = 0; at < 120000; at += 10000)
            send_chunk(client, at, 10000);
        client_send_text(client, "0\r\n\r\n");
        expect_status(client, 413);
        cr_assert(process_await_log(server, "body ended early", PROCESS_WAIT_MS));
        client_close(client);
        finish();
    }
}

Test(async_streams, an_endless_body_is_refused_and_its_connection_ends)
{
    static const char *const paths[] = {"/small/0", "/small-loop"};
    start(NULL);
    struct client *clients[2];
    uint64_t due = client_clock_ms() + CLIENT_WAIT_MS, at[2] = {0};
    for (size_t i = 0; i < 2; i++) {
        clients[i] = post(paths[i], "Transfer-Encoding: chunked");
        for (; at[i] < 2000000; at[i] += 50000)
            send_chunk(clients[i], at[i], 50000);
        expect_status(clients[i], 413);
    }
    for (size_t i = 0; i < 2; i++) {
        while (!clients[i]->send_failed && client_clock_ms() < due) {
            send_chunk(clients[i], at[i], 1000);
            at[i] += 1000;
            client_readable(clients[i], 10);
        }
        cr_expect(clients[i]->send_failed, "it may send for ever");
        client_close(clients[i]);
    }
    finish();
}

/* ---- Answers before the end of the body */

Test(async_streams, an_early_answer_comes_behind_a_body_that_ends_soon)
{
    start(NULL);
    struct client *client = post_length("/early", 500000);
    send_flow(client, 0, 2000);
    cr_assert(client_await_read(client));
    send_flow(client, 2000, 500000);
    expect_status(client, 200);
    client_send_text(client, "GET /hello/1 HTTP/1.1\r\nHost: a\r\n\r\n");
    expect_status(client, 200);
    client_close(client);
    finish();
}

/* A sender that goes on slowly, and a sender of many bytes. */
Test(async_streams, an_early_answer_ends_a_body_that_does_not)
{
    start(NULL);
    struct client *slow = post_length("/early", 500000), *much = post_length("/early", 1 << 30);
    send_flow(slow, 0, 2000);
    send_flow(much, 0, 2 << 20);
    expect_status(much, 200);
    cr_expect_eq(client_await_end(much), CLIENT_CLOSED);
    client_close(much);
    expect_status(slow, 200);
    cr_expect_eq(client_await_end(slow), CLIENT_CLOSED);
    client_close(slow);
    finish();
}

/* ---- Reply bodies: chunks, which are checked as they come */

struct reader {
    struct client *client;
    char data[1 << 16]; /* received and not yet taken */
    size_t len, at;
    uint64_t total;
    size_t chunk; /* the rest of the current one */
    bool right;
};

static bool fill(struct reader *reader)
{
    if (reader->at > 0)
        memmove(reader->data, reader->data + reader->at, reader->len - reader->at);
    reader->len -= reader->at;
    reader->at = 0;
    long n = client_receive(reader->client, reader->data + reader->len,
                            sizeof reader->data - reader->len);
    reader->len += n > 0 ? (size_t)n : 0;
    return n > 0;
}

/* Takes a line; false at the end of the connection. */
static bool take_line(struct reader *reader, char *line, size_t size)
{
    const char *end;
    while (!(end = memmem(reader->data + reader->at, reader->len - reader->at, "\r\n", 2)))
        if (!fill(reader))
            return false;
    size_t len = (size_t)(end - reader->data) - reader->at;
    cr_assert_lt(len, size);
    memcpy(line, reader->data + reader->at, len);
    line[len] = '\0';
    reader->at += len + 2;
    return true;
}

static bool read_head(struct reader *reader)
{
    char line[512];
    while (take_line(reader, line, sizeof line) && *line)
        continue;
    return !*line;
}

/* Takes the received bytes of the body, or waits for some. False at the end of the body or the
 * connection. */
static bool read_some(struct reader *reader)
{
    char line[64];
    if (!reader->chunk) {
        if (!take_line(reader, line, sizeof line))
            return false;
        reader->chunk = strtoul(line, NULL, 16);
        if (!reader->chunk)
            return false;
    }
    if (reader->at == reader->len && !fill(reader))
        return false;
    size_t held = reader->len - reader->at, n = held < reader->chunk ? held : reader->chunk;
    reader->right = reader->right && flow_is(reader->data + reader->at, reader->total, n);
    reader->at += n;
    reader->total += n;
    reader->chunk -= n;
    return reader->chunk || take_line(reader, line, sizeof line);
}

static struct reader *begin_reading(struct client *client, const char *path)
{
    struct reader *reader = calloc(1, sizeof *reader);
    cr_assert(reader && client);
    reader->client = client;
    reader->right = true;
    client_printf(client, "GET %s HTTP/1.1\r\nHost: a\r\n\r\n", path);
    cr_assert(read_head(reader));
    return reader;
}

static void expect_flow(const char *path, uint64_t length)
{
    struct reader *reader = begin_reading(connect_client(), path);
    while (read_some(reader))
        continue;
    cr_expect_eq(reader->total, length, "%s: %llu", path, (unsigned long long)reader->total);
    cr_expect(reader->right, "%s", path);
    client_close(reader->client);
    free(reader);
}

Test(async_streams, a_large_download_takes_no_memory)
{
    start(NULL);
    bool sanitized = is_sanitized();
    uint64_t length = (uint64_t)(sanitized ? 64 : 1024) << 20;
    char path[64];
    snprintf(path, sizeof path, "/source/%llu/0/1048576", (unsigned long long)length);
    begin_sampling();
    expect_flow(path, length);
    end_sampling(!sanitized);
    finish();
}

Test(async_streams, pieces_of_any_size_come_whole)
{
    start(NULL);
    expect_flow("/source/20000/0/1", 20000);
    expect_flow("/own-source/20000/0/1", 20000);
    expect_flow("/source/5000000/0/333", 5000000);
    expect_flow("/own-source/30000000/0/100000", 30000000);
    expect_flow("/source/0/0/1", 0);
    expect_flow("/own-source/300/1000/1", 300);
    finish();
}

/* On a loop that has an older connection and no other work. */
Test(async_streams, a_writer_that_fails_is_told_by_a_cut)
{
    static const char *const paths[] = {"/broken/0", "/broken/1"};
    static const char *const settings[] = {"SVC_THREADS=1", NULL};
    start(settings);
    struct client *older = connect_client();
    client_send_text(older, "GET /hello/1 HTTP/1.1\r\nHost: a\r\n\r\n");
    expect_status(older, 200);
    for (size_t i = 0; i < 2; i++) {
        struct client *client = connect_client();
        client_printf(client, "GET %s HTTP/1.1\r\nHost: a\r\n\r\n", paths[i]);
        struct client_reply reply = client_read(client, false);
        cr_expect_eq(reply.end, CLIENT_CUT, "%s: %s", paths[i], client_end_name(reply.end));
        client_reply_free(&reply);
        client_close(client);
    }
    client_close(older);
    finish();
}

static void expect_slow_reader(const char *path)
{
    start(NULL);
    bool sanitized = is_sanitized();
    begin_sampling();
    struct client *client = client_connect_slow(process_address(server, 0), 65536);
    struct reader *reader = begin_reading(client, path);
    uint64_t began = client_clock_ms(), ms = 0;
    while ((ms = client_clock_ms() - began) < SLOW_MS / 2) {
        if (reader->total * 1000 < (uint64_t)RATE * ms)
            cr_assert(read_some(reader));
        uint64_t written = progress("poured");
        long under_way = client_count_under_way(client);
        cr_assert_geq(under_way, 0);
        cr_expect_leq(written, reader->total + (uint64_t)under_way + MEMORY_KB * 1024ul);
    }
    cr_expect_gt(reader->total, 0);
    cr_expect(reader->right);
    end_sampling(!sanitized);
    client_reset(client);
    free(reader);
    finish();
}

Test(async_streams, a_slow_reader_slows_the_writer)
{
    expect_slow_reader("/source/1000000000/0/65536");
    expect_slow_reader("/own-source/1000000000/0/1000");
}
