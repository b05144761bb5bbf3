/* An exchange on its way, by a clock that the test sets: when its deadlines come, and what its
 * front is asked to do then. */
#include "libsvc/server/flight.h"

#include <criterion/criterion.h>
#include <string.h>

#include "libsvc/dispatch/dispatch.h"
#include "libsvc/server/loop.h"

#define ROWS(table) (sizeof(table) / sizeof((table)[0]))
#define MS UINT64_C(1000000)

/* Two ticks, and what Linux adds to a wait of 127 ms: after a longer one the loop asks again. */
enum { TICK_MS = 1 << LOOP_TICK_SHIFT, LATE_NS = 2000000 * TICK_MS + 127000 };

static svc_app *app;
static struct server server;
static struct loop loop;
static struct time_limit limit;
static struct flight flight;
static uint64_t now_ns;
static struct peer peer;
static char asked[128]; /* of the front */
static bool moves;      /* the peer takes something of the reply */

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

TestSuite(flight, .init = open_loop, .fini = close_loop);

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

static void note_asked(const char *what)
{
    strcat(asked, what);
}

static void resume(struct flight *told)
{
    note_asked(svc__exchange_has_reply(told->x) ? "resume with a reply, " : "resume, ");
}

static void drop_body(struct flight *told)
{
    (void)told;
    note_asked("drop body, ");
}

static void reply_unread(struct flight *told)
{
    cr_expect(svc__exchange_has_reply(told->x));
    note_asked("reply unread, ");
}

static void reply_bare(struct flight *told)
{
    (void)told;
    note_asked("reply bare, ");
}

static void abort_flight(struct flight *told)
{
    (void)told;
    note_asked("abort, ");
}

static void look(struct flight *told)
{
    (void)told;
}

static bool has_moved(struct flight *told)
{
    (void)told;
    return moves;
}

static const struct flight_ops ops = {resume,       drop_body, reply_unread, reply_bare,
                                      abort_flight, look,      has_moved};

static void expire(struct svc_loop *reactor, struct deadline *deadline)
{
    (void)reactor, (void)deadline;
    svc__flight_expired(&flight);
}

static void begin_at(uint64_t ns)
{
    svc__wheel_init(&loop.wheel, ns / MS, LOOP_TICK_SHIFT);
    begin_turn(ns);
    limit = (struct time_limit){.deadline.expired = expire};
    svc__flight_init(&flight, &ops, &loop, &limit, &peer, "http");
    *asked = '\0';
    moves = false;
}

static void end_request(void)
{
    svc__time_limit_cancel(&loop, &limit);
    if (flight.x)
        svc__flight_end(&flight, SVC_COMPLETE, 0);
}

/* Its head came in the midst of a turn. */
static void begin_request(uint64_t started_ns, uint64_t budget_ms)
{
    static struct field fields[] = {{{"Host", 4}, {"a", 1}}, {{"Content-Length", 14}, {"9", 1}}};
    struct head head = {{"POST", 4}, {"/", 1}, 1, fields, ROWS(fields), 0};
    cr_assert(svc__flight_begin(&flight, head.target_raw));
    head.bytes = svc__head_size(&head);
    svc__dispatch_head(flight.x, &head);
    flight.x->request.started_ns = started_ns;
    flight.x->request.deadline_ns = started_ns + budget_ms * MS;
}

static void expire_due(void)
{
    struct timer *timer;
    while ((timer = svc__wheel_expire(&loop.wheel, loop.now_ms))) {
        struct deadline *deadline = (struct deadline *)(void *)timer;
        deadline->expired(&loop.reactor, deadline);
    }
}

/* Turns until the request has timed out; returns how often the loop was woken for it. */
static unsigned turn_until_timed_out(void)
{
    unsigned wakes = 0;
    for (; !flight.timed_out; wakes++) {
        sleep_as_told();
        expire_due();
    }
    return wakes;
}

static void expect_in_time(enum flight_phase phase, uint64_t budget_ms, uint64_t began_ns,
                           uint64_t started_ns)
{
    begin_at(began_ns);
    begin_request(started_ns, budget_ms);
    svc__flight_enter(&flight, phase);
    unsigned wakes = turn_until_timed_out();
    uint64_t due_ns = started_ns + budget_ms * MS;
    cr_assert_geq(now_ns, due_ns, "phase %d, %zu ms: early", phase, (size_t)budget_ms);
    cr_assert_leq(now_ns, due_ns + LATE_NS, "phase %d, %zu ms: %zu ns late", phase,
                  (size_t)budget_ms, (size_t)(now_ns - due_ns));
    cr_assert_leq(wakes, 24, "%u wakes for %zu ms", wakes, (size_t)budget_ms);
    end_request();
}

/* Of any length, from any time within a millisecond and within a turn. */
Test(flight, a_request_is_answered_within_two_ticks_of_its_deadline_and_never_before)
{
    cr_assert_leq(TICK_MS, 8);
    static const uint64_t budgets_ms[] = {1,    2,     3,     5,     20,    63,     64,      100,
                                          128,  999,   1000,  1001,  1002,  4095,   4096,    5000,
                                          9999, 30000, 29952, 65536, 75000, 300000, 86400000};
    static const uint64_t starts_ns[] = {0, 1, 499999, 999999, 1000000, 37300001};
    static const enum flight_phase phases[] = {FLIGHT_HANDLE, FLIGHT_STALL, FLIGHT_BODY};
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
Test(flight, a_deadline_holds_after_phases_with_others)
{
    for (uint64_t budget_ms = 1; budget_ms < 3000; budget_ms += 13) {
        const uint64_t began_ns = 5000 * MS + 777777;
        begin_at(began_ns);
        svc__time_limit_begin(&loop, &limit, loop.now_ms, 10000, 1000);
        begin_turn(began_ns + 700 * MS);
        begin_request(now_ns, budget_ms);
        svc__flight_enter(&flight, FLIGHT_BODY);
        svc__flight_enter(&flight, FLIGHT_HANDLE);
        turn_until_timed_out();
        uint64_t due_ns = began_ns + (700 + budget_ms) * MS;
        cr_expect_geq(now_ns, due_ns);
        cr_expect_leq(now_ns, due_ns + LATE_NS, "%zu ms", (size_t)budget_ms);
        end_request();
    }
}

/* ---- What its front is asked to do */

/* A request that waits in a phase, until its deadline. */
static void expect_asked_at_deadline(enum flight_phase phase, bool waits, int status,
                                     const char *expected)
{
    begin_at(5000 * MS);
    begin_request(now_ns, 20);
    svc__flight_enter(&flight, phase);
    if (waits)
        svc__flight_wait(&flight);
    turn_until_timed_out();
    cr_expect_str_eq(asked, expected);
    cr_expect_eq(flight.x->response.status, status);
    end_request();
}

Test(flight, a_deadline_answers_in_every_phase_as_the_front_can_send_it)
{
    expect_asked_at_deadline(FLIGHT_BODY, false, 408, "reply unread, ");
    expect_asked_at_deadline(FLIGHT_STALL, true, 504, "reply unread, resume with a reply, ");
    expect_asked_at_deadline(FLIGHT_HANDLE, true, 504, "resume with a reply, ");
}

static void begin_reply(void)
{
    begin_at(5000 * MS);
    begin_request(now_ns, 300000);
    cr_assert_eq(svc__dispatch_run(flight.x), EXCHANGE_BODY);
    cr_assert_eq(svc__dispatch_body(flight.x, "123456789", 9), EXCHANGE_BODY);
    cr_assert_eq(svc__dispatch_body_end(flight.x), EXCHANGE_REPLY);
    svc__flight_enter(&flight, FLIGHT_SEND);
}

Test(flight, a_reply_lasts_as_long_as_the_peer_takes_it)
{
    begin_reply();
    uint64_t began_ms = loop.now_ms, send_ms = app->config.send_timeout_ms;
    moves = true;
    while (loop.now_ms < began_ms + 3 * send_ms) {
        sleep_as_told();
        expire_due();
    }
    cr_expect_not(flight.timed_out);
    cr_expect_str_eq(asked, "");
    moves = false;
    turn_until_timed_out();
    cr_expect_str_eq(asked, "abort, ");
    cr_expect_leq(loop.now_ms, began_ms + 5 * send_ms);
    end_request();
}

Test(flight, a_reply_that_waits_for_its_source_ends_in_the_front)
{
    begin_reply();
    svc__flight_wait(&flight);
    moves = true;
    turn_until_timed_out();
    cr_expect(flight.gone);
    cr_expect_str_eq(asked, "resume with a reply, ");
    end_request();
}

/* What is left of it is not waited for. */
Test(flight, a_departure_ends_what_can_have_no_end)
{
    begin_at(5000 * MS);
    begin_request(now_ns, 300000);
    svc__flight_enter(&flight, FLIGHT_STALL);
    svc__flight_wait(&flight);
    svc__flight_departed(&flight, false, true);
    cr_expect_str_eq(asked, "", "its body may be whole");
    svc__flight_departed(&flight, false, false);
    cr_expect(flight.gone);
    cr_expect(atomic_load(&flight.x->away.cancelled));
    cr_expect_str_eq(asked, "resume, ");
    end_request();
}

Test(flight, a_cut_answers_503_as_the_front_can_send_it)
{
    begin_at(5000 * MS);
    begin_request(now_ns, 300000);
    svc__flight_enter(&flight, FLIGHT_BODY);
    svc__flight_cut(&flight);
    cr_expect_eq(flight.x->response.status, 503);
    cr_expect_str_eq(asked, "reply unread, abort, ");
    end_request();
    *asked = '\0';
    begin_request(now_ns, 300000);
    svc__flight_enter(&flight, FLIGHT_HANDLE);
    svc__flight_wait(&flight);
    svc__flight_cut(&flight);
    cr_expect_eq(flight.x->response.status, 503);
    cr_expect_str_eq(asked, "resume with a reply, ");
    cr_expect_eq(atomic_load(&server.cut_requests), 2);
    end_request();
}
