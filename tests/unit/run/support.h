/* A loop without a server, for tests of what runs on one. */
#ifndef TESTS_UNIT_RUN_SUPPORT_H
#define TESTS_UNIT_RUN_SUPPORT_H

#include <criterion/criterion.h>

#include <svc/app.h>
#include <svc/config.h>

#include "libsvc/app/app_internal.h"
#include "libsvc/run/reactor.h"

static svc_app *app;
static struct svc_loop loop;

/* On this thread, with a watchdog that bites at `stall_ms`. */
static inline void open_loop_with(uint64_t stall_ms)
{
    svc_config config = SVC_CONFIG_INIT;
    config.stall_ms = stall_ms;
    app = svc_app_new("loop");
    cr_assert(app);
    cr_assert_eq(svc_app_configure(app, &config), 0);
    cr_assert_eq(svc__reactor_open(&loop, app), 0);
    svc__reactor_enter(&loop);
}

static inline void open_loop(void)
{
    open_loop_with(0);
}

static inline void close_loop(void)
{
    svc__reactor_end(&loop);
    svc__reactor_close(&loop);
    svc__reactor_enter(NULL);
    svc_app_free(app);
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
