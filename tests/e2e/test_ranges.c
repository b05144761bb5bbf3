/* Parts of a file over the wire: exact, on one connection, and for a download that is resumed. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/e2e/served.h"
#include "tests/support/client.h"
#include "tests/support/large.h"
#include "tests/support/process.h"

enum { FILE_BYTES = 3000000 };

static char folder[] = "/tmp/svc-ranges-XXXXXX";
static char path[64], copy[64];

static char file_byte(size_t at)
{
    return (char)('a' + at % 23 + at / 4096 % 3);
}

static void write_bytes(const char *name, size_t count)
{
    FILE *file = fopen(name, "w");
    cr_assert(file);
    for (size_t i = 0; i < count; i++)
        putc(file_byte(i), file);
    cr_assert_eq(fclose(file), 0);
}

static void start(void)
{
    static char setting[64];
    cr_assert(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/large", folder);
    snprintf(copy, sizeof copy, "%s/copy", folder);
    snprintf(setting, sizeof setting, "LIFE_FILES=%s", folder);
    write_bytes(path, FILE_BYTES);
    serve("server_life", (const char *const[]){setting, NULL});
}

static void stop(void)
{
    serve_no_more();
    unlink(path);
    unlink(copy);
    rmdir(folder);
}

TestSuite(ranges, .init = start, .fini = stop);

static struct client_reply ask(struct client *client, const char *fields)
{
    client_printf(client, "GET /files/large HTTP/1.1\r\nHost: a\r\n%s\r\n", fields);
    struct client_reply reply = client_read(client, false);
    cr_assert_eq(reply.end, CLIENT_REPLY, "%s: %s", fields, client_end_name(reply.end));
    cr_expect_not(reply.closes, "%s", fields);
    return reply;
}

/* Whether text has `count` bytes of the file, from `first` on. */
static bool is_part(const char *text, size_t first, size_t count)
{
    size_t same = 0;
    while (same < count && text[same] == file_byte(first + same))
        same++;
    return same == count;
}

static void expect_part(struct client *client, const char *fields, size_t first, size_t last)
{
    char range[96], expected[96];
    struct client_reply reply = ask(client, fields);
    cr_expect_eq(reply.status, 206, "%s", fields);
    cr_assert_eq(reply.body_len, last - first + 1, "%s: %zu", fields, reply.body_len);
    cr_expect(is_part(reply.body, first, reply.body_len), "%s", fields);
    client_reply_field(&reply, "Content-Range", range, sizeof range);
    snprintf(expected, sizeof expected, "bytes %zu-%zu/%d", first, last, FILE_BYTES);
    cr_expect_str_eq(range, expected);
    client_reply_free(&reply);
}

Test(ranges, of_a_file_are_exact_and_the_connection_goes_on)
{
    struct client *client = connect_client();
    expect_part(client, "Range: bytes=0-0\r\n", 0, 0);
    expect_part(client, "Range: bytes=4095-4097\r\n", 4095, 4097);
    expect_part(client, "Range: bytes=1000000-\r\n", 1000000, FILE_BYTES - 1);
    expect_part(client, "Range: bytes=-1\r\n", FILE_BYTES - 1, FILE_BYTES - 1);
    expect_part(client, "Range: bytes=0-\r\n", 0, FILE_BYTES - 1);
    struct client_reply reply = ask(client, "Range: bytes=3000000-\r\n");
    cr_expect_eq(reply.status, 416);
    client_reply_free(&reply);
    expect_part(client, "Range: bytes=2999999-\r\n", 2999999, 2999999);
    client_close(client);
}

/* Takes one part off the text of multipart/byteranges. */
static const char *take_part(const char *text, const char *boundary, size_t first, size_t last)
{
    char head[256];
    int len = snprintf(head, sizeof head,
                       "\r\n--%s\r\n"
                       "Content-Range: bytes %zu-%zu/%d\r\n\r\n",
                       boundary, first, last, FILE_BYTES);
    cr_assert(!strncmp(text, head, (size_t)len), "%.200s", text);
    cr_expect(is_part(text + len, first, last - first + 1));
    return text + len + (last - first + 1);
}

Test(ranges, of_a_file_that_are_several_are_multipart_of_known_length)
{
    char type[128], boundary[64] = "", end[80];
    struct client *client = connect_client();
    struct client_reply reply = ask(client, "Range: bytes=2000000-2999999, 0-9,5-99999, -1\r\n");
    cr_expect_eq(reply.status, 206);
    cr_expect(reply.has_length);
    client_reply_field(&reply, "Content-Type", type, sizeof type);
    cr_assert_eq(sscanf(type, "multipart/byteranges; boundary=%63s", boundary), 1, "%s", type);
    const char *at = take_part(reply.body, boundary, 2000000, FILE_BYTES - 1);
    at = take_part(at, boundary, 0, 99999);
    snprintf(end, sizeof end, "\r\n--%s--\r\n", boundary);
    cr_expect_str_eq(at, end);
    client_reply_free(&reply);
    expect_part(client, "Range: bytes=7-8\r\n", 7, 8);
    client_close(client);
}

/* An attack on servers that make each part anew: many ranges of the whole. */
Test(ranges, send_no_byte_twice_however_often_it_is_asked_for)
{
    char field[1024] = "Range: bytes=0-";
    struct client *client = connect_client();
    for (int i = 0; i < 15; i++)
        strcat(field, ",0-");
    strcat(field, "\r\n");
    expect_part(client, field, 0, FILE_BYTES - 1);
    strcpy(field, "Range: bytes=0-0");
    for (int i = 1; i < 200; i++)
        sprintf(field + strlen(field), ",%d-", i);
    strcat(field, "\r\n");
    struct client_reply reply = ask(client, field);
    cr_expect_eq(reply.status, 200);
    cr_expect_eq(reply.body_len, FILE_BYTES);
    client_reply_free(&reply);
    client_close(client);
}

/* The address of the file for curl, which has its own option for Unix sockets. */
static int run_curl(const char *options)
{
    char command[512];
    snprintf(command, sizeof command, "curl -sS --fail %s -o '%s' 'http://%s/files/large'", options,
             copy, process_address(server, 0));
    return system(command);
}

static void expect_copy(void)
{
    char *text = large(FILE_BYTES + 1);
    FILE *file = fopen(copy, "r");
    cr_assert(file);
    cr_expect_eq(fread(text, 1, FILE_BYTES + 1, file), FILE_BYTES);
    fclose(file);
    cr_expect(is_part(text, 0, FILE_BYTES));
}

Test(ranges, let_curl_resume_a_broken_download)
{
    if (system("command -v curl > /dev/null"))
        cr_skip_test("no curl here (package curl)");
    write_bytes(copy, 1234567); /* what came before the connection broke */
    cr_expect_eq(run_curl("-C -"), 0);
    expect_copy();
    write_bytes(copy, 0);
    cr_expect_eq(run_curl("-C -"), 0);
    expect_copy();
}
