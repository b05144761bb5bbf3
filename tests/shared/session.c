/* Sessions in a store that three processes share: a browser is served by any of them. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "tests/shared/instances.h"
#include "tests/support/client.h"

TestSuite(shared_session, .fini = instances_end);

#ifdef WITH_SESSION

static char cookie[256]; /* of the browser: name=value */

/* Sends the browser's cookie, or another one, and takes the reply's. */
static struct client_reply ask(size_t instance, const char *method, const char *target,
                               const char *sent)
{
    char set[512];
    struct client *client = client_connect(process_address(instances[instance], 0));
    cr_assert(client);
    client_printf(client, "%s %s HTTP/1.1\r\nHost: a\r\n%s%s\r\nContent-Length: 0\r\n\r\n", method,
                  target, *sent ? "Cookie: " : "X: -", sent);
    struct client_reply reply = client_read(client, false);
    if (client_reply_field(&reply, "Set-Cookie", set, sizeof set))
        snprintf(cookie, sizeof cookie, "%.*s",
                 strstr(set, "Expires=Thu, 01 Jan 1970") ? 0 : (int)strcspn(set, ";"), set);
    client_close(client);
    return reply;
}

static void expect_done(size_t instance, const char *target)
{
    struct client_reply reply = ask(instance, "POST", target, cookie);
    cr_expect_eq(reply.status, 204, "%s: %d: %s", target, reply.status, reply.body);
    client_reply_free(&reply);
}

static bool is_user(size_t instance, const char *target, const char *sent, const char *user)
{
    struct client_reply reply = ask(instance, "GET", target, sent);
    bool same = reply.status == 200 && !strcmp(reply.body, user);
    client_reply_free(&reply);
    return same;
}

/* A session is written before the answer goes out, also on an event loop. */
static void expect_user(size_t instance, const char *target, const char *sent, const char *user)
{
    cr_expect(is_user(instance, target, sent, user), "%s at %zu is not %s", target, instance, user);
}

static long events(size_t instance, const char *event)
{
    char name[64];
    snprintf(name, sizeof name, "session_events_total{event=\"%s\"", event);
    return client_metric(process_admin(instances[instance]), name);
}

/* The three instances have one part each: log-in, another log-in, log-out. */
static void expect_life(const char *in, const char *out, const char *user)
{
    char planted[sizeof cookie], old[sizeof cookie];
    cookie[0] = '\0';
    cr_expect(is_user(0, user, "", "nobody"));
    expect_done(0, in);
    strcpy(planted, cookie);
    cr_expect(planted[0]);
    expect_user(1, user, planted, "ada");
    expect_done(1, in);
    strcpy(old, cookie);
    cr_expect_str_neq(planted, old, "a log-in has another id");
    expect_user(2, user, old, "ada");
    expect_user(0, user, planted, "nobody");
    expect_done(2, out);
    cr_expect_str_eq(cookie, "");
    expect_user(0, user, old, "nobody");
    expect_user(1, user, old, "nobody");
}

static void expect_shared(enum instances_store store)
{
    instances_start(store, "../shared/server_state", NULL);
    expect_life("/workers/user/in", "/workers/user/out", "/workers/user");
    cr_expect_eq(events(0, "opened"), 1);
    cr_expect_eq(events(1, "rotated"), 1);
    cr_expect_eq(events(2, "ended"), 1);
    cr_expect_geq(events(0, "refused"), 2);
    cr_expect_geq(events(1, "refused"), 1);
    expect_life("/user/in", "/user/out", "/user");
    cr_expect_eq(events(0, "opened"), 2);
    cr_expect_eq(client_metric(process_admin(instances[0]), "session_store_failures_total"), 0);
}

Test(shared_session, is_any_instances_on_redis)
{
    expect_shared(ON_REDIS);
}

Test(shared_session, is_any_instances_on_memcached)
{
    expect_shared(ON_MEMCACHED);
}

Test(shared_session, is_not_to_be_had_while_the_server_is_down_and_counted)
{
    instances_start(ON_REDIS, "../shared/server_state", NULL);
    cookie[0] = '\0';
    expect_done(0, "/workers/user/in");
    cr_expect(client_await_metric(process_admin(instances[0]),
                                  "svc_store_operations_total{operation=\"add\",outcome=\"ok\"",
                                  1));
    instances_kill_redis();
    struct client_reply reply = ask(0, "GET", "/user", cookie);
    cr_expect_eq(reply.status, 503, "%d", reply.status);
    client_reply_free(&reply);
    cr_expect(is_user(0, "/user", "", "nobody"), "without a cookie nothing is asked");
    cr_expect_eq(client_metric(process_admin(instances[0]), "session_store_failures_total"), 1);
}

#endif
