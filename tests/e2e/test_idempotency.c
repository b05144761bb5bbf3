/* Idempotency keys of two instances that share a store, of which one may die. */
#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/support/client.h"
#include "tests/support/in_time.h"
#include "tests/support/process.h"

enum { INSTANCES = 2 };

static struct process *instances[INSTANCES];
static char path[64], store[96];

static void start(void)
{
    static const char *const settings[] = {store, "SVC_THREADS=1", NULL};
    snprintf(path, sizeof path, "/tmp/svc-idempotency-XXXXXX");
    int fd = mkstemp(path);
    cr_assert_geq(fd, 0);
    close(fd);
    snprintf(store, sizeof store, "SVC_STORE=shared:%s", path);
    for (int i = 0; i < INSTANCES; i++) {
        instances[i] = process_start(process_program("server_idempotency"), settings, NULL);
        cr_assert(instances[i]);
    }
}

static void stop(void)
{
    for (int i = 0; i < INSTANCES; i++)
        process_free(instances[i]);
    unlink(path);
}

TestSuite(idempotency, .init = start, .fini = stop);

static struct client *send_to(int instance, const char *target, const char *key,
                              const char *further)
{
    struct client *client = client_connect(process_address(instances[instance], 0));
    cr_assert(client);
    cr_assert(client_printf(client,
                            "POST %s HTTP/1.1\r\nHost: a\r\nAuthorization: ada\r\n"
                            "Idempotency-Key: \"%s\"\r\nContent-Length: 4\r\n%s\r\nbody",
                            target, key, further));
    return client;
}

static struct client_reply read_reply(struct client *client)
{
    struct client_reply reply = client_read(client, false);
    client_close(client);
    return reply;
}

static struct client_reply post(int instance, const char *target, const char *key)
{
    return read_reply(send_to(instance, target, key, ""));
}

/* Repeats a request as its client would, until it is not refused any more. */
static struct client_reply repeat(int instance, const char *target, const char *key)
{
    uint64_t until_ms = client_clock_ms() + PROCESS_WAIT_MS;
    struct client_reply reply = post(instance, target, key);
    while (reply.status == 409 && client_clock_ms() < until_ms) {
        client_reply_free(&reply);
        reply = post(instance, target, key);
    }
    return reply;
}

static void expect_replay(const struct client_reply *first, const struct client_reply *second)
{
    cr_expect_eq(first->status, 201, "%d: %s", first->status, first->body);
    cr_expect_eq(second->status, 201, "%d: %s", second->status, second->body);
    cr_expect_str_eq(first->body, second->body);
    cr_expect_eq(client_reply_count(first, "Idempotent-Replayed"), 0);
    cr_expect_eq(client_reply_count(second, "Idempotent-Replayed"), 1);
}

static void expect_replays(const char *target)
{
    for (int i = 0; i < INSTANCES; i++) {
        char key[16];
        snprintf(key, sizeof key, "key %d", i);
        struct client_reply first = post(i, target, key);
        struct client_reply here = repeat(i, target, key), there = repeat(1 - i, target, key);
        expect_replay(&first, &here);
        expect_replay(&first, &there);
        client_reply_free(&first);
        client_reply_free(&here);
        client_reply_free(&there);
    }
}

Test(idempotency, another_instance_repeats_the_answer_of_a_loop)
{
    expect_replays("/payments");
}

Test(idempotency, another_instance_repeats_the_answer_of_a_worker)
{
    expect_replays("/worker");
}

Test(idempotency, a_twin_at_another_instance_is_refused)
{
    struct client *client = send_to(0, "/payments", "k", "Hold: 1\r\n");
    cr_assert(process_await_log(instances[0], "held", PROCESS_WAIT_MS));
    struct client_reply twin = post(1, "/payments", "k");
    cr_expect_eq(twin.status, 409);
    cr_expect_eq(client_reply_count(&twin, "Retry-After"), 1);
    client_reply_free(&twin);
    struct client_reply released = post(0, "/release", "other");
    cr_expect_eq(released.status, 204);
    client_reply_free(&released);
    struct client_reply first = read_reply(client), second = repeat(1, "/payments", "k");
    expect_replay(&first, &second);
    client_reply_free(&first);
    client_reply_free(&second);
}

Test(idempotency, a_key_is_free_again_some_time_after_the_death_of_its_process)
{
    uint64_t sent_ms = client_clock_ms(); /* the key is taken later */
    struct client *client = send_to(0, "/dies", "k", "Die: 1\r\n");
    cr_expect_eq(process_await_exit(instances[0], PROCESS_WAIT_MS), 128 + SIGKILL);
    struct client_reply none = read_reply(client);
    cr_expect_eq(none.status, 0);
    client_reply_free(&none);
    struct client_reply second = repeat(1, "/dies", "k"), third = repeat(1, "/dies", "k");
    expect_replay(&second, &third);
    cr_expect_geq(client_clock_ms() - sent_ms, 1900, "the key was held for its time of grace");
    client_reply_free(&second);
    client_reply_free(&third);
}
