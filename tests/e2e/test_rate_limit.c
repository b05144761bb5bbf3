/* Rate limits on the wire: the requests that pass on many connections of several loops together,
 * and the connection of a refused request. */
#include <criterion/criterion.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tests/e2e/served.h"
#include "tests/support/client.h"
#include "tests/support/in_time.h"
#include "tests/support/process.h"

enum { CLIENTS = 12, RATE = 10, BURST = 100 };

static void start(void)
{
    static const char *const settings[] = {"SVC_LISTEN=127.0.0.1:0,[::1]:0", NULL};
    serve("server_limit", settings);
}

TestSuite(rate_limit, .init = start, .fini = serve_no_more);

static struct client *connect_to(size_t listener)
{
    struct client *client = client_connect(process_address(server, listener));
    cr_assert(client);
    return client;
}

static int ask(struct client *client, const char *request)
{
    struct client_reply reply = client_exchange(client, request);
    int status = reply.status;
    cr_expect_eq(reply.end, CLIENT_REPLY, "%s", client_end_name(reply.end));
    cr_expect_not(reply.closes, "%d closes", status);
    client_reply_free(&reply);
    return status;
}

static double now_s(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

/* ---- Together */

/* The replies of one client. The server's decision was made between a request and its reply. */
struct member {
    const char *request;
    double until;
    int admitted, refused, others;
    double first_sent, first_read, last_sent, last_read;
};

/* Sends requests on one connection until the time is over, and then until one more is refused. */
static void *run_member(void *arg)
{
    struct member *member = arg;
    struct client *client = client_connect(process_address(server, 0));
    bool refused = false;
    while (client && (now_s() < member->until || !refused)) {
        double sent = now_s();
        struct client_reply reply = client_exchange(client, member->request);
        refused = reply.status == 429;
        member->last_sent = sent;
        member->last_read = now_s();
        member->admitted += reply.status == 200;
        member->refused += refused;
        member->others += (reply.status != 200 && !refused) || reply.closes;
        bool over = reply.end != CLIENT_REPLY;
        client_reply_free(&reply);
        if (over)
            break;
    }
    client_close(client);
    return NULL;
}

static void run_together(const char *request, double seconds, struct member *all)
{
    static struct member members[CLIENTS];
    pthread_t threads[CLIENTS];
    double until = now_s() + seconds;
    for (size_t i = 0; i < CLIENTS; i++) {
        members[i] = (struct member){.request = request, .until = until};
        cr_assert_eq(pthread_create(&threads[i], NULL, run_member, &members[i]), 0);
    }
    for (size_t i = 0; i < CLIENTS; i++) {
        const struct member *one = &members[i];
        pthread_join(threads[i], NULL);
        all->admitted += one->admitted;
        all->refused += one->refused;
        all->others += one->others;
        all->last_sent = one->last_sent > all->last_sent ? one->last_sent : all->last_sent;
        all->last_read = one->last_read > all->last_read ? one->last_read : all->last_read;
    }
}

/* A whole burst does not grow. So that no time counts while the clients connect, requests that the
 * server gets together take the burst, and it is not whole again for ten seconds. */
static void open_burst(const char *request, struct member *all)
{
    char *requests = calloc(BURST, strlen(request) + 1);
    struct client *client = connect_to(0);
    for (int i = 0; i < BURST; i++)
        strcat(requests, request);
    all->first_sent = now_s();
    client_send_text(client, requests);
    for (int i = 0; i < BURST; i++) {
        struct client_reply reply = client_read(client, false);
        if (i == 0)
            all->first_read = now_s();
        all->admitted += reply.status == 200;
        client_reply_free(&reply);
    }
    client_close(client);
    free(requests);
}

/* The time from the first decision to the last, bounded by the requests around them. */
Test(rate_limit, clients_together_are_admitted_the_burst_and_the_rate)
{
    static const char request[] = "GET /steady HTTP/1.1\r\nHost: a\r\n\r\n";
    struct member all = {0};
    open_burst(request, &all);
    cr_assert_eq(all.admitted, BURST);
    run_together(request, 2, &all);
    double least = BURST + RATE * (all.last_sent - all.first_read);
    double most = BURST + RATE * (all.last_read - all.first_sent);
    cr_expect_eq(all.others, 0);
    cr_expect_gt(all.refused, 0);
    cr_expect_geq(all.admitted, least - 1, "%d of %.1f to %.1f", all.admitted, least, most);
    cr_expect_leq(all.admitted, most + 1, "%d of %.1f to %.1f", all.admitted, least, most);
}

Test(rate_limit, clients_together_are_admitted_the_tightest_window)
{
    struct member all = {0};
    run_together("GET /burst HTTP/1.1\r\nHost: a\r\n\r\n", 0.3, &all);
    cr_expect_eq(all.others, 0);
    cr_expect_eq(all.admitted, 50);
}

/* ---- The connection of a refused request */

#define ONCE(key) "GET /once HTTP/1.1\r\nHost: a\r\nKey: " key "\r\n\r\n"
#define POST_ONCE(key, fields) "POST /once HTTP/1.1\r\nHost: a\r\nKey: " key "\r\n" fields "\r\n"

Test(rate_limit, a_refused_request_keeps_its_connection)
{
    static const char small[] = POST_ONCE("keeps", "Content-Length: 5\r\n") "hello";
    struct client *client = connect_to(0);
    cr_expect_eq(ask(client, ONCE("keeps")), 200);
    for (int i = 0; i < 300; i++) {
        cr_assert_eq(ask(client, ONCE("keeps")), 429);
        cr_assert_eq(ask(client, small), 429);
    }
    cr_expect_eq(ask(client, ONCE("another")), 200, "and goes on");
    client_close(client);
}

/* False if more than a second has passed, which would change the fields. */
static bool read_refusal(void)
{
    static unsigned key;
    char request[96], value[128];
    snprintf(request, sizeof request, ONCE("whole-%u"), ++key);
    struct client *client = connect_to(0);
    uint64_t began_ms = client_clock_ms();
    cr_expect_eq(ask(client, request), 200);
    struct client_reply reply = client_exchange(client, request);
    bool in_time = client_clock_ms() - began_ms < 1000;
    cr_expect_eq(reply.status, 429);
    cr_expect(client_reply_field(&reply, "Retry-After", value, sizeof value));
    cr_expect(!in_time || !strcmp(value, "86400"), "%s", value);
    cr_expect(client_reply_field(&reply, "RateLimit", value, sizeof value));
    cr_expect(!in_time || !strcmp(value, "\"default\";r=0;t=86400"), "%s", value);
    cr_expect(strstr(reply.body, "#quota-exceeded"));
    client_reply_free(&reply);
    client_close(client);
    return in_time;
}

Test(rate_limit, a_refusal_comes_whole)
{
    expect_in_time(read_refusal);
}

/* Only the head is sent: an answer must come without a 100 and without a byte of the body. */
static void expect_refused_early(const char *head)
{
    struct client *client = connect_to(0);
    struct client_reply reply = client_exchange(client, head);
    cr_expect_eq(reply.status, 429, "%d to %s", reply.status, head);
    cr_expect_eq(reply.interim, 0, "asked for the body of %s", head);
    cr_expect(strstr(reply.body, "#quota-exceeded"));
    client_reply_free(&reply);
    client_close(client);
}

Test(rate_limit, a_refusal_comes_before_the_body)
{
    struct client *client = connect_to(0);
    cr_expect_eq(ask(client, ONCE("early")), 200);
    client_close(client);
    expect_refused_early(POST_ONCE("early", "Content-Length: 5\r\nExpect: 100-continue\r\n"));
    expect_refused_early(POST_ONCE("early", "Content-Length: 900000\r\nExpect: 100-continue\r\n"));
    expect_refused_early(POST_ONCE("early", "Content-Length: 900000\r\n"));
    expect_refused_early(POST_ONCE("early", "Transfer-Encoding: chunked\r\n"));
}

/* The client that sends all of a large body anyway reads the answer, and no reset. */
Test(rate_limit, a_refusal_reaches_a_client_that_sends_on)
{
    enum { LENGTH = 900000 };
    char *body = calloc(1, LENGTH);
    struct client *client = connect_to(0);
    cr_expect_eq(ask(client, ONCE("sends")), 200);
    client_send_text(client, POST_ONCE("sends", "Content-Length: 900000\r\n"));
    client_send(client, body, LENGTH);
    struct client_reply reply = client_read(client, false);
    cr_expect_eq(reply.status, 429, "%d, %s", reply.status, client_end_name(reply.end));
    client_reply_free(&reply);
    client_close(client);
    free(body);
}

/* ---- Keys */

Test(rate_limit, exempt_networks_pass_and_others_do_not)
{
    static const char request[] = "GET /exempt HTTP/1.1\r\nHost: a\r\n\r\n";
    struct client *exempt = connect_to(0), *counted = connect_to(1), *another = connect_to(1);
    for (int i = 0; i < 20; i++)
        cr_expect_eq(ask(exempt, request), 200);
    cr_expect_eq(ask(counted, request), 200);
    cr_expect_eq(ask(counted, request), 429);
    cr_expect_eq(ask(another, request), 429, "another connection of the same address");
    client_close(exempt);
    client_close(counted);
    client_close(another);
}

/* ---- Metrics */

Test(rate_limit, refusals_are_counted)
{
    struct client *client = connect_to(0);
    for (int i = 0; i < 4; i++)
        ask(client, ONCE("counted"));
    client_close(client);
    client = client_connect(process_admin(server));
    cr_assert(client);
    struct client_reply reply = client_exchange(client, "GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n");
    cr_expect(strstr(reply.body, "\nsvc_rate_limit_refused_total{policy=\"default\"} 3\n"), "%s",
              reply.body);
    cr_expect(strstr(reply.body, "\nsvc_rate_limit_reported_total{policy=\"default\"} 0\n"));
    cr_expect(strstr(reply.body, "\nsvc_rate_limit_full_total 0\n"));
    client_reply_free(&reply);
    client_close(client);
}
