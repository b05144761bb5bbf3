/* Servers that fail, and what calls then return, both ways of calling. */
#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "tests/redis/redis_app.h"
#include "tests/redis/redis_fake.h"
#include "tests/redis/redis_process.h"

static struct redis_process redis;
static struct redis_fake fake;

#define EACH_WAY (enum redis_way way = WAITING; way < WAYS; way++)

/* ---- Sends are counted: the linker puts this before the system's. */

ssize_t __real_send(int fd, const void *data, size_t len, int flags);
ssize_t __wrap_send(int fd, const void *data, size_t len, int flags);

static atomic_int sends;

ssize_t __wrap_send(int fd, const void *data, size_t len, int flags)
{
    sends++;
    return __real_send(fd, data, len, flags);
}

/* ---- A real server */

static void prepare(void)
{
    if (!redis_process_is_there())
        cr_skip_test("redis-server is not installed");
    redis_process_prepare(&redis, true);
}

static void finish(void)
{
    redis_app_free();
    redis_process_remove(&redis);
}

TestSuite(redis_faults, .init = prepare, .fini = finish);

static const char patient[] = "&" REDIS_PATIENCE;

/* Starts the app by the server's URL with a user, which may be empty, and further parameters. */
static svc_app *start_app(const char *user, const char *params)
{
    char url[256];
    snprintf(url, sizeof url, "redis+unix:%s%s?max_value=100000%s", user, redis.socket, params);
    svc_app *app = redis_app_make(url);
    cr_assert_not_null(redis_app_start());
    return app;
}

/* Starts the server before it. */
static svc_app *start_both(const char *user, const char *params)
{
    redis_process_start(&redis, NULL);
    return start_app(user, params);
}

Test(redis_faults, a_server_that_is_absent_at_the_start_comes_later)
{
    start_app("", patient);
    for
        EACH_WAY
    cr_expect_eq(redis_app_get(way, "key"), SVC_EUNAVAILABLE);
    cr_expect(redis_app_logs("redis cannot be asked connect: No such file or directory"));
    redis_process_start(&redis, NULL);
    for
        EACH_WAY
    cr_expect(redis_app_becomes(way, SVC_ENOTFOUND));
    cr_expect(redis_app_logs("redis can be asked again"));
}

Test(redis_faults, a_server_that_was_killed_is_noticed_and_taken_back)
{
    svc_app *app = start_both("", patient);
    static const char out[] = "svc_store_servers_out{backend=\"redis+unix\"}";
    for
        EACH_WAY
    cr_expect_eq(redis_app_set(way, "key"), 0);
    cr_expect_eq(svc_test_metric(app, "svc_store_servers{backend=\"redis+unix\"}"), 1);
    cr_expect_eq(svc_test_metric(app, out), 0);
    redis_process_kill(&redis);
    for
        EACH_WAY
    cr_expect_eq(redis_app_get(way, "key"), SVC_EUNAVAILABLE);
    cr_expect_eq(svc_test_metric(app, out), 1);
    redis_process_start(&redis, NULL);
    for
        EACH_WAY
    cr_expect(redis_app_becomes(way, SVC_ENOTFOUND), "it is empty");
    cr_expect_eq(svc_test_metric(app, out), 0);
}

/* The name leads to an IPv6 address too, at which no server listens. */
Test(redis_faults, a_host_may_be_a_name)
{
    char url[128];
    redis_process_start(&redis, NULL);
    snprintf(url, sizeof url, "redis://localhost:%d?" REDIS_PATIENCE, redis.port);
    redis_app_make(url);
    cr_assert_not_null(redis_app_start());
    for
        EACH_WAY
    cr_expect_eq(redis_app_set(way, "key"), 0);
    redis_process_kill(&redis);
    redis_process_start(&redis, NULL);
    for
        EACH_WAY
    cr_expect(redis_app_becomes(way, SVC_ENOTFOUND));
}

/* The end of idle connections costs no call. */
Test(redis_faults, a_server_that_was_started_again_before_the_next_call_is_not_noticed)
{
    start_both("", patient);
    for
        EACH_WAY
    cr_expect_eq(redis_app_set(way, "key"), 0);
    redis_process_kill(&redis);
    redis_process_start(&redis, NULL);
    cr_expect_eq(redis_app_get(WAITING, "key"), SVC_ENOTFOUND);
    cr_expect_not(redis_app_has_logged("redis cannot be asked"));
}

/* Repeats a write until it succeeds. */
static bool is_set(enum redis_way way)
{
    unsigned long until = redis_process_ms() + REDIS_WAIT_MS;
    while (redis_app_set(way, "key"))
        if (redis_process_ms() > until)
            return false;
        else
            redis_process_rest();
    return true;
}

Test(redis_faults, a_server_that_is_stopped_costs_three_calls_their_time)
{
    start_both("", "&timeout_ms=100&connect_timeout_ms=100");
    for
        EACH_WAY
        {
            cr_assert(is_set(way), "the machine is too busy for 100 ms");
            redis_process_stop(&redis);
            for (int i = 0; i < 3; i++) {
                int error = redis_app_get(way, "key");
                cr_expect(error == SVC_ETIMEDOUT || (i > 0 && error == SVC_EUNAVAILABLE), "%d",
                          error);
            }
            unsigned long before = redis_process_ms();
            for (int i = 0; i < 100; i++)
                cr_expect_eq(redis_app_get(way, "key"), SVC_EUNAVAILABLE);
            cr_expect(redis_process_ms() - before < 100 * 100, "they do not wait");
            kill(redis.pid, SIGCONT);
            cr_expect(redis_app_becomes(way, 0));
        }
}

Test(redis_faults, a_full_server_refuses_writes_alone)
{
    start_both("", patient);
    cr_expect_eq(redis_app_set(WAITING, "key"), 0);
    cr_expect_eq(redis_app_increment(WAITING, "count"), 0);
    cr_expect(redis_process_says(&redis, "CONFIG SET maxmemory 1", "+OK"));
    for
        EACH_WAY
        {
            for (int i = 0; i < 5; i++) {
                cr_expect_eq(redis_app_set(way, "key"), SVC_EUNAVAILABLE);
                cr_expect_eq(redis_app_increment(way, "count"), SVC_EUNAVAILABLE);
            }
            cr_expect_eq(redis_app_get(way, "key"), 0);
        }
    cr_expect(redis_app_logs("redis has refused a command OOM"));
    cr_expect(redis_process_says(&redis, "CONFIG SET maxmemory 0", "+OK"));
    for
        EACH_WAY
    cr_expect_eq(redis_app_increment(way, "count"), 0);
}

static void write_password(const char *path, const char *password)
{
    FILE *file = fopen(path, "w");
    cr_assert(file && fputs(password, file) >= 0 && fclose(file) == 0);
}

Test(redis_faults, a_wrong_password_is_reported_and_a_right_one_is_taken_from_the_file)
{
    const char *const arguments[] = {"--requirepass", "s3cret", NULL};
    char path[128], params[256];
    snprintf(path, sizeof path, "%s/password", redis.folder);
    snprintf(params, sizeof params, "%s&password_file=%s", patient, path);
    write_password(path, "wr0ng\n");
    redis_process_start(&redis, arguments);
    start_app("", params);
    for
        EACH_WAY
    cr_expect_eq(redis_app_get(way, "key"), SVC_EUNAVAILABLE);
    cr_expect(redis_app_logs("AUTH: WRONGPASS"));
    cr_expect_not(redis_app_has_logged("wr0ng"));
    write_password(path, "s3cret\n");
    for
        EACH_WAY
    cr_expect(redis_app_becomes(way, SVC_ENOTFOUND));
}

Test(redis_faults, a_missing_password_is_reported)
{
    const char *const arguments[] = {"--requirepass", "s3cret", NULL};
    redis_process_start(&redis, arguments);
    start_app("", patient);
    for
        EACH_WAY
    cr_expect_eq(redis_app_get(way, "key"), SVC_EUNAVAILABLE);
    cr_expect(redis_app_logs("PING: NOAUTH"));
}

Test(redis_faults, a_user_and_a_password_of_the_url_are_taken)
{
    redis_process_start(&redis, NULL);
    cr_expect(redis_process_says(&redis, "ACL SETUSER me on >p@ss ~test:* +@all", "+OK"));
    start_app("//me:p%40ss@", patient);
    for
        EACH_WAY
    cr_expect_eq(redis_app_set(way, "key"), 0);
    cr_expect(redis_process_says(&redis, "ACL SETUSER me -set", "+OK"));
    for
        EACH_WAY
    cr_expect_eq(redis_app_set(way, "key"), SVC_EUNAVAILABLE);
    cr_expect(redis_app_logs("NOPERM"));
}

Test(redis_faults, a_replica_refuses_writes_alone_until_it_is_the_master)
{
    start_both("", patient);
    cr_expect_eq(redis_app_set(WAITING, "key"), 0);
    cr_expect(redis_process_says(&redis, "REPLICAOF 127.0.0.1 1", "+OK"));
    for
        EACH_WAY
    for (int i = 0; i < 5; i++) {
        cr_expect_eq(redis_app_set(way, "key"), SVC_EUNAVAILABLE);
        cr_expect_eq(redis_app_get(way, "key"), 0);
    }
    cr_expect(redis_app_logs("redis has refused a command READONLY"));
    cr_expect(redis_process_says(&redis, "REPLICAOF NO ONE", "+OK"));
    for
        EACH_WAY
    cr_expect_eq(redis_app_set(way, "key"), 0);
}

Test(redis_faults, flushed_scripts_are_sent_again)
{
    start_both("", patient);
    for
        EACH_WAY
    for (int i = 0; i < 3; i++) {
        cr_expect_eq(redis_app_increment(way, "count"), 0);
        cr_expect(redis_process_says(&redis, "SCRIPT FLUSH", "+OK"));
    }
    cr_expect_eq(redis_app_get(WAITING, "count"), 0);
    cr_expect_str_eq(redis_app_value(), "6");
}

Test(redis_faults, gets_of_a_turn_are_one_write)
{
    static const char *const keys[] = {"a", "b", "c"};
    start_both("", patient);
    for (int i = 0; i < 3; i++)
        cr_expect_eq(redis_app_set(ON_LOOP, keys[i]), 0);
    int before = sends;
    cr_expect_eq(redis_app_get_three(keys), 3);
    cr_expect_eq(sends - before, 1);

    svc_store_item items[3] = {{.key = "a"}, {.key = "b"}, {.key = "c"}};
    cr_expect_eq(redis_app_get(WAITING, "a"), 0);
    before = sends;
    cr_expect_eq(svc_store_get_many(redis_app_start(), NULL, items, 3), 0);
    cr_expect_eq(sends - before, 1);
    for (int i = 0; i < 3; i++)
        svc_store_value_free(&items[i].value);
}

Test(redis_faults, what_is_not_supported_is_refused_by_name)
{
    static const char *const urls[][2] = {
        {"rediss://h", "TLS is not supported"},
        {"redis+sentinel://h/master", "Sentinel is not supported"},
        {"redis://me:s3cret@h:x", "bad host or port"},
        {"redis://:s3cret@h?tls=s3cret", "does not have"}};
    for (size_t i = 0; i < sizeof urls / sizeof *urls; i++) {
        svc_app *app = redis_app_make(urls[i][0]);
        cr_expect_null(redis_app_start());
        cr_expect(strstr(svc_app_errors(app), urls[i][1]), "%s", svc_app_errors(app));
        cr_expect_not(strstr(svc_app_errors(app), "s3cret"), "%s", svc_app_errors(app));
        redis_app_free();
    }
}

/* ---- A server that replies anything */

static void end_fake(void)
{
    redis_app_free();
    redis_fake_stop(&fake);
}

TestSuite(redis_fake, .fini = end_fake);

static void start_fake(const char *greeting, const char *reply, size_t len, bool closes,
                       const char *timeout_ms)
{
    char params[96];
    fake.greeting = greeting;
    fake.reply = reply;
    fake.len = len;
    fake.closes = closes;
    snprintf(params, sizeof params, "max_value=256&connect_timeout_ms=60000&timeout_ms=%s",
             timeout_ms);
    redis_fake_start(&fake, params);
    redis_app_make(fake.url);
    cr_assert_not_null(redis_app_start());
}

/* Calls are as expected; after the third failure in succession the breaker may be open. */
static void expect_both(int error)
{
    for
        EACH_WAY
        {
            cr_expect(redis_app_becomes(way, error));
            int again = redis_app_get(way, "key");
            cr_expect(again == error || again == SVC_EUNAVAILABLE, "%d", again);
        }
}

#define START_FAKE(reply, closes) start_fake("+PONG\r\n", reply, sizeof(reply) - 1, closes, "60000")

Test(redis_fake, garbage_is_malformed)
{
    START_FAKE("HTTP/1.1 400 Bad Request\r\n\r\n", false);
    expect_both(SVC_ESYNTAX);
    cr_expect(fake.connections > 2, "each time the connection is made anew");
}

Test(redis_fake, half_a_reply_and_the_end_is_no_answer)
{
    START_FAKE("$100\r\nhalf", true);
    expect_both(SVC_EUNAVAILABLE);
}

Test(redis_fake, half_a_reply_and_silence_takes_until_the_deadline)
{
    static const char half[] = "$100\r\nhalf";
    start_fake("+PONG\r\n", half, sizeof half - 1, false, "100");
    expect_both(SVC_ETIMEDOUT);
}

Test(redis_fake, a_reply_that_is_too_long_is_malformed)
{
    static char reply[100000];
    memset(reply, 'x', sizeof reply);
    memcpy(reply, "$99990\r\n", 8);
    start_fake("+PONG\r\n", reply, sizeof reply, false, "60000");
    expect_both(SVC_ESYNTAX);
}

Test(redis_fake, a_reply_that_was_not_asked_for_is_not_taken_for_the_next)
{
    START_FAKE("$4\r\nmine\r\n$5\r\nother\r\n", false);
    for
        EACH_WAY
    for (int i = 0; i < 5; i++) {
        cr_expect(redis_app_becomes(way, 0));
        cr_expect_str_eq(redis_app_value(), "mine");
    }
}

Test(redis_fake, redirections_of_a_cluster_are_no_answer)
{
    START_FAKE("-MOVED 1 127.0.0.1:1\r\n", false);
    expect_both(SVC_EUNAVAILABLE);
    cr_expect(redis_app_logs("redis has refused a command MOVED"));
}

Test(redis_fake, unknown_errors_are_malformed)
{
    START_FAKE("-WHAT is this\r\n", false);
    expect_both(SVC_ESYNTAX);
}

Test(redis_fake, a_script_that_never_is_there_ends_all_the_same)
{
    START_FAKE("-NOSCRIPT No matching script. Please use EVAL.\r\n", false);
    for
        EACH_WAY
    cr_expect_eq(redis_app_increment(way, "key"), SVC_EUNAVAILABLE);
}

Test(redis_fake, a_server_that_loads_its_data_cannot_be_asked)
{
    start_fake("-LOADING Redis is loading the dataset in memory\r\n", "", 0, false, "60000");
    expect_both(SVC_EUNAVAILABLE);
    cr_expect(redis_app_logs("redis cannot be asked PING: LOADING"));
}

Test(redis_fake, another_protocol_cannot_be_asked)
{
    start_fake("220 smtp.example.com ESMTP\r\n", "", 0, false, "60000");
    expect_both(SVC_EUNAVAILABLE);
    cr_expect(redis_app_logs("redis cannot be asked PING: malformed input"));
}
