/* A loop without a server, for tests of what runs on one. */
#ifndef TESTS_UNIT_RUN_SUPPORT_H
#define TESTS_UNIT_RUN_SUPPORT_H

#include <criterion/criterion.h>

#include "libsvc/run/reactor.h"

static struct svc_loop loop;

/* On this thread. */
static inline void open_loop(void)
{
    cr_assert_eq(svc__reactor_open(&loop), 0);
    svc__reactor_enter(&loop);
}

static inline void close_loop(void)
{
    svc__reactor_end(&loop);
    svc__reactor_close(&loop);
    svc__reactor_enter(NULL);
}

enum { TURN_MS = 60000 }; /* for which a test turns its loop at most */

/* Turns the loop until `*count` has reached `value`. */
static inline void turn_until(const int *count, int value)
{
    uint64_t until_ms = svc__clock_ms() + TURN_MS;
    while (*count < value && svc__clock_ms() < until_ms)
        svc__reactor_turn(&loop, until_ms);
    cr_assert_geq(*count, value, "only %d of %d came", *count, value);
}

#endif
