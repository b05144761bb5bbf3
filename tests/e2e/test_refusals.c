/* A refusal reaches the client, also while the client is still sending, and closes the connection
 * only if necessary. */
#include <criterion/criterion.h>
#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/e2e/served.h"
#include "tests/support/client.h"
#include "tests/support/process.h"

enum { RUNS = 100, TEN_MB = 10000000 };

static char *bytes; /* TEN_MB of them */

static void start(void)
{
    bytes = malloc(TEN_MB);
    cr_assert(bytes);
    serve("server_wire", NULL);
    memset(bytes, 'b', TEN_MB);
}

static void stop(void)
{
    serve_no_more();
    free(bytes);
}

TestSuite(refusals, .init = start, .fini = stop);

/* ---- A client that gives up at its first write error: no error may come while it is sending */

static bool send_chunks(struct client *client, size_t len)
{
    enum { CHUNK = 65536 };
    bool sent = true;
    for (size_t at = 0; at < len && sent; at += CHUNK) {
        size_t n = len - at < CHUNK ? len - at : CHUNK;
        sent = client_printf(client, "%zx\r\n", n) && client_send(client, bytes, n) &&
               client_send_text(client, "\r\n");
    }
    return sent && client_send_text(client, "0\r\n\r\n");
}

static bool post_chunks(struct client *client, const char *path)
{
    return client_printf(
               client, "POST %s HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n", path) &&
           send_chunks(client, TEN_MB);
}

static bool post_whole(struct client *client, const char *path)
{
    return client_printf(client, "POST %s HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n", path,
                         TEN_MB) &&
           client_send(client, bytes, TEN_MB);
}

static void expect_raw(const char *path, int status, bool chunked)
{
    for (int i = 0; i < RUNS; i++) {
        struct client *client = connect_client();
        bool sent = chunked ? post_chunks(client, path) : post_whole(client, path);
        cr_expect(sent, "run %d: it gives up", i);
        struct client_reply reply = client_read(client, false);
        cr_expect_eq(reply.status, status, "run %d: %d, %s", i, reply.status,
                     client_end_name(reply.end));
        cr_expect_eq(reply.end, CLIENT_REPLY);
        cr_expect(reply.closes);
        client_reply_free(&reply);
        client_close(client);
    }
}

Test(refusals, of_10_MB_with_a_length_are_seen_100_times_of_100)
{
    expect_raw("/echo", 413, false);
}

Test(refusals, of_10_MB_in_chunks_are_seen_100_times_of_100)
{
    expect_raw("/echo", 413, true);
}

Test(refusals, by_a_layer_of_10_MB_are_seen_100_times_of_100)
{
    expect_raw("/401", 401, false);
    expect_raw("/401", 401, true);
}

/* ---- libcurl */

static size_t give(char *to, size_t size, size_t count, void *arg)
{
    size_t *left = arg;
    size_t n = size * count < *left ? size * count : *left;
    memset(to, 'c', n);
    *left -= n;
    return n;
}

static size_t drop(char *data, size_t size, size_t count, void *arg)
{
    (void)data, (void)arg;
    return size * count;
}

static long post_by_curl(bool chunked)
{
    char url[256];
    size_t left = TEN_MB;
    long status = 0;
    snprintf(url, sizeof url, "http://%s/echo", process_address(server, 0));
    CURL *curl = curl_easy_init();
    struct curl_slist *fields = curl_slist_append(NULL, "Expect:");
    if (chunked)
        fields = curl_slist_append(fields, "Transfer-Encoding: chunked");
    else
        curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE, (long)TEN_MB);
    curl_easy_setopt(curl, CURLOPT_URL, url);
    curl_easy_setopt(curl, CURLOPT_POST, 1L);
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, fields);
    curl_easy_setopt(curl, CURLOPT_READFUNCTION, give);
    curl_easy_setopt(curl, CURLOPT_READDATA, &left);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, drop);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)CLIENT_WAIT_MS);
    curl_easy_setopt(curl, CURLOPT_NOPROXY, "*");
    CURLcode code = curl_easy_perform(curl);
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    curl_slist_free_all(fields);
    curl_easy_cleanup(curl);
    return code == CURLE_OK ? status : -(long)code;
}

Test(refusals, of_10_MB_with_a_length_are_seen_by_curl_100_times_of_100)
{
    for (int i = 0; i < RUNS; i++) {
        long status = post_by_curl(false);
        cr_expect_eq(status, 413, "run %d: %ld", i, status);
    }
}

Test(refusals, of_10_MB_in_chunks_are_seen_by_curl_100_times_of_100)
{
    for (int i = 0; i < RUNS; i++) {
        long status = post_by_curl(true);
        cr_expect_eq(status, 413, "run %d: %ld", i, status);
    }
}

/* ---- Before the body */

static const struct expecting {
    const char *head;
    int status;
} expecting[] = {
    {"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 10000000\r\nExpect: 100-continue\r\n\r\n",
     413},
    {"POST /small HTTP/1.1\r\nHost: a\r\nContent-Length: 1025\r\nExpect: 100-continue\r\n\r\n",
     413},
    {"POST /401 HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n", 401},
    {"POST /401 HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nExpect: 100-continue\r\n\r\n",
     401},
    {"POST /nowhere HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n", 404},
};

Test(refusals, come_instead_of_a_100_that_is_waited_for)
{
    for (size_t i = 0; i < sizeof expecting / sizeof *expecting; i++) {
        struct client *client = connect_client();
        struct client_reply reply = client_exchange(client, expecting[i].head);
        cr_expect_eq(reply.status, expecting[i].status, "%zu: %d", i, reply.status);
        cr_expect_eq(reply.interim, 0, "%zu: a 100 before a refusal", i);
        cr_expect(reply.closes, "%zu: whether the body comes is not known", i);
        client_reply_free(&reply);
        cr_expect_eq(client_await_end(client), CLIENT_CLOSED);
        client_close(client);
    }
}

Test(refusals, do_not_replace_the_100_of_a_body_that_is_welcome)
{
    struct client *client = connect_client();
    for (int i = 0; i < 3; i++) {
        client_send_text(client, "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n"
                                 "Expect: 100-continue\r\n\r\n");
        char interim[64];
        static const char expected[] = "HTTP/1.1 100 Continue\r\n\r\n";
        long n = client_receive(client, interim, sizeof interim);
        cr_assert_eq(n, sizeof expected - 1, "%ld bytes", n);
        cr_expect(!memcmp(interim, expected, (size_t)n));
        struct client_reply reply = client_exchange(client, "hello");
        cr_expect_str_eq(reply.body, "hello");
        client_reply_free(&reply);
    }
    client_close(client);
}

/* ---- The connection of a refused request */

static struct client_reply post(struct client *client, const char *path, size_t len)
{
    client_printf(client, "POST %s HTTP/1.1\r\nHost: a\r\nContent-Length: %zu\r\n\r\n", path, len);
    client_send(client, bytes, len);
    return client_read(client, false);
}

static const struct body_row {
    const char *path;
    size_t len;
    int status;
    bool kept;
} body_rows[] = {
    {"/small", 1024, 200, true},     {"/small", 1025, 413, true},  {"/small", 65536, 413, true},
    {"/small", 65537, 413, false},   {"/401", 0, 401, true},       {"/401", 1, 401, true},
    {"/401", 65536, 401, true},      {"/401", 65537, 401, false},  {"/nowhere", 65536, 404, true},
    {"/nowhere", 65537, 404, false}, {"/hello", 65536, 405, true}, {"/echo", 1048576, 200, true},
    {"/echo", 1048577, 413, false},
};

Test(refusals, of_small_bodies_keep_the_connection)
{
    for (size_t i = 0; i < sizeof body_rows / sizeof *body_rows; i++) {
        const struct body_row *row = &body_rows[i];
        struct client *client = connect_client();
        struct client_reply reply = post(client, row->path, row->len);
        cr_expect_eq(reply.status, row->status, "%s, %zu: %d", row->path, row->len, reply.status);
        cr_expect_eq(reply.closes, !row->kept, "%s, %zu", row->path, row->len);
        cr_expect(row->status != 200 || reply.body_len == row->len);
        client_reply_free(&reply);
        if (row->kept) {
            reply = post(client, "/small", 3);
            cr_expect_eq(reply.status, 200, "%s, %zu: then %d", row->path, row->len, reply.status);
            cr_expect_str_eq(reply.body, "bbb");
            client_reply_free(&reply);
        } else {
            enum client_end end = client_await_end(client);
            cr_expect_eq(end, CLIENT_CLOSED, "%s, %zu: %s", row->path, row->len,
                         client_end_name(end));
        }
        client_close(client);
    }
}

static const char chunked_head[] =
    "POST /small HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";

static const struct {
    size_t len;
    int status;
    bool kept;
} chunked_rows[] = {
    {0, 200, true},        {1024, 200, true},    {1025, 413, true},
    {100000, 413, true},   {1 << 20, 413, true}, {(1 << 20) + 400000, 413, false},
    {3000000, 413, false},
};

Test(refusals, of_chunks_in_mid_body_keep_the_connection_up_to_1_MiB)
{
    for (size_t i = 0; i < sizeof chunked_rows / sizeof *chunked_rows; i++) {
        size_t len = chunked_rows[i].len;
        struct client *client = connect_client();
        client_send_text(client, chunked_head);
        send_chunks(client, len);
        struct client_reply reply = client_read(client, false);
        cr_expect_eq(reply.status, chunked_rows[i].status, "%zu: %d", len, reply.status);
        cr_expect_eq(reply.closes, !chunked_rows[i].kept, "%zu", len);
        client_reply_free(&reply);
        if (chunked_rows[i].kept) {
            reply = post(client, "/small", 3);
            cr_expect_str_eq(reply.body, "bbb");
            client_reply_free(&reply);
        } else {
            cr_expect_eq(client_await_end(client), CLIENT_CLOSED);
        }
        client_close(client);
    }
}

Test(refusals, in_mid_body_do_not_wait_for_its_end_for_ever)
{
    struct client *client = connect_client();
    uint64_t begin = client_clock_ms();
    client_send_text(client, chunked_head);
    client_printf(client, "800\r\n%.*s\r\n", 0x800, bytes);
    struct client_reply reply = client_read(client, false);
    uint64_t took = client_clock_ms() - begin;
    cr_expect_eq(reply.status, 413, "%d", reply.status);
    cr_expect(reply.closes);
    cr_expect_geq(took, 4900, "after %lu ms", (unsigned long)took);
    client_reply_free(&reply);
    cr_expect_eq(client_await_end(client), CLIENT_CLOSED);
    client_close(client);
}

Test(refusals, leave_a_server_without_sockets_behind)
{
    for (int i = 0; i < 20; i++) {
        struct client *client = connect_client();
        struct client_reply reply = post(client, "/401", 200000);
        cr_expect_eq(reply.status, 401);
        client_reply_free(&reply);
        client_close(client);
    }
    cr_expect_eq(client_metric(process_admin(server), "svc_lingering_full_total"), 0);
}
