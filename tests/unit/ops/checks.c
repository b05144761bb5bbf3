/* Readiness checks of which some do not answer. */
#include "libsvc/ops/checks.h"

#include <criterion/criterion.h>
#include <semaphore.h>
#include <stdio.h>
#include <string.h>

#include <svc.h>

#include "libsvc/base/clock.h"
#include "libsvc/base/wait.h"

static sem_t begun, go_on;

static int hang(void *arg)
{
    (void)arg;
    sem_post(&begun);
    while (sem_wait(&go_on))
        continue;
    return 0;
}

static void await_begin(void)
{
    while (sem_wait(&begun))
        continue;
}

static int pass(void *arg)
{
    (void)arg;
    return 0;
}

static int fail(void *arg)
{
    (void)arg;
    return -1;
}

static svc_app *app;

static struct checks *start(uint64_t timeout_ms)
{
    svc_config config = SVC_CONFIG_INIT;
    config.check_timeout_ms = timeout_ms;
    sem_init(&begun, 0, 0);
    sem_init(&go_on, 0, 0);
    app = svc_app_new("test");
    svc_app_configure(app, &config);
    svc_app_add_check(app, "first", hang, NULL);
    svc_app_add_check(app, "second", pass, NULL);
    svc_app_add_check(app, "third", fail, NULL);
    struct checks *checks = svc__checks_new(app);
    cr_assert(checks);
    cr_assert_eq(svc__checks_start(checks), 0);
    return checks;
}

static void append(const struct check_report *report, void *arg)
{
    static const char *const verdicts[] = {"ok", "failed", "late"};
    char *text = arg;
    sprintf(text + strlen(text), "%s %s, ", report->name, verdicts[report->verdict]);
}

/* Until others than the first are not late, which they are when no processor is free for them. */
static void expect(struct checks *checks, const char *wanted)
{
    char text[256];
    do {
        *text = '\0';
        svc__checks_ask(checks, append, text);
    } while (strcmp(text, wanted) != 0);
}

static void end(struct checks *checks)
{
    cr_expect_eq(svc__checks_stop(checks, WAIT_FOR_EVER), 0);
    svc__checks_free(checks);
    svc_app_free(app);
}

Test(checks, one_that_hangs_is_late_and_no_other_is)
{
    struct checks *checks = start(50);
    expect(checks, "first late, second ok, third failed, ");
    sem_post(&go_on);
    sem_post(&go_on);
    expect(checks, "first ok, second ok, third failed, ");
    for (int i = 0; i < 1000; i++)
        sem_post(&go_on);
    end(checks);
}

Test(checks, one_that_hangs_keeps_a_stop_until_its_deadline)
{
    struct checks *checks = start(1);
    expect(checks, "first late, second ok, third failed, ");
    await_begin();
    cr_expect_eq(svc__checks_stop(checks, svc__clock_ms() + 20), SVC_EFORCED);
    sem_post(&go_on);
    end(checks);
}

static struct checks *asked;

static void *ask(void *arg)
{
    svc__checks_ask(asked, append, arg);
    return NULL;
}

Test(checks, who_waits_for_an_answer_does_not_keep_a_stop)
{
    char text[256] = "";
    pthread_t thread;
    asked = start(3600000);
    cr_assert_eq(pthread_create(&thread, NULL, ask, text), 0);
    await_begin();
    cr_expect_eq(svc__checks_stop(asked, WAIT_NOT), SVC_EFORCED);
    pthread_join(thread, NULL);
    cr_expect(strstr(text, "first late"), "%s", text);
    sem_post(&go_on);
    end(asked);
}

Test(checks, without_any_nobody_waits)
{
    app = svc_app_new("test");
    struct checks *checks = svc__checks_new(app);
    char text[256] = "";
    cr_assert_eq(svc__checks_start(checks), 0);
    svc__checks_ask(checks, append, text);
    cr_expect_str_eq(text, "");
    end(checks);
}
