/* A connection between its requests, by a clock that the test sets. */
#include "libsvc/fronts/mhd/mhd_conn.h"

#include <criterion/criterion.h>
#include <sys/socket.h>
#include <unistd.h>

#define MS UINT64_C(1000000)

static svc_app *app;
static struct server server;
static struct loop loop;
static struct mhd_loop mhd;
static struct mhd_conn conn;
static uint64_t now_ns;
static int peer; /* of the connection's socket */

static void begin_turn(uint64_t ns)
{
    now_ns = ns;
    loop.now_ms = ns / MS;
}

/* On a libmicrohttpd of which the loop reads first heads itself, so that there need be none. */
static void open_conn(void)
{
    int ends[2];
    app = svc_app_new("idle");
    cr_assert_eq(svc__app_ready(app), 0);
    server.app = app;
    loop.server = &server;
    cr_assert_eq(svc__reactor_open(&loop.reactor), 0);
    svc__wheel_init(&loop.wheel, 5000, LOOP_TICK_SHIFT);
    begin_turn(5000 * MS);
    mhd.part.front = &(const struct front){.scheme = "http"};
    mhd.part.loop = &loop;
    mhd.known_layout = true;
    mhd.pool = 65536;
    loop.parts[loop.part_count++] = &mhd.part;
    cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    conn.conn.fd = ends[0];
    conn.conn.loop = &loop;
    conn.conn.address.ss_family = AF_UNIX;
    peer = ends[1];
    svc__mhd_conn_open(&mhd.part, &conn.conn);
    cr_assert(conn.conn.watched);
    cr_assert_eq(conn.early, NULL, "a silent connection holds nothing");
}

static void close_conn(void)
{
    svc__time_limit_cancel(&loop, &conn.conn.limit);
    close(conn.conn.fd);
    close(peer);
    svc__reactor_end(&loop.reactor);
    svc__reactor_close(&loop.reactor);
    svc_app_free(app);
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
    svc__mhd_conn_enter(&conn, MHD_IDLE);
    cr_assert_eq(send(peer, "G", 1, 0), 1);
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
    svc__log_free(&loop.log);
}
