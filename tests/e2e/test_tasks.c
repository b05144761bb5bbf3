/* Background tasks of a real server: queued work, failures, and the drain. */
#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/e2e/served.h"
#include "tests/support/client.h"
#include "tests/support/in_time.h"
#include "tests/support/process.h"

static void start(const char *const *settings)
{
    serve("server_tasks", settings);
}

static void expect_status(struct client *client, int status)
{
    struct client_reply reply = client_read(client, false);
    cr_expect_eq(reply.status, status, "%d: %s", reply.status, client_end_name(reply.end));
    client_reply_free(&reply);
}

static void post(struct client *client, const char *path, unsigned number)
{
    cr_assert(client_printf(client, "POST /%s/%u HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n",
                            path, number));
}

/* Sends the numbers from 1 on, each in a separate request. */
static void post_all(unsigned count)
{
    struct client *client = connect_client();
    for (unsigned n = 1; n <= count; n++) {
        post(client, "work", n);
        expect_status(client, 202);
    }
    client_close(client);
}

/* Requests a stop, and returns after the step that closes listeners. */
static void stop_listening(void)
{
    cr_assert(process_signal(server, SIGTERM));
    cr_assert(client_await_refusal(process_address(server, 0)));
}

static bool comes_before(const char *first, const char *second)
{
    char *log = process_copy_log(server);
    const char *at = strstr(log, first);
    bool in_order = at && strstr(at, second);
    if (!in_order)
        fputs(log, stderr);
    free(log);
    return in_order;
}

Test(tasks, what_requests_have_queued_is_worked_off_in_the_drain)
{
    enum { COUNT = 100, SUM = COUNT * (COUNT + 1) / 2 };
    char line[64];
    start(NULL);
    post_all(COUNT);
    stop_listening();
    cr_expect(process_tell(server, "w")); /* nothing was taken before */
    cr_expect_eq(process_await_exit(server, PROCESS_WAIT_MS), 0);
    snprintf(line, sizeof line, "\"sum\":%d", SUM);
    cr_expect(comes_before(line, "\"msg\":\"hook ended\",\"left\":0"));
    process_free(server);
}

/* Its queue is closed after the last request and not before. */
Test(tasks, a_request_in_flight_can_still_queue)
{
    static const char *const settings[] = {"SVC_THREADS=1", NULL};
    start(settings);
    struct client *client = connect_client();
    post(client, "late", 7);
    cr_assert(process_await_log(server, "a late request is here", PROCESS_WAIT_MS));
    cr_expect(process_tell(server, "w"));
    cr_assert(process_signal(server, SIGTERM));
    cr_assert(process_await_log(server, "\"draining\"", PROCESS_WAIT_MS));
    cr_expect(process_tell(server, "a"));
    expect_status(client, 202);
    client_close(client);
    cr_expect_eq(process_await_exit(server, PROCESS_WAIT_MS), 0);
    cr_expect(comes_before("\"sum\":7", "hook ended"));
    process_free(server);
}

Test(tasks, a_full_queue_is_an_answer)
{
    start(NULL);
    post_all(1000);
    struct client *client = connect_client();
    post(client, "work", 1);
    expect_status(client, 503);
    client_close(client);
    cr_expect(process_tell(server, "w"));
    serve_no_more();
}

/* ---- Failures */

/* The logged delays, in order. */
static size_t read_delays(const char *log, unsigned *delays, size_t max)
{
    static const char key[] = "\"delay_ms\":";
    size_t count = 0;
    for (const char *at = log; count < max && (at = strstr(at, key)); count++)
        delays[count] = (unsigned)strtoul(at += sizeof key - 1, NULL, 10);
    return count;
}

Test(tasks, one_that_fails_is_run_again_after_growing_delays)
{
    enum { FAILURES = 5 };
    static const char *const settings[] = {"TASKS_FAILURES=5", NULL};
    static const unsigned least[FAILURES] = {20, 40, 50, 50, 50},
                          most[FAILURES] = {40, 80, 100, 100, 100};
    unsigned delays[FAILURES + 1];
    uint64_t began = client_clock_ms();
    start(settings);
    cr_assert(process_await_log(server, "goes on", PROCESS_WAIT_MS));
    uint64_t took = client_clock_ms() - began, told = 0;
    cr_expect(client_await_metric(process_admin(server), "svc_task_restarts_total", FAILURES));
    cr_expect_eq(client_metric(process_admin(server), "svc_task_failures_total"), FAILURES);
    cr_expect(client_await_metric(process_admin(server), "svc_tasks_running", 2));
    cr_expect_eq(process_count_log(server, "background task failed"), FAILURES);
    char *log = process_copy_log(server);
    cr_expect_eq(read_delays(log, delays, FAILURES + 1), FAILURES, "%s", log);
    for (size_t i = 0; i < FAILURES; i++) {
        cr_expect(delays[i] >= least[i] && delays[i] <= most[i], "delay %zu is %u", i, delays[i]);
        told += delays[i];
    }
    cr_expect_geq(took, told);
    free(log);
    process_tell(server, "w");
    serve_no_more();
}

/* ---- Tasks that do not end */

static const char *const stuck[] = {"TASKS_STUCK=1", "SVC_DRAIN_TIMEOUT_MS=300", NULL};

/* By the deadline and not before it. */
Test(tasks, one_that_does_not_end_is_left_behind_in_time)
{
    enum { DEADLINE_MS = 300 };
    start(stuck);
    uint64_t began = client_clock_ms();
    cr_assert(process_signal(server, SIGTERM));
    cr_expect_eq(process_await_exit(server, PROCESS_WAIT_MS), 3);
    cr_expect_geq(client_clock_ms() - began, DEADLINE_MS);
    cr_expect_eq(process_count_log(server, "background tasks have not ended in time"), 1);
    cr_expect_eq(process_count_log(server, "background task does not end\",\"task\":\"stuck\""), 1);
    process_free(server);
}

/* Whether the task behind a stuck task has finished its work. */
static bool others_end(void)
{
    start(stuck);
    post_all(3);
    cr_expect(process_tell(server, "w"));
    cr_assert(process_signal(server, SIGTERM));
    cr_expect_eq(process_await_exit(server, PROCESS_WAIT_MS), 3);
    cr_expect_eq(process_count_log(server, "hook ended"), 0);
    cr_expect_eq(process_count_log(server, "background tasks have not ended in time"), 1);
    bool ended = process_count_log(server, "\"sum\":6") == 1;
    process_free(server);
    return ended;
}

/* They have a second, which may be too short on a busy machine. */
Test(tasks, the_others_are_told_when_time_is_up)
{
    expect_in_time(others_end);
}

Test(tasks, a_second_signal_ends_the_wait)
{
    static const char *const settings[] = {"SVC_DRAIN_TIMEOUT_MS=600000", NULL};
    start(settings);
    stop_listening(); /* the worker was not released */
    cr_expect(process_signal(server, SIGTERM));
    await_exit(3);
}

Test(tasks, many_push_and_pop_and_nothing_is_lost)
{
    start(NULL);
    struct client *client = connect_client();
    struct client_reply reply = client_exchange(client, "GET /crowd HTTP/1.1\r\nHost: a\r\n\r\n");
    cr_expect_eq(reply.status, 200);
    cr_expect(strstr(reply.body, "\"in\":50010000") && strstr(reply.body, "\"out\":50010000"), "%s",
              reply.body);
    client_reply_free(&reply);
    client_close(client);
    process_tell(server, "w");
    serve_no_more();
}
