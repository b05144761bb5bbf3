/*
 * A memo under several threads, a program of its own so that the thread sanitizer sees it: values
 * that expire, are stale, fail and are forgotten all the while. No call gets a value of another
 * key, and at no time is a key loaded twice, unless it was forgotten meanwhile.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <svc.h>

enum { THREADS = 6, STEPS = 4000, KEYS = 12 };

static svc_memo *memo;
static svc_store *store;
static _Atomic int wrong;
static _Atomic int loading[KEYS];
static _Atomic unsigned loads, forgets[KEYS];

static void expect_that(bool is_so, const char *claim)
{
    if (is_so)
        return;
    printf("WRONG: %s\n", claim);
    wrong = 1;
}

/* Every seventh load fails, and every eleventh finds nothing. */
static int load_text(svc_memo_load *load, const char *key, void *arg)
{
    char text[32];
    unsigned number = ++loads, at = (unsigned)atoi(key);
    (void)arg;
    bool alone = loading[at]++ == 0;
    expect_that(alone || forgets[at] > 0, "a key is loaded by one call at a time");
    int error =
        number % 7 == 0 ? SVC_ESYSTEM
        : number % 11 == 0
            ? SVC_ENOTFOUND
            : svc_memo_load_value(load, text, (size_t)sprintf(text, "%s is %u", key, number));
    loading[at]--;
    return error;
}

static void step_once(unsigned *seed)
{
    char key[16];
    svc_store_value value;
    unsigned at = (unsigned)rand_r(seed) % KEYS;
    snprintf(key, sizeof key, "%u", at);
    switch (rand_r(seed) % 40) {
    case 0:
        if (at >= KEYS / 2) {
            forgets[at]++;
            expect_that(svc_memo_forget(memo, NULL, key) == 0, "a key is forgotten");
        }
        return;
    case 1:
        svc_test_memo_age(memo, 400);
        svc_test_store_age(store, 400);
        return;
    default:
        break;
    }
    int error = svc_memo_get(memo, NULL, key, load_text, NULL, &value);
    expect_that(!error || error == SVC_ESYSTEM || error == SVC_ENOTFOUND,
                "an error is the loader's");
    if (error)
        return;
    size_t len = strlen(key);
    expect_that(memcmp(value.data, key, len) == 0 && ((const char *)value.data)[len] == ' ',
                "a value is under its own key");
    svc_store_value_free(&value);
}

static void *step_often(void *arg)
{
    unsigned seed = *(unsigned *)arg;
    for (int i = 0; i < STEPS; i++)
        step_once(&seed);
    return NULL;
}

int main(void)
{
    pthread_t threads[THREADS];
    unsigned seeds[THREADS];
    svc_memo_options options = SVC_MEMO_OPTIONS_INIT;
    options.name = "memo";
    options.ttl_ms = 1000;
    options.negative_ms = 500;
    options.stale_ms = 2000;
    options.stale_error_ms = 3000;
    options.lease_ms = 3600000; /* more than all the time that passes: no lease is lost */
    options.retry_ms = 100;
    options.wait_ms = 60000;
    svc_app *app = svc_app_new("threads");
    memo = svc_memo_new(app, svc_store_open(app, NULL), &options);
    store = svc_test_store(app);
    for (unsigned i = 0; i < THREADS; i++) {
        seeds[i] = i + 1;
        expect_that(pthread_create(&threads[i], NULL, step_often, &seeds[i]) == 0,
                    "a thread is made");
    }
    for (unsigned i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    expect_that(svc_test_metric(app, "svc_memo_lookups_total{memo=\"memo\",outcome=\"hit\"}") > 0,
                "some calls hit");
    expect_that(svc_test_metric(app, "svc_memo_lookups_total{memo=\"memo\",outcome=\"stale\"}") > 0,
                "some values were stale");
    expect_that(loads > KEYS && loads < THREADS * STEPS / 2, "most calls load nothing");
    svc_app_free(app);
    return wrong;
}
