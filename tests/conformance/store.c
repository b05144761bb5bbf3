/* The conformance suite of stores: see store.h. */
#include "store.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <svc/test.h>

enum { THREADS = 4, TIMES = 250, MANY = 200, LONG_BYTES = 100000, PATIENCE_MS = 5000 };

static svc_store *store;
static FILE *report;
static const char *test_name;
static int failures;
static unsigned run_number; /* so that each run has keys of its own */

#define EXPECT(condition)                                                                          \
    ((condition) ? (void)0                                                                         \
                 : (failures++, (void)fprintf(report, "  %s, line %d: %s\n", test_name, __LINE__,  \
                                              #condition)))

/* A key of the running test, of which there are two at a time. */
static const char *key_of(const char *name)
{
    static char keys[2][SVC_STORE_KEY_BYTES + 1];
    static unsigned turn;
    char *key = keys[turn++ % 2];
    snprintf(key, sizeof keys[0], "conformance/%ld-%u/%s/%s", (long)getpid(), run_number, test_name,
             name);
    return key;
}

static svc_store_value value_of(const char *text)
{
    svc_store_value value = {text, strlen(text), 0, NULL};
    return value;
}

static int set(const char *key, const char *text, uint64_t ttl_ms)
{
    svc_store_value value = value_of(text);
    return svc_store_set(store, NULL, key, &value, ttl_ms);
}

static int has_bytes(const char *key, const void *data, size_t len)
{
    svc_store_value value;
    if (svc_store_get(store, NULL, key, &value))
        return 0;
    int same = value.len == len && (len == 0 || memcmp(value.data, data, len) == 0) &&
               ((const char *)value.data)[len] == '\0';
    svc_store_value_free(&value);
    return same;
}

static int has_text(const char *key, const char *text)
{
    return has_bytes(key, text, strlen(text));
}

static int is_gone(const char *key)
{
    svc_store_value value;
    int error = svc_store_get(store, NULL, key, &value);
    if (!error)
        svc_store_value_free(&value);
    return error == SVC_ENOTFOUND;
}

static uint64_t version_of(const char *key)
{
    svc_store_value value = {NULL, 0, 0, NULL};
    EXPECT(svc_store_get(store, NULL, key, &value) == 0);
    uint64_t version = value.version;
    svc_store_value_free(&value);
    return version;
}

static void sleep_ms(long ms)
{
    struct timespec time = {ms / 1000, ms % 1000 * 1000000};
    nanosleep(&time, NULL);
}

/* Lets time pass for the store. */
static void pass_ms(long ms)
{
    if (svc_test_store_age(store, (uint64_t)ms))
        sleep_ms(ms);
}

/* Whether the key is gone in the end; a server may round a time up by a second. */
static int goes_away(const char *key)
{
    for (long waited = 0; waited < PATIENCE_MS && !is_gone(key); waited += 50)
        pass_ms(50);
    return is_gone(key);
}

/* ---- Values */

static void nothing_is_found_where_nothing_was_stored(void)
{
    const char *key = key_of("absent");
    svc_store_value value = value_of("x");
    EXPECT(is_gone(key));
    EXPECT(svc_store_delete(store, NULL, key) == SVC_ENOTFOUND);
    EXPECT(svc_store_compare_and_delete(store, NULL, key, 1) == SVC_ENOTFOUND);
    value.version = 1;
    EXPECT(svc_store_compare_and_set(store, NULL, key, &value, 0) == SVC_ENOTFOUND);
    EXPECT(is_gone(key));
}

static void a_value_is_any_bytes(void)
{
    const char *key = key_of("bytes");
    char *bytes = malloc(LONG_BYTES);
    static const size_t lens[] = {0, 1, 2, 255, 256, 4096, LONG_BYTES, 3, 0, LONG_BYTES - 1};
    EXPECT(bytes != NULL);
    for (size_t i = 0; bytes && i < LONG_BYTES; i++)
        bytes[i] = (char)(i * 7 + i / 256);
    for (size_t i = 0; bytes && i < sizeof lens / sizeof *lens; i++) {
        svc_store_value value = {bytes, lens[i], 0, NULL};
        EXPECT(svc_store_set(store, NULL, key, &value, 0) == 0);
        EXPECT(has_bytes(key, bytes, lens[i]));
    }
    svc_store_value empty = {NULL, 0, 0, NULL};
    EXPECT(svc_store_set(store, NULL, key, &empty, 0) == 0);
    EXPECT(has_text(key, ""));
    EXPECT(svc_store_delete(store, NULL, key) == 0);
    EXPECT(is_gone(key));
    free(bytes);
}

static void a_value_over_the_maximum_is_too_big(void)
{
    const char *key = key_of("long");
    size_t len = ((size_t)64 << 20) + 1;
    char *bytes = calloc(1, len);
    svc_store_value value = {bytes, len, 0, NULL};
    EXPECT(bytes && svc_store_set(store, NULL, key, &value, 0) == SVC_ETOOBIG);
    EXPECT(is_gone(key));
    free(bytes);
}

static void keys_follow_the_rule(void)
{
    char longest[SVC_STORE_KEY_BYTES + 2];
    static const char *const bad[] = {"", "a b", "a\r\nb", "a\tb", "\x7f", " ", "a\n"};
    svc_store_value value = value_of("x");
    memset(longest, 'k', sizeof longest);
    longest[SVC_STORE_KEY_BYTES + 1] = '\0';
    EXPECT(svc_store_set(store, NULL, longest, &value, 0) == SVC_EINVAL);
    snprintf(longest, sizeof longest, "%s/", key_of("longest"));
    memset(longest + strlen(longest), 'k', SVC_STORE_KEY_BYTES - strlen(longest));
    longest[SVC_STORE_KEY_BYTES] = '\0';
    EXPECT(set(longest, "long", 0) == 0);
    EXPECT(has_text(longest, "long"));
    EXPECT(svc_store_delete(store, NULL, longest) == 0);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        EXPECT(svc_store_get(store, NULL, bad[i], &value) == SVC_EINVAL);
    EXPECT(svc_store_get(store, NULL, NULL, &value) == SVC_EINVAL);
    const char *odd = key_of("{%\\\"'\xc3\xa9\xff:}");
    EXPECT(set(odd, "odd", 0) == 0);
    EXPECT(has_text(odd, "odd"));
    EXPECT(svc_store_delete(store, NULL, odd) == 0);
}

/* ---- Writing on conditions */

static void add_stores_once(void)
{
    const char *key = key_of("added");
    svc_store_value first = value_of("first"), second = value_of("second");
    EXPECT(svc_store_add(store, NULL, key, &first, 0) == 0);
    EXPECT(first.version == version_of(key));
    EXPECT(svc_store_add(store, NULL, key, &second, 0) == SVC_ECONFLICT);
    EXPECT(has_text(key, "first"));
    EXPECT(svc_store_delete(store, NULL, key) == 0);
    EXPECT(svc_store_add(store, NULL, key, &second, 0) == 0);
    EXPECT(second.version != first.version);
    EXPECT(has_text(key, "second"));
    EXPECT(svc_store_delete(store, NULL, key) == 0);
}

static void compare_and_set_sees_each_change(void)
{
    const char *key = key_of("compared");
    svc_store_value value = value_of("b"), late = value_of("late");
    EXPECT(set(key, "a", 0) == 0);
    value.version = late.version = version_of(key);
    EXPECT(svc_store_compare_and_set(store, NULL, key, &value, 0) == 0);
    EXPECT(value.version != late.version);
    EXPECT(value.version == version_of(key));
    EXPECT(has_text(key, "b"));
    EXPECT(svc_store_compare_and_set(store, NULL, key, &late, 0) == SVC_ECONFLICT);
    value.data = "c";
    EXPECT(svc_store_compare_and_set(store, NULL, key, &value, 0) == 0);
    EXPECT(has_text(key, "c"));
    /* The same bytes as once before are another value all the same. */
    EXPECT(set(key, "a", 0) == 0);
    EXPECT(svc_store_compare_and_set(store, NULL, key, &late, 0) == SVC_ECONFLICT);
    EXPECT(svc_store_delete(store, NULL, key) == 0);
    EXPECT(set(key, "a", 0) == 0);
    EXPECT(svc_store_compare_and_set(store, NULL, key, &late, 0) == SVC_ECONFLICT);
    EXPECT(has_text(key, "a"));
    EXPECT(svc_store_delete(store, NULL, key) == 0);
}

static void compare_and_delete_removes_that_version_alone(void)
{
    const char *key = key_of("removed");
    EXPECT(set(key, "a", 0) == 0);
    uint64_t version = version_of(key);
    EXPECT(set(key, "b", 0) == 0);
    EXPECT(svc_store_compare_and_delete(store, NULL, key, version) == SVC_ECONFLICT);
    EXPECT(has_text(key, "b"));
    EXPECT(svc_store_compare_and_delete(store, NULL, key, version_of(key)) == 0);
    EXPECT(is_gone(key));
}

/* ---- Times to live */

static void a_value_ends_at_its_time(void)
{
    const char *key = key_of("short"), *kept = key_of("kept");
    svc_store_value value = value_of("next");
    EXPECT(set(key, "x", 2000) == 0);
    EXPECT(has_text(key, "x"));
    EXPECT(set(kept, "x", 2000) == 0);
    EXPECT(set(kept, "kept", 0) == 0);
    EXPECT(goes_away(key));
    EXPECT(has_text(kept, "kept"));
    EXPECT(svc_store_add(store, NULL, key, &value, 0) == 0);
    EXPECT(svc_store_delete(store, NULL, key) == 0);
    EXPECT(svc_store_delete(store, NULL, kept) == 0);
}

static void conditional_writes_set_the_time_too(void)
{
    const char *added = key_of("added"), *replaced = key_of("replaced");
    svc_store_value value = value_of("x");
    EXPECT(svc_store_add(store, NULL, added, &value, 1000) == 0);
    EXPECT(set(replaced, "x", 0) == 0);
    value.version = version_of(replaced);
    EXPECT(svc_store_compare_and_set(store, NULL, replaced, &value, 1000) == 0);
    EXPECT(goes_away(added));
    EXPECT(goes_away(replaced));
}

static void a_time_to_live_has_a_maximum(void)
{
    const char *key = key_of("long");
    EXPECT(set(key, "x", SVC_STORE_TTL_MS) == 0);
    EXPECT(has_text(key, "x"));
    EXPECT(set(key, "y", SVC_STORE_TTL_MS + 1) == SVC_EINVAL);
    EXPECT(has_text(key, "x"));
    EXPECT(svc_store_delete(store, NULL, key) == 0);
}

/* ---- Numbers */

static void increment_counts_from_nothing(void)
{
    const char *key = key_of("number");
    uint64_t number = 7;
    EXPECT(svc_store_increment(store, NULL, key, 0, 0, &number) == 0 && number == 0);
    EXPECT(svc_store_increment(store, NULL, key, 41, 0, &number) == 0 && number == 41);
    EXPECT(svc_store_increment(store, NULL, key, 1, 0, NULL) == 0);
    EXPECT(has_text(key, "42"));
    EXPECT(set(key, "99", 0) == 0);
    EXPECT(svc_store_increment(store, NULL, key, 1, 0, &number) == 0 && number == 100);
    EXPECT(svc_store_delete(store, NULL, key) == 0);
}

static void increment_refuses_what_is_no_number(void)
{
    const char *key = key_of("text");
    uint64_t number = 7;
    EXPECT(set(key, "12 apples", 0) == 0);
    EXPECT(svc_store_increment(store, NULL, key, 1, 0, &number) == SVC_ESYNTAX);
    EXPECT(has_text(key, "12 apples"));
    EXPECT(set(key, "9223372036854775806", 0) == 0);
    EXPECT(svc_store_increment(store, NULL, key, 1, 0, &number) == 0 && number == INT64_MAX);
    EXPECT(svc_store_increment(store, NULL, key, 1, 0, &number) == SVC_ETOOBIG);
    EXPECT(has_text(key, "9223372036854775807"));
    EXPECT(svc_store_increment(store, NULL, key, UINT64_MAX, 0, &number) == SVC_EINVAL);
    EXPECT(svc_store_delete(store, NULL, key) == 0);
}

/* Later increments do not prolong a number's time: a count for each minute needs that. */
static void a_number_keeps_its_time(void)
{
    const char *key = key_of("counted");
    uint64_t number = 0;
    int rounds = 0;
    EXPECT(svc_store_increment(store, NULL, key, 1, 1000, &number) == 0);
    do {
        pass_ms(100);
        EXPECT(svc_store_increment(store, NULL, key, 1, 1000, &number) == 0);
    } while (number > 1 && ++rounds < PATIENCE_MS / 100);
    EXPECT(number == 1);
    EXPECT(goes_away(key));
}

/* ---- Many keys */

static void many_keys_are_read_at_once(void)
{
    static char keys[MANY][SVC_STORE_KEY_BYTES + 1], texts[MANY][16];
    static svc_store_item items[MANY];
    int right = 0;
    for (int i = 0; i < MANY; i++) {
        snprintf(texts[i], sizeof texts[i], "%d", i * i);
        snprintf(keys[i], sizeof keys[i], "%s", key_of(texts[i]));
        items[i].key = keys[i];
        if (i % 3)
            EXPECT(set(keys[i], texts[i], 60000) == 0);
    }
    EXPECT(svc_store_get_many(store, NULL, items, MANY) == 0);
    for (int i = 0; i < MANY; i++) {
        if (i % 3)
            right += items[i].error == 0 && strcmp(items[i].value.data, texts[i]) == 0;
        else
            right += items[i].error == SVC_ENOTFOUND && !items[i].value.data;
        svc_store_value_free(&items[i].value);
        (void)svc_store_delete(store, NULL, keys[i]);
    }
    EXPECT(right == MANY);
    EXPECT(svc_store_get_many(store, NULL, items, 0) == 0);
    EXPECT(svc_store_get_many(store, NULL, items, SVC_STORE_MANY + 1) == SVC_EINVAL);
    items[1].key = "a b";
    items[0].error = 77;
    EXPECT(svc_store_get_many(store, NULL, items, 2) == SVC_EINVAL && items[0].error == 77);
}

/* ---- Limits */

static int charge(const char *key, const svc_rate_window *windows, size_t count, uint32_t cost,
                  svc_store_verdict *verdict)
{
    svc_store_charge wanted = {windows, count, cost};
    return svc_store_limit(store, NULL, key, &wanted, verdict);
}

static void a_limit_lets_a_burst_pass(void)
{
    const svc_rate_window window = {NULL, 1, 86400, 5};
    const char *key = key_of("burst");
    svc_store_verdict verdict;
    EXPECT(charge(key, &window, 1, 0, &verdict) == 0 && verdict.pass);
    EXPECT(verdict.quotas[0].remaining == 5 && verdict.quotas[0].reset_us == 0);
    for (unsigned i = 1; i <= 5; i++)
        EXPECT(charge(key, &window, 1, 1, &verdict) == 0 && verdict.pass &&
               verdict.quotas[0].remaining == 5 - i);
    EXPECT(charge(key, &window, 1, 1, &verdict) == 0 && !verdict.pass && verdict.refused == 1);
    EXPECT(verdict.quotas[0].retry_us > UINT64_C(86000) * 1000000);
    EXPECT(verdict.quotas[0].retry_us <= UINT64_C(86400) * 1000000);
    EXPECT(charge(key, &window, 1, 6, &verdict) == 0 && !verdict.pass);
    EXPECT(verdict.quotas[0].retry_us == UINT64_MAX);
    EXPECT(svc_store_delete(store, NULL, key) == 0);
    EXPECT(charge(key, &window, 1, 5, &verdict) == 0 && verdict.pass);
    EXPECT(svc_store_delete(store, NULL, key) == 0);
}

static void a_limit_gives_back_by_its_rate(void)
{
    const svc_rate_window window = {NULL, 2, 1, 4};
    const char *key = key_of("rate");
    svc_store_verdict verdict;
    EXPECT(charge(key, &window, 1, 4, &verdict) == 0 && verdict.pass);
    EXPECT(charge(key, &window, 1, 4, &verdict) == 0 && !verdict.pass);
    pass_ms(1100);
    EXPECT(charge(key, &window, 1, 2, &verdict) == 0 && verdict.pass);
    pass_ms(3000);
    EXPECT(charge(key, &window, 1, 0, &verdict) == 0 && verdict.quotas[0].remaining == 4);
}

static void a_charge_that_one_window_refuses_is_none(void)
{
    const svc_rate_window windows[] = {{NULL, 10, 86400, 10}, {NULL, 1, 86400, 2}};
    const char *key = key_of("windows");
    svc_store_verdict verdict;
    EXPECT(charge(key, windows, 2, 2, &verdict) == 0 && verdict.pass);
    EXPECT(charge(key, windows, 2, 1, &verdict) == 0 && !verdict.pass && verdict.refused == 2);
    EXPECT(verdict.quotas[0].remaining == 8 && verdict.quotas[0].retry_us == 0);
    EXPECT(verdict.quotas[1].remaining == 0 && verdict.quotas[1].retry_us > 0);
    EXPECT(svc_store_delete(store, NULL, key) == 0);
}

static void a_limit_refuses_bad_windows_and_values(void)
{
    const svc_rate_window good = {NULL, 1, 1, 1};
    const svc_rate_window bad[] = {{NULL, 0, 1, 1}, {NULL, 1, 0, 1}, {NULL, 1000001, 1, 1}};
    const char *key = key_of("bad");
    svc_store_verdict verdict;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        EXPECT(charge(key, &bad[i], 1, 1, &verdict) == SVC_EINVAL);
    EXPECT(charge(key, &good, 0, 1, &verdict) == SVC_EINVAL);
    EXPECT(charge(key, &good, SVC_STORE_WINDOWS + 1, 1, &verdict) == SVC_EINVAL);
    EXPECT(set(key, "a value of the program, and longer than what any limit stores", 0) == 0);
    EXPECT(charge(key, &good, 1, 1, &verdict) == SVC_ESYNTAX);
    EXPECT(svc_store_delete(store, NULL, key) == 0);
}

/* ---- Several threads */

static char shared_key[SVC_STORE_KEY_BYTES + 1];

/* Runs `work` in threads at once; it returns a number, and the sum of all is returned. */
static long in_threads(void *(*work)(void *arg))
{
    pthread_t threads[THREADS];
    long sums[THREADS] = {0}, sum = 0;
    for (int i = 0; i < THREADS; i++)
        EXPECT(pthread_create(&threads[i], NULL, work, &sums[i]) == 0);
    for (int i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
        sum += sums[i];
    }
    return sum;
}

static void share_key(const char *name)
{
    snprintf(shared_key, sizeof shared_key, "%s", key_of(name));
}

static void *increment_often(void *arg)
{
    for (int i = 0; i < TIMES; i++)
        *(long *)arg += svc_store_increment(store, NULL, shared_key, 1, 0, NULL) == 0;
    return NULL;
}

static void no_increment_is_lost(void)
{
    char wanted[16];
    share_key("sum");
    EXPECT(in_threads(increment_often) == THREADS * TIMES);
    snprintf(wanted, sizeof wanted, "%d", THREADS * TIMES);
    EXPECT(has_text(shared_key, wanted));
    EXPECT(svc_store_delete(store, NULL, shared_key) == 0);
}

/* Each adds to a text by comparing and setting, until it has succeeded. */
static void *append_often(void *arg)
{
    for (int i = 0; i < TIMES / 10; i++) {
        int error = SVC_ECONFLICT;
        while (error == SVC_ECONFLICT) {
            char text[THREADS * TIMES + 1];
            svc_store_value value;
            if (svc_store_get(store, NULL, shared_key, &value) || value.len + 1 > sizeof text)
                return NULL;
            memcpy(text, value.data, value.len);
            text[value.len] = 'x';
            svc_store_value longer = {text, value.len + 1, value.version, NULL};
            svc_store_value_free(&value);
            error = svc_store_compare_and_set(store, NULL, shared_key, &longer, 0);
        }
        *(long *)arg += error == 0;
    }
    return NULL;
}

static void no_change_by_compare_and_set_is_lost(void)
{
    svc_store_value value = {NULL, 0, 0, NULL};
    share_key("text");
    EXPECT(set(shared_key, "", 0) == 0);
    EXPECT(in_threads(append_often) == THREADS * (TIMES / 10));
    EXPECT(svc_store_get(store, NULL, shared_key, &value) == 0);
    EXPECT(value.len == THREADS * (TIMES / 10));
    svc_store_value_free(&value);
    EXPECT(svc_store_delete(store, NULL, shared_key) == 0);
}

static void *add_one(void *arg)
{
    svc_store_value value = value_of("mine");
    *(long *)arg = svc_store_add(store, NULL, shared_key, &value, 0) == 0;
    return NULL;
}

static void one_of_many_adds(void)
{
    share_key("lock");
    for (int i = 0; i < 20; i++) {
        EXPECT(in_threads(add_one) == 1);
        EXPECT(svc_store_delete(store, NULL, shared_key) == 0);
    }
}

static void *charge_often(void *arg)
{
    const svc_rate_window window = {NULL, 1, 86400, 100};
    svc_store_verdict verdict;
    for (int i = 0; i < TIMES; i++)
        *(long *)arg += charge(shared_key, &window, 1, 1, &verdict) == 0 && verdict.pass;
    return NULL;
}

static void a_limit_counts_all_threads_together(void)
{
    share_key("limit");
    EXPECT(in_threads(charge_often) == 100);
    EXPECT(svc_store_delete(store, NULL, shared_key) == 0);
}

/* ---- All of them */

static const struct {
    const char *name;
    void (*run)(void);
} tests[] = {
#define TEST(name)                                                                                 \
    {                                                                                              \
#name, name                                                                                \
    }
    TEST(nothing_is_found_where_nothing_was_stored),
    TEST(a_value_is_any_bytes),
    TEST(a_value_over_the_maximum_is_too_big),
    TEST(keys_follow_the_rule),
    TEST(add_stores_once),
    TEST(compare_and_set_sees_each_change),
    TEST(compare_and_delete_removes_that_version_alone),
    TEST(a_value_ends_at_its_time),
    TEST(conditional_writes_set_the_time_too),
    TEST(a_time_to_live_has_a_maximum),
    TEST(increment_counts_from_nothing),
    TEST(increment_refuses_what_is_no_number),
    TEST(a_number_keeps_its_time),
    TEST(many_keys_are_read_at_once),
    TEST(a_limit_lets_a_burst_pass),
    TEST(a_limit_gives_back_by_its_rate),
    TEST(a_charge_that_one_window_refuses_is_none),
    TEST(a_limit_refuses_bad_windows_and_values),
    TEST(no_increment_is_lost),
    TEST(no_change_by_compare_and_set_is_lost),
    TEST(one_of_many_adds),
    TEST(a_limit_counts_all_threads_together),
#undef TEST
};

int svc_store_conformance(svc_store *wanted, FILE *out)
{
    store = wanted;
    report = out;
    failures = 0;
    run_number++;
    if (!store) {
        fprintf(out, "there is no store\n");
        return 1;
    }
    for (size_t i = 0; i < sizeof tests / sizeof *tests; i++) {
        int before = failures;
        test_name = tests[i].name;
        tests[i].run();
        fprintf(out, "%s %s\n", failures == before ? "ok" : "FAILED", test_name);
    }
    return failures;
}
