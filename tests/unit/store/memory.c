#include "libsvc/store/memory.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

#include <svc/errors.h>

#include "libsvc/store/gcra.h"
#include "tests/support/starve.h"
#include "tests/support/test_clock.h"

enum { KEYS = 60, VALUE_MAX = 600, STEPS = 200000 };

static struct memory *store;

static void close_store(void)
{
    svc__memory_free(store);
}

TestSuite(store_memory, .fini = close_store);

static void open_store(uint64_t bytes)
{
    const struct memory_options options = {bytes, VALUE_MAX, {3, 5}};
    test_clock_stop();
    cr_assert_eq(svc__memory_new(&options, &store), 0);
}

static void pass_ms(uint64_t ms)
{
    test_clock_ns += ms * 1000000;
}

static void *alloc_copy(void *arg, size_t len)
{
    static char copy[VALUE_MAX + 1];
    cr_assert_leq(len, VALUE_MAX);
    return arg ? NULL : copy;
}

static int get(const char *key, struct memory_reader *reader)
{
    *reader = (struct memory_reader){.alloc = alloc_copy};
    return svc__memory_get(store, svc__bytes_z(key), reader);
}

static int set(enum memory_write how, const char *key, const char *value, uint64_t ttl_ms,
               uint64_t *version)
{
    return svc__memory_set(store, how, svc__bytes_z(key), svc__bytes_z(value), ttl_ms, version);
}

/* ---- Random operations beside a model */

struct model {
    char value[VALUE_MAX];
    size_t len;
    uint64_t version;
    uint64_t ends_ms; /* of now_ms; 0: never */
    bool present;
};

static struct model models[KEYS];
static uint64_t now_ms;
static bool may_forget; /* since the store is too small for all of them */
static unsigned seed = 11;

static unsigned choose(unsigned below)
{
    return (unsigned)rand_r(&seed) % below;
}

static struct model *look_at(unsigned key)
{
    struct model *model = &models[key];
    if (model->present && model->ends_ms && model->ends_ms <= now_ms)
        model->present = false;
    return model;
}

static void expect_get(struct model *model, struct bytes key)
{
    struct memory_reader reader = {.alloc = alloc_copy};
    int error = svc__memory_get(store, key, &reader);
    if (error == SVC_ENOTFOUND && may_forget)
        model->present = false;
    cr_assert_eq(error, model->present ? 0 : SVC_ENOTFOUND);
    if (error)
        return;
    cr_assert_eq(reader.len, model->len);
    cr_assert_eq(memcmp(reader.data, model->value, model->len), 0);
    cr_assert_eq(reader.version, model->version);
}

/* A value that may be forgotten is looked for first, so that the model has the values of the store.
 */
static void settle(struct model *model, struct bytes key)
{
    if (may_forget)
        expect_get(model, key);
}

static void keep(struct model *model, const char *value, size_t len, uint64_t version,
                 uint64_t ends_ms)
{
    cr_assert_neq(version, model->version, "no version comes twice");
    memcpy(model->value, value, len);
    *model = (struct model){.len = len, .version = version, .ends_ms = ends_ms, .present = true};
    memcpy(model->value, value, len);
}

static void try_write(struct model *model, struct bytes key)
{
    char value[VALUE_MAX];
    enum memory_write how = (enum memory_write)choose(3);
    size_t len = choose(8) ? choose(80) : choose(VALUE_MAX + 1);
    uint64_t ttl_ms = choose(2) ? 1 + choose(300) : 0;
    uint64_t version = choose(3) ? model->version : choose(1000);
    memset(value, (int)choose(256), len);
    int wanted = 0;
    if (how == MEMORY_ADD && model->present)
        wanted = SVC_ECONFLICT;
    if (how == MEMORY_REPLACE)
        wanted = !model->present ? SVC_ENOTFOUND : version == model->version ? 0 : SVC_ECONFLICT;
    int error = svc__memory_set(store, how, key, svc__bytes(value, len), ttl_ms, &version);
    cr_assert_eq(error, wanted);
    if (!error)
        keep(model, value, len, version, ttl_ms ? now_ms + ttl_ms : 0);
}

static void try_delete(struct model *model, struct bytes key)
{
    uint64_t version = choose(2) ? model->version : 1;
    bool checks = choose(2);
    int wanted = model->present ? 0 : SVC_ENOTFOUND;
    if (!wanted && checks && version != model->version)
        wanted = SVC_ECONFLICT;
    cr_assert_eq(svc__memory_delete(store, key, checks ? &version : NULL), wanted);
    if (!wanted)
        model->present = false;
}

static bool read_model(const struct model *model, uint64_t *number)
{
    *number = 0;
    for (size_t i = 0; i < model->len; i++) {
        unsigned digit = (unsigned char)model->value[i] - '0';
        if (digit > 9 || *number > (MEMORY_NUMBER_MAX - digit) / 10)
            return false;
        *number = *number * 10 + digit;
    }
    return model->len > 0;
}

static void try_increment(struct model *model, struct bytes key)
{
    char digits[24];
    uint64_t number = 0, by = choose(100000), after, ttl_ms = choose(2) * 40;
    bool is_number = !model->present || read_model(model, &number);
    int error = svc__memory_increment(store, key, by, ttl_ms, &after);
    if (!is_number) {
        cr_assert(error == SVC_ESYNTAX, "%d", error);
        return;
    }
    if (by > MEMORY_NUMBER_MAX - number) {
        cr_assert_eq(error, SVC_ETOOBIG);
        return;
    }
    cr_assert_eq(error, 0);
    cr_assert_eq(after, number + by);
    uint64_t ends_ms = model->present ? model->ends_ms : ttl_ms ? now_ms + ttl_ms : 0;
    struct memory_reader reader = {.alloc = alloc_copy};
    cr_assert_eq(svc__memory_get(store, key, &reader), 0);
    keep(model, digits, (size_t)sprintf(digits, "%llu", (unsigned long long)after), reader.version,
         ends_ms);
}

static void try_one(void)
{
    char name[16];
    unsigned k = choose(KEYS);
    struct bytes key = {name, (size_t)sprintf(name, "key/%u", k * k)};
    struct model *model = look_at(k);
    settle(model, key);
    switch (choose(8)) {
    case 0:
        try_delete(model, key);
        break;
    case 1:
        try_increment(model, key);
        break;
    case 2:
    case 3:
        expect_get(model, key);
        break;
    default:
        try_write(model, key);
    }
}

static void run_model(void)
{
    for (int step = 0; step < STEPS; step++) {
        uint64_t ms = choose(20) ? 0 : choose(60);
        if (choose(2))
            pass_ms(ms);
        else
            svc__memory_age(store, ms);
        now_ms += ms;
        /* The clock goes on by some nanoseconds with each reading; it stands just after a
         * millisecond. */
        test_clock_ns -= test_clock_ns % 1000000;
        try_one();
    }
}

Test(store_memory, it_does_what_a_simple_model_does)
{
    open_store(1 << 20);
    run_model();
    struct memory_stats stats;
    svc__memory_read_stats(store, &stats);
    cr_expect_eq(stats.evicted, 0);
    cr_expect_gt(stats.expired, 1000);
    cr_expect_leq(stats.entries, KEYS);
}

Test(store_memory, what_it_has_no_room_for_is_forgotten_and_never_wrong)
{
    open_store(4096);
    may_forget = true;
    run_model();
    struct memory_stats stats;
    svc__memory_read_stats(store, &stats);
    cr_expect_gt(stats.evicted, 1000);
    cr_expect_leq(stats.bytes, 4096);
}

/* ---- Limits of sizes */

Test(store_memory, too_few_bytes_for_a_value_are_refused)
{
    struct memory_options options = {1024, 2000, {3, 5}};
    cr_expect_eq(svc__memory_new(&options, &store), SVC_ETOOBIG);
    options.bytes = UINT64_C(1) << 40;
    options.value_max = SIZE_MAX / 2;
    cr_expect_eq(svc__memory_new(&options, &store), SVC_ETOOBIG);
    cr_expect_null(store);
}

Test(store_memory, a_value_of_the_maximum_fits_and_a_longer_one_does_not)
{
    char value[VALUE_MAX + 2] = "";
    char key[MEMORY_KEY_MAX];
    uint64_t version = 0;
    struct memory_reader reader = {.alloc = alloc_copy};
    memset(value, 'v', VALUE_MAX + 1);
    memset(key, 'k', sizeof key);
    open_store(2048);
    struct bytes name = {key, sizeof key}, whole = {value, VALUE_MAX};
    cr_expect_eq(svc__memory_set(store, MEMORY_SET, name, whole, 0, &version), 0);
    cr_expect_eq(set(MEMORY_SET, "key", value, 0, &version), SVC_ETOOBIG);
    cr_expect_eq(svc__memory_get(store, name, &reader), 0);
    cr_expect_eq(reader.len, VALUE_MAX);
    cr_expect_eq(set(MEMORY_SET, "empty", "", 0, &version), 0);
    cr_expect_eq(get("empty", &reader), 0);
    cr_expect_eq(reader.len, 0);
}

Test(store_memory, a_number_has_a_maximum)
{
    uint64_t number = 0, version = 0;
    open_store(1 << 16);
    cr_expect_eq(svc__memory_increment(store, svc__bytes_z("n"), MEMORY_NUMBER_MAX - 1, 0, &number),
                 0);
    cr_expect_eq(svc__memory_increment(store, svc__bytes_z("n"), 1, 0, &number), 0);
    cr_expect_eq(number, MEMORY_NUMBER_MAX);
    cr_expect_eq(svc__memory_increment(store, svc__bytes_z("n"), 1, 0, &number), SVC_ETOOBIG);
    cr_expect_eq(svc__memory_increment(store, svc__bytes_z("n"), UINT64_MAX, 0, &number),
                 SVC_ETOOBIG);
    cr_expect_eq(svc__memory_increment(store, svc__bytes_z("n"), 0, 0, &number), 0);
    cr_expect_eq(number, MEMORY_NUMBER_MAX);
    static const char *const others[] = {"", "-1", "1 ", "x", "9223372036854775808"};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        set(MEMORY_SET, "s", others[i], 0, &version);
        cr_expect_eq(svc__memory_increment(store, svc__bytes_z("s"), 1, 0, &number), SVC_ESYNTAX,
                     "\"%s\"", others[i]);
    }
}

Test(store_memory, the_longest_time_to_live_is_no_end)
{
    struct memory_reader reader;
    uint64_t version = 0;
    open_store(1 << 16);
    set(MEMORY_SET, "key", "value", UINT64_MAX, &version);
    svc__memory_age(store, UINT64_C(100) * 366 * 86400000);
    cr_expect_eq(get("key", &reader), 0);
}

/* ---- Memory that is not there */

Test(store_memory, each_allocation_may_fail)
{
    const struct memory_options options = {1 << 16, VALUE_MAX, {3, 5}};
    int n = 0;
    do {
        starve_after(n++);
        int error = svc__memory_new(&options, &store);
        bool failed = starve_end();
        cr_assert_eq(error, failed ? SVC_ENOMEM : 0);
        cr_assert_eq(!store, failed);
    } while (!store);
    cr_expect_gt(n, 3);
}

Test(store_memory, without_memory_for_a_larger_index_entries_leave)
{
    uint64_t version = 0;
    char key[16];
    open_store(1 << 16);
    starve_after(0);
    for (int i = 0; i < 10000; i++) {
        sprintf(key, "k%d", i);
        cr_assert_eq(set(MEMORY_SET, key, "v", 0, &version), 0);
        if (i == 5000)
            cr_assert(starve_end());
    }
    struct memory_reader reader;
    cr_expect_eq(get(key, &reader), 0);
}

Test(store_memory, a_copy_without_memory_leaves_the_value)
{
    struct memory_reader reader;
    uint64_t version = 0;
    open_store(1 << 16);
    set(MEMORY_SET, "key", "value", 0, &version);
    reader = (struct memory_reader){.alloc = alloc_copy, .arg = &reader};
    cr_expect_eq(svc__memory_get(store, svc__bytes_z("key"), &reader), SVC_ENOMEM);
    cr_expect_eq(get("key", &reader), 0);
}

/* ---- Limits of rates */

static const struct limiter_window ten_a_second = {10, 1000000000, 5},
                                   hundred_a_day = {100, UINT64_C(86400) * 1000000000, 7};

static struct limiter_decision last;

static bool ask(const char *key, uint32_t cost)
{
    const struct limiter_window windows[] = {ten_a_second, hundred_a_day};
    cr_assert_eq(svc__memory_limit(store, svc__bytes_z(key), windows, 2, cost, &last), 0);
    return last.pass;
}

Test(store_memory, a_limit_lets_a_burst_pass_and_then_the_rate)
{
    open_store(1 << 16);
    for (int i = 0; i < 5; i++)
        cr_assert(ask("a", 1));
    cr_expect_not(ask("a", 1));
    cr_expect_eq(last.refused, 1);
    cr_expect_leq(last.quotas[0].retry_ns, 100000000);
    cr_expect_gt(last.quotas[0].retry_ns, 99000000);
    cr_expect_eq(last.quotas[0].remaining, 0);
    cr_expect_eq(last.quotas[1].remaining, 2);
    cr_expect(ask("b", 5));
    pass_ms(200);
    cr_expect(ask("a", 2));
    pass_ms(10000);
    cr_expect_not(ask("a", 1), "the day's burst is spent");
    cr_expect_eq(last.refused, 2);
    cr_expect_eq(last.quotas[0].remaining, 5, "a refusal by one window charges none");
    cr_expect(ask("a", 0));
    cr_expect_not(ask("a", 8));
    cr_expect_eq(last.quotas[1].retry_ns, LIMITER_NEVER);
}

Test(store_memory, a_limit_forgets_a_key_whose_bursts_are_whole)
{
    struct memory_stats stats;
    struct limiter_decision decision;
    open_store(1 << 16);
    svc__memory_limit(store, svc__bytes_z("a"), &ten_a_second, 1, 5, &decision);
    pass_ms(490);
    svc__memory_limit(store, svc__bytes_z("a"), &ten_a_second, 1, 0, &decision);
    cr_expect_eq(decision.quotas[0].remaining, 4);
    pass_ms(40);
    struct memory_reader reader;
    cr_expect_eq(get("a", &reader), SVC_ENOTFOUND);
    svc__memory_read_stats(store, &stats);
    cr_expect_eq(stats.entries, 0);
}

Test(store_memory, a_limit_of_other_windows_begins_anew)
{
    struct limiter_decision decision;
    struct limiter_window window = ten_a_second;
    open_store(1 << 16);
    svc__memory_limit(store, svc__bytes_z("a"), &window, 1, 5, &decision);
    window.rate++;
    svc__memory_limit(store, svc__bytes_z("a"), &window, 1, 5, &decision);
    cr_expect(decision.pass);
    cr_expect(ask("a", 5), "two windows in place of one");
}

Test(store_memory, what_is_no_limit_is_refused)
{
    struct limiter_decision decision;
    uint64_t version = 0;
    const struct limiter_window bad = {0, 1, 1};
    open_store(1 << 16);
    set(MEMORY_SET, "key", "a value of the program, longer than a limit of one window", 0,
        &version);
    cr_expect_eq(svc__memory_limit(store, svc__bytes_z("key"), &ten_a_second, 1, 1, &decision),
                 SVC_ESYNTAX);
    cr_expect_eq(svc__memory_limit(store, svc__bytes_z("a"), &bad, 1, 1, &decision), SVC_EINVAL);
    cr_expect_eq(svc__memory_limit(store, svc__bytes_z("a"), &ten_a_second, 0, 1, &decision),
                 SVC_EINVAL);
}
