#include <criterion/criterion.h>
#include <pthread.h>

#include <svc/app.h>

#include "libsvc/app/life.h"

Test(core_life, a_step_is_entered_once)
{
    svc_app *app = svc_app_new("life");
    cr_expect(svc__life_enter(app, APP_BUILDING, APP_STARTING));
    cr_expect_not(svc__life_enter(app, APP_BUILDING, APP_STARTING));
    cr_expect(svc__life_enter(app, APP_STARTING, APP_ENDED));
    svc_app_free(app);
}

Test(core_life, stops_since_the_start_began_end_it)
{
    _Atomic unsigned signals = 0;
    svc_app *app = svc_app_new("life");
    cr_expect_not(svc_app_stopping(app));
    svc_app_stop(app);
    svc__life_begin_start(app);
    cr_expect(svc_app_stopping(app));
    cr_expect_not(svc__life_start_cancelled(app), "an earlier one is left to svc_app_wait");
    app->signals = &signals;
    signals = 1;
    cr_expect(svc__life_start_cancelled(app));
    cr_expect_eq(svc__life_stops(app), 2);
    app->signals = NULL;
    svc_app_stop(app);
    cr_expect(svc__life_start_cancelled(app));
    svc_app_free(app);
}

Test(core_life, a_stop_of_a_mounted_app_is_one_of_the_app_that_serves)
{
    svc_app *app = svc_app_new("outer"), *inner = svc_app_new("inner");
    cr_assert_eq(svc_app_mount(app, "/inner", inner), 0);
    svc_app_stop(inner);
    cr_expect_eq(svc__life_stops(app), 1);
    cr_expect(svc_app_stopping(inner));
    svc_app_free(app);
}

static void *adopt(void *app)
{
    svc__life_adopt_thread(app);
    svc_app_free(app);
    return svc__life_owns_thread(app) ? app : NULL;
}

Test(core_life, a_thread_of_the_app_cannot_free_it)
{
    pthread_t thread;
    void *owned;
    svc_app *app = svc_app_new("life");
    cr_assert_eq(pthread_create(&thread, NULL, adopt, app), 0);
    pthread_join(thread, &owned);
    cr_expect_eq(owned, app);
    cr_expect_not(svc__life_owns_thread(app));
    cr_expect_eq(app->state, APP_BUILDING);
    svc_app_free(app);
}
