#include <criterion/criterion.h>
#include <pthread.h>

#include "libsvc/store/permits.h"

static const uint64_t ms = 1000000;

static struct permits fixed(uint32_t limit)
{
    struct permits permits;
    svc__permits_init(&permits, limit);
    return permits;
}

/* How many can be taken in a row. */
static uint32_t take_all(struct permits *permits, bool critical)
{
    uint32_t taken = 0;
    while (svc__permits_take(permits, critical))
        taken++;
    return taken;
}

Test(store_permits, as_many_as_the_limit_are_taken_and_one_more_once_one_is_back)
{
    struct permits permits = fixed(3);
    cr_expect_eq(take_all(&permits, false), 3);
    svc__permits_give(&permits);
    cr_expect_eq(take_all(&permits, false), 1);
}

Test(store_permits, the_critical_have_a_quarter_more_and_one_at_least)
{
    static const uint32_t rows[][2] = {{1, 2}, {2, 3},     {4, 5},
                                       {5, 7}, {100, 125}, {1000000, 1250000}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        cr_expect_eq(svc__permits_with_reserve(rows[i][0]), rows[i][1]);
    struct permits permits = fixed(8);
    cr_expect_eq(take_all(&permits, false), 8);
    cr_expect_eq(take_all(&permits, true), 2);
    svc__permits_give(&permits);
    cr_expect_eq(take_all(&permits, false), 0, "the reserve is not theirs");
    cr_expect_eq(take_all(&permits, true), 1);
}

Test(store_permits, a_fixed_limit_does_not_move)
{
    struct permits permits = fixed(3);
    for (uint64_t i = 1; i < 1000; i++)
        cr_expect_eq(svc__permits_observe(&permits, i * 100 * ms, ms, true), 0);
    cr_expect_eq(take_all(&permits, false), 3);
}

/* ---- Windows */

/* Some samples a millisecond apart; the sum of what the limit has changed by. */
static int32_t observe(struct permits *permits, uint64_t *now_ns, int samples, uint64_t held_ns,
                       bool whole)
{
    int32_t change = 0;
    for (int i = 0; i < samples; i++)
        change += svc__permits_observe(permits, *now_ns += ms, held_ns, whole);
    return change;
}

static uint32_t limit_of(struct permits *permits)
{
    return atomic_load(&permits->limit);
}

static struct permits adaptive(uint32_t limit, uint64_t *now_ns)
{
    struct permits permits;
    svc__permits_init_adaptive(&permits, 1, limit, 1000);
    *now_ns = 1000000 * ms;
    observe(&permits, now_ns, 1, ms, true); /* begins the first window */
    return permits;
}

Test(store_permits, a_window_ends_when_it_is_long_enough_and_has_enough_samples)
{
    uint64_t now;
    struct permits permits = adaptive(16, &now);
    take_all(&permits, false);
    cr_expect_eq(observe(&permits, &now, PERMITS_WINDOW_MS - 1, ms, true), 0);
    cr_expect_eq(observe(&permits, &now, 1, ms, true), 4);
    cr_expect_eq(limit_of(&permits), 20);
    now += PERMITS_WINDOW_MS * ms;
    cr_expect_eq(observe(&permits, &now, PERMITS_SAMPLES - 1, ms, true), 0, "too few");
}

Test(store_permits, a_window_lasts_twice_as_long_as_its_samples)
{
    uint64_t now;
    struct permits permits = adaptive(16, &now);
    take_all(&permits, false);
    cr_expect_eq(observe(&permits, &now, 599, 300 * ms, true), 0);
    cr_expect_eq(observe(&permits, &now, 1, 300 * ms, true), 4);
}

Test(store_permits, a_window_with_too_few_samples_ends_without_effect)
{
    uint64_t now;
    struct permits permits = adaptive(16, &now);
    take_all(&permits, false);
    observe(&permits, &now, 5, ms, true);
    now += PERMITS_STALE_MS * ms;
    cr_expect_eq(observe(&permits, &now, 1, 900 * ms, true), 0);
    cr_expect_eq(observe(&permits, &now, PERMITS_WINDOW_MS, ms, true), 0, "and not busy any more");
    take_all(&permits, false);
    cr_expect_eq(limit_of(&permits), 16);
}

Test(store_permits, the_limit_is_felt_when_half_of_it_is_taken)
{
    uint64_t now;
    struct permits permits = adaptive(16, &now);
    for (int i = 0; i < 8; i++)
        svc__permits_take(&permits, false);
    cr_expect_eq(observe(&permits, &now, PERMITS_WINDOW_MS, ms, true), 0);
    svc__permits_take(&permits, false);
    cr_expect_eq(observe(&permits, &now, PERMITS_WINDOW_MS, ms, true), 4);
}

/* What ended early says nothing, but what has taken long is not forgotten because it failed. */
Test(store_permits, what_was_not_done_counts_where_it_took_longer)
{
    uint64_t now;
    struct permits permits = adaptive(16, &now);
    observe(&permits, &now, PERMITS_WINDOW_MS, 10 * ms, true);
    take_all(&permits, false);
    observe(&permits, &now, PERMITS_WINDOW_MS - 1, 1, false);
    cr_expect_eq(atomic_load(&permits.count), 0);
    observe(&permits, &now, PERMITS_WINDOW_MS - 1, 40 * ms, false);
    cr_expect_eq(atomic_load(&permits.count), 0, "the window has ended by them");
    cr_expect_lt(limit_of(&permits), 16);
}

/* ---- Threads */

enum { THREADS = 4, ROUNDS = 100000, FEW = 3 };

struct together {
    struct permits permits;
    _Atomic uint64_t now_ns;
    _Atomic uint32_t inside;
    _Atomic uint32_t most;
    _Atomic int64_t change;
};

static void note_inside(struct together *all)
{
    uint32_t inside = atomic_fetch_add(&all->inside, 1) + 1, most = atomic_load(&all->most);
    while (inside > most && !atomic_compare_exchange_weak(&all->most, &most, inside))
        continue;
}

static void *use(void *arg)
{
    struct together *all = arg;
    for (int i = 0; i < ROUNDS; i++) {
        if (!svc__permits_take(&all->permits, false))
            continue;
        note_inside(all);
        atomic_fetch_sub(&all->inside, 1);
        svc__permits_give(&all->permits);
        uint64_t now_ns = atomic_fetch_add(&all->now_ns, ms) + ms;
        all->change += svc__permits_observe(&all->permits, now_ns, (uint64_t)(i % 7) * ms, i % 5);
    }
    return NULL;
}

static void run_together(struct together *all)
{
    pthread_t threads[THREADS];
    for (size_t i = 0; i < THREADS; i++)
        cr_assert_eq(pthread_create(&threads[i], NULL, use, all), 0);
    for (size_t i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
}

Test(store_permits, threads_together_are_never_more_than_the_limit_and_leave_nothing_taken)
{
    static struct together all;
    svc__permits_init(&all.permits, FEW);
    run_together(&all);
    cr_expect_leq(all.most, FEW);
    cr_expect_eq(atomic_load(&all.permits.taken), 0);
}

Test(store_permits, changes_add_up_whoever_ends_a_window)
{
    static struct together all;
    svc__permits_init_adaptive(&all.permits, 1, 50, 100);
    run_together(&all);
    cr_expect_eq(atomic_load(&all.permits.taken), 0);
    cr_expect_eq(50 + all.change, limit_of(&all.permits));
}
