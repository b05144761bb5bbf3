/* A connection between its requests, by a clock that the test sets. */
#include "libsvc/fronts/mhd/mhd_conn.h"

#include "tests/unit/fronts/mhd/support.h"

#define MS UINT64_C(1000000)

static uint64_t now_ns;

static void begin_turn(uint64_t ns)
{
    now_ns = ns;
    loop.now_ms = ns / MS;
}

static void open_conn(void)
{
    open_loop();
    begin_turn(5000 * MS);
    peer = join_conn(&conn);
    svc__mhd_conn_open(&mhd.part, &conn.conn);
    cr_assert(conn.conn.watched);
    cr_assert_eq(conn.early, NULL, "a silent connection holds nothing");
}

static void close_conn(void)
{
    svc__time_limit_cancel(&loop, &conn.conn.limit);
    close(conn.conn.fd);
    close(peer);
    close_loop();
}

TestSuite(mhd_conn, .init = open_conn, .fini = close_conn);

/* Small ticks are not paid for by those that have nothing to do. */
Test(mhd_conn, that_is_idle_wakes_its_loop_a_few_times_until_it_is_shut)
{
    unsigned wakes = 0;
    svc__mhd_conn_enter(&conn, MHD_IDLE);
    for (; svc__wheel_armed(&conn.conn.limit.deadline.timer); wakes++) {
        int ms = svc__loop_wait_ms(&loop, now_ns);
        cr_assert_geq(ms, 0, "the deadline was lost");
        begin_turn(now_ns + (uint64_t)ms * MS + (uint64_t)ms * MS / 1000);
        struct timer *timer;
        while ((timer = svc__wheel_expire(&loop.wheel, loop.now_ms)))
            conn.conn.limit.deadline.expired(&loop.reactor, &conn.conn.limit.deadline);
    }
    cr_expect_geq(now_ns, (5000 + app->config.idle_timeout_ms) * MS);
    cr_expect_leq(now_ns, (5100 + app->config.idle_timeout_ms) * MS);
    cr_expect_leq(wakes, 10, "%u", wakes);
    char byte;
    cr_expect_eq(recv(peer, &byte, 1, 0), 0, "it is not shut");
    cr_expect_eq(svc__loop_wait_ms(&loop, now_ns), -1, "woken for nothing");
}

/* Whether a byte came is looked up, also where its event was missed. */
Test(mhd_conn, that_has_got_a_byte_is_told_that_its_head_took_too_long)
{
    svc__log_init(&loop.log, &app->logger);
    loop.host.cells = svc__metric_cells_new(app->metrics);
    svc__mhd_conn_enter(&conn, MHD_IDLE);
    say("G");
    for (uint64_t ms = 5000; conn.phase != MHD_CLOSING; ms++) {
        begin_turn(ms * MS);
        struct timer *timer;
        while ((timer = svc__wheel_expire(&loop.wheel, loop.now_ms)))
            conn.conn.limit.deadline.expired(&loop.reactor, &conn.conn.limit.deadline);
    }
    char text[13] = "";
    cr_assert_eq(recv(peer, text, sizeof text - 1, 0), (ssize_t)sizeof text - 1);
    cr_expect_str_eq(text, "HTTP/1.1 408");
    cr_expect_geq(loop.now_ms, 5000 + app->config.header_timeout_ms);
    svc__metric_cells_release(app->metrics, loop.host.cells);
    svc__log_free(&loop.log);
}
