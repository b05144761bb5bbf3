/* Files that are so large that the loop sends them itself: the connection around them. */
#include <criterion/criterion.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/e2e/served.h"
#include "tests/support/client.h"
#include "tests/support/life.h"
#include "tests/support/process.h"

enum { FILE_BYTES = 24 << 20 /* more than the sockets of both ends take */ };

static char folder[] = "/tmp/svc-large-XXXXXX";
static char path[64], files[64], one_file[80];

static char pattern(size_t at)
{
    return (char)('a' + at % 23 + at / 4096 % 3);
}

static void make_file(void)
{
    cr_assert(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/large", folder);
    snprintf(files, sizeof files, "SVC_FILES=%s", folder);
    snprintf(one_file, sizeof one_file, "FAULTS_FILE=%s", path);
    FILE *file = fopen(path, "w");
    cr_assert(file);
    for (size_t i = 0; i < FILE_BYTES; i++)
        putc(pattern(i), file);
    fclose(file);
}

static void remove_file(void)
{
    unlink(path);
    rmdir(folder);
}

TestSuite(large_files, .init = make_file, .fini = remove_file);

static void start(const char *setting, const char *other)
{
    const char *const settings[] = {files, setting ? setting : "SVC_THREADS=1", other, NULL};
    serve("server_files", settings);
}

static const char large[] = "GET /files/large HTTP/1.1\r\nHost: a\r\n\r\n";
static const char hello[] = "GET /hello HTTP/1.1\r\nHost: a\r\n\r\n";

static void expect_file(const struct client_reply *reply, size_t from, size_t len)
{
    cr_assert_eq(reply->body_len, len, "%zu, %s", reply->body_len, client_end_name(reply->end));
    size_t same = 0;
    while (same < len && reply->body[same] == pattern(from + same))
        same++;
    cr_expect_eq(same, len, "differs at %zu", same);
}

static void read_whole(struct client *client)
{
    struct client_reply reply = client_read(client, false);
    cr_expect_eq(reply.status, 200);
    cr_expect_not(reply.closes);
    expect_file(&reply, 0, FILE_BYTES);
    client_reply_free(&reply);
}

static void read_hello(struct client *client)
{
    struct client_reply reply = client_read(client, false);
    cr_expect_eq(reply.status, 200, "%d, %s", reply.status, client_end_name(reply.end));
    cr_expect_str_eq(reply.body, "hello");
    client_reply_free(&reply);
}

/* A client that has got the head, and reads no further yet. */
static struct client *begin(const char *request)
{
    struct client *client = client_connect_slow(process_address(server, 0), 4096);
    cr_assert(client);
    cr_assert(client_send_text(client, request));
    cr_assert(client_readable(client, CLIENT_WAIT_MS));
    return client;
}

/* ---- The next request */

Test(large_files, are_followed_by_a_request_that_came_with_theirs)
{
    start(NULL, NULL);
    struct client *client = connect_client();
    client_printf(client, "%s%s%s", large, hello, large);
    read_whole(client);
    read_hello(client);
    read_whole(client);
    client_close(client);
    serve_no_more();
}

Test(large_files, are_followed_by_a_request_that_came_while_they_were_sent)
{
    start(NULL, NULL);
    struct client *client = begin(large);
    client_printf(client, "%s%s", hello, large);
    read_whole(client);
    read_hello(client);
    client_send_text(client, hello);
    read_whole(client);
    read_hello(client);
    client_close(client);
    serve_no_more();
}

Test(large_files, are_followed_by_a_request_in_pieces)
{
    start(NULL, NULL);
    struct client *client = begin(large);
    client_send_text(client, "GET /hel");
    read_whole(client);
    cr_assert(client_await_read(client));
    client_send_text(client, "lo HTTP/1.1\r\nHost: a\r\n\r\n");
    read_hello(client);
    client_close(client);
    serve_no_more();
}

/* The time for a head begins with its first byte, and that of idleness with the last of the file.
 */
Test(large_files, are_followed_by_the_times_of_any_request)
{
    start("SVC_HEADER_TIMEOUT_MS=1000", NULL);
    struct client *halfway = begin(large);
    read_whole(halfway);
    client_send_text(halfway, "GET /hel");
    struct client_reply reply = client_read(halfway, false);
    cr_expect_eq(reply.status, 408, "%d, %s", reply.status, client_end_name(reply.end));
    client_reply_free(&reply);
    client_close(halfway);
    serve_no_more();
    start("SVC_IDLE_TIMEOUT_MS=1500", NULL);
    struct client *silent = begin(large);
    read_whole(silent);
    cr_expect_eq(client_await_end(silent), CLIENT_CLOSED);
    client_close(silent);
    serve_no_more();
}

/* ---- Other heads */

Test(large_files, are_sent_in_part)
{
    start(NULL, NULL);
    struct client *client = connect_client();
    for (size_t from = 1; from < 4; from++) {
        client_printf(client, "GET /files/large HTTP/1.1\r\nHost: a\r\nRange: bytes=%zu-%d\r\n\r\n",
                      from, FILE_BYTES - 2);
        struct client_reply reply = client_read(client, false);
        cr_expect_eq(reply.status, 206);
        expect_file(&reply, from, FILE_BYTES - 1 - from);
        client_reply_free(&reply);
    }
    client_close(client);
    serve_no_more();
}

Test(large_files, close_the_connection_for_who_asks_so)
{
    static const char *const lines[] = {"HTTP/1.1\r\nConnection: close\r\n", "HTTP/1.0\r\n"};
    start(NULL, NULL);
    for (size_t i = 0; i < 2; i++) {
        struct client *client = connect_client();
        client_printf(client, "GET /files/large %sHost: a\r\n\r\n", lines[i]);
        struct client_reply reply = client_read(client, false);
        cr_expect(reply.closes);
        expect_file(&reply, 0, FILE_BYTES);
        client_reply_free(&reply);
        cr_expect_eq(client_await_end(client), CLIENT_CLOSED);
        client_close(client);
    }
    serve_no_more();
}

Test(large_files, are_sent_to_a_client_that_sends_no_more)
{
    start(NULL, NULL);
    struct client *client = begin(large);
    client_finish_sending(client);
    read_whole(client);
    cr_expect_eq(client_await_end(client), CLIENT_CLOSED);
    client_close(client);
    serve_no_more();
}

Test(large_files, are_sent_on_unix_sockets)
{
    char listen[96], socket_path[80];
    snprintf(socket_path, sizeof socket_path, "%s/socket", folder);
    snprintf(listen, sizeof listen, "SVC_LISTEN=unix:%s", socket_path);
    start(listen, NULL);
    struct client *client = connect_client();
    client_send_text(client, large);
    read_whole(client);
    client_send_text(client, hello);
    read_hello(client);
    client_close(client);
    serve_no_more();
    unlink(socket_path);
}

/* ---- Their end */

static void expect_line(const char *end, unsigned long bytes)
{
    char text[64];
    cr_expect(process_await_log(server, end, PROCESS_WAIT_MS));
    snprintf(text, sizeof text, "\"bytes_out\":%lu,", bytes);
    cr_expect(process_await_log(server, text, PROCESS_WAIT_MS));
}

Test(large_files, have_a_line_with_their_bytes)
{
    start(NULL, NULL);
    struct client *client = connect_client();
    client_send_text(client, large);
    read_whole(client);
    expect_line("\"path\":\"/files/large\"", FILE_BYTES);
    client_close(client);
    serve_no_more();
}

Test(large_files, have_a_line_that_says_that_the_client_has_gone)
{
    start(NULL, NULL);
    client_reset(begin(large));
    expect_line("\"end\":\"client gone\"", 0);
    serve_no_more();
}

Test(large_files, are_cut_when_nobody_reads_them)
{
    start("SVC_SEND_TIMEOUT_MS=200", NULL);
    struct client *client = begin(large);
    expect_line("\"end\":\"timed out\"", 0);
    struct client_reply reply = client_read(client, false);
    cr_expect_eq(reply.end, CLIENT_CUT, "%s", client_end_name(reply.end));
    client_reply_free(&reply);
    client_close(client);
    serve_no_more();
}

Test(large_files, are_sent_whole_while_the_server_drains)
{
    start("SVC_DRAIN_TIMEOUT_MS=600000", NULL);
    struct client *client = begin(large);
    cr_assert(process_signal(server, SIGTERM));
    cr_assert(client_await_refusal(process_address(server, 0)));
    read_whole(client);
    cr_expect_eq(client_await_end(client), CLIENT_CLOSED);
    client_close(client);
    await_exit(0);
}

Test(large_files, are_cut_at_the_end_of_a_drain)
{
    start("SVC_DRAIN_TIMEOUT_MS=100", NULL);
    struct client *client = begin(large);
    cr_assert(process_signal(server, SIGTERM));
    expect_line("\"end\":\"cut\"", 0);
    struct client_reply reply = client_read(client, false);
    cr_expect_eq(reply.end, CLIENT_CUT, "%s", client_end_name(reply.end));
    client_reply_free(&reply);
    client_close(client);
    await_exit(3);
}

/* ---- Faults */

static void start_faults(const char *fault)
{
    char setting[64];
    snprintf(setting, sizeof setting, "FAULTS=%s", fault);
    const char *const settings[] = {one_file, setting, "SVC_THREADS=1", NULL};
    serve("server_faults", settings);
}

static const char faulty[] = "GET /file HTTP/1.1\r\nHost: a\r\n\r\n";

Test(large_files, are_copied_where_the_kernel_cannot_send_them)
{
    start_faults("sendfile 22 1"); /* EINVAL */
    struct client *client = connect_client();
    for (int round = 0; round < 2; round++) {
        client_send_text(client, faulty);
        read_whole(client);
    }
    client_close(client);
    serve_no_more();
}

Test(large_files, that_cannot_be_read_cut_the_connection)
{
    start_faults("sendfile 5 1"); /* EIO */
    struct client *client = connect_client();
    client_send_text(client, faulty);
    struct client_reply reply = client_read(client, false);
    cr_expect_eq(reply.end, CLIENT_CUT, "%s", client_end_name(reply.end));
    client_reply_free(&reply);
    client_close(client);
    expect_line("\"end\":\"cut\"", 0);
    serve_no_more();
}

/* A loop that cannot watch the socket tries again. */
Test(large_files, are_sent_where_their_socket_cannot_be_watched_at_once)
{
    start_faults("");
    struct client *client = connect_client();
    client_send_text(client, hello);
    struct client_reply reply = client_read(client, false);
    cr_expect_eq(reply.status, 200);
    client_reply_free(&reply);
    cr_assert(process_tell(server, "epoll_add 28 3\n")); /* ENOSPC */
    cr_assert(process_await_log(server, "fault set: epoll_add 28 3", PROCESS_WAIT_MS));
    client_send_text(client, faulty);
    read_whole(client);
    client_close(client);
    serve_no_more();
}

/* Without a descriptor for it, libmicrohttpd keeps the connection and sends the file. */
Test(large_files, are_sent_where_no_descriptor_is_left)
{
    char setting[64];
    snprintf(setting, sizeof setting, "LIFE_FILES=%s", folder);
    const char *const settings[] = {setting, "SVC_THREADS=1", NULL};
    serve("server_life", settings);
    struct client *client = connect_client();
    struct client_reply reply = client_exchange(client, "GET /hello/x HTTP/1.1\r\nHost: a\r\n\r\n");
    cr_expect_eq(reply.status, 200);
    client_reply_free(&reply);
    cr_assert(life_hoard(server));
    client_send_text(client, large);
    read_whole(client);
    cr_assert(life_share(server));
    client_close(client);
    serve_no_more();
}
