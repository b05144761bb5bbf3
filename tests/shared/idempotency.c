/* Idempotency keys of three processes that share a server: a client repeats a request at another
 * one. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "tests/shared/instances.h"
#include "tests/shared/server_state.h"
#include "tests/support/client.h"

enum { KEYS = 30 };

TestSuite(shared_idempotency, .fini = instances_end);

static void start(enum instances_store store)
{
    instances_start(store, "../shared/server_state", NULL);
}

static struct client *connect_to(size_t instance)
{
    struct client *client = client_connect(process_address(instances[instance], 0));
    cr_assert(client);
    return client;
}

static void send_payment(struct client *client, const char *target, unsigned key, const char *body)
{
    client_printf(client,
                  "POST %s HTTP/1.1\r\nHost: a\r\nIdempotency-Key: \"%u\"\r\n"
                  "Content-Length: %zu\r\n\r\n%s",
                  target, key, strlen(body), body);
}

static struct client_reply pay(struct client *client, const char *target, unsigned key,
                               const char *body)
{
    send_payment(client, target, key, body);
    return client_read(client, false);
}

static bool is_repeated(const struct client_reply *reply)
{
    return client_reply_count(reply, "Idempotent-Replayed") == 1;
}

/* Repeats a request until it is no longer under way. */
static struct client_reply pay_at_last(struct client *client, const char *target, unsigned key)
{
    uint64_t until_ms = client_clock_ms() + PROCESS_WAIT_MS;
    struct client_reply reply = pay(client, target, key, "body");
    while (reply.status == 409 && client_clock_ms() < until_ms) {
        client_reply_free(&reply);
        reply = pay(client, target, key, "body");
    }
    return reply;
}

static long count_payments(void)
{
    long count = 0;
    for (size_t i = 0; i < INSTANCES; i++) {
        long more =
            instances[i] ? client_metric(process_admin(instances[i]), "payments_begun_total") : 0;
        count += more > 0 ? more : 0;
    }
    return count;
}

/* ---- At once */

/* The answer of one instance is there for the others when its client has it. */
static void expect_repeated(struct client *const *clients, const char *target, unsigned key,
                            int status)
{
    struct client_reply first = pay(clients[key % INSTANCES], target, key, "body");
    struct client_reply second = pay(clients[(key + 1) % INSTANCES], target, key, "body");
    cr_expect_eq(first.status, status, "%d: %s", first.status, first.body);
    cr_expect_eq(second.status, status, "%s, %u: %d: %s", target, key, second.status, second.body);
    cr_expect_str_eq(first.body, second.body);
    cr_expect_not(is_repeated(&first));
    cr_expect(is_repeated(&second));
    client_reply_free(&first);
    client_reply_free(&second);
}

static void expect_status(struct client *client, const char *target, unsigned key, const char *body,
                          int status)
{
    struct client_reply reply = pay(client, target, key, body);
    cr_expect_eq(reply.status, status, "%d: %s", reply.status, reply.body);
    client_reply_free(&reply);
}

static void expect_shared(enum instances_store store)
{
    struct client *clients[INSTANCES];
    start(store);
    for (size_t i = 0; i < INSTANCES; i++)
        clients[i] = connect_to(i);
    for (unsigned key = 0; key < KEYS; key++) {
        expect_repeated(clients, "/payments", key, 201);
        expect_repeated(clients, "/payments/silent", KEYS + key, 204);
        expect_repeated(clients, "/workers/payments", 2 * KEYS + key, 201);
    }
    cr_expect_eq(count_payments(), 3 * KEYS);
    expect_status(clients[2], "/payments", 0, "another body", 422);
    expect_status(clients[2], "/workers/payments", 0, "body", 422);
    expect_status(clients[0], "/payments/failing", 4 * KEYS, "body", 500);
    expect_status(clients[0], "/payments/failing", 4 * KEYS, "body", 201);
    cr_expect_eq(count_payments(), 3 * KEYS + 1, "a 5xx has freed its key");
    for (size_t i = 0; i < INSTANCES; i++)
        client_close(clients[i]);
}

Test(shared_idempotency, an_answer_is_repeated_by_any_instance_at_once_on_redis)
{
    expect_shared(ON_REDIS);
}

Test(shared_idempotency, an_answer_is_repeated_by_any_instance_at_once_on_memcached)
{
    expect_shared(ON_MEMCACHED);
}

/* ---- Clients that leave, and processes that die */

/* The handler answers after its client has left, who asks again elsewhere. */
static void expect_kept(const char *target, unsigned key)
{
    struct client *first = connect_to(0), *second = connect_to(1);
    long before = client_metric(process_admin(instances[0]), "payments_begun_total");
    send_payment(first, target, key, "body");
    cr_expect(client_await_metric(process_admin(instances[0]), "payments_begun_total", before + 1));
    expect_status(second, target, key, "body", 409);
    client_reset(first);
    struct client_reply reply = pay_at_last(second, target, key);
    cr_expect_eq(reply.status, 201, "%s: %d: %s", target, reply.status, reply.body);
    cr_expect(is_repeated(&reply), "%s", target);
    client_reply_free(&reply);
    client_close(second);
    cr_expect_eq(client_metric(process_admin(instances[1]), "payments_begun_total"), 0);
}

static void expect_kept_each(enum instances_store store)
{
    start(store);
    for (unsigned i = 0; i < 5; i++) {
        expect_kept("/payments/left", 3 * i);
        expect_kept("/payments/later", 3 * i + 1);
        expect_kept("/workers/payments/left", 3 * i + 2);
    }
}

Test(shared_idempotency, the_answer_of_a_client_who_has_left_is_kept_on_redis)
{
    expect_kept_each(ON_REDIS);
}

Test(shared_idempotency, the_answer_of_a_client_who_has_left_is_kept_on_memcached)
{
    expect_kept_each(ON_MEMCACHED);
}

static void expect_free_after_death(enum instances_store store)
{
    start(store);
    struct client *first = connect_to(0), *second = connect_to(1);
    uint64_t taken_until_ms = client_clock_ms() + STATE_TIMEOUT_MS + STATE_GRACE_MS;
    send_payment(first, "/payments/dying", 1, "body");
    cr_expect(client_await_metric(process_admin(instances[0]), "payments_begun_total", 1));
    instances_kill(0);
    struct client_reply reply = pay(second, "/payments/dying", 1, "body");
    cr_expect(reply.status == 409 || client_clock_ms() >= taken_until_ms, "%d", reply.status);
    if (reply.status == 409) {
        client_reply_free(&reply);
        reply = pay_at_last(second, "/payments/dying", 1);
    }
    cr_expect_eq(reply.status, 201, "%d: %s", reply.status, reply.body);
    cr_expect_not(is_repeated(&reply), "the handler has run once more");
    client_reply_free(&reply);
    expect_status(second, "/payments/dying", 1, "body", 201);
    cr_expect_eq(count_payments(), 1);
    client_close(first);
    client_close(second);
}

Test(shared_idempotency, the_key_of_a_process_that_has_died_is_free_again_on_redis)
{
    expect_free_after_death(ON_REDIS);
}

Test(shared_idempotency, the_key_of_a_process_that_has_died_is_free_again_on_memcached)
{
    expect_free_after_death(ON_MEMCACHED);
}

/* ---- A server that dies */

Test(shared_idempotency, an_answer_goes_out_though_the_server_has_died_before_it_was_kept)
{
    start(ON_REDIS);
    const char *admin = process_admin(instances[0]);
    struct client *client = connect_to(0);
    send_payment(client, "/payments/alone", 1, "body");
    cr_expect(client_await_metric(admin, "payments_begun_total", 1));
    instances_kill_redis();
    struct client_reply reply = client_read(client, false);
    cr_expect_eq(reply.status, 201, "%d: %s", reply.status, reply.body);
    client_reply_free(&reply);
    cr_expect_eq(client_metric(admin, "svc_idempotency_store_failures_total"), 1);
    expect_status(client, "/payments/alone", 1, "body", 503);
    client_close(client);
}
