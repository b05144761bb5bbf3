/* When the deadlines of a connection come, by a clock that the test sets: the wheel, and what
 * drives it. */
#include "libsvc/server/conn.h"

#include <criterion/criterion.h>
#include <sys/socket.h>
#include <unistd.h>

#include "libsvc/exchange/dispatch.h"
#include "libsvc/server/loop.h"

#define ROWS(table) (sizeof(table) / sizeof((table)[0]))
#define MS UINT64_C(1000000)

/* Two ticks, and what Linux adds to a wait of 127 ms: after a longer one the loop asks again. */
enum { TICK_MS = 1 << LOOP_TICK_SHIFT, LATE_NS = 2000000 * TICK_MS + 127000 };

static svc_app *app;
static struct server server;
static struct loop loop;
static struct conn conn;
static uint64_t now_ns;
static int peer; /* of the connection's socket */

static int hello(svc_request *req, svc_response *res)
{
    (void)req;
    return svc_response_text(res, 200, "hello");
}

static void open_loop(void)
{
    svc_config config = SVC_CONFIG_INIT;
    config.access_log = 0;
    app = svc_app_new("deadlines");
    svc_app_configure(app, &config);
    svc_app_post(app, "/", hello, NULL);
    cr_assert_eq(svc__app_ready(app), 0);
    server.app = app;
    loop.server = &server;
    cr_assert_eq(svc__reactor_open(&loop.reactor), 0);
    loop.host = (struct exchange_host){.arenas = &loop.reactor.arenas,
                                       .cells = svc__metric_cells_new(app->metrics),
                                       .log = &loop.log,
                                       .scheme = "http",
                                       .loop = &loop.reactor};
    svc__log_init(&loop.log, &app->logger);
    svc__buf_init(&loop.host.scratch, 65536);
}

static void close_loop(void)
{
    svc__buf_free(&loop.host.scratch);
    svc__log_free(&loop.log);
    svc__metric_cells_release(app->metrics, loop.host.cells);
    svc__reactor_end(&loop.reactor);
    svc__reactor_close(&loop.reactor);
    svc_app_free(app);
}

TestSuite(conn, .init = open_loop, .fini = close_loop);

/* A turn of the loop begins. */
static void begin_turn(uint64_t ns)
{
    now_ns = ns;
    loop.began_ns = ns;
    loop.now_ms = ns / MS;
}

/* As epoll_wait, at its latest. */
static void sleep_as_told(void)
{
    int ms = svc__loop_wait_ms(&loop, now_ns);
    cr_assert_geq(ms, 0, "the deadline was lost");
    begin_turn(now_ns + (uint64_t)ms * MS + (uint64_t)ms * MS / 1000);
}

static void connect_at(uint64_t ns)
{
    int ends[2];
    cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    svc__wheel_init(&loop.wheel, ns / MS, LOOP_TICK_SHIFT);
    begin_turn(ns);
    conn = (struct conn){.loop = &loop, .fd = ends[0], .taken_known = true};
    conn.address.ss_family = AF_UNIX;
    peer = ends[1];
}

static void disconnect(void)
{
    svc__wheel_cancel(&loop.wheel, &conn.deadline.timer);
    if (conn.x) {
        svc__dispatch_done(conn.x, SVC_COMPLETE, 0);
        svc__exchange_unref(conn.x);
    }
    close(conn.fd);
    close(peer);
}

/* Its head came in the midst of a turn. */
static void begin_request(uint64_t started_ns, uint64_t budget_ms)
{
    static struct field fields[] = {{{"Host", 4}, {"a", 1}}, {{"Content-Length", 14}, {"9", 1}}};
    struct head head = {{"POST", 4}, {"/", 1}, 1, fields, ROWS(fields), 0};
    conn.x = svc__dispatch_new(app, &loop.host, head.target_raw);
    cr_assert(conn.x);
    head.bytes = svc__head_size(&head);
    svc__dispatch_head(conn.x, &head);
    conn.x->request.started_ns = started_ns;
    conn.x->request.deadline_ns = started_ns + budget_ms * MS;
    conn.x->transport = &conn;
    conn.call = CALL_BODY;
}

/* Turns until the connection has timed out; returns how often the loop was woken for it. */
static unsigned turn_until_timed_out(void)
{
    unsigned wakes = 0;
    for (; !conn.timed_out; wakes++) {
        sleep_as_told();
        while (svc__wheel_expire(&loop.wheel, loop.now_ms))
            svc__conn_expired(&loop.reactor, &conn.deadline);
    }
    return wakes;
}

static void expect_in_time(enum conn_phase phase, uint64_t budget_ms, uint64_t began_ns,
                           uint64_t started_ns)
{
    connect_at(began_ns);
    begin_request(started_ns, budget_ms);
    svc__conn_enter(&conn, phase);
    unsigned wakes = turn_until_timed_out();
    uint64_t due_ns = started_ns + budget_ms * MS;
    cr_assert_geq(now_ns, due_ns, "phase %d, %zu ms: early", phase, (size_t)budget_ms);
    cr_assert_leq(now_ns, due_ns + LATE_NS, "phase %d, %zu ms: %zu ns late", phase,
                  (size_t)budget_ms, (size_t)(now_ns - due_ns));
    cr_assert_leq(wakes, 24, "%u wakes for %zu ms", wakes, (size_t)budget_ms);
    disconnect();
}

/* Of any length, from any time within a millisecond and within a turn. */
Test(conn, a_request_is_answered_within_two_ticks_of_its_deadline_and_never_before)
{
    cr_assert_leq(TICK_MS, 8);
    static const uint64_t budgets_ms[] = {1,    2,     3,     5,     20,    63,     64,      100,
                                          128,  999,   1000,  1001,  1002,  4095,   4096,    5000,
                                          9999, 30000, 29952, 65536, 75000, 300000, 86400000};
    static const uint64_t starts_ns[] = {0, 1, 499999, 999999, 1000000, 37300001};
    static const enum conn_phase phases[] = {CONN_HANDLE, CONN_STALL, CONN_BODY};
    app->config.body_timeout_ms = 100000000;
    for (uint64_t offset_ns = 0; offset_ns < 64 * MS; offset_ns += 7 * MS + 654321)
        for (size_t i = 0; i < ROWS(budgets_ms); i++)
            for (size_t j = 0; j < ROWS(starts_ns); j++)
                for (size_t k = 0; k < ROWS(phases); k++) {
                    uint64_t began_ns = 123456789 * MS + offset_ns;
                    expect_in_time(phases[k], budgets_ms[i], began_ns, began_ns + starts_ns[j]);
                }
}

/* The timer stands where the phase before has left it, and is moved when it comes. */
Test(conn, a_deadline_holds_after_phases_with_others)
{
    for (uint64_t budget_ms = 1; budget_ms < 3000; budget_ms += 13) {
        const uint64_t began_ns = 5000 * MS + 777777;
        connect_at(began_ns);
        svc__conn_enter(&conn, CONN_NEW);
        svc__conn_enter(&conn, CONN_HEAD);
        begin_turn(began_ns + 700 * MS);
        begin_request(now_ns, budget_ms);
        svc__conn_enter(&conn, CONN_BODY);
        svc__conn_enter(&conn, CONN_HANDLE);
        turn_until_timed_out();
        uint64_t due_ns = began_ns + (700 + budget_ms) * MS;
        cr_expect_geq(now_ns, due_ns);
        cr_expect_leq(now_ns, due_ns + LATE_NS, "%zu ms", (size_t)budget_ms);
        disconnect();
    }
}

/* Small ticks are not paid for by those that have nothing to do. */
Test(conn, one_that_is_idle_wakes_its_loop_a_few_times_until_it_is_closed)
{
    unsigned wakes = 0;
    connect_at(5000 * MS);
    svc__conn_enter(&conn, CONN_IDLE);
    svc__conn_enter(&conn, CONN_WATCHED);
    for (; svc__wheel_armed(&conn.deadline.timer); wakes++) {
        sleep_as_told();
        while (svc__wheel_expire(&loop.wheel, loop.now_ms))
            svc__conn_expired(&loop.reactor, &conn.deadline);
    }
    cr_expect_geq(now_ns, (5000 + app->config.idle_timeout_ms) * MS);
    cr_expect_leq(wakes, 10, "%u", wakes);
    disconnect();
    cr_expect_eq(svc__loop_wait_ms(&loop, now_ns), -1, "woken for nothing");
}
