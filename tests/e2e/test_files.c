/* Files over the wire: whole, and cut if they become shorter. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/support/client.h"
#include "tests/support/process.h"

/* More bytes than the sockets of both ends take. */
enum { FILE_BYTES = 48 << 20 };

static char folder[] = "/tmp/svc-files-XXXXXX";
static char path[64];

static char pattern(size_t at)
{
    return (char)('a' + at % 23 + at / 4096 % 3);
}

static struct process *serve_file(void)
{
    char setting[64];
    cr_assert(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/large", folder);
    snprintf(setting, sizeof setting, "LIFE_FILES=%s", folder);
    FILE *file = fopen(path, "w");
    cr_assert(file);
    for (size_t i = 0; i < FILE_BYTES; i++)
        putc(pattern(i), file);
    fclose(file);
    const char *const settings[] = {setting, NULL};
    struct process *server = process_start(process_program("server_life"), settings, NULL);
    cr_assert(server);
    return server;
}

static void end(struct process *server)
{
    cr_expect_eq(process_stop(server), 0);
    process_free(server);
    unlink(path);
    rmdir(folder);
}

static const char request[] = "GET /files/large HTTP/1.1\r\nHost: a\r\n\r\n";

Test(files, are_sent_whole_and_the_connection_goes_on)
{
    struct process *server = serve_file();
    struct client *client = client_connect(process_address(server, 0));
    for (int round = 0; round < 2; round++) {
        struct client_reply reply = client_exchange(client, request);
        cr_expect_eq(reply.status, 200);
        cr_assert_eq(reply.body_len, FILE_BYTES, "%zu", reply.body_len);
        size_t same = 0;
        while (same < reply.body_len && reply.body[same] == pattern(same))
            same++;
        cr_expect_eq(same, FILE_BYTES, "differs at %zu", same);
        cr_expect_not(reply.closes);
        client_reply_free(&reply);
    }
    client_close(client);
    end(server);
}

Test(files, have_a_head_without_their_bytes)
{
    struct process *server = serve_file();
    struct client *client = client_connect(process_address(server, 0));
    for (int round = 0; round < 2; round++) {
        client_send_text(client, "HEAD /files/large HTTP/1.1\r\nHost: a\r\n\r\n");
        struct client_reply reply = client_read(client, true);
        cr_expect_eq(reply.status, 200);
        cr_expect_eq(reply.length, FILE_BYTES);
        client_reply_free(&reply);
    }
    client_close(client);
    end(server);
}

/* The client must not wait for bytes that do not exist any more. */
Test(files, that_become_shorter_while_they_are_sent_cut_the_connection)
{
    struct process *server = serve_file();
    struct client *client = client_connect_slow(process_address(server, 0), 65536);
    static char block[65536];
    client_send_text(client, request);
    long got = client_receive(client, block, sizeof block), all = got;
    cr_assert_gt(got, 0);
    cr_assert_eq(truncate(path, FILE_BYTES / 2), 0);
    while ((got = client_receive(client, block, sizeof block)) > 0)
        all += got;
    cr_expect(client->eof || client->reset, "the client was left waiting");
    cr_expect_leq(all, FILE_BYTES / 2 + 4096, "%ld", all);
    cr_expect(process_await_log(server, "\"end\":\"cut\"", PROCESS_WAIT_MS));
    client_close(client);
    end(server);
}

Test(files, that_become_longer_are_sent_as_they_were)
{
    struct process *server = serve_file();
    struct client *client = client_connect_slow(process_address(server, 0), 65536);
    client_send_text(client, request);
    cr_assert(client_readable(client, CLIENT_WAIT_MS));
    FILE *file = fopen(path, "a");
    fputs("appended", file);
    fclose(file);
    struct client_reply reply = client_read(client, false);
    cr_expect_eq(reply.body_len, FILE_BYTES);
    client_reply_free(&reply);
    reply = client_exchange(client, "GET /hello/x HTTP/1.1\r\nHost: a\r\n\r\n");
    cr_expect_eq(reply.status, 200, "%s", client_end_name(reply.end));
    client_reply_free(&reply);
    client_close(client);
    end(server);
}
