/* The conformance suite of stores: see store.h. */
#include "store.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <svc/channel.h>
#include <svc/loop.h>
#include <svc/response.h>
#include <svc/test.h>

enum {
    THREADS = 4,
    TIMES = 250,
    MANY = 200,
    LONG_BYTES = 100000,
    PATIENCE_MS = 30000,
    SUITE_MS = 600000 /* for all of it, where a machine is very busy */
};

static svc_store *store;
static FILE *report;
static const char *test_name;
static int failures;
static unsigned run_number; /* so that each run has keys of its own */
static svc_loop *loop;      /* by which calls are made; NULL: they wait */
static _Thread_local int last_result;

#define EXPECT(condition)                                                                          \
    ((condition) ? (void)0                                                                         \
                 : (failures++, (void)fprintf(report, "  %s, line %d: %s (the last call: %d)\n",   \
                                              test_name, __LINE__, #condition, last_result)))

/* ---- Both ways of calling */

/* A call on the loop, which wakes the thread that has made it. */
struct loop_call {
    int (*make)(struct loop_call *call);
    const char *key;
    const svc_store_value *given;
    svc_store_value value; /* that was read: a copy */
    const svc_store_charge *charge;
    svc_store_verdict verdict;
    uint64_t ttl_ms, number;
    int error, in_make, wrong; /* wrong: the callback came within the call, or twice */
    int done;
};

static pthread_mutex_t done_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t done_changed = PTHREAD_COND_INITIALIZER;

static void end_call(struct loop_call *call, int error)
{
    pthread_mutex_lock(&done_lock);
    call->error = error;
    call->wrong |= call->done;
    call->done = 1;
    pthread_cond_broadcast(&done_changed);
    pthread_mutex_unlock(&done_lock);
}

static void take_answer(const svc_store_answer *answer, void *arg)
{
    struct loop_call *call = arg;
    call->wrong |= call->in_make;
    call->number = answer->number;
    call->value.version = answer->value.version;
    if (answer->verdict)
        call->verdict = *answer->verdict;
    if (answer->value.data) { /* and the NUL behind it */
        call->value.len = answer->value.len;
        call->value.data = call->value.own = malloc(answer->value.len + 1);
        if (call->value.own)
            memcpy(call->value.own, answer->value.data, answer->value.len + 1);
    }
    end_call(call, answer->error);
}

static void make_on_loop(void *arg)
{
    struct loop_call *call = arg;
    call->in_make = 1;
    int error = call->make(call);
    call->in_make = 0;
    if (error)
        end_call(call, error);
}

static void await_end(struct loop_call *call)
{
    pthread_mutex_lock(&done_lock);
    while (!call->done)
        pthread_cond_wait(&done_changed, &done_lock);
    pthread_mutex_unlock(&done_lock);
}

/* Makes calls on the loop, in one turn of it if it is not interrupted, and waits for all of them.
 */
static void run_on_loop(struct loop_call *calls, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (svc_loop_post(loop, make_on_loop, &calls[i]))
            end_call(&calls[i], SVC_ESTATE);
    for (size_t i = 0; i < count; i++) {
        await_end(&calls[i]);
        calls[i].error = calls[i].wrong ? SVC_ELATE : calls[i].error; /* which is no store's */
    }
}

static int run_one(struct loop_call *call, int (*make)(struct loop_call *call))
{
    call->make = make;
    run_on_loop(call, 1);
    return call->error;
}

static int make_get(struct loop_call *call)
{
    return svc_store_get_then(store, NULL, call->key, take_answer, call);
}

static int make_set(struct loop_call *call)
{
    return svc_store_set_then(store, NULL, call->key, call->given, call->ttl_ms, take_answer, call);
}

static int make_add(struct loop_call *call)
{
    return svc_store_add_then(store, NULL, call->key, call->given, call->ttl_ms, take_answer, call);
}

static int make_compare_and_set(struct loop_call *call)
{
    return svc_store_compare_and_set_then(store, NULL, call->key, call->given, call->ttl_ms,
                                          take_answer, call);
}

static int make_delete(struct loop_call *call)
{
    return svc_store_delete_then(store, NULL, call->key, take_answer, call);
}

static int make_compare_and_delete(struct loop_call *call)
{
    return svc_store_compare_and_delete_then(store, NULL, call->key, call->number, take_answer,
                                             call);
}

static int make_lease(struct loop_call *call)
{
    return svc_store_lease_then(store, NULL, call->key, call->ttl_ms, take_answer, call);
}

static int make_increment(struct loop_call *call)
{
    return svc_store_increment_then(store, NULL, call->key, call->number, call->ttl_ms, take_answer,
                                    call);
}

static int make_limit(struct loop_call *call)
{
    return svc_store_limit_then(store, NULL, call->key, call->charge, take_answer, call);
}

static int call_get(const char *key, svc_store_value *value)
{
    struct loop_call call = {.key = key};
    if (!loop)
        return last_result = svc_store_get(store, NULL, key, value);
    int error = last_result = run_one(&call, make_get);
    if (!error)
        *value = call.value;
    return error;
}

/* On a loop: that many gets at once. */
static int call_get_many(svc_store_item *items, size_t count)
{
    static struct loop_call calls[MANY];
    if (!loop || count > MANY)
        return svc_store_get_many(store, NULL, items, count);
    for (size_t i = 0; i < count; i++)
        calls[i] = (struct loop_call){.make = make_get, .key = items[i].key};
    run_on_loop(calls, count);
    int first = 0;
    for (size_t i = 0; i < count; i++) {
        items[i].error = calls[i].error;
        items[i].value = calls[i].value;
        if (!first && items[i].error != SVC_ENOTFOUND)
            first = items[i].error;
    }
    return first;
}

static void free_value(svc_store_value *value)
{
    if (loop) {
        free(value->own);
        *value = (svc_store_value){0};
    } else {
        svc_store_value_free(value);
    }
}

static int call_set(const char *key, const svc_store_value *value, uint64_t ttl_ms)
{
    struct loop_call call = {.key = key, .given = value, .ttl_ms = ttl_ms};
    return last_result =
               loop ? run_one(&call, make_set) : svc_store_set(store, NULL, key, value, ttl_ms);
}

static int call_add(const char *key, svc_store_value *value, uint64_t ttl_ms)
{
    struct loop_call call = {.key = key, .given = value, .ttl_ms = ttl_ms};
    if (!loop)
        return last_result = svc_store_add(store, NULL, key, value, ttl_ms);
    int error = last_result = run_one(&call, make_add);
    if (!error)
        value->version = call.value.version;
    return error;
}

static int call_compare_and_set(const char *key, svc_store_value *value, uint64_t ttl_ms)
{
    struct loop_call call = {.key = key, .given = value, .ttl_ms = ttl_ms};
    if (!loop)
        return last_result = svc_store_compare_and_set(store, NULL, key, value, ttl_ms);
    int error = last_result = run_one(&call, make_compare_and_set);
    if (!error)
        value->version = call.value.version;
    return error;
}

static int call_delete(const char *key)
{
    struct loop_call call = {.key = key};
    return last_result = loop ? run_one(&call, make_delete) : svc_store_delete(store, NULL, key);
}

static int call_compare_and_delete(const char *key, uint64_t version)
{
    struct loop_call call = {.key = key, .number = version};
    return last_result = loop ? run_one(&call, make_compare_and_delete)
                              : svc_store_compare_and_delete(store, NULL, key, version);
}

static int call_lease(const char *key, uint64_t lease_ms, svc_store_value *value)
{
    struct loop_call call = {.key = key, .ttl_ms = lease_ms};
    if (!loop)
        return last_result = svc_store_lease(store, NULL, key, lease_ms, value);
    int error = last_result = run_one(&call, make_lease);
    if (!error || error == SVC_ENOTFOUND)
        *value = call.value;
    return error;
}

static int call_increment(const char *key, uint64_t by, uint64_t ttl_ms, uint64_t *number)
{
    struct loop_call call = {.key = key, .number = by, .ttl_ms = ttl_ms};
    if (!loop)
        return last_result = svc_store_increment(store, NULL, key, by, ttl_ms, number);
    int error = last_result = run_one(&call, make_increment);
    if (!error && number)
        *number = call.number;
    return error;
}

static int call_limit(const char *key, const svc_store_charge *charge, svc_store_verdict *verdict)
{
    struct loop_call call = {.key = key, .charge = charge};
    if (!loop)
        return last_result = svc_store_limit(store, NULL, key, charge, verdict);
    int error = last_result = run_one(&call, make_limit);
    if (!error)
        *verdict = call.verdict;
    return error;
}

/* ---- */

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
    return call_set(key, &value, ttl_ms);
}

static int has_bytes(const char *key, const void *data, size_t len)
{
    svc_store_value value;
    if (call_get(key, &value))
        return 0;
    int same = value.len == len && (len == 0 || memcmp(value.data, data, len) == 0) &&
               ((const char *)value.data)[len] == '\0';
    free_value(&value);
    return same;
}

static int has_text(const char *key, const char *text)
{
    return has_bytes(key, text, strlen(text));
}

static int is_gone(const char *key)
{
    svc_store_value value;
    int error = call_get(key, &value);
    if (!error)
        free_value(&value);
    return error == SVC_ENOTFOUND;
}

static uint64_t version_of(const char *key)
{
    svc_store_value value = {NULL, 0, 0, NULL};
    EXPECT(call_get(key, &value) == 0);
    uint64_t version = value.version;
    free_value(&value);
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

static uint64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
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
    EXPECT(call_delete(key) == SVC_ENOTFOUND);
    EXPECT(call_compare_and_delete(key, 1) == SVC_ENOTFOUND);
    value.version = 1;
    EXPECT(call_compare_and_set(key, &value, 0) == SVC_ENOTFOUND);
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
        EXPECT(call_set(key, &value, 0) == 0);
        EXPECT(has_bytes(key, bytes, lens[i]));
    }
    svc_store_value empty = {NULL, 0, 0, NULL};
    EXPECT(call_set(key, &empty, 0) == 0);
    EXPECT(has_text(key, ""));
    EXPECT(call_delete(key) == 0);
    EXPECT(is_gone(key));
    free(bytes);
}

static void a_value_over_the_maximum_is_too_big(void)
{
    const char *key = key_of("long");
    size_t len = ((size_t)64 << 20) + 1;
    char *bytes = calloc(1, len);
    svc_store_value value = {bytes, len, 0, NULL};
    EXPECT(bytes && call_set(key, &value, 0) == SVC_ETOOBIG);
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
    EXPECT(call_set(longest, &value, 0) == SVC_EINVAL);
    snprintf(longest, sizeof longest, "%s/", key_of("longest"));
    memset(longest + strlen(longest), 'k', SVC_STORE_KEY_BYTES - strlen(longest));
    longest[SVC_STORE_KEY_BYTES] = '\0';
    EXPECT(set(longest, "long", 0) == 0);
    EXPECT(has_text(longest, "long"));
    EXPECT(call_delete(longest) == 0);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        EXPECT(call_get(bad[i], &value) == SVC_EINVAL);
    EXPECT(call_get(NULL, &value) == SVC_EINVAL);
    const char *odd = key_of("{%\\\"'\xc3\xa9\xff:}");
    EXPECT(set(odd, "odd", 0) == 0);
    EXPECT(has_text(odd, "odd"));
    EXPECT(call_delete(odd) == 0);
}

/* ---- Writing on conditions */

static void add_stores_once(void)
{
    const char *key = key_of("added");
    svc_store_value first = value_of("first"), second = value_of("second");
    EXPECT(call_add(key, &first, 0) == 0);
    EXPECT(first.version == version_of(key));
    EXPECT(call_add(key, &second, 0) == SVC_ECONFLICT);
    EXPECT(has_text(key, "first"));
    EXPECT(call_delete(key) == 0);
    EXPECT(call_add(key, &second, 0) == 0);
    EXPECT(second.version != first.version);
    EXPECT(has_text(key, "second"));
    EXPECT(call_delete(key) == 0);
}

static void compare_and_set_sees_each_change(void)
{
    const char *key = key_of("compared");
    svc_store_value value = value_of("b"), late = value_of("late");
    EXPECT(set(key, "a", 0) == 0);
    value.version = late.version = version_of(key);
    EXPECT(call_compare_and_set(key, &value, 0) == 0);
    EXPECT(value.version != late.version);
    EXPECT(value.version == version_of(key));
    EXPECT(has_text(key, "b"));
    EXPECT(call_compare_and_set(key, &late, 0) == SVC_ECONFLICT);
    value.data = "c";
    EXPECT(call_compare_and_set(key, &value, 0) == 0);
    EXPECT(has_text(key, "c"));
    /* The same bytes as once before are another value all the same. */
    EXPECT(set(key, "a", 0) == 0);
    EXPECT(call_compare_and_set(key, &late, 0) == SVC_ECONFLICT);
    EXPECT(call_delete(key) == 0);
    EXPECT(set(key, "a", 0) == 0);
    EXPECT(call_compare_and_set(key, &late, 0) == SVC_ECONFLICT);
    EXPECT(has_text(key, "a"));
    EXPECT(call_delete(key) == 0);
}

static void compare_and_delete_removes_that_version_alone(void)
{
    const char *key = key_of("removed");
    EXPECT(set(key, "a", 0) == 0);
    uint64_t version = version_of(key);
    EXPECT(set(key, "b", 0) == 0);
    EXPECT(call_compare_and_delete(key, version) == SVC_ECONFLICT);
    EXPECT(has_text(key, "b"));
    EXPECT(call_compare_and_delete(key, version_of(key)) == 0);
    EXPECT(is_gone(key));
}

/* ---- Times to live */

static void a_value_ends_at_its_time(void)
{
    const char *key = key_of("short"), *kept = key_of("kept");
    svc_store_value value = value_of("next");
    uint64_t began_ms = now_ms();
    EXPECT(set(key, "x", 2000) == 0);
    EXPECT(has_text(key, "x") || now_ms() - began_ms >= 2000);
    EXPECT(set(kept, "x", 2000) == 0);
    EXPECT(set(kept, "kept", 0) == 0);
    EXPECT(goes_away(key));
    EXPECT(has_text(kept, "kept"));
    EXPECT(call_add(key, &value, 0) == 0);
    EXPECT(call_delete(key) == 0);
    EXPECT(call_delete(kept) == 0);
}

static void conditional_writes_set_the_time_too(void)
{
    const char *added = key_of("added"), *replaced = key_of("replaced");
    svc_store_value value = value_of("x");
    EXPECT(call_add(added, &value, 1000) == 0);
    EXPECT(set(replaced, "x", 0) == 0);
    value.version = version_of(replaced);
    EXPECT(call_compare_and_set(replaced, &value, 1000) == 0);
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
    EXPECT(call_delete(key) == 0);
}

/* ---- Numbers */

static void increment_counts_from_nothing(void)
{
    const char *key = key_of("number");
    uint64_t number = 7;
    EXPECT(call_increment(key, 0, 0, &number) == 0 && number == 0);
    EXPECT(call_increment(key, 41, 0, &number) == 0 && number == 41);
    EXPECT(call_increment(key, 1, 0, NULL) == 0);
    EXPECT(has_text(key, "42"));
    EXPECT(set(key, "99", 0) == 0);
    EXPECT(call_increment(key, 1, 0, &number) == 0 && number == 100);
    EXPECT(call_delete(key) == 0);
}

static void increment_refuses_what_is_no_number(void)
{
    const char *key = key_of("text");
    uint64_t number = 7;
    EXPECT(set(key, "12 apples", 0) == 0);
    EXPECT(call_increment(key, 1, 0, &number) == SVC_ESYNTAX);
    EXPECT(has_text(key, "12 apples"));
    EXPECT(set(key, "9223372036854775806", 0) == 0);
    EXPECT(call_increment(key, 1, 0, &number) == 0 && number == INT64_MAX);
    EXPECT(call_increment(key, 1, 0, &number) == SVC_ETOOBIG);
    EXPECT(has_text(key, "9223372036854775807"));
    EXPECT(call_increment(key, UINT64_MAX, 0, &number) == SVC_EINVAL);
    EXPECT(call_delete(key) == 0);
}

/* Later increments do not prolong a number's time: a count for each minute needs that. */
static void a_number_keeps_its_time(void)
{
    const char *key = key_of("counted");
    uint64_t number = 0;
    int rounds = 0;
    EXPECT(call_increment(key, 1, 1000, &number) == 0);
    do {
        pass_ms(100);
        EXPECT(call_increment(key, 1, 1000, &number) == 0);
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
    EXPECT(call_get_many(items, MANY) == 0);
    for (int i = 0; i < MANY; i++) {
        if (i % 3)
            right += items[i].error == 0 && strcmp(items[i].value.data, texts[i]) == 0;
        else
            right += items[i].error == SVC_ENOTFOUND && !items[i].value.data;
        free_value(&items[i].value);
        (void)call_delete(keys[i]);
    }
    EXPECT(right == MANY);
    if (loop) /* it is a call that waits */
        return;
    EXPECT(call_get_many(items, 0) == 0);
    EXPECT(call_get_many(items, SVC_STORE_MANY + 1) == SVC_EINVAL);
    items[1].key = "a b";
    items[0].error = 77;
    EXPECT(call_get_many(items, 2) == SVC_EINVAL && items[0].error == 77);
}

/* ---- Limits */

static int charge(const char *key, const svc_rate_window *windows, size_t count, uint32_t cost,
                  svc_store_verdict *verdict)
{
    svc_store_charge wanted = {windows, count, cost};
    return call_limit(key, &wanted, verdict);
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
    EXPECT(call_delete(key) == 0);
    EXPECT(charge(key, &window, 1, 5, &verdict) == 0 && verdict.pass);
    EXPECT(call_delete(key) == 0);
}

static void a_limit_gives_back_by_its_rate(void)
{
    const svc_rate_window window = {NULL, 2, 1, 4};
    const char *key = key_of("rate");
    svc_store_verdict verdict;
    uint64_t began_ms = now_ms();
    EXPECT(charge(key, &window, 1, 4, &verdict) == 0 && verdict.pass);
    EXPECT(charge(key, &window, 1, 4, &verdict) == 0 &&
           (!verdict.pass || now_ms() - began_ms >= 2000));
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
    EXPECT(call_delete(key) == 0);
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
    EXPECT(call_delete(key) == 0);
}

/* ---- Leases, which a backend may leave out */

enum { LEASE_MS = 600000 };

/* Whether the store has no leases; it says so then. */
static int has_no_leases(const char *key)
{
    svc_store_value value = {NULL, 0, 0, NULL};
    if (svc_store_leases(store))
        return 0;
    EXPECT(call_lease(key, LEASE_MS, &value) == SVC_ESTATE);
    EXPECT(is_gone(key));
    return 1;
}

static void one_caller_gets_the_lease_of_a_key(void)
{
    const char *key = key_of("leased");
    svc_store_value lease = value_of("x"), other = {NULL, 0, 0, NULL};
    if (has_no_leases(key))
        return;
    EXPECT(call_lease(key, 0, &lease) == SVC_EINVAL);
    EXPECT(call_lease(key, SVC_STORE_TTL_MS + 1, &lease) == SVC_EINVAL);
    EXPECT(call_lease(key, LEASE_MS, &lease) == SVC_ENOTFOUND);
    EXPECT(lease.data == NULL && lease.len == 0 && lease.own == NULL);
    EXPECT(call_lease(key, LEASE_MS, &other) == SVC_ECONFLICT);
    EXPECT(call_compare_and_delete(key, lease.version + 1) == SVC_ECONFLICT);
    EXPECT(call_lease(key, LEASE_MS, &other) == SVC_ECONFLICT);
    EXPECT(call_compare_and_delete(key, lease.version) == 0);
    EXPECT(call_lease(key, LEASE_MS, &other) == SVC_ENOTFOUND);
    EXPECT(other.version != lease.version);
    EXPECT(call_compare_and_delete(key, lease.version) == SVC_ECONFLICT);
    EXPECT(call_delete(key) == 0);
    EXPECT(call_compare_and_delete(key, other.version) == SVC_ENOTFOUND);
}

static void a_lease_is_no_value(void)
{
    const char *key = key_of("nothing");
    svc_store_value value = value_of("value"), lease = {NULL, 0, 0, NULL};
    svc_store_item item = {key, 0, {NULL, 0, 0, NULL}};
    if (has_no_leases(key))
        return;
    EXPECT(call_lease(key, LEASE_MS, &lease) == SVC_ENOTFOUND);
    EXPECT(is_gone(key));
    EXPECT(call_get_many(&item, 1) == 0 && item.error == SVC_ENOTFOUND);
    EXPECT(call_add(key, &value, 0) == SVC_ECONFLICT);
    EXPECT(call_lease(key, LEASE_MS, &lease) == SVC_ECONFLICT);
    /* An empty value is one, though. */
    EXPECT(set(key, "", 0) == 0);
    EXPECT(has_text(key, ""));
    EXPECT(call_lease(key, LEASE_MS, &lease) == 0 && lease.len == 0 && lease.data != NULL);
    free_value(&lease);
    EXPECT(has_text(key, ""));
    EXPECT(call_delete(key) == 0);
}

static void a_value_is_stored_by_its_lease_alone(void)
{
    const char *key = key_of("kept");
    svc_store_value lease = {NULL, 0, 0, NULL}, read = {NULL, 0, 0, NULL}, value = value_of("made");
    if (has_no_leases(key))
        return;
    EXPECT(call_lease(key, LEASE_MS, &lease) == SVC_ENOTFOUND);
    value.version = lease.version;
    EXPECT(call_compare_and_set(key, &value, 0) == 0);
    EXPECT(has_text(key, "made"));
    EXPECT(call_lease(key, LEASE_MS, &read) == 0);
    EXPECT(read.version == value.version && read.len == 4 && memcmp(read.data, "made", 5) == 0);
    free_value(&read);
    value.version = lease.version;
    EXPECT(call_compare_and_set(key, &value, 0) == SVC_ECONFLICT);
    EXPECT(call_delete(key) == 0);
    /* The key was deleted while the value was made: it is not kept. */
    EXPECT(call_lease(key, LEASE_MS, &lease) == SVC_ENOTFOUND);
    EXPECT(call_delete(key) == 0);
    value.version = lease.version;
    EXPECT(call_compare_and_set(key, &value, 0) == SVC_ENOTFOUND);
    EXPECT(is_gone(key));
    /* Whoever sets a value needs no lease, and ends it. */
    EXPECT(call_lease(key, LEASE_MS, &lease) == SVC_ENOTFOUND);
    EXPECT(set(key, "other", 0) == 0);
    value.version = lease.version;
    EXPECT(call_compare_and_set(key, &value, 0) == SVC_ECONFLICT);
    EXPECT(has_text(key, "other"));
    EXPECT(call_delete(key) == 0);
}

static void a_lease_ends(void)
{
    const char *key = key_of("over");
    svc_store_value lease = {NULL, 0, 0, NULL}, next = {NULL, 0, 0, NULL}, late = value_of("late");
    int error = SVC_ECONFLICT;
    if (has_no_leases(key))
        return;
    EXPECT(call_lease(key, 200, &lease) == SVC_ENOTFOUND);
    for (long waited = 0; waited < PATIENCE_MS && error == SVC_ECONFLICT; waited += 50) {
        pass_ms(50);
        error = call_lease(key, LEASE_MS, &next);
    }
    EXPECT(error == SVC_ENOTFOUND);
    late.version = lease.version;
    EXPECT(call_compare_and_set(key, &late, 0) == SVC_ECONFLICT);
    EXPECT(is_gone(key));
    EXPECT(call_compare_and_delete(key, next.version) == 0);
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
        *(long *)arg += call_increment(shared_key, 1, 0, NULL) == 0;
    return NULL;
}

static void no_increment_is_lost(void)
{
    char wanted[16];
    share_key("sum");
    EXPECT(in_threads(increment_often) == THREADS * TIMES);
    snprintf(wanted, sizeof wanted, "%d", THREADS * TIMES);
    EXPECT(has_text(shared_key, wanted));
    EXPECT(call_delete(shared_key) == 0);
}

/* Each adds to a text by comparing and setting, until it has succeeded. */
static void *append_often(void *arg)
{
    for (int i = 0; i < TIMES / 10; i++) {
        int error = SVC_ECONFLICT;
        while (error == SVC_ECONFLICT) {
            char text[THREADS * TIMES + 1];
            svc_store_value value;
            if (call_get(shared_key, &value) || value.len + 1 > sizeof text)
                return NULL;
            memcpy(text, value.data, value.len);
            text[value.len] = 'x';
            svc_store_value longer = {text, value.len + 1, value.version, NULL};
            free_value(&value);
            error = call_compare_and_set(shared_key, &longer, 0);
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
    EXPECT(call_get(shared_key, &value) == 0);
    EXPECT(value.len == THREADS * (TIMES / 10));
    free_value(&value);
    EXPECT(call_delete(shared_key) == 0);
}

static void *add_one(void *arg)
{
    svc_store_value value = value_of("mine");
    *(long *)arg = call_add(shared_key, &value, 0) == 0;
    return NULL;
}

static void one_of_many_adds(void)
{
    share_key("lock");
    for (int i = 0; i < 20; i++) {
        EXPECT(in_threads(add_one) == 1);
        EXPECT(call_delete(shared_key) == 0);
    }
}

static void *lease_once(void *arg)
{
    svc_store_value lease;
    *(long *)arg = call_lease(shared_key, LEASE_MS, &lease) == SVC_ENOTFOUND;
    return NULL;
}

static void one_of_many_gets_the_lease(void)
{
    share_key("raced");
    if (has_no_leases(shared_key))
        return;
    for (int i = 0; i < 20; i++) {
        EXPECT(in_threads(lease_once) == 1);
        EXPECT(call_delete(shared_key) == 0);
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
    EXPECT(call_delete(shared_key) == 0);
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
    TEST(one_caller_gets_the_lease_of_a_key),
    TEST(a_lease_is_no_value),
    TEST(a_value_is_stored_by_its_lease_alone),
    TEST(a_lease_ends),
    TEST(a_limit_lets_a_burst_pass),
    TEST(a_limit_gives_back_by_its_rate),
    TEST(a_charge_that_one_window_refuses_is_none),
    TEST(a_limit_refuses_bad_windows_and_values),
    TEST(no_increment_is_lost),
    TEST(no_change_by_compare_and_set_is_lost),
    TEST(one_of_many_adds),
    TEST(one_of_many_gets_the_lease),
    TEST(a_limit_counts_all_threads_together),
#undef TEST
};

static void run_test(const char *name, void (*run)(void))
{
    int before = failures;
    test_name = name;
    run();
    fprintf(report, "%s %s%s\n", failures == before ? "ok" : "FAILED", name,
            loop ? ", on a loop" : "");
}

static void run_all(void)
{
    run_number++;
    for (size_t i = 0; i < sizeof tests / sizeof *tests; i++)
        run_test(tests[i].name, tests[i].run);
}

int svc_store_conformance(svc_store *wanted, FILE *out)
{
    store = wanted;
    report = out;
    failures = 0;
    if (!store) {
        fprintf(out, "there is no store\n");
        return 1;
    }
    run_all();
    return failures;
}

/* ---- Messages of channels */

static svc_channel *channel;
static pthread_mutex_t heard_lock = PTHREAD_MUTEX_INITIALIZER;
static int next_heard, disordered, gaps; /* of the messages, which are the numbers from 0 */

static void hear_message(const void *data, size_t len, void *arg)
{
    char text[16];
    snprintf(text, sizeof text, "%.*s", (int)len, (const char *)data);
    pthread_mutex_lock(&heard_lock);
    disordered += atoi(text) != next_heard || arg != &channel;
    next_heard++;
    pthread_mutex_unlock(&heard_lock);
}

static void hear_gap(void *arg)
{
    (void)arg;
    pthread_mutex_lock(&heard_lock);
    gaps++;
    pthread_mutex_unlock(&heard_lock);
}

struct heard_so_far {
    int messages, gaps;
};

static struct heard_so_far read_heard(void)
{
    pthread_mutex_lock(&heard_lock);
    struct heard_so_far heard = {next_heard, gaps};
    pthread_mutex_unlock(&heard_lock);
    return heard;
}

/* Waits until so many messages and gaps have come, or a gap more in place of messages. */
static int await_heard(int messages, int known_gaps)
{
    int enough = 0;
    for (long waited = 0; waited < PATIENCE_MS && !enough; waited += 10) {
        struct heard_so_far heard = read_heard();
        enough =
            (heard.messages >= messages && heard.gaps >= known_gaps) || heard.gaps > known_gaps;
        if (!enough)
            sleep_ms(10);
    }
    return enough;
}

static int make_publish(struct loop_call *call)
{
    return svc_channel_publish_then(channel, NULL, call->given->data, call->given->len, take_answer,
                                    call);
}

static int publish(const char *text)
{
    svc_store_value value = value_of(text);
    struct loop_call call = {.given = &value};
    return loop ? run_one(&call, make_publish)
                : svc_channel_publish(channel, NULL, value.data, value.len);
}

static void messages_come_in_order_or_are_a_gap(void)
{
    EXPECT(await_heard(0, 1)); /* a channel begins with a gap */
    for (int i = 0; i < 20; i++) {
        char text[16];
        struct heard_so_far before = read_heard();
        snprintf(text, sizeof text, "%d", before.messages);
        EXPECT(publish(text) == 0);
        EXPECT(await_heard(before.messages + 1, before.gaps));
        if (read_heard().gaps > before.gaps)
            break; /* a backend that has no messages */
    }
    pthread_mutex_lock(&heard_lock);
    EXPECT(disordered == 0);
    pthread_mutex_unlock(&heard_lock);
}

/* A worker's thread, which may wait; the loop is free meanwhile. */
static int run_both(svc_request *req, svc_response *res)
{
    static const char messages[] = "messages_come_in_order_or_are_a_gap";
    run_all();
    run_test(messages, messages_come_in_order_or_are_a_gap);
    loop = svc_request_loop(req);
    if (call_delete("conformance/first") == SVC_ESTATE) {
        fprintf(report, "the backend is not for calls on loops\n");
    } else {
        run_all();
        run_test(messages, messages_come_in_order_or_are_a_gap);
    }
    loop = NULL;
    return svc_response_text(res, 200, "done");
}

int svc_store_conformance_both(svc_app *app, const char *url, FILE *out)
{
    svc_route route = SVC_ROUTE_INIT;
    svc_test test = SVC_TEST_INIT;
    char name[32];
    snprintf(name, sizeof name, "conformance-%ld", (long)getpid());
    store = svc_store_open(app, url);
    channel = svc_channel_open(app, store, name, hear_message, hear_gap, &channel);
    report = out;
    failures = 0;
    route.pattern = "GET /conformance";
    route.handler = run_both;
    route.flags = SVC_BLOCKING;
    route.timeout_ms = SUITE_MS;
    test.target = "/conformance";
    test.timeout_ms = SUITE_MS;
    next_heard = disordered = gaps = 0;
    if (store && channel && svc_app_route(app, &route) == 0) {
        svc_reply *reply = svc_app_test(app, &test);
        failures += svc_reply_status(reply) != 200;
        svc_reply_free(reply);
    } else {
        failures = 1;
    }
    if (failures > 0)
        fprintf(out, "%d promises were not kept\n%s", failures, svc_app_errors(app));
    return failures;
}
