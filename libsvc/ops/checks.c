/* Readiness checks on threads of their own. */
#include "libsvc/ops/checks.h"

#include <stdlib.h>
#include <string.h>

#include "libsvc/app/app_internal.h"
#include "libsvc/base/clock.h"
#include "libsvc/ops/inquiry.h"

struct asked_check {
    struct inquiry inquiry; /* first */
    const struct check *check;
};

struct checks {
    struct inquiries inquiries;
    svc_app *app;
    size_t count;
    struct asked_check list[];
};

static const struct check *check_of(const struct inquiry *inquiry)
{
    return ((const struct asked_check *)(const void *)inquiry)->check;
}

static int run_check(struct inquiry *inquiry)
{
    const struct check *check = check_of(inquiry);
    return check->check(check->arg);
}

struct checks *svc__checks_new(svc_app *app)
{
    size_t count = 0;
    for (const struct check *check = app->checks; check; check = check->next)
        count++;
    struct checks *checks = calloc(1, sizeof *checks + count * sizeof *checks->list);
    if (!checks)
        return NULL;
    for (const struct check *check = app->checks; check; check = check->next)
        checks->list[checks->count++] = (struct asked_check){{.run = run_check}, check};
    checks->app = app;
    svc__inquiries_init(&checks->inquiries, app);
    return checks;
}

void svc__checks_free(struct checks *checks)
{
    if (!checks)
        return;
    svc__inquiries_free(&checks->inquiries);
    free(checks);
}

int svc__checks_start(struct checks *checks)
{
    int error = 0;
    for (size_t i = 0; i < checks->count && !error; i++) {
        error = svc__inquiries_add(&checks->inquiries, &checks->list[i].inquiry);
        if (error)
            svc__faults_add(&checks->app->faults, NULL, 0,
                            "check \"%s\": its thread cannot be made: %s",
                            checks->list[i].check->name, strerror(error));
    }
    return error ? SVC_ESYSTEM : 0;
}

/* Where the reports on all checks go. */
struct audience {
    void (*visit)(const struct check_report *report, void *arg);
    void *arg;
};

static void report_check(struct inquiry *inquiry, void *arg)
{
    const struct audience *audience = arg;
    bool passed = inquiry->result == 0;
    struct check_report report = {
        .name = check_of(inquiry)->name,
        .verdict = inquiry->asked ? CHECK_LATE
                   : passed       ? CHECK_OK
                                  : CHECK_FAILED,
        .answered = inquiry->answered,
        .passed = passed,
        .age_ms = svc__clock_ms() - inquiry->answered_ms,
    };
    audience->visit(&report, audience->arg);
}

void svc__checks_ask(struct checks *checks,
                     void (*visit)(const struct check_report *report, void *arg), void *arg)
{
    struct audience audience = {visit, arg};
    svc__inquiries_ask(&checks->inquiries, checks->app->config.check_timeout_ms, report_check,
                       &audience);
}

int svc__checks_stop(struct checks *checks, uint64_t deadline_ms)
{
    return checks ? svc__inquiries_stop(&checks->inquiries, deadline_ms) : 0;
}
