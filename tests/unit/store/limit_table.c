#include <criterion/criterion.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#include <svc/errors.h>

#include "libsvc/store/gcra.h"
#include "libsvc/store/limit_table.h"

static const uint64_t second = 1000000000, day = UINT64_C(86400) * 1000000000;

static struct limiter *limiter;
static struct limiter_decision last; /* what the latest ask gave */

static void close_table(void)
{
    if (limiter)
        limiter->free(limiter);
    limiter = NULL;
}

TestSuite(store_limit_table, .fini = close_table);

static void open_windows(const struct limiter_window *windows, size_t count, size_t bytes,
                         bool admit)
{
    const struct limit_table_options options = {windows, count, bytes,
                                                admit,   0,     {UINT64_C(7), UINT64_C(11)}};
    cr_assert_eq(svc__limit_table_new(&options, &limiter), 0);
}

static void open_table(uint64_t rate, uint64_t period_ns, uint64_t burst, size_t bytes, bool admit)
{
    const struct limiter_window window = {rate, period_ns, burst};
    open_windows(&window, 1, bytes, admit);
}

static struct limiter_decision decide(const char *key, uint32_t cost, uint64_t now_ns)
{
    const struct bytes part = svc__bytes_z(key);
    const struct limiter_key parts = {&part, 1};
    struct limiter_decision decision;
    memset(&decision, 0xa5, sizeof decision);
    limiter->decide(limiter, &parts, cost, now_ns, &decision);
    return decision;
}

static bool ask(const char *key, uint32_t cost, uint64_t now_ns)
{
    last = decide(key, cost, now_ns);
    return last.pass;
}

static bool ask_number(uint32_t key, uint64_t now_ns)
{
    const struct bytes part = {(const char *)&key, sizeof key};
    const struct limiter_key parts = {&part, 1};
    limiter->decide(limiter, &parts, 1, now_ns, &last);
    return last.pass;
}

/* ---- One window */

Test(store_limit_table, counts_each_key_by_itself)
{
    open_table(10, second, 10, 65536, false);
    for (uint64_t i = 0; i < 10; i++) {
        cr_expect(ask("a", 1, second));
        cr_expect_eq(last.quotas[0].remaining, 9 - i);
    }
    cr_expect_not(ask("a", 1, second));
    cr_expect_eq(last.refused, 1);
    cr_expect_eq(last.quotas[0].remaining, 0);
    cr_expect_eq(last.quotas[0].retry_ns, second / 10);
    cr_expect_eq(last.quotas[0].reset_ns, second);
    cr_expect(ask("b", 1, second));
    cr_expect_eq(last.quotas[0].remaining, 9);
    cr_expect_not(last.undecided);
}

Test(store_limit_table, a_look_and_a_cost_that_never_passes_leave_no_trace)
{
    open_table(10, second, 10, LIMIT_TABLE_LINE, false);
    for (uint32_t i = 0; i < 100; i++) {
        char key[2] = {(char)('A' + i % 26), 0};
        cr_expect(ask(key, 0, second));
        cr_expect_eq(last.quotas[0].remaining, 10);
        cr_expect_not(ask(key, 11, second));
        cr_expect_eq(last.quotas[0].retry_ns, LIMITER_NEVER);
        cr_expect_not(last.undecided, "the bucket has filled");
    }
}

Test(store_limit_table, parts_of_a_key_do_not_run_together)
{
    struct bytes one[] = {svc__bytes_z("ab"), svc__bytes_z("c")};
    struct bytes other[] = {svc__bytes_z("a"), svc__bytes_z("bc")};
    struct bytes none[] = {svc__bytes_z(NULL), svc__bytes_z("abc")};
    struct bytes whole[] = {svc__bytes_z("abc")};
    const struct limiter_key keys[] = {{one, 2}, {other, 2}, {none, 2}, {whole, 1}, {whole, 0}};
    open_table(1, day, 1, 65536, false);
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        limiter->decide(limiter, &keys[i], 1, second, &last);
        cr_expect(last.pass, "%zu", i);
        limiter->decide(limiter, &keys[i], 1, second, &last);
        cr_expect_not(last.pass, "%zu", i);
    }
}

/* ---- Eviction */

static uint64_t next_random(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

/* A bucket of eight words, hundreds of keys, each gone from it before the next eight come: every
 * answer is what a table without bounds would give. */
Test(store_limit_table, eviction_changes_no_answer)
{
    enum { KEYS = 500, AT_ONCE = 8 };
    const struct limiter_window window = {10, second, 3};
    struct gcra gcra;
    uint64_t tats[KEYS] = {0}, state = 88172645463325252;
    svc__gcra_init(&gcra, &window);
    open_table(10, second, 3, LIMIT_TABLE_LINE, false);
    for (uint64_t i = 0; i < 20000; i++) {
        uint64_t random = next_random(&state);
        uint64_t now_ns = i * second / 10 * 3 / AT_ONCE; /* 8 keys in the time of three intervals */
        uint32_t key = (uint32_t)((i / AT_ONCE + random % 2) % KEYS);
        uint64_t now = svc__gcra_units(&gcra, now_ns), next;
        bool expected = svc__gcra_pass(&gcra, tats[key], now, 1, &next);
        if (expected)
            tats[key] = next;
        cr_assert_eq(ask_number(key, now_ns), expected, "at %lu", i);
        cr_assert_not(last.undecided, "at %lu", i);
    }
}

Test(store_limit_table, a_full_bucket_refuses_new_keys_where_that_is_wanted)
{
    open_table(1, second, 2, LIMIT_TABLE_LINE, false);
    for (uint32_t i = 0; i < 8; i++) {
        cr_expect(ask_number(i, second + i));
        cr_expect_not(last.undecided);
    }
    cr_expect_not(ask_number(8, second));
    cr_expect(last.undecided);
    cr_expect_eq(last.refused, 1);
    cr_expect(last.quotas[0].retry_ns > 0 && last.quotas[0].retry_ns <= second + 1000000);
    cr_expect(ask_number(3, second), "a key that is there is counted as ever");
    cr_expect_not(ask_number(3, second));
    cr_expect_not(last.undecided);
    cr_expect(ask_number(8, 2 * second + 1000000), "the first TAT has passed");
    cr_expect_not(last.undecided);
}

Test(store_limit_table, a_full_bucket_admits_new_keys_where_that_is_wanted)
{
    open_table(1, second, 2, LIMIT_TABLE_LINE, true);
    for (uint32_t i = 0; i < 8; i++)
        ask_number(i, second);
    for (int i = 0; i < 5; i++) {
        cr_expect(ask_number(8, second));
        cr_expect(last.undecided);
        cr_expect_eq(last.refused, 0);
        cr_expect_eq(last.quotas[0].remaining, 0);
    }
    cr_expect(ask_number(0, second));
    cr_expect_not(ask_number(0, second), "the others are counted as ever");
}

/* A table fills evenly enough: with a quarter of its words live, one new key in 900 has no room. */
Test(store_limit_table, a_quarter_of_the_words_finds_room)
{
    enum { WORDS = 1 << 16 };
    size_t without = 0;
    open_table(1, day, 1, WORDS * sizeof(uint64_t), true);
    for (uint32_t i = 0; i < WORDS / 4; i++) {
        ask_number(i, second);
        without += last.undecided;
    }
    cr_expect_leq(without, 20, "%zu", without);
    for (uint32_t i = 0; i < WORDS / 4; i++)
        without -= ask_number(i, second) && last.undecided;
    cr_expect_eq(without, 0, "who had no room has none now, and nobody else passes twice");
}

Test(store_limit_table, past_the_end_of_time_policy_decides)
{
    uint64_t end = (uint64_t)GCRA_SECONDS * second;
    open_table(1, second, 1, 65536, true);
    cr_expect(ask("a", 1, end) && !last.undecided);
    cr_expect(!ask("a", 1, end) && !last.undecided);
    cr_expect(ask("a", 1, end + second) && last.undecided);
    cr_expect(ask("a", 1, UINT64_MAX) && last.undecided);
    close_table();
    open_table(1, second, 1, 65536, false);
    cr_expect(!ask("a", 1, UINT64_MAX) && last.undecided);
}

Test(store_limit_table, a_clock_that_is_behind_another_threads_is_harmless)
{
    open_table(1, second, 2, 65536, false);
    cr_expect(ask("a", 1, 100 * second));
    cr_expect(ask("a", 1, 100 * second));
    cr_expect_not(ask("a", 1, 99 * second));
    cr_expect_eq(last.quotas[0].remaining, 0);
    cr_expect_eq(last.quotas[0].retry_ns, 2 * second);
    cr_expect_not(ask("a", 1, 0));
    cr_expect(ask("a", 1, 101 * second));
}

/* ---- Several windows */

static const struct limiter_window several[] = {
    {10, 1000000000, 10}, {20, UINT64_C(60) * 1000000000, 20}, {1, 1000000000, 100}};

Test(store_limit_table, all_windows_must_pass)
{
    open_windows(several, 3, 65536, false);
    for (int i = 0; i < 10; i++)
        cr_expect(ask("a", 1, second));
    cr_expect_not(ask("a", 1, second));
    cr_expect_eq(last.refused, 1);
    for (int i = 0; i < 10; i++)
        cr_expect(ask("a", 1, 2 * second));
    cr_expect_not(ask("a", 1, 3 * second));
    cr_expect_eq(last.refused, 2);
    cr_expect_eq(last.quotas[0].remaining, 10);
    cr_expect_eq(last.quotas[0].retry_ns, 0);
    cr_expect_eq(last.quotas[1].remaining, 0);
    uint64_t early = second - last.quotas[1].retry_ns;
    cr_expect_lt(early, second / 1000, "a unit of its time is shorter than a millisecond");
}

Test(store_limit_table, a_refusal_charges_no_window)
{
    open_windows(several, 3, 65536, false);
    cr_expect(ask("a", 8, second));
    for (int i = 0; i < 100; i++) {
        cr_expect_not(ask("a", 5, second));
        cr_expect_eq(last.quotas[0].remaining, 2);
        cr_expect_eq(last.quotas[1].remaining, 12);
        cr_expect_eq(last.quotas[2].remaining, 92);
    }
    cr_expect(ask("a", 2, second));
}

Test(store_limit_table, a_window_without_room_leaves_the_others_to_decide)
{
    static const struct limiter_window windows[] = {{1, 1000000000, 1},
                                                    {1, UINT64_C(86400) * 1000000000, 5}};
    open_windows(windows, 2, 2 * LIMIT_TABLE_LINE, true);
    for (uint32_t i = 0; i < 8; i++)
        cr_expect(ask_number(i, second));
    cr_expect(ask_number(9, 10 * second), "the day's bucket is full, the second's is not");
    cr_expect(last.undecided);
    cr_expect_not(ask_number(9, 10 * second), "which goes on counting");
    cr_expect_eq(last.refused, 1);
}

/* ---- Set-up */

Test(store_limit_table, bad_options_are_refused)
{
    const struct limiter_window good = {1, second, 1}, bad = {0, second, 1};
    const struct limiter_window five[5] = {good, good, good, good, good};
    struct limiter *none = NULL;
    struct limit_table_options options = {.windows = &good, .window_count = 1, .bytes = 63};
    cr_expect_eq(svc__limit_table_new(&options, &none), SVC_ETOOBIG);
    options = (struct limit_table_options){.windows = &bad, .window_count = 1, .bytes = 64};
    cr_expect_eq(svc__limit_table_new(&options, &none), SVC_EINVAL);
    options = (struct limit_table_options){.windows = five, .window_count = 5, .bytes = 6400};
    cr_expect_eq(svc__limit_table_new(&options, &none), SVC_EINVAL);
    options.window_count = 0;
    cr_expect_eq(svc__limit_table_new(&options, &none), SVC_EINVAL);
    options = (struct limit_table_options){.windows = five, .window_count = 4, .bytes = 255};
    cr_expect_eq(svc__limit_table_new(&options, &none), SVC_ETOOBIG);
    cr_expect_null(none);
}

/* ---- Threads */

enum { THREADS = 4, ROUNDS = 200 };

struct crew {
    pthread_barrier_t barrier;
    atomic_uint admitted[ROUNDS];
    uint32_t keys; /* that each round's requests are spread over */
    uint32_t each; /* requests of a thread in a round */
    uint64_t step_ns;
};

/* In each round all threads ask for the same new keys at a clock that stands still. */
static void *run_member(void *arg)
{
    struct crew *crew = arg;
    for (uint32_t round = 0; round < ROUNDS; round++) {
        pthread_barrier_wait(&crew->barrier);
        for (uint32_t i = 0; i < crew->each; i++) {
            uint32_t key = round * crew->keys + i % crew->keys;
            const struct bytes part = {(const char *)&key, sizeof key};
            const struct limiter_key parts = {&part, 1};
            struct limiter_decision decision;
            limiter->decide(limiter, &parts, 1, second + round * crew->step_ns, &decision);
            if (decision.pass)
                atomic_fetch_add(&crew->admitted[round], 1);
        }
    }
    return NULL;
}

static void expect_admitted(uint32_t keys, uint32_t each, uint64_t step_ns, uint32_t wanted)
{
    static struct crew crew;
    pthread_t threads[THREADS];
    memset(&crew, 0, sizeof crew);
    crew.keys = keys;
    crew.each = each;
    crew.step_ns = step_ns;
    pthread_barrier_init(&crew.barrier, NULL, THREADS);
    for (size_t i = 0; i < THREADS; i++)
        cr_assert_eq(pthread_create(&threads[i], NULL, run_member, &crew), 0);
    for (size_t i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    for (size_t i = 0; i < ROUNDS; i++)
        cr_assert_eq(crew.admitted[i], wanted, "%u in round %zu, not %u", crew.admitted[i], i,
                     wanted);
    pthread_barrier_destroy(&crew.barrier);
}

Test(store_limit_table, threads_admit_exactly_the_burst_of_one_key)
{
    open_table(1, day, 50, 65536, false);
    expect_admitted(1, 200, 0, 50);
}

/* Six keys are placed, by all threads at once, over the expired words of one bucket. */
Test(store_limit_table, threads_that_place_keys_together_place_each_once)
{
    open_table(10, second, 5, LIMIT_TABLE_LINE, false);
    expect_admitted(6, 60, 3 * second, 30);
}

Test(store_limit_table, threads_admit_exactly_the_tightest_of_several_windows)
{
    static const struct limiter_window windows[] = {{1, UINT64_C(86400) * 1000000000, 60},
                                                    {1, UINT64_C(86400) * 1000000000, 50},
                                                    {1, UINT64_C(86400) * 1000000000, 50}};
    open_windows(windows, 3, 1 << 20, false);
    expect_admitted(1, 200, 0, 50);
    for (uint32_t round = 0; round < ROUNDS; round++) {
        struct bytes part = {(const char *)&round, sizeof round};
        const struct limiter_key parts = {&part, 1};
        limiter->decide(limiter, &parts, 0, second, &last);
        cr_assert_eq(last.quotas[0].remaining, 10, "the refused have charged the first window");
    }
}

/* ---- What a store has decided */

static bool refuses(const char *key, uint32_t cost, uint64_t now_ns)
{
    const struct bytes part = svc__bytes_z(key);
    const struct limiter_key parts = {&part, 1};
    return svc__limit_table_refuses(limiter, &parts, cost, now_ns, &last);
}

static void correct(const char *key, uint64_t used_ns, unsigned add, uint64_t now_ns)
{
    const struct bytes part = svc__bytes_z(key);
    const struct limiter_key parts = {&part, 1};
    const uint64_t used[LIMITER_WINDOWS] = {used_ns, used_ns, used_ns, used_ns};
    svc__limit_table_correct(limiter, &parts, used, add, now_ns);
}

Test(store_limit_table, refuses_by_what_it_was_told_and_charges_nothing)
{
    open_table(10, second, 10, 65536, true);
    cr_expect_not(refuses("a", 1, second), "a key that it does not know");
    correct("a", second, 1, second);
    for (int i = 0; i < 100; i++)
        cr_expect(refuses("a", 1, second));
    cr_expect_eq(last.refused, 1);
    cr_expect_eq(last.quotas[0].remaining, 0);
    cr_expect_eq(last.quotas[0].retry_ns, second / 10);
    cr_expect_not(refuses("b", 1, second));
    cr_expect_not(refuses("a", 0, second));
    cr_expect(refuses("a", 2, second + second / 10));
    cr_expect_not(refuses("a", 1, second + second / 10));
    cr_expect(refuses("b", 11, second), "a cost over the burst needs no word");
}

Test(store_limit_table, a_correction_makes_a_tat_earlier_or_later)
{
    open_table(10, second, 10, 65536, true);
    correct("a", second, 1, second);
    correct("a", second / 2, 0, second);
    cr_expect_not(refuses("a", 5, second));
    cr_expect(refuses("a", 6, second));
    correct("a", second * 9 / 10, 0, second);
    cr_expect(refuses("a", 2, second));
    correct("a", UINT64_MAX, 0, second);
    cr_expect(refuses("a", 1, second));
    cr_expect_not(refuses("a", 1, 2 * second), "no more than a burst can be used");
    correct("a", 0, 0, second);
    cr_expect_not(refuses("a", 10, second));
}

Test(store_limit_table, a_correction_adds_where_it_is_asked_to_and_there_is_room)
{
    const struct limiter_window windows[] = {{1, day, 1}, {1, day, 1}};
    open_windows(windows, 2, 2 * LIMIT_TABLE_LINE, true);
    correct("x", day, 0, second);
    cr_expect_not(refuses("x", 1, second));
    for (char key[2] = "a"; key[0] < 'a' + 9; key[0]++)
        correct(key, day, 2, second);
    for (char key[2] = "a"; key[0] < 'a' + 8; key[0]++) {
        cr_expect(refuses(key, 1, second));
        cr_expect_eq(last.refused, 2);
    }
    cr_expect_not(refuses("i", 1, second), "the bucket is full");
    correct("i", day, 2, second + day);
    cr_expect(refuses("i", 1, second + day), "words whose time is over are free");
}
