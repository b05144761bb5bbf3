/*
 * The pages of profiles survive their n-th allocation failing, for n from the first to the last:
 * each answers as usual or with an error, and the next profile begins.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <svc.h>
#include <svc/pprof.h>

#include "tests/support/starve.h"

enum { MAX_ALLOCATIONS = 10000 };

static int ask(svc_app *app, const char *method, const char *target, const char *body)
{
    svc_test test = SVC_TEST_INIT;
    test.method = method;
    test.target = target;
    test.peer = "unix";
    test.body = body;
    test.body_len = strlen(body);
    svc_reply *reply = svc_app_test(svc_app_admin(app), &test);
    int status = svc_reply_status(reply);
    svc_reply_free(reply);
    return status;
}

/* Whether all went as it may. `*whole`: as if nothing had failed. */
static bool serve(bool *whole)
{
    char list[64];
    svc_config config = SVC_CONFIG_INIT;
    config.access_log = 0;
    config.debug_pages = 1;
    svc_app *app = svc_app_new("starved");
    svc_app_configure(app, &config);
    int error = svc_pprof_add(app);
    snprintf(list, sizeof list, "%p+%p", (void *)svc_app_new, (void *)svc_pprof_add);
    int index = ask(app, "GET", "/debug/pprof/", "");
    int names = ask(app, "POST", "/debug/pprof/symbol", list);
    int arguments = ask(app, "GET", "/debug/pprof/cmdline", "");
    int heap = ask(app, "GET", "/debug/pprof/heap", "");
    svc_app_free(app);
    *whole = !error && index == 200 && names == 200 && arguments == 200 && heap == 501;
    return error == 0 || index == 0;
}

/* Asks for a profile and leaves at once; the n-th allocation fails. The status if there is an
 * answer. */
static int leave_profile(svc_app *app, int n)
{
    svc_test test = SVC_TEST_INIT;
    test.target = "/debug/pprof/profile?seconds=60";
    test.peer = "unix";
    test.timeout_ms = 1;
    starve_after(n);
    svc_reply *reply = svc_app_test(svc_app_admin(app), &test);
    starve_end();
    int status = svc_reply_status(reply);
    svc_reply_free(reply);
    return status;
}

/* Whether a profile can be taken after profiles that have failed. The last of these may not be over
 * yet. */
static bool recovers(void)
{
    enum { PROFILES = 60 };
    svc_config config = SVC_CONFIG_INIT;
    config.access_log = 0;
    config.debug_pages = 1;
    svc_app *app = svc_app_new("starved");
    svc_app_configure(app, &config);
    svc_pprof_add(app);
    ask(app, "GET", "/debug/pprof/", "");
    for (int n = 0; n < PROFILES; n++)
        while (leave_profile(app, n) == 409)
            continue;
    int status = 409;
    while (status == 409)
        status = ask(app, "GET", "/debug/pprof/profile?seconds=1", "");
    if (status != 200)
        printf("a profile after those that failed: %d\n", status);
    svc_app_free(app);
    return status == 200;
}

int main(void)
{
    bool whole = false, good = recovers();
    int n = 0;
    for (; good && n < MAX_ALLOCATIONS; n++) {
        starve_after(n);
        good = serve(&whole);
        if (!starve_end())
            break;
        if (!good)
            printf("WRONG where allocation %d fails\n", n);
    }
    printf("%d allocations\n", n);
    return good && whole && n > 50 ? 0 : 1;
}
