/* The example of a URL shortener, as processes: one on memory, three that share a server. */
#include <criterion/criterion.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tests/shared/instances.h"
#include "tests/support/client.h"

#define PROGRAM "../../examples/shortener/shortener"
#define KEYS "SVC_API_KEYS=k0,k1,k2,k3,k4,k5"

enum {
    MAKERS = 2 * INSTANCES, /* each has a key of its own */
    LINKS = 10,             /* of each maker: fewer than its limit */
    FOLLOWS = 5,            /* of each link */
    CODE = 8
};

TestSuite(shared_shortener, .fini = instances_end);

/* ---- Requests */

/* Copies a member of a JSON object, which is a text or a number. */
static bool read_member(const char *json, const char *name, char *value, size_t size)
{
    char wanted[32];
    snprintf(wanted, sizeof wanted, "\"%s\":", name);
    const char *at = strstr(json, wanted);
    if (!at)
        return false;
    at += strlen(wanted);
    at += *at == '"';
    size_t len = strcspn(at, "\",}");
    if (len >= size)
        return false;
    memcpy(value, at, len);
    value[len] = '\0';
    return true;
}

/* Asks for a link; the status, 0 without a reply. */
static int make_link(struct client *client, unsigned maker, unsigned number, char code[CODE])
{
    char body[96];
    int len = snprintf(body, sizeof body, "{\"url\":\"https://example.com/%u/%u\"}", maker, number);
    client_printf(client,
                  "POST /links HTTP/1.1\r\nHost: a\r\nApi-Key: k%u\r\nIdempotency-Key: \"%u\"\r\n"
                  "Content-Type: application/json\r\nContent-Length: %d\r\n\r\n%s",
                  maker, number, len, body);
    struct client_reply reply = client_read(client, false);
    int status = reply.end == CLIENT_REPLY ? reply.status : 0;
    if (status == 201 && !read_member(reply.body, "code", code, CODE))
        status = -1;
    client_reply_free(&reply);
    return status;
}

static int follow_link(struct client *client, const char *code, unsigned maker, unsigned number)
{
    char wanted[64], location[64] = "";
    snprintf(wanted, sizeof wanted, "https://example.com/%u/%u", maker, number);
    client_printf(client, "GET /%s HTTP/1.1\r\nHost: a\r\n\r\n", code);
    struct client_reply reply = client_read(client, false);
    int status = reply.end == CLIENT_REPLY ? reply.status : 0;
    client_reply_field(&reply, "Location", location, sizeof location);
    if (status == 302 && strcmp(location, wanted) != 0)
        status = -1;
    client_reply_free(&reply);
    return status;
}

/* The clicks of a link; -1 if it is not as it was made. */
static long count_clicks(struct client *client, const char *code, unsigned maker, unsigned number)
{
    char wanted[64], url[64], clicks[24];
    snprintf(wanted, sizeof wanted, "https://example.com/%u/%u", maker, number);
    client_printf(client, "GET /links/%s HTTP/1.1\r\nHost: a\r\nApi-Key: k0\r\n\r\n", code);
    struct client_reply reply = client_read(client, false);
    bool there = reply.status == 200 && read_member(reply.body, "url", url, sizeof url) &&
                 read_member(reply.body, "clicks", clicks, sizeof clicks) && !strcmp(url, wanted);
    long count = there ? strtol(clicks, NULL, 10) : -1;
    client_reply_free(&reply);
    return count;
}

static struct client *connect_to(size_t instance)
{
    struct client *client = client_connect(process_address(instances[instance], 0));
    cr_assert(client);
    return client;
}

/* ---- Together */

/* What one instance has made is followed, counted, repeated and limited by another. */
static void expect_shared(enum instances_store store)
{
    size_t last = store == ON_MEMORY ? 0 : 2;
    char code[CODE], again[CODE];
    instances_start(store, PROGRAM, KEYS);
    struct client *first = connect_to(0), *other = connect_to(last);
    cr_assert_eq(make_link(first, 1, 1, code), 201);
    int status = make_link(other, 1, 1, again);
    cr_assert_eq(status, 201, "%d", status);
    cr_expect_str_eq(again, code, "by its Idempotency-Key");
    for (int i = 0; i < 3; i++) {
        cr_expect_eq(follow_link(first, code, 1, 1), 302);
        cr_expect_eq(follow_link(other, code, 1, 1), 302);
    }
    cr_expect_eq(count_clicks(other, code, 1, 1), 6);
    cr_expect_eq(follow_link(other, "0000000", 1, 1), 404);
    int made = 0;
    for (unsigned i = 0; (status = make_link(i % 2 ? first : other, 2, i, again)) == 201; i++)
        made++;
    cr_expect_eq(status, 429);
    cr_expect_geq(made, 20, "%d", made);
    client_close(first);
    client_close(other);
}

Test(shared_shortener, runs_on_memory)
{
    expect_shared(ON_MEMORY);
}

Test(shared_shortener, runs_on_redis)
{
    expect_shared(ON_REDIS);
}

Test(shared_shortener, runs_on_memcached)
{
    expect_shared(ON_MEMCACHED);
}

/* ---- The server is gone */

/* A link that an instance has led to is still known there; one that it has not is answered 503. */
Test(shared_shortener, links_that_were_followed_lead_on_without_the_server)
{
    char followed[CODE], other[CODE];
    instances_start(ON_REDIS, PROGRAM, KEYS);
    struct client *client = connect_to(0);
    cr_assert_eq(make_link(client, 1, 1, followed), 201);
    cr_assert_eq(make_link(client, 1, 2, other), 201);
    cr_expect_eq(follow_link(client, followed, 1, 1), 302);
    instances_kill_redis();
    cr_expect_eq(follow_link(client, followed, 1, 1), 302);
    cr_expect_eq(follow_link(client, other, 1, 2), 503);
    const char *admin = process_admin(instances[0]);
    cr_expect(client_await_metric(admin, "shortener_clicks_lost_total", 1));
    cr_expect(client_await_metric(admin, "svc_memo_lookups_total{outcome=\"hit\"", 1));
    client_close(client);
}

/* ---- One instance of three is killed */

/* What a maker was told. */
struct maker {
    unsigned index;
    size_t instance;
    struct client *client;   /* to that instance */
    char codes[LINKS][CODE]; /* "": the answer did not come */
    long followed[LINKS];
    int wrong; /* replies that must not be */
    bool was_cut;
};

static atomic_int acknowledged;

/* Goes on at another instance when the connection has ended without a reply. */
static void go_on(struct maker *maker, int status)
{
    maker->wrong += status < 0 || (status > 0 && status != 201 && status != 302);
    acknowledged += status == 201 || status == 302;
    if (status != 0)
        return;
    maker->was_cut = true;
    maker->wrong += maker->instance != 0;
    client_close(maker->client);
    maker->instance = 1 + maker->index % 2;
    maker->client = client_connect(process_address(instances[maker->instance], 0));
}

/* The latest link of an instance that will be killed is followed until then. */
static void follow_often(struct maker *maker, unsigned number)
{
    bool is_last = number == LINKS - 1;
    for (int n = 0;
         maker->client && !maker->wrong && (n < FOLLOWS || (is_last && maker->instance == 0));
         n++) {
        int status = follow_link(maker->client, maker->codes[number], maker->index, number);
        maker->followed[number] += status == 302;
        if (status != 429) /* this client asks too often */
            go_on(maker, status);
    }
}

static void *run_maker(void *arg)
{
    struct maker *maker = arg;
    for (unsigned i = 0; i < LINKS && maker->client; i++) {
        char code[CODE];
        int status = make_link(maker->client, maker->index, i, code);
        go_on(maker, status);
        if (status == 201) {
            memcpy(maker->codes[i], code, CODE);
            follow_often(maker, i);
        }
    }
    maker->wrong += !maker->client;
    client_close(maker->client);
    return NULL;
}

static void expect_nothing_lost(const struct maker *makers)
{
    struct client *client = connect_to(1);
    for (unsigned m = 0; m < MAKERS; m++)
        for (unsigned i = 0; i < LINKS; i++)
            if (makers[m].codes[i][0])
                cr_expect_geq(count_clicks(client, makers[m].codes[i], m, i), makers[m].followed[i],
                              "link %u of %u", i, m);
    client_close(client);
}

Test(shared_shortener, no_acknowledged_write_is_lost_with_an_instance)
{
    struct maker makers[MAKERS];
    pthread_t threads[MAKERS];
    int cut = 0, made = 0;
    instances_start(ON_REDIS, PROGRAM, KEYS);
    for (unsigned i = 0; i < MAKERS; i++) {
        makers[i] = (struct maker){
            .index = i, .instance = i % INSTANCES, .client = connect_to(i % INSTANCES)};
        cr_assert_eq(pthread_create(&threads[i], NULL, run_maker, &makers[i]), 0);
    }
    uint64_t until_ms = client_clock_ms() + PROCESS_WAIT_MS;
    while (acknowledged < MAKERS * LINKS && client_clock_ms() < until_ms)
        nanosleep(&(struct timespec){0, 100000}, NULL);
    instances_kill(0);
    for (unsigned i = 0; i < MAKERS; i++) {
        pthread_join(threads[i], NULL);
        cr_expect_eq(makers[i].wrong, 0, "maker %u", i);
        cut += makers[i].was_cut;
        for (unsigned n = 0; n < LINKS; n++)
            made += makers[i].codes[n][0] != '\0';
    }
    cr_expect_gt(cut, 0, "it was killed in the midst of its work");
    cr_expect_geq(made, MAKERS * LINKS - cut);
    expect_nothing_lost(makers);
    long stored = instances_ask_redis("EVAL \"return #redis.call('KEYS', 'shortener:link:*')\" 0");
    cr_expect_geq(stored, made);
    cr_expect_leq(stored, MAKERS * LINKS, "no operation has made two");
}
