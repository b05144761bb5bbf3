/* Gauges of the program of which some do not answer. */
#include "libsvc/ops/asked_gauges.h"

#include <criterion/criterion.h>
#include <math.h>
#include <semaphore.h>
#include <string.h>

#include <svc.h>

#include "libsvc/app/app_internal.h"
#include "libsvc/base/clock.h"
#include "libsvc/base/wait.h"
#include "libsvc/ops/metrics_text.h"

static sem_t begun, go_on;
static svc_app *app;
static struct asked_gauges *gauges;

static double hang(void *arg)
{
    (void)arg;
    sem_post(&begun);
    while (sem_wait(&go_on))
        continue;
    return 5;
}

static double read_number(void *arg)
{
    return *(const double *)arg;
}

static void add(const char *name, double (*read)(void *arg), void *arg)
{
    svc_metric metric = SVC_METRIC_INIT;
    metric.name = name;
    metric.help = "A.";
    cr_assert_eq(svc_app_gauge_fn(app, &metric, read, arg), 0);
}

static void open_gauges(void)
{
    sem_init(&begun, 0, 0);
    sem_init(&go_on, 0, 0);
    app = svc_app_new("test");
    gauges = svc__asked_gauges_new(app);
    cr_assert(gauges);
}

static void close_gauges(void)
{
    cr_expect_eq(svc__asked_gauges_stop(gauges, WAIT_FOR_EVER), 0);
    svc__asked_gauges_free(gauges);
    svc_app_free(app);
}

TestSuite(ops_asked_gauges, .init = open_gauges, .fini = close_gauges);

/* Whether the page has a line after asking. */
static bool page_has(const char *line)
{
    struct buf text;
    svc__buf_init(&text, 65536);
    svc__asked_gauges_ask(gauges);
    svc__metrics_text_write(app->metrics, NULL, METRICS_PROMETHEUS, &text, NULL);
    svc__buf_terminate(&text);
    bool has = strstr(text.data, line);
    svc__buf_free(&text);
    return has;
}

/* As often as a thread finds no processor in time. */
static void await_line(const char *line)
{
    while (!page_has(line))
        continue;
}

Test(ops_asked_gauges, are_asked_each_time_also_such_as_come_later)
{
    double a = 1, b = 2;
    cr_expect_not(page_has("gauge"));
    add("a", read_number, &a);
    await_line("\na 1\n");
    add("b", read_number, &b);
    await_line("\nb 2\n");
    a = 7;
    await_line("\na 7\n");
    a = (double)NAN;
    while (page_has("\na "))
        continue;
}

Test(ops_asked_gauges, one_that_hangs_is_left_out_and_no_other_is)
{
    double a = 1;
    add("hanging", hang, NULL);
    add("a", read_number, &a);
    await_line("\na 1\n");
    cr_expect_not(page_has("hanging"));
    sem_post(&go_on);
    for (int i = 0; i < 1000; i++)
        sem_post(&go_on);
    await_line("\nhanging 5\n");
}

Test(ops_asked_gauges, one_that_hangs_keeps_a_stop_until_its_deadline)
{
    add("hanging", hang, NULL);
    cr_expect_not(page_has("hanging"));
    while (sem_wait(&begun))
        continue;
    cr_expect_eq(svc__asked_gauges_stop(gauges, svc__clock_ms() + 20), SVC_EFORCED);
    sem_post(&go_on);
}
