/* Files that many clients ask for at once: one descriptor, and the end of a file that changes. */
#include <criterion/criterion.h>
#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/e2e/served.h"
#include "tests/support/client.h"
#include "tests/support/process.h"

enum {
    FILE_BYTES = 16 << 20, /* more than the sockets of both ends take */
    DESCRIPTORS = 256,
    LOOPS = 2,
    CLIENTS = 120 /* of about 145 that the server can have */
};

static char folder[] = "/tmp/svc-shared-XXXXXX";

static void path_of(char out[static 128], const char *name)
{
    snprintf(out, 128, "%s/%s", folder, name);
}

static void write_file(const char *name, char fill)
{
    char path[128];
    static char block[65536];
    path_of(path, name);
    FILE *file = fopen(path, "w");
    cr_assert(file);
    memset(block, fill, sizeof block);
    for (size_t at = 0; at < FILE_BYTES; at += sizeof block)
        fwrite(block, 1, sizeof block, file);
    fclose(file);
}

static void limit_descriptors(rlim_t count)
{
    struct rlimit limit;
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = count < limit.rlim_max ? count : limit.rlim_max;
    cr_assert_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
}

static void start(void)
{
    char setting[64];
    cr_assert(mkdtemp(folder));
    write_file("large", 'a');
    snprintf(setting, sizeof setting, "SVC_FILES=%s", folder);
    const char *const settings[] = {setting, "SVC_THREADS=2", NULL};
    limit_descriptors(DESCRIPTORS);
    serve("server_files", settings);
    limit_descriptors(4096);
}

static void stop(void)
{
    char path[128];
    serve_no_more();
    path_of(path, "large");
    remove(path);
    rmdir(folder);
}

TestSuite(shared_files, .init = start, .fini = stop);

/* The server's descriptors that lead to a path that ends so. */
static unsigned count_descriptors(const char *end)
{
    char path[64], link[320], target[512];
    unsigned count = 0;
    const struct dirent *at;
    snprintf(path, sizeof path, "/proc/%d/fd", (int)process_pid(server));
    DIR *dir = opendir(path);
    cr_assert(dir);
    while ((at = readdir(dir))) {
        snprintf(link, sizeof link, "%s/%s", path, at->d_name);
        ssize_t len = readlink(link, target, sizeof target - 1);
        if (len < (ssize_t)strlen(end))
            continue;
        target[len] = '\0';
        count += !strcmp(target + len - strlen(end), end);
    }
    closedir(dir);
    return count;
}

static void await_descriptors(const char *end, unsigned count)
{
    uint64_t due = client_clock_ms() + CLIENT_WAIT_MS;
    while (count_descriptors(end) != count && client_clock_ms() < due)
        usleep(1000);
    cr_expect_eq(count_descriptors(end), count, "%u", count_descriptors(end));
}

static const char request[] = "GET /files/large HTTP/1.1\r\nHost: a\r\n\r\n";

static struct client *ask_slowly(void)
{
    struct client *client = client_connect_slow(process_address(server, 0), 4096);
    cr_assert(client);
    cr_assert(client_send_text(client, request));
    return client;
}

static bool begins_well(struct client *client)
{
    char head[16] = "";
    return client_receive(client, head, 12) == 12 && !memcmp(head, "HTTP/1.1 200", 12);
}

static void expect_hello(void)
{
    struct client *client = connect_client();
    struct client_reply reply = client_exchange(client, "GET /hello HTTP/1.1\r\nHost: a\r\n\r\n");
    cr_expect_eq(reply.status, 200, "%d, %s", reply.status, client_end_name(reply.end));
    client_reply_free(&reply);
    client_close(client);
}

/* Each has its socket, and all have one file: for each loop one descriptor more, for sendfile. */
Test(shared_files, have_one_descriptor_for_all_who_ask_at_once)
{
    static struct client *clients[CLIENTS];
    for (size_t i = 0; i < CLIENTS; i++)
        clients[i] = ask_slowly();
    for (size_t i = 0; i < CLIENTS; i++)
        cr_expect(begins_well(clients[i]), "client %zu", i);
    unsigned count = count_descriptors("/large");
    cr_expect(count >= 1 && count <= 1 + LOOPS, "%u descriptors", count);
    expect_hello();
    struct client *other = connect_client();
    struct client_reply whole = client_exchange(other, request);
    cr_expect_eq(whole.body_len, FILE_BYTES, "%zu, %s", whole.body_len, client_end_name(whole.end));
    client_reply_free(&whole);
    client_close(other);
    for (size_t i = 0; i < CLIENTS; i++)
        client_reset(clients[i]);
    await_descriptors("/large", 0);
}

/* Files that differ do not take descriptors from connections: without sendfile they are read. */
Test(shared_files, that_are_many_are_all_sent)
{
    enum { FILES = 16 }; /* as many as there are spare descriptors */
    static struct client *clients[CLIENTS];
    char path[128], name[32];
    for (size_t i = 0; i < FILES; i++) {
        snprintf(name, sizeof name, "file%zu", i);
        path_of(path, name);
        char large[128];
        path_of(large, "large");
        cr_assert_eq(link(large, path), 0); /* one inode, but each path has an entry of its own */
    }
    for (size_t i = 0; i < CLIENTS; i++) {
        clients[i] = client_connect_slow(process_address(server, 0), 4096);
        cr_assert(clients[i]);
        client_printf(clients[i], "GET /files/file%zu HTTP/1.1\r\nHost: a\r\n\r\n", i % FILES);
    }
    for (size_t i = 0; i < CLIENTS; i++)
        cr_expect(begins_well(clients[i]), "client %zu", i);
    expect_hello();
    for (size_t i = 0; i < CLIENTS; i++)
        client_reset(clients[i]);
    for (size_t i = 0; i < FILES; i++) {
        snprintf(name, sizeof name, "file%zu", i);
        path_of(path, name);
        remove(path);
    }
}

/* Replies of one object have their own fields. */
Test(shared_files, have_the_fields_of_each_reply)
{
    struct client *slow = ask_slowly();
    cr_assert(begins_well(slow));
    for (int round = 0; round < 3; round++) {
        char id[64] = "", closes[64] = "";
        struct client *client = connect_client();
        client_printf(client,
                      "GET /files/large HTTP/1.1\r\nHost: a\r\nX-Request-Id: round-%d\r\n%s\r\n",
                      round, round == 1 ? "Connection: close\r\n" : "");
        struct client_reply reply = client_read(client, false);
        char expected[32];
        snprintf(expected, sizeof expected, "round-%d", round);
        cr_expect(client_reply_field(&reply, "X-Request-Id", id, sizeof id));
        cr_expect_str_eq(id, expected);
        cr_expect_eq(client_reply_count(&reply, "X-Request-Id"), 1);
        cr_expect_eq(client_reply_count(&reply, "Date"), 1);
        cr_expect_eq(client_reply_count(&reply, "Content-Type"), 1);
        cr_expect_eq(client_reply_count(&reply, "Content-Length"), 1);
        cr_expect_eq(client_reply_field(&reply, "Connection", closes, sizeof closes), round == 1);
        cr_expect_eq(reply.body_len, FILE_BYTES);
        client_reply_free(&reply);
        client_close(client);
    }
    client_reset(slow);
}

/* The tag of a content is sought once, by a worker, for all who ask meanwhile. */
Test(shared_files, have_one_tag_of_their_content_for_all_who_ask_at_once)
{
    enum { ASKING = 100 };
    static struct client *clients[ASKING];
    char first[64] = "", tag[64];
    for (size_t i = 0; i < ASKING; i++) {
        clients[i] = connect_client();
        client_send_text(clients[i], "HEAD /tagged/large HTTP/1.1\r\nHost: a\r\n\r\n");
    }
    for (size_t i = 0; i < ASKING; i++) {
        struct client_reply reply = client_read(clients[i], true);
        cr_expect_eq(reply.status, 200, "%d, %s", reply.status, client_end_name(reply.end));
        cr_assert(client_reply_field(&reply, "ETag", tag, sizeof tag));
        if (i == 0)
            strcpy(first, tag);
        cr_expect_str_eq(tag, first);
        client_reply_free(&reply);
        client_close(clients[i]);
    }
    expect_hello();
    await_descriptors("/large", 0);
}

/* ---- Files that change while they are sent */

static struct client *begin(void)
{
    struct client *client = ask_slowly();
    cr_assert(client_readable(client, CLIENT_WAIT_MS));
    return client;
}

static void expect_whole(struct client *client, char fill)
{
    struct client_reply reply = client_read(client, false);
    cr_expect_eq(reply.status, 200);
    cr_assert_eq(reply.body_len, FILE_BYTES, "%zu, %s", reply.body_len, client_end_name(reply.end));
    cr_expect(reply.body[0] == fill && reply.body[FILE_BYTES - 1] == fill &&
              !memcmp(reply.body, reply.body + 1, FILE_BYTES - 1));
    client_reply_free(&reply);
    client_close(client);
}

Test(shared_files, that_are_replaced_are_sent_as_they_were)
{
    char from[128], to[128];
    struct client *before = begin();
    write_file("new", 'b');
    path_of(from, "new");
    path_of(to, "large");
    cr_assert_eq(rename(from, to), 0);
    struct client *after = begin();
    expect_whole(after, 'b');
    expect_whole(before, 'a');
}

Test(shared_files, that_vanish_are_sent_to_who_had_begun)
{
    char path[128];
    struct client *before = begin();
    path_of(path, "large");
    cr_assert_eq(remove(path), 0);
    struct client *late = connect_client();
    struct client_reply reply = client_exchange(late, request);
    cr_expect_eq(reply.status, 404);
    client_reply_free(&reply);
    client_close(late);
    expect_whole(before, 'a');
}

Test(shared_files, that_shrink_cut_all_who_had_begun)
{
    char path[128];
    struct client *clients[3];
    for (size_t i = 0; i < 3; i++)
        clients[i] = begin();
    path_of(path, "large");
    cr_assert_eq(truncate(path, 1000), 0);
    for (size_t i = 0; i < 3; i++) {
        struct client_reply reply = client_read(clients[i], false);
        cr_expect_eq(reply.end, CLIENT_CUT, "%s", client_end_name(reply.end));
        client_reply_free(&reply);
        client_close(clients[i]);
    }
    expect_hello();
}

/* A folder that is renamed back and forth, and replaced by a link that leads out: every reply is
 * the file, or none. */
Test(shared_files, are_not_found_outside_while_folders_are_renamed)
{
    char inner[128], other[128], out[128], file[160], secret[64];
    path_of(inner, "inner");
    path_of(other, "other");
    path_of(out, "out");
    snprintf(secret, sizeof secret, "%s.secret", folder);
    snprintf(file, sizeof file, "%s/f", inner);
    cr_assert_eq(mkdir(inner, 0700), 0);
    cr_assert_eq(mkdir(secret, 0700), 0);
    FILE *text = fopen(file, "w");
    fputs("inside", text);
    fclose(text);
    char hidden[96];
    snprintf(hidden, sizeof hidden, "%s/f", secret);
    text = fopen(hidden, "w");
    fputs("secret", text);
    fclose(text);
    cr_assert_eq(symlink(secret, out), 0);

    pid_t renamer = fork();
    if (renamer == 0) {
        for (;;) {
            rename(inner, other); /* the file has gone */
            rename(out, inner);   /* a link that leads out has its place */
            rename(inner, out);
            rename(other, inner);
        }
    }
    struct client *client = connect_client();
    size_t found = 0, missing = 0;
    uint64_t due = client_clock_ms() + CLIENT_WAIT_MS;
    while ((found < 200 || missing < 20) && client_clock_ms() < due) {
        struct client_reply reply =
            client_exchange(client, "GET /files/inner/f HTTP/1.1\r\nHost: a\r\n\r\n");
        cr_assert(reply.status == 404 || (reply.status == 200 && !strcmp(reply.body, "inside")),
                  "%d: %s", reply.status, reply.body);
        found += reply.status == 200;
        missing += reply.status == 404;
        client_reply_free(&reply);
    }
    kill(renamer, SIGKILL);
    waitpid(renamer, NULL, 0);
    cr_expect(found > 0 && missing > 0, "%zu found, %zu missing", found, missing);
    client_close(client);
    rename(inner, out); /* whichever of them is a link or a folder */
    snprintf(file, sizeof file, "rm -rf %s/inner %s/other %s/out %s", folder, folder, folder,
             secret);
    cr_expect_eq(system(file), 0);
}
