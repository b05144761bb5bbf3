/* The page of metrics over sockets: its forms, many who ask for it at once, and its size. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "libsvc/ops/scrapes.h"
#include "tests/e2e/served.h"
#include "tests/support/life.h"

enum { SERIES = 10000, LINES = 17 /* of a histogram of 15 buckets */, AT_ONCE = 100 };

#define OPENMETRICS "application/openmetrics-text; version=1.0.0; charset=utf-8"
#define PROMETHEUS "text/plain; version=0.0.4; charset=utf-8"
#define PAGE "GET /metrics HTTP/1.1\r\nHost: a\r\n"

static void start(void)
{
    serve("server_scrapes", NULL);
}

TestSuite(scrapes, .init = start, .fini = serve_no_more);

static void restart(const char *const settings[])
{
    serve_no_more();
    serve("server_scrapes", settings);
}

/* Asks the service for something. */
static void ask(const char *target)
{
    struct client *client = connect_client();
    client_printf(client, "GET %s HTTP/1.1\r\nHost: a\r\n\r\n", target);
    struct client_reply reply = client_read(client, false);
    cr_assert_eq(reply.status, 200, "%s: %d %s", target, reply.status, client_end_name(reply.end));
    client_reply_free(&reply);
    client_close(client);
}

static struct client *begin_scrape(const char *fields)
{
    struct client *client = client_connect(process_admin(server));
    cr_assert(client);
    client_printf(client, PAGE "%s\r\n", fields);
    return client;
}

static struct client_reply end_scrape(struct client *client)
{
    struct client_reply reply = client_read(client, false);
    cr_assert_eq(reply.end, CLIENT_REPLY, "%s", client_end_name(reply.end));
    client_close(client);
    return reply;
}

static struct client_reply scrape(const char *fields)
{
    return end_scrape(begin_scrape(fields));
}

static void expect_field(const struct client_reply *reply, const char *name, const char *value)
{
    char found[128] = "";
    client_reply_field(reply, name, found, sizeof found);
    cr_expect_str_eq(found, value, "%s: %s", name, found);
}

static size_t count_lines(const char *page, const char *begin)
{
    size_t count = 0;
    for (const char *line = page; line; line = strchr(line, '\n')) {
        line += *line == '\n';
        count += !strncmp(line, begin, strlen(begin));
    }
    return count;
}

Test(scrapes, the_page_has_the_form_that_is_asked_for)
{
    static const struct {
        const char *fields, *type;
        bool gzip;
    } rows[] = {
        {"", PROMETHEUS, false},
        {"Accept: */*\r\nAccept-Encoding: identity\r\n", PROMETHEUS, false},
        {"Accept: application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5,"
         "*/*;q=0.1\r\nAccept-Encoding: gzip\r\n",
         OPENMETRICS, true},
        {"Accept: text/plain\r\nAccept-Encoding: deflate, gzip;q=0.5, br\r\n", PROMETHEUS, true},
        {"Accept: application/openmetrics-text\r\nAccept-Encoding: gzip;q=0\r\n", OPENMETRICS,
         false},
        {"Accept-Encoding: gzip;q=0.4, identity;q=0.6\r\n", PROMETHEUS, false},
        {"Accept: image/png\r\nAccept-Encoding: *\r\n", PROMETHEUS, true},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct client_reply reply = scrape(rows[i].fields);
        bool open = !strcmp(rows[i].type, OPENMETRICS);
        cr_expect_eq(reply.status, 200);
        expect_field(&reply, "Content-Type", rows[i].type);
        expect_field(&reply, "Vary", "Accept, Accept-Encoding");
        expect_field(&reply, "Cache-Control", "no-store");
#ifdef HAVE_ZLIB
        expect_field(&reply, "Content-Encoding", rows[i].gzip ? "gzip" : "");
        cr_expect_eq(!memcmp(reply.body, "\x1f\x8b", 2), rows[i].gzip, "row %zu", i);
        if (!rows[i].gzip)
#endif
            cr_expect_eq(strstr(reply.body, "\n# EOF\n") == reply.body + reply.body_len - 7, open,
                         "row %zu", i);
        client_reply_free(&reply);
    }
}

Test(scrapes, a_head_has_the_fields_alone)
{
    struct client *client = client_connect(process_admin(server));
    cr_assert(client);
    client_send_text(client, "HEAD /metrics HTTP/1.1\r\nHost: a\r\n\r\n");
    struct client_reply reply = client_read(client, true);
    cr_expect_eq(reply.status, 200);
    cr_expect_gt(reply.length, 100);
    client_reply_free(&reply);
    client_send_text(client, "POST /metrics HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n");
    reply = client_read(client, false);
    cr_expect_eq(reply.status, 405);
    expect_field(&reply, "Cache-Control", "no-store");
    client_reply_free(&reply);
    client_close(client);
}

/* ---- Many at once */

/* Asks for a page that waits at the gate, and then for `count` more, of which the server has read
 * the requests. */
static struct client *hold_page(struct client *clients[], size_t count)
{
    ask("/close");
    struct client *first = begin_scrape("");
    cr_assert(process_await_log(server, "the gate is reached", PROCESS_WAIT_MS));
    for (size_t i = 0; i < count; i++) {
        clients[i] = begin_scrape(i % 2 ? "Accept: application/openmetrics-text\r\n" : "");
        cr_assert(client_await_read(clients[i]));
    }
    return first;
}

static void open_gate(void)
{
    cr_assert(process_tell(server, (char[]){LIFE_UNBLOCK, '\0'}));
}

static void expect_page(struct client *client)
{
    struct client_reply reply = end_scrape(client);
    cr_expect_eq(reply.status, 200);
    cr_expect(strstr(reply.body, "\nseven 7\n"), "%s", reply.body);
    client_reply_free(&reply);
}

Test(scrapes, a_hundred_at_once_share_what_is_rendered)
{
    struct client *clients[AT_ONCE - 1];
    struct client *first = hold_page(clients, AT_ONCE - 1);
    ask("/hello"); /* which waits for none of them, */
    struct client *probe = client_connect(process_admin(server));
    struct client_reply ready = client_exchange(probe, "GET /readyz HTTP/1.1\r\nHost: a\r\n\r\n");
    cr_expect_eq(ready.status, 200, "nor do probes: %d", ready.status);
    client_reply_free(&ready);
    client_close(probe);
    open_gate();
    expect_page(first);
    for (size_t i = 0; i < AT_ONCE - 1; i++)
        expect_page(clients[i]);
    /* The first page, that of the others in two formats, and this; perhaps one for a late one. */
    long pages = client_metric(process_admin(server), "svc_scrape_pages_total");
    cr_expect(pages >= 3 && pages <= 5, "%ld", pages);
}

/* A page has all that was counted before it was asked for, whoever asked before. */
Test(scrapes, no_page_is_older_than_the_request_for_it)
{
    struct client *second;
    ask("/close");
    struct client *first = begin_scrape("");
    cr_assert(process_await_log(server, "the gate is reached", PROCESS_WAIT_MS));
    ask("/add/1/0");
    second = begin_scrape("");
    cr_assert(client_await_read(second));
    open_gate();
    expect_page(first);
    struct client_reply reply = end_scrape(second);
    cr_expect(strstr(reply.body, "added_0_seconds_count"), "%s", reply.body);
    client_reply_free(&reply);
}

Test(scrapes, too_many_are_refused_and_counted)
{
    struct client *clients[SCRAPES_WAITING];
    struct client *first = hold_page(clients, SCRAPES_WAITING);
    for (int i = 0; i < 3; i++) {
        struct client_reply reply = scrape("");
        cr_expect_eq(reply.status, 503);
        expect_field(&reply, "Retry-After", "1");
        expect_field(&reply, "Cache-Control", "no-store");
        cr_expect(strstr(reply.body, "too many requests for metrics"), "%s", reply.body);
        client_reply_free(&reply);
    }
    open_gate();
    expect_page(first);
    for (size_t i = 0; i < SCRAPES_WAITING; i++)
        expect_page(clients[i]);
    cr_expect_eq(client_metric(process_admin(server), "svc_scrapes_refused_total"), 3);
}

Test(scrapes, one_that_leaves_is_no_loss_to_others)
{
    struct client *clients[4];
    struct client *first = hold_page(clients, 4);
    client_reset(clients[0]);
    client_close(clients[1]);
    client_reset(first);
    open_gate();
    expect_page(clients[2]);
    expect_page(clients[3]);
    cr_expect(client_await_metric(process_admin(server), "svc_scrape_held_bytes", 0));
}

Test(scrapes, metrics_may_be_added_meanwhile)
{
    struct client *clients[20];
    for (int i = 0; i < 20; i++) {
        clients[i] = begin_scrape(i % 2 ? "Accept: application/openmetrics-text\r\n" : "");
        ask("/add/50/10");
    }
    for (int i = 0; i < 20; i++) {
        struct client_reply reply = end_scrape(clients[i]);
        size_t found = count_lines(reply.body, "# TYPE added_");
        cr_expect_eq(reply.status, 200);
        cr_expect_leq(found, 20);
        cr_expect_geq(count_lines(reply.body, "added_"), found * LINES);
        cr_expect_eq(count_lines(reply.body, "added_") % LINES, 0);
        client_reply_free(&reply);
    }
}

/* ---- Its size */

Test(scrapes, ten_thousand_histograms_have_room)
{
    char target[32];
    snprintf(target, sizeof target, "/add/%d/100", SERIES);
    ask(target);
    for (int i = 0; i < 2; i++) {
        struct client_reply reply = scrape(i ? "Accept: application/openmetrics-text\r\n" : "");
        cr_expect_eq(reply.status, 200);
        cr_expect_eq(count_lines(reply.body, "added_0_seconds"), SERIES * LINES);
        cr_expect_geq(reply.body_len, SERIES * LINES * 100);
        client_reply_free(&reply);
    }
    cr_expect_eq(client_metric(process_admin(server), "svc_scrape_metrics_omitted_total"), 0);
}

Test(scrapes, a_metric_without_room_is_left_out_counted_and_logged)
{
    ask("/add/700/6000"); /* 17 lines of 6 kB for each: 71 MB */
    ask("/add/1/0");
    struct client_reply reply = scrape("Accept: application/openmetrics-text\r\n");
    cr_expect_eq(reply.status, 200);
    cr_expect_eq(count_lines(reply.body, "added_0_seconds"), 0);
    cr_expect_eq(count_lines(reply.body, "# HELP added_0_seconds"), 0);
    cr_expect_eq(count_lines(reply.body, "added_1_seconds"), LINES);
    cr_expect_eq(count_lines(reply.body, "# EOF"), 1);
    client_reply_free(&reply);
    cr_expect_eq(client_metric(process_admin(server), "svc_scrape_metrics_omitted_total"), 1);
    cr_expect(process_await_log(server, "\"first\":\"added_0_seconds\"", PROCESS_WAIT_MS));
}

/* Pages under way hold memory, also those of clients that take all the time that they have. */
Test(scrapes, are_refused_while_pages_under_way_hold_too_much)
{
    enum { HOLDERS = SCRAPES_HELD_BYTES / SCRAPES_PAGE_BYTES + 1 };
    struct client *clients[HOLDERS];
    ask("/add/620/6000"); /* 17 lines of 6 kB for each: 63 MB, and a page may have 67 */
    for (size_t i = 0; i < HOLDERS; i++) {
        clients[i] = client_connect_slow(process_admin(server), 4096);
        cr_assert(clients[i]);
        client_send_text(clients[i], PAGE "\r\n");
        cr_assert(client_readable(clients[i], CLIENT_WAIT_MS)); /* the next page is another */
    }
    struct client_reply reply = scrape("");
    cr_expect_eq(reply.status, 503, "%d", reply.status);
    expect_field(&reply, "Retry-After", "1");
    client_reply_free(&reply);
    for (size_t i = 0; i < HOLDERS; i++)
        client_reset(clients[i]);
    cr_expect(client_await_metric(process_admin(server), "svc_scrape_held_bytes", 0));
    cr_expect_geq(client_metric(process_admin(server), "svc_scrapes_refused_total"), 1);
}

/* What such a scrape holds is given back at the service's send timeout. */
Test(scrapes, that_never_read_end_by_the_send_timeout)
{
    static const char *const settings[] = {"SVC_SEND_TIMEOUT_MS=1000", NULL};
    restart(settings);
    ask("/add/2000/600"); /* 20 MB, more than sockets hold */
    struct client *clients[3];
    for (size_t i = 0; i < 3; i++) {
        clients[i] = client_connect_slow(process_admin(server), 4096);
        cr_assert(clients[i]);
        client_send_text(clients[i], PAGE "\r\n");
        cr_assert(client_readable(clients[i], CLIENT_WAIT_MS));
    }
    ask("/hello");
    cr_expect(client_await_metric(process_admin(server), "svc_scrape_held_bytes", 0));
    /* On a busy machine the test itself may be too slow for its scrapes. */
    cr_expect(client_await_count(process_admin(server), "svc_scrapes_cut_total", 3));
    for (size_t i = 0; i < 3; i++) {
        struct client_reply reply = client_read(clients[i], false);
        cr_expect_eq(reply.end, CLIENT_CUT, "%s", client_end_name(reply.end));
        client_reply_free(&reply);
        client_close(clients[i]);
    }
}
