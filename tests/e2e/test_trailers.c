/* Trailers on the wire. */
#include <criterion/criterion.h>
#include <curl/curl.h>
#include <stdio.h>
#include <string.h>

#include "tests/e2e/served.h"
#include "tests/support/client.h"
#include "tests/support/process.h"

static void start(void)
{
    serve("server_exchanges", NULL);
}

static struct client_reply ask(const char *text)
{
    struct client *client = connect_client();
    struct client_reply reply = client_exchange(client, text);
    client_close(client);
    return reply;
}

Test(trailers, end_the_last_chunk_and_the_connection_goes_on, .init = start, .fini = serve_no_more)
{
    struct client *client = connect_client();
    for (int i = 0; i < 3; i++) { /* a kept reply has none of them twice */
        struct client_reply reply =
            client_exchange(client, "GET /trailing/memory HTTP/1.1\r\nHost: a\r\n\r\n");
        cr_expect_eq(reply.end, CLIENT_REPLY);
        cr_expect(reply.chunked);
        cr_expect_not(reply.closes);
        cr_expect_str_eq(reply.body, "memory");
        cr_expect_str_eq(reply.trailers, "X-Sum: 42\r\nx-lower: kept as it is\r\n");
        client_reply_free(&reply);
    }
    client_close(client);
}

Test(trailers, are_not_for_http_1_0, .init = start, .fini = serve_no_more)
{
    struct client_reply memory = ask("GET /trailing/memory HTTP/1.0\r\n\r\n");
    cr_expect_eq(memory.end, CLIENT_REPLY);
    cr_expect(memory.has_length);
    cr_expect_str_eq(memory.body, "memory");
    client_reply_free(&memory);
    struct client_reply stream = ask("GET /trailing/writer HTTP/1.0\r\n\r\n");
    cr_expect_eq(stream.end, CLIENT_REPLY);
    cr_expect_not(stream.chunked);
    cr_expect_str_eq(stream.body, "written");
    client_reply_free(&stream);
}

Test(trailers, that_fail_cut_the_connection, .init = start, .fini = serve_no_more)
{
    struct client_reply reply = ask("GET /badly HTTP/1.1\r\nHost: a\r\n\r\n");
    cr_expect_eq(reply.end, CLIENT_CUT, "%s", client_end_name(reply.end));
    cr_expect_str_eq(reply.body, "whole");
    cr_expect_str_empty(reply.trailers);
    client_reply_free(&reply);
}

static struct client_reply post(const char *path, const char *body, const char *trailers,
                                bool apart)
{
    struct client *client = connect_client();
    client_printf(client, "POST %s HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n%s",
                  path, body);
    if (apart)
        client_await_read(client);
    client_send_text(client, trailers);
    struct client_reply reply = client_read(client, false);
    struct client_reply next = {0};
    if (!reply.closes) {
        next = client_exchange(client, "GET / HTTP/1.1\r\nHost: a\r\n\r\n");
        cr_expect_eq(next.status, 200);
        client_reply_free(&next);
    }
    client_close(client);
    return reply;
}

Test(trailers, of_a_request_come_in_any_pieces, .init = start, .fini = serve_no_more)
{
    static const char *const paths[] = {"/trailers", "/trailers/read"};
    for (int i = 0; i < 4; i++) {
        struct client_reply reply = post(paths[i / 2], "5\r\nhello\r\n0\r\n",
                                         "X-Sum: 7 \t\r\nHost: b\r\nx-b:\r\n\r\n", i % 2);
        cr_expect_eq(reply.status, 200, "%d", i);
        cr_expect_not(reply.closes);
        cr_expect_str_eq(
            reply.body,
            "{\"all\":[[\"X-Sum\",\"7\"],[\"x-b\",\"\"]],\"sum\":\"7\",\"head\":null,\"count\":2}",
            "%d: %s", i, reply.body);
        client_reply_free(&reply);
    }
}

Test(trailers, of_a_request_that_are_malformed_close, .init = start, .fini = serve_no_more)
{
    static const char *const bad[] = {"X Y: 7\r\n\r\n", "X-Sum: a\001b\r\n\r\n", "X-Sum\r\n\r\n",
                                      ": 7\r\n\r\n"};
    for (size_t i = 0; i < 4 * sizeof bad / sizeof *bad; i++) {
        struct client_reply reply = post(i % 4 / 2 ? "/trailers/read" : "/trailers",
                                         "5\r\nhello\r\n0\r\n", bad[i / 4], i % 2);
        cr_expect_eq(reply.status, 400, "%zu: %d", i, reply.status);
        cr_expect(reply.closes, "%zu", i);
        client_reply_free(&reply);
    }
}

Test(trailers, of_a_request_that_are_too_large_are_refused, .init = start, .fini = serve_no_more)
{
    static char lines[4096 * 8];
    for (int fields = 90; fields <= 150; fields += 60) { /* over 100 with those of the head */
        size_t len = 0;
        for (int i = 0; i < fields; i++)
            len += (size_t)snprintf(lines + len, sizeof lines - len, "X-%d: 1\r\n", i);
        snprintf(lines + len, sizeof lines - len, "\r\n");
        struct client_reply reply = post("/trailers", "5\r\nhello\r\n0\r\n", lines, true);
        cr_expect_eq(reply.status, fields < 100 ? 200 : 431, "%d: %d", fields, reply.status);
        client_reply_free(&reply);
    }
}

/* ---- libcurl */

static size_t take_field(char *data, size_t size, size_t count, void *out)
{
    char *text = out;
    if (strlen(text) + size * count < 2048)
        strncat(text, data, size * count);
    return size * count;
}

static size_t take_nothing(char *data, size_t size, size_t count, void *out)
{
    (void)data, (void)out;
    return size * count;
}

static int give_trailers(struct curl_slist **list, void *arg)
{
    (void)arg;
    *list = curl_slist_append(*list, "X-Sum: 7");
    return CURL_TRAILERFUNC_OK;
}

static size_t give_body(char *data, size_t size, size_t count, void *arg)
{
    bool *given = arg;
    size_t n = *given || size * count < 5 ? 0 : 5;
    memcpy(data, "hello", n);
    *given = true;
    return n;
}

Test(trailers, pass_through_curl_both_ways, .init = start, .fini = serve_no_more)
{
    char url[256], fields[2048] = "", body[2048] = "";
    bool given = false;
    CURL *curl = curl_easy_init();
    snprintf(url, sizeof url, "http://%s/trailing/source", process_address(server, 0));
    curl_easy_setopt(curl, CURLOPT_URL, url);
    curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, take_field);
    curl_easy_setopt(curl, CURLOPT_HEADERDATA, fields);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_nothing);
    cr_expect_eq(curl_easy_perform(curl), CURLE_OK);
    const char *end = strstr(fields, "\r\n\r\n");
    cr_expect_str_eq(end ? end + 4 : "", "X-Sum: 42\r\nx-lower: kept as it is\r\n", "%s", fields);

    struct curl_slist *chunked = curl_slist_append(NULL, "Transfer-Encoding: chunked");
    snprintf(url, sizeof url, "http://%s/trailers", process_address(server, 0));
    curl_easy_setopt(curl, CURLOPT_URL, url);
    curl_easy_setopt(curl, CURLOPT_UPLOAD, 1L);
    curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, "POST");
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, chunked);
    curl_easy_setopt(curl, CURLOPT_READFUNCTION, give_body);
    curl_easy_setopt(curl, CURLOPT_READDATA, &given);
    curl_easy_setopt(curl, CURLOPT_TRAILERFUNCTION, give_trailers);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_field);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, body);
    cr_expect_eq(curl_easy_perform(curl), CURLE_OK);
    cr_expect(strstr(body, "\"sum\":\"7\""), "%s", body);
    curl_slist_free_all(chunked);
    curl_easy_cleanup(curl);
}
