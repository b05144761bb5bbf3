/* Forms with files on the wire: what is left on the disk when a client or the server goes. */
#include <criterion/criterion.h>
#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "tests/e2e/served.h"
#include "tests/support/client.h"
#include "tests/support/process.h"

#define HEAD(length)                                                                               \
    "POST /keep HTTP/1.1\r\nHost: a\r\nContent-Type: multipart/form-data; boundary=x\r\n"          \
    "Content-Length: " length "\r\n\r\n"
#define FILE_PART "--x\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.bin\"\r\n\r\n"
#define NAME_PART "--x\r\nContent-Disposition: form-data; name=name\r\n\r\nkept\r\n"
#define END "\r\n--x--\r\n"

enum { HALF = 1 << 20 };

static char folder[] = "/tmp/multipart-e2e-XXXXXX";

static void start(void)
{
    static char setting[64];
    const char *const settings[] = {setting, NULL};
    cr_assert_not_null(mkdtemp(folder));
    snprintf(setting, sizeof setting, "SVC_FOLDER=%s", folder);
    serve("server_multipart", settings);
}

/* The folder is empty, so that it can be removed. */
static void expect_nothing_left(void)
{
    cr_expect_eq(rmdir(folder), 0, "something was left in %s", folder);
}

TestSuite(multipart, .init = start);

/* The bytes of the server's files that have no name and are in the folder; -1 if there is none. */
static long long count_stored(void)
{
    char path[400], target[400];
    struct stat status;
    long long size = -1;
    snprintf(path, sizeof path, "/proc/%ld/fd", (long)process_pid(server));
    DIR *dir = opendir(path);
    for (struct dirent *entry; dir && (entry = readdir(dir)) != NULL;) {
        snprintf(path, sizeof path, "/proc/%ld/fd/%s", (long)process_pid(server), entry->d_name);
        ssize_t len = readlink(path, target, sizeof target - 1);
        if (len > 0 && !strncmp(target, folder, strlen(folder)) && !stat(path, &status))
            size = status.st_size;
    }
    if (dir)
        closedir(dir);
    return size;
}

/* Waits until the server has stored so many bytes, or has no file any more (-1). */
static bool await_stored(long long size)
{
    const struct timespec pause = {0, 5000000};
    uint64_t end = client_clock_ms() + CLIENT_WAIT_MS;
    while (client_clock_ms() < end) {
        long long stored = count_stored();
        if (size < 0 ? stored < 0 : stored >= size)
            return true;
        nanosleep(&pause, NULL);
    }
    return false;
}

/* Sends the first half of a file, and waits until most of it is on the disk. */
static struct client *send_half(void)
{
    static char half[HALF];
    struct client *client = connect_client();
    cr_assert(client_send_text(client, HEAD("100000000") FILE_PART));
    cr_assert(client_send(client, half, sizeof half));
    cr_assert(await_stored(HALF - (64 << 10)), "%lld", count_stored());
    return client;
}

Test(multipart, leaves_nothing_when_the_server_is_killed)
{
    struct client *client = send_half();
    cr_expect(process_signal(server, SIGKILL));
    await_exit(128 + SIGKILL);
    client_close(client);
    expect_nothing_left();
}

Test(multipart, leaves_nothing_when_the_client_goes)
{
    struct client *client = send_half();
    client_reset(client);
    cr_expect(await_stored(-1));
    serve_no_more();
    expect_nothing_left();
}

Test(multipart, keeps_a_form_that_comes_byte_by_byte)
{
    static const char form[] = NAME_PART FILE_PART "a\r\n--\r\n-\r" END;
    char head[300], path[100], kept[32];
    snprintf(head, sizeof head, HEAD("%zu"), sizeof form - 1);
    struct client *client = connect_client();
    client_send_text(client, head);
    cr_expect(client_send_bytes(client, form, sizeof form - 1));
    struct client_reply reply = client_read(client, false);
    cr_expect_eq(reply.status, 201, "%d %s", reply.status, reply.body);
    cr_expect_str_eq(reply.body, "a.bin");
    client_reply_free(&reply);
    client_close(client);
    serve_no_more();
    snprintf(path, sizeof path, "%s/kept", folder);
    FILE *file = fopen(path, "rb");
    cr_assert_not_null(file);
    cr_expect_eq(fread(kept, 1, sizeof kept, file), 9);
    cr_expect_eq(memcmp(kept, "a\r\n--\r\n-\r", 9), 0);
    fclose(file);
    cr_expect_eq(unlink(path), 0);
    expect_nothing_left();
}

Test(multipart, refuses_a_form_on_a_connection_that_stays)
{
    char request[600];
    struct client *client = connect_client();
    for (int i = 0; i < 2; i++) {
        snprintf(request, sizeof request, HEAD("%zu") "%s", strlen(FILE_PART "a"), FILE_PART "a");
        struct client_reply reply = client_exchange(client, request);
        cr_expect_eq(reply.status, 400);
        cr_expect(strstr(reply.body, "ends before its last boundary"), "%s", reply.body);
        client_reply_free(&reply);
    }
    client_close(client);
    serve_no_more();
    expect_nothing_left();
}
