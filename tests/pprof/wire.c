/* The pages of profiles, asked for by sockets while the service is at work. */
#include <criterion/criterion.h>
#include <dirent.h>
#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "tests/support/client.h"
#include "tests/support/in_time.h"
#include "tests/support/process.h"

static struct process *server;

static void start_with(const char *const *settings, const char *argument)
{
    const char *all[8] = {"SVC_DEBUG_PAGES=on"};
    const char *arguments[] = {argument, NULL};
    for (size_t i = 0; settings && settings[i]; i++)
        all[i + 1] = settings[i];
    server = process_start(process_program("server"), all, arguments);
    cr_assert(server);
}

static void start(void)
{
    start_with(NULL, NULL);
}

static void stop(void)
{
    cr_expect_eq(process_stop(server), 0, "the server ends badly");
    process_free(server);
}

TestSuite(pprof, .init = start, .fini = stop);

/* ---- Requests */

static struct client *send_request(const char *method, const char *target, const char *body,
                                   size_t len)
{
    struct client *client = client_connect(process_admin(server));
    cr_assert(client);
    client_printf(client,
                  "%s /debug/pprof/%s HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: %zu\r\n\r\n",
                  method, target, len);
    client_send(client, body, len);
    return client;
}

static struct client *ask(const char *target)
{
    return send_request("GET", target, "", 0);
}

static struct client_reply read_reply(struct client *client)
{
    client->wait_ms =
        PROCESS_WAIT_MS + CLIENT_WAIT_MS; /* as long as the longest profile, and more */
    struct client_reply reply = client_read(client, false);
    client_close(client);
    return reply;
}

/* Frees the reply. Errors have the field without which `go tool pprof` hides their text. */
static void expect_reply(struct client_reply reply, int status, const char *text)
{
    char field[8] = "";
    cr_expect_eq(reply.status, status, "%d %s", reply.status, client_end_name(reply.end));
    cr_expect(strstr(reply.body, text), "%s, and not %s", reply.body, text);
    client_reply_field(&reply, "X-Go-Pprof", field, sizeof field);
    cr_expect_str_eq(field, status < 400 ? "" : "1");
    client_reply_free(&reply);
}

static void expect_answer(const char *target, int status, const char *text)
{
    expect_reply(read_reply(ask(target)), status, text);
}

/* ---- A profile in gperftools' format: words, and behind them the text of the mappings */

struct profile {
    size_t samples;
    const char *mappings;
};

static uint64_t read_word(const struct client_reply *reply, size_t index)
{
    uintptr_t word = 0;
    if ((index + 1) * sizeof word <= reply->body_len)
        memcpy(&word, reply->body + index * sizeof word, sizeof word);
    return word;
}

static struct profile read_profile(const struct client_reply *reply)
{
    struct profile profile = {0, ""};
    size_t at = 5, depth = 1;
    cr_assert_eq(reply->status, 200, "%s", reply->body);
    cr_assert(read_word(reply, 0) == 0 && read_word(reply, 1) == 3 && read_word(reply, 2) == 0);
    while (at * sizeof(uintptr_t) < reply->body_len && read_word(reply, at) != 0) {
        profile.samples += read_word(reply, at);
        depth = read_word(reply, at + 1);
        at += 2 + depth;
    }
    cr_assert(read_word(reply, at + 1) == 1 && read_word(reply, at + 2) == 0, "the end is missing");
    profile.mappings = reply->body + (at + 3) * sizeof(uintptr_t);
    cr_expect(strstr(profile.mappings, "/server"), "the mappings lack the program");
    return profile;
}

/* ---- What the process has open */

/* How many descriptors a profile's file has, and how many of them a child process would not
 * inherit. */
static void count_files(size_t *open, size_t *kept)
{
    char path[300], text[64];
    unsigned long flags;
    const struct dirent *entry;
    *open = *kept = 0;
    snprintf(path, sizeof path, "/proc/%d/fd", (int)process_pid(server));
    DIR *folder = opendir(path);
    cr_assert(folder);
    while ((entry = readdir(folder))) {
        snprintf(path, sizeof path, "/proc/%d/fd/%s", (int)process_pid(server), entry->d_name);
        ssize_t len = readlink(path, text, sizeof text - 1);
        text[len > 0 ? len : 0] = '\0';
        if (!strstr(text, "svc-pprof"))
            continue;
        ++*open;
        snprintf(path, sizeof path, "/proc/%d/fdinfo/%s", (int)process_pid(server), entry->d_name);
        FILE *info = fopen(path, "re");
        while (info && fgets(text, sizeof text, info))
            if (sscanf(text, "flags: %lo", &flags) == 1 && (flags & 02000000))
                ++*kept;
        if (info)
            fclose(info);
    }
    closedir(folder);
}

/* gperftools has opened the file a second time, and samples. */
static bool is_sampling(void)
{
    size_t open, kept;
    count_files(&open, &kept);
    return open == 2 && kept == 2;
}

static bool has_ended(void)
{
    size_t open, kept;
    count_files(&open, &kept);
    return open == 0;
}

/* ---- Tests */

Test(pprof, lists_its_pages)
{
    expect_answer("", 200, "profile?seconds=N");
}

Test(pprof, seconds_are_a_whole_number_from_1_to_60)
{
    static const char *const bad[] = {
        "",    "0",           "61",
        "-1",  "1.5",         "1s",
        "x",   "%201",        "+1",
        "0x1", "1%00",        "18446744073709551617",
        "%ff", "001",         "1e1",
        "1,2", "1&seconds=2", "000000000000000000000000000000000000000000000000001"};
    char target[128];
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        snprintf(target, sizeof target, "profile?seconds=%s", bad[i]);
        struct client_reply reply = read_reply(ask(target));
        cr_expect_eq(reply.status, 400, "%s: %d", target, reply.status);
        client_reply_free(&reply);
    }
    expect_answer("profile?seconds=0", 400, "from 1 to 60");
    expect_answer("profile?other=1&seconds=-1", 400, "from 1 to 60");
}

Test(pprof, a_profile_has_the_samples_of_a_busy_service)
{
    stop();
    start_with(NULL, "task");
    struct client_reply reply = read_reply(ask("profile?seconds=1"));
    char type[64] = "";
    client_reply_field(&reply, "Content-Type", type, sizeof type);
    cr_expect_str_eq(type, "application/octet-stream");
    cr_expect_gt(read_profile(&reply).samples, 0);
    client_reply_free(&reply);
    expect_in_time(has_ended);
}

Test(pprof, a_profile_lasts_as_long_as_it_is_asked_to)
{
    uint64_t began = client_clock_ms();
    struct client_reply reply = read_reply(ask("profile?seconds=2"));
    cr_expect_geq(client_clock_ms() - began, 2000);
    read_profile(&reply);
    client_reply_free(&reply);
}

Test(pprof, a_process_takes_one_profile_at_a_time)
{
    struct client *first = ask("profile?seconds=3");
    expect_in_time(is_sampling);
    expect_answer("profile?seconds=1", 409, "Another profile");
    expect_answer("profile?seconds=0", 400, "");
    struct client_reply reply = read_reply(first);
    read_profile(&reply);
    client_reply_free(&reply);
    reply = read_reply(ask("profile?seconds=1")); /* at once after the answer */
    cr_expect_eq(reply.status, 200, "%s", reply.body);
    client_reply_free(&reply);
}

/* While a profile is taken, which would refuse another. */
Test(pprof, a_head_is_answered_without_a_profile)
{
    char type[64] = "";
    struct client *first = ask("profile?seconds=3");
    expect_in_time(is_sampling);
    struct client *head = send_request("HEAD", "profile?seconds=60", "", 0);
    struct client_reply reply = client_read(head, true);
    cr_expect_eq(reply.status, 200, "%d %s", reply.status, client_end_name(reply.end));
    client_reply_field(&reply, "Content-Type", type, sizeof type);
    cr_expect_str_eq(type, "application/octet-stream");
    cr_expect_eq(reply.body_len, 0);
    client_reply_free(&reply);
    client_close(head);
    reply = read_reply(first);
    read_profile(&reply);
    client_reply_free(&reply);
}

Test(pprof, ends_when_its_client_leaves)
{
    for (size_t i = 0; i < 3; i++) {
        struct client *client = ask("profile?seconds=60");
        expect_in_time(is_sampling);
        client_close(client);
        expect_in_time(has_ended);
    }
    struct client_reply reply = read_reply(ask("profile?seconds=1"));
    read_profile(&reply);
    client_reply_free(&reply);
}

Test(pprof, the_drain_ends_it_with_the_samples_so_far)
{
    stop();
    start_with(NULL, "task");
    struct client *client = ask("profile?seconds=60");
    expect_in_time(is_sampling);
    uint64_t began = client_clock_ms();
    process_signal(server, SIGTERM);
    struct client_reply reply = read_reply(client);
    read_profile(&reply);
    cr_expect_lt(client_clock_ms() - began, 60000, "it ended by its own time");
    client_reply_free(&reply);
    cr_expect_eq(process_await_exit(server, PROCESS_WAIT_MS), 0);
}

Test(pprof, none_begins_in_the_drain)
{
    stop();
    start_with((const char *const[]){"SVC_DRAIN_DELAY_MS=600000", NULL}, NULL);
    process_signal(server, SIGTERM);
    cr_assert(process_await_log(server, "\"draining\"", PROCESS_WAIT_MS));
    expect_answer("profile?seconds=1", 503, "stops");
}

Test(pprof, says_why_it_cannot_sample)
{
    static const struct {
        const char *setting, *argument, *text;
        int status;
    } cases[] = {
        {"CPUPROFILE_REALTIME=1", NULL, "CPUPROFILE_REALTIME", 501},
        {"CPUPROFILE_PER_THREAD_TIMERS=1", NULL, "CPUPROFILE_REALTIME", 501},
#ifndef SERVERS_UNDER_THREAD_SANITIZER /* which is not ready for the first signal */
        {"CPUPROFILE=/dev/null", NULL, "The program itself", 409},
#endif
        {NULL, "handler", "SIGPROF", 501},
        {NULL, "default", "SIGPROF", 501},
        {NULL, "limit", "RLIMIT_FSIZE", 501},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        stop();
        start_with((const char *const[]){cases[i].setting, NULL}, cases[i].argument);
        expect_answer("profile?seconds=1", cases[i].status, cases[i].text);
        expect_in_time(has_ended);
    }
}

#ifdef SERVERS_UNDER_THREAD_SANITIZER
enum { FOREIGN_THREADS = 1 }; /* the sanitizer's own, which blocks all signals */
#else
enum { FOREIGN_THREADS = 0 };
#endif

/* A thread that starts another blocks all signals for a moment. */
static bool no_thread_blocks(void)
{
    char path[300], line[256];
    size_t threads = 0, blocking = 0;
    const struct dirent *entry;
    snprintf(path, sizeof path, "/proc/%d/task", (int)process_pid(server));
    DIR *folder = opendir(path);
    cr_assert(folder);
    while ((entry = readdir(folder))) {
        snprintf(path, sizeof path, "/proc/%d/task/%s/status", (int)process_pid(server),
                 entry->d_name);
        FILE *status = *entry->d_name == '.' ? NULL : fopen(path, "re");
        while (status && fgets(line, sizeof line, status)) {
            if (strncmp(line, "SigBlk:", 7))
                continue;
            threads++;
            blocking += strtoull(line + 7, NULL, 16) >> (SIGPROF - 1) & 1;
        }
        if (status)
            fclose(status);
    }
    closedir(folder);
    cr_expect_geq(threads, 3, "the main thread, a loop, the log's writer");
    return blocking == FOREIGN_THREADS;
}

Test(pprof, no_thread_blocks_the_signal_of_samples)
{
    expect_in_time(no_thread_blocks);
}

Test(pprof, shows_the_arguments)
{
    stop();
    start_with(NULL, "an argument");
    expect_answer("cmdline", 200, "server\nan argument\n");
}

Test(pprof, without_tcmalloc_there_is_no_heap)
{
    expect_answer("heap", 501, "TCMALLOC_SAMPLE_PARAMETER");
}

static void expect_names(const char *body, size_t len, int status, const char *text)
{
    expect_reply(read_reply(send_request("POST", "symbol", body, len)), status, text);
}

Test(pprof, symbols_are_asked_for_by_gperftools_protocol)
{
    enum { MANY = 16385 };
    static const char *const bad[] = {
        "x",       "0x",      "+",    "0x1+", "+0x1",     "0x1++0x2", "-1",
        "0x1 0x2", "0x1,0x2", "0x1g", " 1",   "\xff\xfe", "0xx1",     "0x10000000000000000",
        "%2b"};
    static char many[2 * MANY];
    expect_answer("symbol", 200, "num_symbols: 1\n");
    expect_names("", 0, 200, "");
    expect_names("0x1+0xffffffffffffffff+0+1f\r\n", 29, 200, "");
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        expect_names(bad[i], strlen(bad[i]), 400, "addresses such as");
    expect_names("0x1\0", 4, 400, "addresses such as");
    for (size_t i = 0; i < MANY; i++)
        memcpy(many + 2 * i, "1+", 2);
    expect_names(many, 2 * MANY - 3, 200, "");
    expect_names(many, 2 * MANY - 1, 413, "Too many");
}

/* ---- Under load */

static atomic_bool sampled;
static atomic_uint answered, failed;

static void *ask_on(void *arg)
{
    static const char *const paths[] = {"quick", "loop", "quick", "worker", "quick", "later"};
    struct client *client = client_connect(process_address(arg, 0));
    for (size_t i = 0; client && !atomic_load(&sampled); i++) {
        client_printf(client, "GET /%s HTTP/1.1\r\nHost: a\r\n\r\n", paths[i % 6]);
        struct client_reply reply = client_read(client, false);
        atomic_fetch_add(reply.status == 200 ? &answered : &failed, 1);
        client_reply_free(&reply);
    }
    if (!client)
        atomic_fetch_add(&failed, 1);
    client_close(client);
    return NULL;
}

/* The samples come as often as the kernel's clock lets them, on stacks as small as they may be. */
Test(pprof, requests_go_on_while_profiles_are_taken)
{
    enum { CLIENTS = 4, PROFILES = 3 };
    pthread_t clients[CLIENTS];
    size_t samples = 0;
    stop();
    start_with(
        (const char *const[]){"CPUPROFILE_FREQUENCY=4000", "SVC_WORKER_STACK_BYTES=65536", NULL},
        "task");
    for (size_t i = 0; i < CLIENTS; i++)
        cr_assert_eq(pthread_create(&clients[i], NULL, ask_on, server), 0);
    for (size_t i = 0; i < PROFILES; i++) {
        struct client_reply reply = read_reply(ask("profile?seconds=1"));
        samples += read_profile(&reply).samples;
        client_reply_free(&reply);
    }
    atomic_store(&sampled, true);
    for (size_t i = 0; i < CLIENTS; i++)
        pthread_join(clients[i], NULL);
    cr_expect_eq(failed, 0, "%u of %u", failed, answered);
    cr_expect_gt(answered, 0);
    cr_expect_gt(samples, 0);
}
