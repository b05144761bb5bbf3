/* The example of notes, as processes that share a server. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "tests/shared/instances.h"
#include "tests/support/client.h"

#define PROGRAM "../../examples/notes/notes"

TestSuite(shared_notes, .fini = instances_end);

static const char draft[] = "{\"title\":\"first\",\"text\":\"hello\"}";

/* Asks an instance; the status. `fields` end in CRLF, and `body` may be NULL. */
static struct client_reply ask(size_t instance, const char *method, const char *target,
                               const char *fields, const char *body)
{
    struct client *client = client_connect(process_address(instances[instance], 0));
    cr_assert(client);
    client_printf(client, "%s %s HTTP/1.1\r\nHost: a\r\n%s", method, target, fields);
    if (body)
        client_printf(client, "Content-Type: application/json\r\nContent-Length: %zu\r\n\r\n%s",
                      strlen(body), body);
    else
        client_send_text(client, "\r\n");
    struct client_reply reply = client_read(client, false);
    client_close(client);
    return reply;
}

static int status_of(size_t instance, const char *method, const char *target, const char *fields,
                     const char *body)
{
    struct client_reply reply = ask(instance, method, target, fields, body);
    int status = reply.status;
    client_reply_free(&reply);
    return status;
}

static void expect_text(size_t instance, const char *target, const char *text)
{
    struct client_reply reply = ask(instance, "GET", target, "", NULL);
    cr_expect_eq(reply.status, 200, "%d: %s", reply.status, reply.body);
    cr_expect(strstr(reply.body, text), "%s is not in %s", text, reply.body);
    client_reply_free(&reply);
}

/* A note of one instance is read, listed, changed and removed at the others. */
static void expect_shared(enum instances_store store)
{
    char target[64], etag[64], condition[96];
    instances_start(store, PROGRAM, NULL);
    struct client_reply reply = ask(0, "POST", "/notes", "", draft);
    cr_assert_eq(reply.status, 201, "%d: %s", reply.status, reply.body);
    cr_assert(client_reply_field(&reply, "Location", target, sizeof target));
    cr_assert(client_reply_field(&reply, "ETag", etag, sizeof etag));
    client_reply_free(&reply);
    expect_text(1, target, "hello");
    expect_text(2, "/notes", "hello");
    snprintf(condition, sizeof condition, "If-Match: %s\r\n", etag);
    cr_expect_eq(status_of(1, "PUT", target, condition, "{\"title\":\"b\",\"text\":\"changed\"}"),
                 200);
    cr_expect_eq(status_of(2, "PUT", target, condition, draft), 412, "it has changed since");
    instances_kill(1);
    expect_text(0, target, "changed");
    cr_expect_eq(status_of(2, "DELETE", target, "", NULL), 204);
    cr_expect_eq(status_of(0, "GET", target, "", NULL), 404);
}

Test(shared_notes, run_on_redis)
{
    expect_shared(ON_REDIS);
    cr_expect_eq(process_count_log(instances[0], "may drop notes"), 0);
}

Test(shared_notes, run_on_memcached_and_say_that_it_may_drop_them)
{
    expect_shared(ON_MEMCACHED);
    cr_expect_eq(process_count_log(instances[0], "may drop notes"), 1);
}
