/* Readiness checks on threads of their own. */
#include "libsvc/ops/checks.h"

#include <stdlib.h>
#include <string.h>

#include "libsvc/app/app_internal.h"
#include "libsvc/app/life.h"
#include "libsvc/base/clock.h"
#include "libsvc/base/thread.h"
#include "libsvc/base/wait.h"

/* A check and its thread. The lock guards all members but the first two. */
struct inquiry {
    const struct check *check;
    struct checks *all;
    bool asked; /* running, and not answered since `asked_ms` */
    uint64_t asked_ms;
    bool answered, passed; /* `passed` at `answered_ms` */
    uint64_t answered_ms;
};

struct checks {
    svc_app *app;
    size_t count;
    struct inquiry *inquiries;
    pthread_mutex_t lock;
    pthread_cond_t question,
        answer; /* one has come; `answer` is signalled also when a thread has ended */
    size_t threads;
    bool stopping;
};

struct checks *svc__checks_new(svc_app *app)
{
    struct checks *checks = calloc(1, sizeof *checks);
    if (!checks)
        return NULL;
    for (const struct check *check = app->checks; check; check = check->next)
        checks->count++;
    checks->inquiries = calloc(checks->count + 1, sizeof *checks->inquiries);
    if (!checks->inquiries) {
        free(checks);
        return NULL;
    }
    struct inquiry *inquiry = checks->inquiries;
    for (const struct check *check = app->checks; check; check = check->next)
        *inquiry++ = (struct inquiry){.check = check, .all = checks};
    checks->app = app;
    checks->lock = (pthread_mutex_t)PTHREAD_MUTEX_INITIALIZER;
    checks->question = checks->answer = (pthread_cond_t)PTHREAD_COND_INITIALIZER;
    return checks;
}

void svc__checks_free(struct checks *checks)
{
    if (!checks)
        return;
    pthread_mutex_destroy(&checks->lock);
    pthread_cond_destroy(&checks->question);
    pthread_cond_destroy(&checks->answer);
    free(checks->inquiries);
    free(checks);
}

/* ---- In the thread of a check */

/* Called with the lock held; it is released while the check runs. */
static void run_check(struct inquiry *inquiry)
{
    const struct check *check = inquiry->check;
    pthread_mutex_unlock(&inquiry->all->lock);
    bool passed = check->check(check->arg) == 0;
    pthread_mutex_lock(&inquiry->all->lock);
    inquiry->asked = false;
    inquiry->answered = true;
    inquiry->passed = passed;
    inquiry->answered_ms = svc__clock_ms();
    pthread_cond_broadcast(&inquiry->all->answer);
}

static void *answer_inquiry(void *arg)
{
    struct inquiry *inquiry = arg;
    struct checks *checks = inquiry->all;
    svc__life_adopt_thread(checks->app);
    pthread_mutex_lock(&checks->lock);
    while (!checks->stopping) {
        if (inquiry->asked)
            run_check(inquiry);
        else
            svc__wait_until(&checks->question, &checks->lock, WAIT_FOR_EVER);
    }
    checks->threads--;
    pthread_cond_broadcast(&checks->answer);
    pthread_mutex_unlock(&checks->lock);
    return NULL;
}

int svc__checks_start(struct checks *checks)
{
    int error = 0;
    pthread_mutex_lock(&checks->lock);
    for (size_t i = 0; i < checks->count && !error; i++) {
        pthread_t thread;
        struct inquiry *inquiry = &checks->inquiries[i];
        error = svc__thread_start_program(&thread, 0, answer_inquiry, inquiry);
        if (error) {
            svc__faults_add(&checks->app->faults, NULL, 0,
                            "check \"%s\": its thread cannot be made: %s", inquiry->check->name,
                            strerror(error));
            break;
        }
        pthread_detach(thread);
        checks->threads++;
    }
    pthread_mutex_unlock(&checks->lock);
    return error ? SVC_ESYSTEM : 0;
}

/* ---- Asking; with the lock held */

/* A check that still runs is not asked again: its answer will be as good, and its time has begun.
 */
static void put_questions(struct checks *checks)
{
    uint64_t now_ms = svc__clock_ms();
    for (size_t i = 0; i < checks->count; i++) {
        struct inquiry *inquiry = &checks->inquiries[i];
        inquiry->asked_ms = inquiry->asked ? inquiry->asked_ms : now_ms;
        inquiry->asked = true;
    }
    pthread_cond_broadcast(&checks->question);
}

static void await_answer(struct checks *checks, const struct inquiry *inquiry)
{
    uint64_t due_ms = inquiry->asked_ms + checks->app->config.check_timeout_ms;
    while (inquiry->asked && !checks->stopping && svc__clock_ms() < due_ms &&
           svc__wait_until(&checks->answer, &checks->lock, due_ms))
        continue;
}

static struct check_report report_of(const struct inquiry *inquiry)
{
    return (struct check_report){
        .name = inquiry->check->name,
        .verdict = inquiry->asked    ? CHECK_LATE
                   : inquiry->passed ? CHECK_OK
                                     : CHECK_FAILED,
        .answered = inquiry->answered,
        .passed = inquiry->passed,
        .age_ms = svc__clock_ms() - inquiry->answered_ms,
    };
}

void svc__checks_ask(struct checks *checks,
                     void (*visit)(const struct check_report *report, void *arg), void *arg)
{
    pthread_mutex_lock(&checks->lock);
    put_questions(checks);
    for (size_t i = 0; i < checks->count; i++)
        await_answer(checks, &checks->inquiries[i]);
    for (size_t i = 0; i < checks->count; i++) {
        struct check_report report = report_of(&checks->inquiries[i]);
        visit(&report, arg);
    }
    pthread_mutex_unlock(&checks->lock);
}

int svc__checks_stop(struct checks *checks, uint64_t deadline_ms)
{
    if (!checks)
        return 0;
    pthread_mutex_lock(&checks->lock);
    checks->stopping = true;
    pthread_cond_broadcast(&checks->question);
    pthread_cond_broadcast(&checks->answer);
    while (checks->threads > 0 && svc__wait_until(&checks->answer, &checks->lock, deadline_ms))
        continue;
    bool ended = checks->threads == 0;
    pthread_mutex_unlock(&checks->lock);
    return ended ? 0 : SVC_EFORCED;
}
