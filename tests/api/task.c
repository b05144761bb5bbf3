/* Background tasks and what handlers queue for them, in svc_app_test and through starts and stops.
 */
#include <criterion/criterion.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include <svc.h>

#include "tests/support/sanitized.h"

/* ---- What several threads note, and tests wait for */

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static char notes[512];

static void note(const char *what, const char *name)
{
    pthread_mutex_lock(&lock);
    cr_assert_lt(strlen(notes) + strlen(what) + strlen(name) + 1, sizeof notes);
    strcat(strcat(strcat(notes, what), name), " ");
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&lock);
}

/* Only a test that has failed waits for longer than a moment: Criterion then ends it. */
static void await_note(const char *text)
{
    pthread_mutex_lock(&lock);
    while (!strstr(notes, text))
        pthread_cond_wait(&changed, &lock);
    pthread_mutex_unlock(&lock);
}

static void expect_notes(const char *wanted)
{
    pthread_mutex_lock(&lock);
    cr_expect_str_eq(notes, wanted, "%s", notes);
    pthread_mutex_unlock(&lock);
}

/* ---- A queue between a handler and a task */

struct work {
    svc_queue *queue;
    _Atomic size_t done;
};

static int work_off(svc_task_context *context, void *arg)
{
    struct work *work = arg;
    void *item;
    int error;
    (void)context;
    while (!(error = svc_queue_pop(work->queue, &item))) {
        work->done += strlen(item);
        free(item);
    }
    return error;
}

static void close_queue(void *arg)
{
    struct work *work = arg;
    svc_queue_close(work->queue);
}

static int enqueue(svc_request *req, svc_response *res)
{
    struct work *work = svc_request_arg(req);
    char *item = strdup(svc_request_param(req, "text"));
    int error = item ? svc_queue_try_push(work->queue, item) : SVC_ENOMEM;
    if (error)
        free(item);
    return error ? svc_response_problem(res, 503, "busy") : svc_response_empty(res, 202);
}

static void end_work(svc_app *app, void *arg)
{
    struct work *work = arg;
    char text[32];
    snprintf(text, sizeof text, "%zu", work->done);
    note(svc_app_name(app), text);
    svc_queue_free(work->queue);
}

static svc_app *worker(const char *name, struct work *work)
{
    svc_app *app = svc_app_new(name);
    svc_task task = SVC_TASK_INIT;
    work->queue = svc_queue_new(1000, free);
    task.name = "worker";
    task.run = work_off;
    task.stop = close_queue;
    task.arg = work;
    cr_expect_eq(svc_app_add_task(app, &task), 0);
    svc_app_post(app, "/work/{text}", enqueue, work);
    svc_app_add_hook(app, NULL, end_work, work);
    return app;
}

static void post(svc_app *app, const char *target, int status)
{
    svc_test test = SVC_TEST_INIT;
    test.method = "POST";
    test.target = target;
    svc_reply *reply = svc_app_test(app, &test);
    cr_expect_eq(svc_reply_status(reply), status, "%s: %d", target, svc_reply_status(reply));
    svc_reply_free(reply);
}

Test(task, what_handlers_queue_is_worked_off_before_the_stop_hooks_run)
{
    struct work work = {NULL, 0};
    svc_app *app = worker("work", &work);
    for (int i = 0; i < 500; i++)
        post(app, "/work/four", 202);
    svc_app_free(app);
    expect_notes("work2000 ");
}

Test(task, a_mounted_apps_tasks_run_with_the_outer_app)
{
    struct work one = {NULL, 0}, two = {NULL, 0};
    svc_app *outer = worker("outer", &one);
    svc_app_mount(outer, "/in", worker("inner", &two));
    post(outer, "/work/1", 202);
    post(outer, "/in/work/22", 202);
    svc_app_free(outer);
    expect_notes("inner2 outer1 ");
}

/* ---- Order */

static void told(void *arg)
{
    note("!", arg);
}

/* A sleep that the stop ends may end before what the stop calls has been called. */
static void await_told(const char *name)
{
    char text[16];
    snprintf(text, sizeof text, "!%s ", name);
    await_note(text);
}

/* Until it is told to stop. */
static int idle(svc_task_context *context, void *arg)
{
    int error;
    note("+", arg);
    while (!(error = svc_task_sleep(context, 60000)))
        continue;
    cr_expect(svc_task_stopping(context));
    cr_expect_eq(svc_task_sleep(context, 60000), SVC_ECANCELLED);
    await_told(arg);
    note("-", arg);
    return error;
}

static void add(svc_app *app, const char *name, int (*run)(svc_task_context *, void *))
{
    svc_task task = SVC_TASK_INIT;
    task.name = name;
    task.run = run;
    task.stop = told;
    task.arg = (void *)(uintptr_t)name;
    task.min_delay_ms = task.max_delay_ms = 1;
    cr_expect_eq(svc_app_add_task(app, &task), 0, "%s", svc_app_errors(app));
}

static int start_hook(svc_app *app, void *arg)
{
    (void)app;
    note("+", arg);
    return 0;
}

static void stop_hook(svc_app *app, void *arg)
{
    (void)app;
    note("-", arg);
}

static int fine(svc_request *req, svc_response *res)
{
    (void)req;
    return svc_response_text(res, 200, "fine");
}

static svc_app *ordered(void)
{
    svc_app *app = svc_app_new("ordered");
    svc_app_get(app, "/", fine, NULL);
    add(app, "a", idle);
    svc_app_add_hook(app, start_hook, stop_hook, "hook");
    return app;
}

Test(task, tasks_live_within_hooks)
{
    svc_app *app = ordered();
    svc_reply_free(svc_app_test_get(app, "/"));
    await_note("+a");
    svc_app_free(app);
    expect_notes("+hook +a !a -a -hook ");
}

Test(task, they_are_stopped_from_the_last_on_each_after_the_other)
{
    svc_app *app = ordered();
    add(app, "b", idle);
    add(app, "c", idle);
    svc_reply_free(svc_app_test_get(app, "/"));
    await_note("+a");
    await_note("+b");
    await_note("+c");
    svc_app_free(app);
    cr_expect(strstr(notes, " !c -c !b -b !a -a -hook "), "%s", notes);
}

static void configure(svc_app *app)
{
    svc_config config = SVC_CONFIG_INIT;
    config.listen = "127.0.0.1:0";
    config.admin_listen = "";
    config.log_output = "/dev/null";
    config.drain_delay_ms = 0;
    svc_app_configure(app, &config);
}

Test(task, a_started_app_ends_them_in_its_drain)
{
    svc_app *app = ordered();
    configure(app);
    cr_assert_eq(svc_app_start(app), 0, "%s", svc_app_errors(app));
    await_note("+a");
    svc_app_stop(app);
    cr_expect_eq(svc_app_wait(app), 0);
    expect_notes("+hook +a !a -a -hook ");
    svc_app_free(app);
}

Test(task, an_app_whose_tasks_a_test_has_started_is_not_started)
{
    svc_app *app = ordered();
    configure(app);
    svc_reply_free(svc_app_test_get(app, "/"));
    await_note("+a");
    cr_expect_eq(svc_app_start(app), SVC_ESTATE);
    svc_app_free(app);
    expect_notes("+hook +a !a -a -hook ");
}

Test(task, none_starts_where_the_start_fails)
{
    svc_app *app = ordered();
    svc_config config = SVC_CONFIG_INIT;
    config.listen = "unix:/nowhere/at/all";
    config.log_output = "/dev/null";
    svc_app_configure(app, &config);
    cr_expect_eq(svc_app_start(app), SVC_ELISTEN);
    expect_notes("+hook -hook ");
    svc_app_free(app);
}

Test(task, an_app_that_was_never_readied_has_run_none)
{
    svc_app_free(ordered());
    expect_notes("");
}

/* ---- Failures */

static int fail_twice(svc_task_context *context, void *arg)
{
    static _Atomic int runs;
    int run = ++runs;
    (void)context;
    note("run", arg);
    if (run == 3)
        note("done", arg);
    return run == 1 ? SVC_ESYSTEM : run == 2 ? 7 : 0;
}

static bool take_line(const svc_log_record *record, void *arg)
{
    char text[64];
    (void)arg;
    if (strcmp(record->message, "background task failed"))
        return true;
    snprintf(text, sizeof text, "%s %s %d %d", record->items[0].value.text,
             record->items[1].value.text, (int)record->items[2].value.number,
             (int)record->items[3].value.count);
    note(text, "");
    return true;
}

Test(task, one_that_fails_is_run_again_and_one_that_is_done_is_not)
{
    svc_app *app = svc_app_new("failing");
    svc_app_set_log_sink(app, take_line, NULL);
    svc_app_get(app, "/", fine, NULL);
    add(app, "x", fail_twice);
    svc_reply_free(svc_app_test_get(app, "/"));
    await_note("donex");
    svc_app_free(app);
    const char *first = strstr(notes, "runx x a system call failed -9 1 runx ");
    cr_expect(first && strstr(first, "x unknown error 7 1 runx donex "), "%s", notes);
    cr_expect(strstr(notes, "!x "), "%s", notes);
}

static int fail_ten_times(svc_task_context *context, void *arg)
{
    static int runs;
    (void)context;
    if (++runs <= 10)
        return SVC_ESYSTEM;
    note("done", arg);
    return 0;
}

/* Delays that grew would be over 500 ms by then. */
static bool take_delay(const svc_log_record *record, void *arg)
{
    _Atomic uint64_t *longest = arg;
    const svc_kv *item = record->items;
    while (item && item->key && strcmp(item->key, "delay_ms") != 0)
        item++;
    if (item && item->key && item->value.count > *longest)
        *longest = item->value.count;
    return true;
}

Test(task, delays_begin_anew_after_a_run_that_was_long_enough)
{
    _Atomic uint64_t longest = 0;
    svc_app *app = svc_app_new("failing");
    svc_task task = SVC_TASK_INIT;
    task.name = task.arg = "x";
    task.run = fail_ten_times;
    task.min_delay_ms = 1;
    task.reset_ms = 0;
    svc_app_add_task(app, &task);
    svc_app_set_log_sink(app, take_delay, &longest);
    svc_app_get(app, "/", fine, NULL);
    svc_reply_free(svc_app_test_get(app, "/"));
    await_note("donex");
    svc_app_free(app);
    cr_expect(longest >= 1 && longest <= 2, "%lu", (unsigned long)longest);
}

static int fail_at_stop(svc_task_context *context, void *arg)
{
    note("+", arg);
    while (!svc_task_sleep(context, 60000))
        continue;
    await_told(arg);
    return SVC_ENOMEM;
}

Test(task, a_failure_at_the_stop_is_told_and_is_the_end)
{
    svc_app *app = svc_app_new("failing");
    svc_app_set_log_sink(app, take_line, NULL);
    svc_app_get(app, "/", fine, NULL);
    add(app, "x", fail_at_stop);
    svc_reply_free(svc_app_test_get(app, "/"));
    await_note("+x");
    svc_app_free(app);
    cr_expect(strstr(notes, "!x x out of memory -1 0 "), "%s", notes);
}

static int fail_at_once(svc_task_context *context, void *arg)
{
    (void)context;
    note("run", arg);
    return SVC_ESYSTEM;
}

Test(task, a_stop_does_not_wait_for_the_delay)
{
    svc_app *app = svc_app_new("failing");
    svc_task task = SVC_TASK_INIT;
    task.name = task.arg = "x";
    task.run = fail_at_once;
    task.min_delay_ms = task.max_delay_ms = 86400000;
    svc_app_add_task(app, &task);
    svc_app_get(app, "/", fine, NULL);
    svc_reply_free(svc_app_test_get(app, "/"));
    await_note("runx");
    svc_app_free(app);
    expect_notes("runx ");
}

static int name_app(svc_task_context *context, void *arg)
{
    note(svc_app_name(svc_task_app(context)), arg);
    return 0;
}

Test(task, its_app_is_the_one_that_it_was_added_to)
{
    svc_app *outer = svc_app_new("outer"), *inner = svc_app_new("inner");
    svc_app_get(outer, "/", fine, NULL);
    add(inner, "x", name_app);
    svc_app_mount(outer, "/in", inner);
    svc_reply_free(svc_app_test_get(outer, "/"));
    svc_app_free(outer);
    cr_expect(strstr(notes, "innerx "), "%s", notes);
}

/* ---- Mistakes */

Test(task, mistakes_are_set_up_errors)
{
    static const struct {
        const char *name;
        size_t size, stack;
        unsigned min, max;
        const char *told;
    } rows[] = {
        {"short", sizeof(svc_task) - 1, 1 << 18, 1, 1, "svc_app_add_task \"\": a task needs"},
        {NULL, sizeof(svc_task), 1 << 18, 1, 1, "svc_app_add_task \"\": a name has"},
        {"", sizeof(svc_task), 1 << 18, 1, 1, "svc_app_add_task \"\": a name has"},
        {"a b", sizeof(svc_task), 1 << 18, 1, 1, "svc_app_add_task \"a b\": a name has"},
        {"0123456789012345678901234567890123456789012345678901234567890123x", sizeof(svc_task),
         1 << 18, 1, 1,
         "svc_app_add_task \"012345678901234567890123456789012345678901234567890123456789"
         "0123\": a name has"},
        {"twice", sizeof(svc_task), 1 << 18, 1, 1, "svc_app_add_task \"twice\": the name is taken"},
        {"small", sizeof(svc_task), 65535, 1, 1, "svc_app_add_task \"small\": stack_bytes"},
        {"large", sizeof(svc_task), SIZE_MAX, 1, 1, "svc_app_add_task \"large\": stack_bytes"},
        {"zero", sizeof(svc_task), 1 << 18, 0, 1, "svc_app_add_task \"zero\": min_delay_ms"},
        {"order", sizeof(svc_task), 1 << 18, 2, 1, "svc_app_add_task \"order\": min_delay_ms"},
        {"long", sizeof(svc_task), 1 << 18, 2, 86400001, "svc_app_add_task \"long\": min_delay_ms"},
    };
    svc_app *app = svc_app_new("mistakes");
    add(app, "twice", idle);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        svc_task task = {.size = rows[i].size,
                         .name = rows[i].name,
                         .run = idle,
                         .stack_bytes = rows[i].stack,
                         .min_delay_ms = rows[i].min,
                         .max_delay_ms = rows[i].max};
        cr_expect_eq(svc_app_add_task(app, &task), SVC_EINVAL, "row %zu", i);
        cr_expect(strstr(svc_app_errors(app), rows[i].told), "%s is not in:\n%s", rows[i].told,
                  svc_app_errors(app));
    }
    svc_task none = SVC_TASK_INIT;
    none.name = "none";
    cr_expect_eq(svc_app_add_task(app, &none), SVC_EINVAL);
    cr_expect(strstr(svc_app_errors(app), "\"none\": there is nothing to run"));
    cr_expect_eq(svc_app_add_task(app, NULL), SVC_EINVAL);
    cr_expect_null(svc_app_test_get(app, "/"));
    svc_app_free(app);
    expect_notes("");
}

/* Memory for a stack as large as all that the process may have. */
Test(task, a_thread_that_cannot_be_made_is_a_set_up_error)
{
#ifdef SANITIZED
    cr_skip_test("the sanitizer needs more memory than a process could be left with");
#else
    const struct rlimit limit = {1 << 30, 1 << 30};
    svc_app *app = ordered();
    svc_task large = SVC_TASK_INIT;
    large.name = "large";
    large.run = idle;
    large.stack_bytes = 1 << 30;
    svc_app_add_task(app, &large);
    cr_assert_eq(setrlimit(RLIMIT_AS, &limit), 0);
    cr_expect_null(svc_app_test_get(app, "/"));
    cr_expect(strstr(svc_app_errors(app), "task \"large\": its thread cannot be made: "), "%s",
              svc_app_errors(app));
    await_note("+a");
    cr_expect_null(svc_app_test_get(app, "/"));
    svc_app_free(app);
    expect_notes("+hook +a !a -a -hook ");
#endif
}

Test(task, none_is_added_after_the_start)
{
    svc_app *app = ordered();
    svc_task task = SVC_TASK_INIT;
    task.name = "late";
    task.run = idle;
    svc_reply_free(svc_app_test_get(app, "/"));
    cr_expect_eq(svc_app_add_task(app, &task), SVC_ESTATE);
    svc_app_free(app);
}
