/*
 * Threads that share the contexts and the coded bodies of a compression layer, a program of its own
 * so that the thread sanitizer sees it: no two have one context at once, and a body is the one of
 * its origin.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "libsvc/coding/coded_cache.h"
#include "libsvc/coding/context_pool.h"

enum { THREADS = 4, TURNS = 20000, ORIGINS = 64, ORIGIN_BYTES = 2000, CACHE_BYTES = 65536 };

static _Atomic bool failed;
static _Atomic unsigned made, ended, served;
static struct context_pool pool;
static struct coded_cache *cache;

static void expect_that(bool is_so, const char *what)
{
    if (is_so)
        return;
    printf("WRONG: %s\n", what);
    failed = true;
}

struct context {
    unsigned uses; /* not atomic: one thread at a time has it */
};

static void end_context(void *context)
{
    served += ((struct context *)context)->uses;
    ended++;
    free(context);
}

static void use_context(void)
{
    struct context *context = svc__context_pool_take(&pool);
    if (!context) {
        context = calloc(1, sizeof *context);
        made++;
    }
    context->uses++;
    svc__context_pool_give(&pool, context);
}

/* Finds the coded form of an origin, which is its first bytes, or puts it there. */
static void use_body(unsigned number)
{
    char text[ORIGIN_BYTES] = {0};
    size_t len = (size_t)snprintf(text, sizeof text, "origin %u", number);
    struct coded_key key = svc__coded_cache_key(cache, 0, svc__bytes(text, sizeof text));
    struct coded_body *body = svc__coded_cache_find(cache, &key);
    svc__coded_cache_meet(cache, &key);
    if (!body)
        body = svc__coded_cache_put(cache, &key, svc__bytes(text, len));
    expect_that(body && body->len == len && memcmp(body->data, text, len) == 0, "a body");
    if (body)
        svc__coded_cache_release(body->data);
}

static void *run_turns(void *arg)
{
    unsigned state = *(unsigned *)arg;
    for (int i = 0; i < TURNS; i++) {
        state = state * 1103515245 + 12345;
        use_context();
        use_body((state >> 16) % ORIGINS);
    }
    return NULL;
}

int main(void)
{
    pthread_t threads[THREADS];
    unsigned seeds[THREADS];
    svc__context_pool_init(&pool, end_context);
    cache = svc__coded_cache_new(CACHE_BYTES);
    for (unsigned i = 0; i < THREADS; i++) {
        seeds[i] = i;
        if (pthread_create(&threads[i], NULL, run_turns, &seeds[i]))
            return 1;
    }
    for (unsigned i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    svc__context_pool_free(&pool);
    svc__coded_cache_free(cache);
    expect_that(made == ended, "each context is freed once");
    expect_that(served == THREADS * TURNS, "each use of a context counts");
    printf("%u contexts\n", made);
    return failed;
}
