/*
 * The memory store under several threads, a program of its own so that the thread sanitizer sees
 * it: the conformance suite, and random operations on a store that evicts all the while, which
 * never gives a value under a key to which it does not belong.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <svc.h>

#include "tests/conformance/store.h"

enum { THREADS = 4, STEPS = 6000, KEYS = 300, LEN_MAX = 3000 };

static svc_store *small;
static _Atomic int wrong;

static void expect_that(bool is_so, const char *claim)
{
    if (is_so)
        return;
    printf("WRONG: %s\n", claim);
    wrong = 1;
}

/* Each value says its key, as often as it has room. */
static size_t fill_value(char *value, unsigned key, size_t len)
{
    for (size_t i = 0; i < len; i++)
        value[i] = (char)(key * 31 + i);
    return len;
}

static bool is_value_of(const svc_store_value *value, unsigned key)
{
    const char *bytes = value->data;
    for (size_t i = 0; i < value->len; i++)
        if (bytes[i] != (char)(key * 31 + i))
            return false;
    return true;
}

static void step_once(unsigned *seed)
{
    char name[16], bytes[LEN_MAX];
    unsigned key = (unsigned)rand_r(seed) % KEYS;
    size_t len = (size_t)rand_r(seed) % (rand_r(seed) % 8 ? 200 : LEN_MAX);
    svc_store_value value = {bytes, fill_value(bytes, key, len), 0, NULL}, read;
    snprintf(name, sizeof name, "key%u", key);
    switch (rand_r(seed) % 8) {
    case 0:
        svc_store_delete(small, NULL, name);
        return;
    case 1:
        svc_store_set(small, NULL, name, &value, 1 + (uint64_t)rand_r(seed) % 5);
        return;
    case 2:
    case 3:
        svc_store_set(small, NULL, name, &value, 0);
        return;
    default:
        if (svc_store_get(small, NULL, name, &read))
            return;
        expect_that(is_value_of(&read, key), "a value is under its own key");
        value.version = read.version;
        svc_store_value_free(&read);
        if (rand_r(seed) % 4 == 0)
            svc_store_compare_and_set(small, NULL, name, &value, 0);
    }
}

static void *step_often(void *arg)
{
    unsigned seed = *(unsigned *)arg;
    for (int i = 0; i < STEPS; i++)
        step_once(&seed);
    return NULL;
}

static void run_threads(svc_app *app)
{
    pthread_t threads[THREADS];
    unsigned seeds[THREADS];
    for (unsigned i = 0; i < THREADS; i++) {
        seeds[i] = i + 1;
        expect_that(pthread_create(&threads[i], NULL, step_often, &seeds[i]) == 0,
                    "a thread is made");
    }
    for (unsigned i = 0; i < THREADS; i++) /* the page of metrics is read meanwhile */
        expect_that(svc_test_metric(app, "svc_store_entries{backend=\"memory\"}") >= 0,
                    "it is shown");
    for (unsigned i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    expect_that(svc_test_metric(app, "svc_store_evicted_total{backend=\"memory\"}") > 0,
                "entries were evicted");
}

int main(void)
{
    svc_app *app = svc_app_new("threads");
    small = svc_store_open(app, "memory:?bytes=65536&max_value=3000");
    expect_that(svc_store_conformance_both(app, NULL, stdout) == 0, "the store keeps its promises");
    run_threads(app);
    svc_app_free(app);
    return wrong;
}
