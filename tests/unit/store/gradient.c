#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "libsvc/store/gradient.h"
#include "tests/support/large.h"

static const uint64_t ms = 1000000;

static struct gradient make(uint32_t min, uint32_t limit, uint32_t max)
{
    struct gradient gradient;
    svc__gradient_init(&gradient, min, limit, max);
    return gradient;
}

/* Windows that are all alike. */
static uint32_t feed(struct gradient *gradient, uint64_t latency_ns,
                     enum gradient_pressure pressure, int windows)
{
    uint32_t limit = 0;
    for (int i = 0; i < windows; i++)
        limit = svc__gradient_next(gradient, latency_ns, pressure);
    return limit;
}

/* ---- Windows by themselves */

Test(store_gradient, without_pressure_the_limit_stays)
{
    struct gradient gradient = make(1, 20, 100);
    cr_expect_eq(feed(&gradient, 5 * ms, GRADIENT_CALM, 1000), 20);
    cr_expect_eq(feed(&gradient, 500 * ms, GRADIENT_CALM, 1), 20);
}

Test(store_gradient, it_rises_by_its_root_while_nothing_waits)
{
    struct gradient gradient = make(1, 16, 100);
    cr_expect_eq(svc__gradient_next(&gradient, 5 * ms, GRADIENT_FULL), 20);
    cr_expect_eq(svc__gradient_next(&gradient, 5 * ms, GRADIENT_FULL), 24);
    cr_expect_eq(svc__gradient_next(&gradient, 7 * ms, GRADIENT_FULL), 28, "within the tolerance");
}

Test(store_gradient, it_falls_to_half_at_most_and_adds_its_root)
{
    struct gradient gradient = make(1, 64, 100);
    svc__gradient_next(&gradient, 5 * ms, GRADIENT_CALM);
    cr_expect_eq(svc__gradient_next(&gradient, 500 * ms, GRADIENT_FULL), 32 + 8);
    cr_expect_eq(svc__gradient_next(&gradient, 10 * ms, GRADIENT_FULL), 40 * 3 / 4 + 6);
}

/* Extremes of what a window can be, in any order. */
Test(store_gradient, it_never_leaves_its_bounds)
{
    static const uint64_t latencies[] = {0, 1, 5000000, UINT64_C(3600000000000), UINT64_MAX};
    static const uint32_t bounds[][3] = {{1, 1, 1}, {1, 1, 1000000}, {7, 20, 20}, {3, 5, 1000}};
    unsigned state = 1;
    for (size_t b = 0; b < sizeof bounds / sizeof *bounds; b++) {
        struct gradient gradient = make(bounds[b][0], bounds[b][1], bounds[b][2]);
        for (int i = 0; i < 20000; i++) {
            state = state * 1103515245 + 12345;
            uint32_t limit = state >> 28 == 0
                                 ? svc__gradient_skip(&gradient)
                                 : svc__gradient_next(&gradient, latencies[(state >> 16) % 5],
                                                      (enum gradient_pressure)((state >> 24) % 3));
            cr_assert(limit >= bounds[b][0] && limit <= bounds[b][2], "%u", limit);
        }
    }
}

Test(store_gradient, a_quarter_of_the_limit_must_do_for_two_windows_to_measure)
{
    struct gradient gradient = make(1, 100, 100);
    cr_expect_eq(feed(&gradient, 6 * ms, GRADIENT_FULL, GRADIENT_FIRST_PROBE), 100);
    cr_expect_eq(svc__gradient_next(&gradient, 6 * ms, GRADIENT_FULL), 25, "runs empty");
    cr_expect_eq(svc__gradient_next(&gradient, 90 * ms, GRADIENT_FULL), 25,
                 "and this is not what counts");
    cr_expect_eq(svc__gradient_next(&gradient, 5 * ms, GRADIENT_FULL), 100);
    cr_expect_eq(gradient.base_ns, (6 + 5) / 2.0 * (double)ms);
    cr_expect_eq(feed(&gradient, 6 * ms, GRADIENT_FULL, GRADIENT_PROBE_EVERY), 100);
    cr_expect_eq(svc__gradient_next(&gradient, 6 * ms, GRADIENT_FULL), 25);
}

Test(store_gradient, a_probe_that_tells_news_is_soon_followed_by_another)
{
    struct gradient gradient = make(1, 100, 100);
    feed(&gradient, 90 * ms, GRADIENT_FULL, GRADIENT_FIRST_PROBE + 2);
    feed(&gradient, 30 * ms, GRADIENT_FULL, 1);
    cr_expect_eq(gradient.base_ns, 60.0 * (double)ms);
    cr_expect_eq(feed(&gradient, 60 * ms, GRADIENT_FULL, GRADIENT_PROBE_SOON), 100);
    cr_expect_eq(svc__gradient_next(&gradient, 60 * ms, GRADIENT_FULL), 25);
}

Test(store_gradient, a_probe_that_saw_nothing_ends)
{
    struct gradient gradient = make(1, 100, 100);
    feed(&gradient, 5 * ms, GRADIENT_FULL, GRADIENT_FIRST_PROBE + 1);
    cr_expect_eq(svc__gradient_skip(&gradient), 100);
    cr_expect_eq(svc__gradient_skip(&gradient), 100);
    cr_expect_eq(gradient.base_ns, 5.0 * (double)ms);
}

Test(store_gradient, where_nobody_is_refused_nothing_is_probed)
{
    struct gradient gradient = make(1, 100, 100);
    for (int i = 0; i < 10 * GRADIENT_PROBE_EVERY; i++) {
        cr_assert_eq(svc__gradient_next(&gradient, 5 * ms, GRADIENT_CALM), 100);
        cr_assert_eq(svc__gradient_next(&gradient, 5 * ms, GRADIENT_BUSY), 100);
    }
}

/* ---- A simulated server: `permits` requests are worked on at a time, the rest waits in order */

enum { MOST = 2000 };

struct server {
    int permits;
    double service_s;
    bool varies; /* exponentially; fixed otherwise */
    double load; /* of what it can do */
};

struct simulation {
    struct gradient gradient;
    uint32_t limit;
    uint64_t random;
    double now, next_arrival;
    double ends[MOST], began[MOST]; /* those that are worked on, unordered */
    int working;
    double waiting[MOST];
    int first, in_queue;
    double window_began, sum;
    int samples;
    enum gradient_pressure pressure;
    int good, refused;
    double latencies[200000];
};

static double draw(struct simulation *s)
{
    s->random ^= s->random << 13;
    s->random ^= s->random >> 7;
    s->random ^= s->random << 17;
    return ((double)(s->random >> 11) + 0.5) / 9007199254740992.0;
}

static double exponential(struct simulation *s)
{
    return -log(draw(s));
}

static void begin(struct simulation *s, const struct server *server, double arrived)
{
    s->began[s->working] = arrived;
    s->ends[s->working++] = s->now + server->service_s * (server->varies ? exponential(s) : 1);
}

static void arrive(struct simulation *s, const struct server *server)
{
    s->next_arrival = s->now + exponential(s) * server->service_s / server->permits / server->load;
    int in_flight = s->working + s->in_queue;
    if ((uint32_t)in_flight >= s->limit) {
        s->pressure = GRADIENT_FULL;
        s->refused++;
        return;
    }
    if ((uint32_t)in_flight >= s->limit / 2 && s->pressure == GRADIENT_CALM)
        s->pressure = GRADIENT_BUSY;
    if (s->working < server->permits)
        begin(s, server, s->now);
    else
        s->waiting[(s->first + s->in_queue++) % MOST] = s->now;
}

static void end_window(struct simulation *s)
{
    double latency = s->sum / s->samples, lasted = s->now - s->window_began;
    if (lasted < 0.1 || lasted < 2 * latency || s->samples < 20)
        return;
    s->limit = svc__gradient_next(&s->gradient, (uint64_t)(latency * 1e9), s->pressure);
    s->window_began = s->now;
    s->sum = 0;
    s->samples = 0;
    s->pressure = GRADIENT_CALM;
}

static void finish(struct simulation *s, const struct server *server, int which)
{
    double latency = s->now - s->began[which];
    s->working--;
    s->began[which] = s->began[s->working];
    s->ends[which] = s->ends[s->working];
    if (s->good < 200000)
        s->latencies[s->good++] = latency;
    s->sum += latency;
    s->samples++;
    if (s->in_queue > 0 && s->working < server->permits) {
        double arrived = s->waiting[s->first];
        s->first = (s->first + 1) % MOST;
        s->in_queue--;
        begin(s, server, arrived);
    }
    end_window(s);
}

static int first_to_end(const struct simulation *s)
{
    int first = -1;
    for (int i = 0; i < s->working; i++)
        if (first < 0 || s->ends[i] < s->ends[first])
            first = i;
    return first;
}

/* Lets time pass, and tells of that time alone. */
static void pass(struct simulation *s, const struct server *server, double seconds)
{
    double until = s->now + seconds;
    s->good = s->refused = 0;
    while (s->now < until) {
        int first = first_to_end(s);
        if (first < 0 || s->next_arrival <= s->ends[first]) {
            s->now = s->next_arrival;
            arrive(s, server);
        } else {
            s->now = s->ends[first];
            finish(s, server, first);
        }
    }
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double p99(struct simulation *s)
{
    qsort(s->latencies, (size_t)s->good, sizeof *s->latencies, by_value);
    return s->latencies[s->good * 99 / 100];
}

static struct simulation *simulate(uint32_t initial)
{
    static struct simulation *s;
    s = s ? s : (void *)large(sizeof *s);
    memset(s, 0, sizeof *s);
    s->gradient = make(1, initial, 1000);
    s->limit = initial;
    s->random = 88172645463325252;
    return s;
}

/* What a server can do in 30 seconds. */
static double capacity(const struct server *server)
{
    return 30 * server->permits / server->service_s;
}

/* From any beginning, at any load beyond its capacity, a server does nine tenths of what it can,
 * and nobody waits as long as it would without a limit. */
Test(store_gradient, finds_what_a_server_can_do)
{
    static const struct server servers[] = {
        {8, 0.02, false, 2}, {8, 0.02, true, 2},   {8, 0.02, false, 3},  {8, 0.02, true, 1.5},
        {8, 0.5, true, 2},   {100, 0.02, true, 2}, {2, 0.001, false, 2},
    };
    static const uint32_t initials[] = {1, 20, 500};
    for (size_t i = 0; i < sizeof servers / sizeof *servers; i++) {
        for (size_t j = 0; j < 3; j++) {
            const struct server *server = &servers[i];
            struct simulation *s = simulate(initials[j]);
            pass(s, server, 60 + 2000 * server->service_s);
            pass(s, server, 30);
            double good = s->good / capacity(server), slowest = p99(s) / server->service_s;
            cr_expect(good > 0.9, "server %zu from %u: goodput %.3f, limit %u", i, initials[j],
                      good, s->limit);
            cr_expect(slowest < (server->varies ? 8 : 4), "server %zu from %u: p99 %.1f, limit %u",
                      i, initials[j], slowest, s->limit);
        }
    }
}

/* An overload that lasts does not become what is normal. */
Test(store_gradient, does_not_drift_in_an_overload_that_lasts)
{
    struct server server = {8, 0.02, true, 2};
    struct simulation *s = simulate(20);
    pass(s, &server, 60);
    for (int minute = 0; minute < 20; minute++) {
        pass(s, &server, 60);
        cr_expect(s->limit <= 40, "minute %d: limit %u", minute, s->limit);
    }
}

Test(store_gradient, recovers_after_an_overload)
{
    struct server server = {8, 0.02, true, 3};
    struct simulation *s = simulate(20);
    pass(s, &server, 60);
    server.load = 0.5;
    pass(s, &server, 5);
    pass(s, &server, 60);
    cr_expect(s->refused * 10000 < s->good, "%d refused of %d", s->refused, s->good);
}

/* When what a request takes changes for good, that is learned. */
Test(store_gradient, learns_a_server_that_has_become_slower_or_faster)
{
    struct server server = {8, 0.02, true, 2};
    struct simulation *s = simulate(20);
    pass(s, &server, 60);
    server.service_s = 0.1;
    pass(s, &server, 60);
    pass(s, &server, 30);
    cr_expect(s->good > 0.9 * capacity(&server), "slower: %d, limit %u", s->good, s->limit);
    server.service_s = 0.01;
    pass(s, &server, 60);
    pass(s, &server, 30);
    cr_expect(s->good > 0.9 * capacity(&server), "faster: %d, limit %u", s->good, s->limit);
    cr_expect(p99(s) < 8 * server.service_s);
}
