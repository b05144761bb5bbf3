/* Servers that are absent, killed, started again, paused, full, or that send what no memcached
 * sends. */
#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <svc.h>
#include <svc/memcached.h>

#include "libsvc/memcached/memcached_clock.h"
#include "libsvc/memcached/memcached_run.h"
#include "tests/memcached/stage.h"
#include "tests/support/memcached_servers.h"

enum { WAIT_MS = 60000, KEYS = 300 };

/* No server is dead for long, and none that is slow since the machine is busy is taken for a dead
 * one. */
static const char patient[] = "?timeout_ms=60000&connect_ms=60000&answer_ms=60000&retry_ms=50";

static svc_app *apps[2];

static svc_store *open_store(int which, const char *url)
{
    svc_config config = SVC_CONFIG_INIT;
    config.access_log = 0;
    apps[which] = svc_app_new("test");
    svc_app_configure(apps[which], &config);
    cr_assert_eq(svc_memcached_use(apps[which]), 0);
    svc_store_open(apps[which], url);
    svc_store *store = svc_test_store(apps[which]);
    cr_assert_not_null(store, "%s", svc_app_errors(apps[which]));
    return store;
}

static void begin_servers(void)
{
    if (!memcached_servers_exist())
        cr_skip_test("memcached is not installed");
    cr_assert(memcached_servers_begin());
}

static void end_servers(void)
{
    for (size_t i = 0; i < sizeof apps / sizeof *apps; i++)
        svc_app_free(apps[i]);
    memcached_servers_end();
}

TestSuite(memcached_servers, .init = begin_servers, .fini = end_servers);

static void start_server(size_t index)
{
    cr_assert(memcached_servers_start(index, NULL, NULL));
}

static int set_text(svc_store *store, const char *key, const char *text)
{
    svc_store_value value = {text, strlen(text), 0, NULL};
    return svc_store_set(store, NULL, key, &value, 0);
}

static int get_error(svc_store *store, const char *key)
{
    svc_store_value value;
    int error = svc_store_get(store, NULL, key, &value);
    if (!error)
        svc_store_value_free(&value);
    return error;
}

static bool has_text(svc_store *store, const char *key, const char *text)
{
    svc_store_value value;
    if (svc_store_get(store, NULL, key, &value))
        return false;
    bool same = strcmp(value.data, text) == 0;
    svc_store_value_free(&value);
    return same;
}

static void wait_a_little(void)
{
    const struct timespec step = {0, 2000000};
    nanosleep(&step, NULL);
}

/* Repeats a get until it gives `wanted`. */
static bool await_error(svc_store *store, const char *key, int wanted)
{
    uint64_t until = svc__memcached_clock_ms() + WAIT_MS;
    int error;
    while ((error = get_error(store, key)) != wanted && svc__memcached_clock_ms() < until)
        wait_a_little();
    return error == wanted;
}

/* Whether the check for /readyz finds a server. */
static bool is_ready(size_t servers, const char *params)
{
    static struct memcached_place place;
    const char *url = memcached_servers_url(servers, ""), *why = NULL;
    svc_sys_store_param param = {"connect_ms", params};
    const svc_sys_store_place from = {
        .size = sizeof from, .rest = strchr(url, ':') + 1, .params = &param, .param_count = 1};
    cr_assert_eq(svc__memcached_place_read(&place, &from, &why), 0);
    struct memcached_state *state = svc__memcached_state_new(&place);
    bool ready = svc__memcached_run_check(state, WAIT_MS);
    svc__memcached_state_free(state);
    return ready;
}

/* ---- Absent, killed, started again */

Test(memcached_servers, a_service_starts_without_its_server)
{
    svc_store *store = open_store(0, memcached_servers_url(1, patient));
    uint64_t number;
    svc_store_item items[] = {{"a", 0, {0}}, {"b", 0, {0}}};
    cr_expect_eq(get_error(store, "key"), SVC_EUNAVAILABLE);
    cr_expect_eq(set_text(store, "key", "x"), SVC_EUNAVAILABLE, "nothing was sent");
    cr_expect_eq(svc_store_increment(store, NULL, "key", 1, 0, &number), SVC_EUNAVAILABLE);
    cr_expect_eq(svc_store_get_many(store, NULL, items, 2), SVC_EUNAVAILABLE);
    cr_expect_not(is_ready(1, "60000"));
    start_server(0);
    cr_expect(await_error(store, "key", SVC_ENOTFOUND), "and finds it once it is there");
    cr_expect_eq(set_text(store, "key", "x"), 0);
    cr_expect(is_ready(1, "60000"));
    cr_expect(is_ready(2, "60000"), "one of two is enough");
}

Test(memcached_servers, a_server_that_was_started_again_is_empty)
{
    start_server(0);
    svc_store *store = open_store(0, memcached_servers_url(1, patient));
    cr_assert_eq(set_text(store, "key", "x"), 0);
    memcached_servers_signal(0, SIGKILL);
    cr_expect_eq(get_error(store, "key"), SVC_EUNAVAILABLE);
    start_server(0);
    cr_expect(await_error(store, "key", SVC_ENOTFOUND));
    cr_expect_eq(set_text(store, "key", "y"), 0);
    cr_expect(has_text(store, "key", "y"));
}

/* memcached counts versions anew from 1, so the first value has the number of the first one before.
 */
Test(memcached_servers, a_version_does_not_outlive_its_server)
{
    start_server(0);
    svc_store *store = open_store(0, memcached_servers_url(1, patient));
    svc_store_value first = {"a", 1, 0, NULL}, second = {"b", 1, 0, NULL},
                    third = {"c", 1, 0, NULL};
    cr_assert_eq(svc_store_add(store, NULL, "key", &first, 0), 0);
    memcached_servers_signal(0, SIGKILL);
    start_server(0);
    cr_assert(await_error(store, "key", SVC_ENOTFOUND));
    cr_assert_eq(svc_store_add(store, NULL, "key", &second, 0), 0);
    cr_assert_eq(first.version << 16, second.version << 16, "the server gives the same number");
    third.version = first.version;
    cr_expect_eq(svc_store_compare_and_set(store, NULL, "key", &third, 0), SVC_ECONFLICT);
    cr_expect_eq(svc_store_compare_and_delete(store, NULL, "key", first.version), SVC_ECONFLICT);
    cr_expect(has_text(store, "key", "b"));
    third.version = second.version;
    cr_expect_eq(svc_store_compare_and_set(store, NULL, "key", &third, 0), 0);
}

/* ---- Three servers */

static void name_key(char *key, int i)
{
    sprintf(key, "key/%d", i);
}

static int set_all(svc_store *store)
{
    int set = 0;
    for (int i = 0; i < KEYS; i++) {
        char key[32];
        name_key(key, i);
        set += set_text(store, key, key) == 0;
    }
    return set;
}

/* The keys that have their value; each of the others must have `error`. */
static int count_found(svc_store *store, bool *found, int error)
{
    int count = 0;
    for (int i = 0; i < KEYS; i++) {
        char key[32];
        name_key(key, i);
        found[i] = has_text(store, key, key);
        count += found[i];
        if (!found[i])
            cr_expect_eq(get_error(store, key), error);
    }
    return count;
}

Test(memcached_servers, the_keys_of_a_killed_server_move_and_come_back)
{
    static bool found[KEYS], again[KEYS];
    static const char out[] = "svc_store_servers_out{backend=\"memcached\"}";
    for (size_t i = 0; i < 3; i++)
        start_server(i);
    svc_store *store = open_store(0, memcached_servers_url(3, patient));
    cr_assert_eq(set_all(store), KEYS);
    memcached_servers_signal(1, SIGKILL);
    for (int i = 0; i < KEYS; i++) {
        char key[32];
        name_key(key, i);
        (void)get_error(store, key); /* one of them notices it */
    }
    cr_expect_eq(svc_test_metric(apps[0], "svc_store_servers{backend=\"memcached\"}"), 3);
    cr_expect_eq(svc_test_metric(apps[0], out), 1);
    int left = count_found(store, found, SVC_ENOTFOUND);
    printf("%d of %d keys were on the killed server\n", KEYS - left, KEYS);
    cr_expect(KEYS - left > KEYS / 6 && KEYS - left < KEYS / 2);
    cr_assert_eq(set_all(store), KEYS, "all can be written");
    cr_expect_eq(count_found(store, again, SVC_ENOTFOUND), KEYS);
    start_server(1);
    int first = 0;
    while (found[first])
        first++;
    char key[32];
    name_key(key, first);
    cr_expect(await_error(store, key, SVC_ENOTFOUND), "its keys are its own again");
    cr_expect_eq(svc_test_metric(apps[0], out), 0);
    cr_expect_eq(count_found(store, again, SVC_ENOTFOUND), left);
    cr_expect_arr_eq(found, again, sizeof found);
    cr_expect_eq(set_all(store), KEYS);
}

Test(memcached_servers, without_failover_no_key_moves)
{
    static bool found[KEYS];
    static char url[600];
    for (size_t i = 0; i < 3; i++)
        start_server(i);
    snprintf(url, sizeof url, "%s&failover=0", memcached_servers_url(3, patient));
    svc_store *store = open_store(0, url);
    cr_assert_eq(set_all(store), KEYS);
    memcached_servers_signal(2, SIGKILL);
    int left = count_found(store, found, SVC_EUNAVAILABLE);
    cr_expect(left > KEYS / 2 && left < KEYS);
    cr_expect_eq(set_all(store), left);
}

Test(memcached_servers, many_keys_of_a_killed_server_are_asked_for_elsewhere)
{
    static char names[KEYS][32];
    static svc_store_item items[KEYS];
    for (size_t i = 0; i < 3; i++)
        start_server(i);
    svc_store *store = open_store(0, memcached_servers_url(3, patient));
    cr_assert_eq(set_all(store), KEYS);
    memcached_servers_signal(0, SIGKILL);
    for (int i = 0; i < KEYS; i++) {
        name_key(names[i], i);
        items[i].key = names[i];
    }
    int found = 0;
    cr_expect_eq(svc_store_get_many(store, NULL, items, KEYS), 0);
    for (int i = 0; i < KEYS; i++) {
        found += items[i].error == 0;
        svc_store_value_free(&items[i].value);
    }
    cr_expect(found > KEYS / 2 && found < KEYS);
}

/* ---- Paused */

/* A write that has no answer may have happened. After three such, the server is dead, and no call
 * waits. */
Test(memcached_servers, a_paused_server_is_left_out)
{
    start_server(0);
    svc_store *store = open_store(
        0, memcached_servers_url(1, "?timeout_ms=60000&connect_ms=60&answer_ms=60&retry_ms=300"));
    uint64_t until = svc__memcached_clock_ms() + WAIT_MS;
    while (set_text(store, "key", "x") && svc__memcached_clock_ms() < until)
        wait_a_little(); /* the machine may be too busy for 60 ms */
    memcached_servers_signal(0, SIGSTOP);
    cr_expect_eq(set_text(store, "key", "y"), SVC_ETIMEDOUT);
    cr_expect(await_error(store, "key", SVC_EUNAVAILABLE));
    memcached_servers_signal(0, SIGCONT);
    cr_expect(await_error(store, "key", 0), "and comes back");
}

/* The call's own time limit says nothing about the server. */
Test(memcached_servers, a_call_ends_at_its_own_time)
{
    start_server(0);
    svc_store *store =
        open_store(0, memcached_servers_url(1, "?timeout_ms=30&connect_ms=60000&answer_ms=60000"));
    memcached_servers_signal(0, SIGSTOP);
    for (int i = 0; i < 5; i++)
        cr_expect_eq(get_error(store, "key"), SVC_ETIMEDOUT);
    memcached_servers_signal(0, SIGCONT);
    cr_expect(await_error(store, "key", SVC_ENOTFOUND));
}

/* ---- Sizes and numbers */

Test(memcached_servers, a_value_over_the_servers_maximum_is_too_big)
{
    static char url[600], bytes[2000000];
    svc_store_value value = {bytes, sizeof bytes, 0, NULL}, read;
    start_server(0);
    snprintf(url, sizeof url, "%s&max_value=3000000", memcached_servers_url(1, patient));
    svc_store *store = open_store(0, url);
    cr_expect_eq(svc_store_set(store, NULL, "key", &value, 0), SVC_ETOOBIG);
    cr_expect_eq(svc_store_add(store, NULL, "key", &value, 0), SVC_ETOOBIG);
    cr_expect_eq(get_error(store, "key"), SVC_ENOTFOUND, "the connection is still good");
    value.len = 1000000;
    cr_expect_eq(svc_store_set(store, NULL, "key", &value, 0), 0);
    cr_assert_eq(svc_store_get(store, NULL, "key", &read), 0);
    cr_expect_eq(read.len, 1000000);
    svc_store_value_free(&read);
    snprintf(url, sizeof url, "%s&max_value=1000", memcached_servers_url(1, patient));
    svc_store *small = open_store(1, url);
    cr_expect_eq(get_error(small, "key"), SVC_ETOOBIG, "another instance has stored it");
    cr_expect_eq(get_error(small, "other"), SVC_ENOTFOUND, "the connection is still good");
}

Test(memcached_servers, a_full_server_that_does_not_evict_refuses)
{
    static char bytes[100000];
    svc_store_value value = {bytes, sizeof bytes, 0, NULL};
    cr_assert(memcached_servers_start(0, "-Mm", "8"));
    svc_store *store = open_store(0, memcached_servers_url(1, patient));
    int error = 0, stored = 0;
    for (; !error && stored < 1000; stored++) {
        char key[32];
        name_key(key, stored);
        error = svc_store_set(store, NULL, key, &value, 0);
    }
    cr_expect_eq(error, SVC_EUNAVAILABLE);
    cr_expect_gt(stored, 10);
    cr_expect_eq(get_error(store, "key/0"), 0);
}

/* memcached would count on from the first digits of these. */
Test(memcached_servers, texts_that_begin_as_numbers_are_none)
{
    static const char *const texts[] = {"12 apples",
                                        "007",
                                        "+5",
                                        "-5",
                                        " 7",
                                        "7 ",
                                        "7\n",
                                        "",
                                        "0x10",
                                        "1.5",
                                        "=12",
                                        "=",
                                        "1e3",
                                        "18446744073709551616",
                                        "9223372036854775808"};
    start_server(0);
    svc_store *store = open_store(0, memcached_servers_url(1, patient));
    const svc_rate_window window = {NULL, 1, 86400, 1};
    const svc_store_charge charge = {&window, 1, 1};
    svc_store_verdict verdict;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        cr_expect_eq(set_text(store, "key", texts[i]), 0);
        cr_expect_eq(svc_store_increment(store, NULL, "key", 1, 0, NULL), SVC_ESYNTAX, "%s",
                     texts[i]);
        cr_expect_eq(svc_store_increment(store, NULL, "key", INT64_MAX, 0, NULL), SVC_ESYNTAX);
        cr_expect_eq(svc_store_limit(store, NULL, "key", &charge, &verdict), SVC_ESYNTAX);
        cr_expect(has_text(store, "key", texts[i]), "%s", texts[i]);
    }
    cr_expect_eq(svc_store_limit(store, NULL, "limit", &charge, &verdict), 0);
    cr_expect_eq(svc_store_increment(store, NULL, "limit", 1, 0, NULL), SVC_ESYNTAX);
}

/* Numbers at the limit, by little and by much, and those that are large from the start. */
Test(memcached_servers, no_number_passes_the_limit)
{
    static const uint64_t steps[] = {1, UINT64_C(1) << 32, (UINT64_C(1) << 32) + 1, INT64_MAX};
    start_server(0);
    svc_store *store = open_store(0, memcached_servers_url(1, patient));
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        char text[24], key[32];
        uint64_t number = 7;
        sprintf(key, "new/%zu", i);
        cr_expect_eq(svc_store_increment(store, NULL, key, steps[i], 60000, &number), 0);
        cr_expect_eq(number, steps[i]);
        sprintf(text, "%lld", (long long)(INT64_MAX - steps[i]));
        cr_expect_eq(set_text(store, key, text), 0);
        cr_expect_eq(svc_store_increment(store, NULL, key, steps[i], 0, &number), 0);
        cr_expect_eq(number, INT64_MAX);
        for (size_t j = 0; j < sizeof steps / sizeof *steps; j++)
            cr_expect_eq(svc_store_increment(store, NULL, key, steps[j], 0, &number), SVC_ETOOBIG);
        cr_expect(has_text(store, key, "9223372036854775807"));
    }
}

/* ---- Clocks that differ */

static uint64_t simulated_us; /* 0: the real time */

uint64_t __real_svc__memcached_clock_wall_us(void);
uint64_t __wrap_svc__memcached_clock_wall_us(void);

uint64_t __wrap_svc__memcached_clock_wall_us(void)
{
    return simulated_us ? simulated_us : __real_svc__memcached_clock_wall_us();
}

/*
 * Two instances ask by turns, each millisecond, and the clock of one is ahead by 200 ms. In any
 * time t, no more than rate x (t + 200 ms) + burst passes.
 */
Test(memcached_servers, a_limit_under_clocks_that_differ_is_off_by_that_time)
{
    enum { RATE = 50, BURST = 10, SKEW_MS = 200, TIME_MS = 2000 };
    const svc_rate_window window = {NULL, RATE, 1, BURST};
    const svc_store_charge charge = {&window, 1, 1};
    svc_store_verdict verdict;
    start_server(0);
    svc_store *stores[] = {open_store(0, memcached_servers_url(1, patient)),
                           open_store(1, memcached_servers_url(1, patient))};
    uint64_t start = __real_svc__memcached_clock_wall_us();
    int passed[2] = {0};
    for (uint64_t ms = 0; ms < TIME_MS; ms++)
        for (int i = 0; i < 2; i++) {
            simulated_us = start + (ms + (i ? SKEW_MS : 0)) * 1000;
            cr_assert_eq(svc_store_limit(stores[i], NULL, "key", &charge, &verdict), 0);
            passed[i] += verdict.pass;
        }
    simulated_us = 0;
    printf("passed %d and %d; without a skew it were %d\n", passed[0], passed[1],
           RATE * TIME_MS / 1000 + BURST);
    cr_expect_leq(passed[0] + passed[1], RATE * (TIME_MS + SKEW_MS) / 1000 + BURST);
    cr_expect_geq(passed[0] + passed[1], RATE * TIME_MS / 1000 + BURST - 1);
}

/* ---- A server that sends anything */

static svc_store *open_stage(const struct stage *stage, const char *host)
{
    char url[256];
    snprintf(url, sizeof url, "memcached://%s:%d%s", host, stage->port, patient);
    return open_store(0, url);
}

static void free_app(void)
{
    svc_app_free(apps[0]);
}

TestSuite(memcached_stage, .fini = free_app);

/* After each that ends the connection, the next call has one of its own, and gets its value. */
Test(memcached_stage, garbage_is_an_error_and_ends_the_connection)
{
    static char endless[4096];
    static const struct {
        const char *reply;
        enum { STAYS, CLOSES, KEEPS } then; /* KEEPS: the connection is still good */
        int error;
    } cases[] = {{"HELLO\r\n", STAYS, SVC_ESYNTAX},
                 {"VA 5 c1 f0 O1\r\nab", CLOSES, SVC_ESYNTAX},
                 {"VA 5 c1 f0 O", CLOSES, SVC_ESYNTAX},
                 {"VA 2 c1 f0 O1\r\nabcd", STAYS, SVC_ESYNTAX},
                 {"VA 99999999999 c1 f0 O1\r\n", STAYS, SVC_ESYNTAX},
                 {"VA 2 c1 f0 O2\r\nab\r\n", STAYS, SVC_ESYNTAX},
                 {"VA 2 c1 f0\r\nab\r\n", STAYS, SVC_ESYNTAX},
                 {"VA 2 f0 O1\r\nab\r\n", STAYS, SVC_ESYNTAX},
                 {"VA 0 c1 f1 O1\r\n\r\n", KEEPS, SVC_ESYNTAX},
                 {"HD c1 O1\r\n", STAYS, SVC_ESYNTAX},
                 {"ERROR\r\n", STAYS, SVC_ESYNTAX},
                 {"CLIENT_ERROR bad command line format\r\nERROR\r\n", STAYS, SVC_ESYNTAX},
                 {"SERVER_ERROR out of memory\r\n", KEEPS, SVC_EUNAVAILABLE},
                 {endless, STAYS, SVC_ESYNTAX},
                 {"", CLOSES, SVC_EUNAVAILABLE}};
    memset(endless, 'x', sizeof endless - 1);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct act acts[] = {{stage_greeting, cases[i].reply, cases[i].then == CLOSES},
                                   {stage_greeting, "VA 2 c1 f0 O1\r\nok\r\n", false}};
        static struct stage stage;
        stage_begin(&stage, acts, 2);
        svc_store *store = open_stage(&stage, "127.0.0.1");
        cr_expect_eq(get_error(store, "key"), cases[i].error, "%.40s", cases[i].reply);
        if (cases[i].then != KEEPS)
            cr_expect_eq(get_error(store, "key"), 0, "after %.40s", cases[i].reply);
        svc_app_free(apps[0]);
        apps[0] = NULL;
        stage_end(&stage);
    }
}

/* Each reply to a get, or to a lease where `leases`; and the error that it becomes. */
Test(memcached_stage, the_item_of_a_lease_is_no_value)
{
    static const struct {
        bool leases;
        const char *reply;
        int error;
    } cases[] = {{true, "VA 0 c7 f0 O1 W\r\n\r\n", SVC_ENOTFOUND},
                 {true, "VA 0 c7 f0 O1 Z\r\n\r\n", SVC_ECONFLICT},
                 {true, "VA 0 c7 f0 O1 X W\r\n\r\n", SVC_ENOTFOUND},
                 {true, "VA 0 c7 f0 O1\r\n\r\n", 0},
                 {true, "VA 2 c7 f0 O1 Z X\r\nok\r\n", 0},
                 {true, "VA 2 c7 f0 O1 W X\r\nok\r\n", 0},
                 {true, "EN O1\r\n", SVC_EUNAVAILABLE},
                 {true, "SERVER_ERROR out of memory\r\n", SVC_EUNAVAILABLE},
                 {true, "VA 0 f0 O1 W\r\n\r\n", SVC_ESYNTAX},
                 {true, "VA 0 c7 f0 O2 W\r\n\r\n", SVC_ESYNTAX},
                 {true, "VA 0 c7 f0 O1 W\r\nok\r\n", SVC_ESYNTAX},
                 {true, "HD c7 O1 W\r\n", SVC_ESYNTAX},
                 {false, "VA 0 c7 f0 O1 Z\r\n\r\n", SVC_ENOTFOUND},
                 {false, "VA 0 c7 f0 O1 W X\r\n\r\n", SVC_ENOTFOUND},
                 {false, "VA 2 c7 f0 O1 Z\r\nok\r\n", 0},
                 {false, "VA 0 c7 f1 O1 Z\r\n\r\n", SVC_ENOTFOUND}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct act acts[] = {{stage_greeting, cases[i].reply, false}};
        static struct stage stage;
        svc_store_value value = {0};
        stage_begin(&stage, acts, 1);
        svc_store *store = open_stage(&stage, "127.0.0.1");
        int error = cases[i].leases ? svc_store_lease(store, NULL, "key", 1000, &value)
                                    : svc_store_get(store, NULL, "key", &value);
        cr_expect_eq(error, cases[i].error, "%s", cases[i].reply);
        if (!error || (cases[i].leases && error == SVC_ENOTFOUND))
            cr_expect_eq(value.version << 16, UINT64_C(7) << 16, "%s", cases[i].reply);
        cr_expect_eq(value.data != NULL, error == 0);
        svc_store_value_free(&value);
        svc_app_free(apps[0]);
        apps[0] = NULL;
        stage_end(&stage);
        cr_expect_str_eq(stage.seen, cases[i].leases ? "mg test:key v c f O1 N2\r\n"
                                                     : "mg test:key v c f O1\r\n");
    }
}

/* The item may have been made: then the lease lasts for its time. */
Test(memcached_stage, a_lease_whose_answer_is_lost_has_timed_out)
{
    const struct act acts[] = {{stage_greeting, "", true}};
    static struct stage stage;
    svc_store_value value;
    stage_begin(&stage, acts, 1);
    svc_store *store = open_stage(&stage, "127.0.0.1");
    cr_expect_eq(svc_store_lease(store, NULL, "key", 1000, &value), SVC_ETIMEDOUT);
    svc_app_free(apps[0]);
    apps[0] = NULL;
    stage_end(&stage);
}

Test(memcached_stage, a_bad_greeting_is_no_server)
{
    static const char *const greetings[] = {"HTTP/1.1 400 Bad Request\r\n\r\n",
                                            "ERROR\r\n",
                                            "MN\r\nEND\r\n",
                                            "MN\r\nSTAT pid x\r\nSTAT time 5\r\nEND\r\n",
                                            "MN\r\nSTAT pid 1\r\nVA 1\r\nx\r\nEND\r\n",
                                            "MN\r\n"};
    for (size_t i = 0; i < sizeof greetings / sizeof *greetings; i++) {
        const struct act acts[] = {{greetings[i], NULL, true}};
        static struct stage stage;
        stage_begin(&stage, acts, 1);
        svc_store *store = open_stage(&stage, "127.0.0.1");
        cr_expect_eq(get_error(store, "key"), SVC_EUNAVAILABLE, "%s", greetings[i]);
        svc_app_free(apps[0]);
        apps[0] = NULL;
        stage_end(&stage);
    }
}

/* The name has an address of IPv6 too, at which nothing listens. */
Test(memcached_stage, a_name_is_looked_up)
{
    const struct act acts[] = {{stage_greeting, "VA 2 c1 f0 O1\r\nok\r\n", false}};
    static struct stage stage;
    stage_begin(&stage, acts, 1);
    svc_store *store = open_stage(&stage, "localhost");
    cr_expect(has_text(store, "key", "ok"));
    svc_app_free(apps[0]);
    apps[0] = NULL;
    stage_end(&stage);
}

Test(memcached_stage, a_name_that_nobody_has_is_no_server)
{
    svc_store *store = open_store(
        0, "memcached://no-such-host.invalid?timeout_ms=60000&connect_ms=60000&retry_ms=1");
    cr_expect_eq(get_error(store, "key"), SVC_EUNAVAILABLE);
}
