/* Replies that processes share by a store, each with a memory of its own in front of it, which only
 * messages or their gaps empty within an hour. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "tests/shared/instances.h"
#include "tests/support/client.h"

TestSuite(shared_replies, .fini = instances_end);

static const char get[] = "GET /thing HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
static const char put[] =
    "PUT /thing HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";

enum { BODY = 64 };

/* Starts the instances, and waits for the gap with which each one's channel begins. */
static void start_instances(enum instances_store store)
{
    instances_start(store, "../shared/server_replies", "SVC_DEBUG_PAGES=on");
    for (size_t i = 0; i < INSTANCES && instances[i]; i++)
        cr_assert(client_await_count(process_admin(instances[i]), "svc_channel_gaps_total", 1));
}

/* Sends a request and copies the body of its reply. Returns the status. */
static int exchange(const char *address, const char *request, char body[static BODY])
{
    struct client *client = client_connect(address);
    cr_assert(client);
    struct client_reply reply = client_exchange(client, request);
    int status = reply.status;
    cr_assert_eq(reply.end, CLIENT_REPLY, "%s", client_end_name(reply.end));
    snprintf(body, BODY, "%s", status == 200 ? reply.body : "");
    client_reply_free(&reply);
    client_close(client);
    return status;
}

static void read_thing(size_t instance, char body[static BODY])
{
    int status = exchange(process_address(instances[instance], 0), get, body);
    cr_assert_eq(status, 200, "instance %zu: %d", instance, status);
}

/* The replies that the instances have in memory. An instance puts its reply into the store behind
 * the answer, so that one which is asked at once may make its own. */
struct replies {
    char body[INSTANCES][BODY];
};

static bool has_reply(const struct replies *replies, size_t count, const char *body)
{
    for (size_t i = 0; i < count; i++)
        if (!strcmp(replies->body[i], body))
            return true;
    return false;
}

/* Each instance then has a reply in memory. The message of an earlier purge may still come, and
 * take one more. */
static void fill(size_t count, struct replies *replies)
{
    uint64_t until_ms = client_clock_ms() + PROCESS_WAIT_MS;
    for (size_t i = 0; i < count; i++) {
        char again[BODY];
        read_thing(i, again);
        do {
            snprintf(replies->body[i], BODY, "%s", again);
            read_thing(i, again);
        } while (strcmp(replies->body[i], again) != 0 && client_clock_ms() < until_ms);
        cr_assert_str_eq(again, replies->body[i], "instance %zu", i);
    }
}

/* Waits until an instance has none of the replies any more. */
static void await_other(size_t instance, const struct replies *old, size_t count)
{
    char body[BODY];
    uint64_t until_ms = client_clock_ms() + PROCESS_WAIT_MS;
    read_thing(instance, body);
    while (has_reply(old, count, body) && client_clock_ms() < until_ms) {
        nanosleep(&(struct timespec){0, 5000000}, NULL);
        read_thing(instance, body);
    }
    cr_assert(!has_reply(old, count, body), "instance %zu has %s", instance, body);
}

static int purge(size_t instance, const char *query)
{
    char request[256], body[BODY];
    snprintf(request, sizeof request,
             "POST /debug/response-cache/libsvc/purge?%s HTTP/1.1\r\nHost: localhost\r\n"
             "Content-Length: 0\r\n\r\n",
             query);
    return exchange(process_admin(instances[instance]), request, body);
}

/* After a change by the last instance none has an old reply for long. */
static void expect_spread(size_t count, const char *query)
{
    struct replies old;
    char unused[BODY];
    fill(count, &old);
    int status = query ? purge(count - 1, query)
                       : exchange(process_address(instances[count - 1], 0), put, unused);
    cr_assert_eq(status, 204, "%d", status);
    for (size_t i = 0; i < count; i++)
        await_other(i, &old, count);
}

static void expect_purges(enum instances_store store)
{
    size_t count = store == ON_MEMORY ? 1 : INSTANCES;
    start_instances(store);
    expect_spread(count, "tag=tag");
    expect_spread(count, "target=/thing");
    expect_spread(count, "all");
    expect_spread(count, NULL);
}

Test(shared_replies, are_purged_on_memory)
{
    expect_purges(ON_MEMORY);
}

Test(shared_replies, are_purged_on_redis)
{
    expect_purges(ON_REDIS);
}

/* It has no messages: each instance finds that their count has changed. */
Test(shared_replies, are_purged_on_memcached)
{
    expect_purges(ON_MEMCACHED);
}

/* The message of the purge goes to nobody: the instances find a gap once they are connected anew.
 */
Test(shared_replies, are_purged_though_messages_are_lost)
{
    struct replies old;
    start_instances(ON_REDIS);
    fill(INSTANCES, &old);
    cr_assert_geq(instances_ask_redis("CLIENT KILL TYPE pubsub"), INSTANCES);
    cr_assert_eq(purge(0, "tag=tag"), 204);
    for (size_t i = 0; i < INSTANCES; i++)
        await_other(i, &old, INSTANCES);
}

Test(shared_replies, are_purged_in_one_instance_without_the_store)
{
    struct replies old;
    char body[BODY];
    start_instances(ON_REDIS);
    fill(INSTANCES, &old);
    instances_ask_redis("SHUTDOWN NOSAVE");
    cr_expect_eq(purge(0, "tag=tag"), 503);
    read_thing(0, body);
    cr_expect(!has_reply(&old, INSTANCES, body));
    read_thing(1, body);
    cr_expect_str_eq(body, old.body[1]);
}
