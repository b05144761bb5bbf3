/* Frees an app in any state that allows it. */
#include <stdlib.h>
#include <unistd.h>

#include "libsvc/app/app_internal.h"
#include "libsvc/app/app_test.h"
#include "libsvc/app/life.h"
#include "libsvc/base/clock.h"
#include "libsvc/run/workers.h"

/* For workers that only tests have used: they are idle. */
enum { WORKERS_END_MS = 1000 };

/* From the end of the list: a struct mount lies in the memory of the app that it was made on, and
 * that app comes earlier in the list. */
static void free_mounts_from(struct mount *mount)
{
    if (!mount)
        return;
    free_mounts_from(mount->next);
    mount->app->parent = NULL;
    svc_app_free(mount->app);
}

/* An admin app that is mounted on another's may come later in the same list than the app whose it
 * is. */
static void free_mounts(struct mount *first)
{
    for (struct mount *mount = first; mount; mount = mount->next)
        if (mount->app->admin && mount->app->admin->parent != mount->app)
            mount->app->admin = NULL;
    free_mounts_from(first);
}

/* Takes the app into APP_ENDING. Returns the state to go back to should freeing fail; -1 when the
 * app cannot be freed in its present state. */
static int enter_end(svc_app *app)
{
    static const enum app_state idle[] = {APP_BUILDING, APP_READY, APP_ENDED};
    for (size_t i = 0; i < sizeof idle / sizeof *idle; i++)
        if (svc__life_enter(app, idle[i], APP_ENDING))
            return (int)idle[i];
    return -1;
}

/* Ends the parts that tests have left. False: one of them still runs. */
static bool end_tests(svc_app *app)
{
    return svc__app_test_end(app) &&
           !svc__workers_stop(app->workers, svc__clock_ms() + WORKERS_END_MS);
}

static void free_admin(svc_app *app)
{
    svc_app *admin = app->admin;
    if (!admin)
        return;
    app->admin = admin->parent = NULL;
    svc_app_free(admin);
}

void svc_app_free(svc_app *app)
{
    if (!app || app->parent || svc__life_owns_thread(app))
        return;
    int before = enter_end(app);
    if (before < 0)
        return;
    if (!end_tests(app) || (app->admin && !end_tests(app->admin))) {
        app->state = before;
        return;
    }
    svc__app_unready(app);
    svc__app_test_free(app);
    svc__workers_free(app->workers);
    svc__plan_free(app->plan);
    free_mounts(app->mounts);
    free_admin(app);
    if (app->stop_fd >= 0)
        close(app->stop_fd);
    svc__metrics_free(app->metrics);
    svc__logger_free(&app->logger);
    svc__faults_free(&app->faults);
    svc__arena_reset(&app->memory);
    free(app);
}
