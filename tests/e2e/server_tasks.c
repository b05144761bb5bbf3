/*
 * The server for the tests of background tasks: a task that processes queued requests when it is
 * released, a task that fails several times, and, on request, a task that does not end.
 */
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <svc.h>

/* ---- Work: a number each, which is added up */

static svc_queue *works;
static sem_t let_work, let_answer; /* letters on the standard input: 'w' and 'a' */
static uintptr_t sum;

static int work_off(svc_task_context *context, void *arg)
{
    void *item;
    (void)arg;
    while (sem_wait(&let_work))
        continue;
    while (!svc_queue_pop(works, &item))
        sum += (uintptr_t)item;
    svc_app_log_info(svc_task_app(context), "worked off", svc_kv_uint("sum", sum));
    return 0;
}

static void close_works(void *arg)
{
    (void)arg;
    svc_queue_close(works);
}

static int enqueue(svc_request *req, svc_response *res)
{
    uintptr_t number = strtoul(svc_request_param(req, "number"), NULL, 10);
    if (svc_queue_try_push(works, (void *)number))
        return svc_response_problem(res, 503, "there is too much to do");
    return svc_response_empty(res, 202);
}

/* Holds its loop until the release, so that it queues while the service drains. */
static int enqueue_late(svc_request *req, svc_response *res)
{
    puts("a late request is here");
    fflush(stdout);
    while (sem_wait(&let_answer))
        continue;
    return enqueue(req, res);
}

/* ---- A task that fails some times */

static int fail(svc_task_context *context, void *arg)
{
    static const char *const texts[] = {"fails", "goes on"};
    static int runs;
    int *failures = arg;
    bool fails = runs++ < *failures;
    svc_app_log_info(svc_task_app(context), "flaky runs", svc_kv_str("it", texts[!fails]));
    while (!fails && !svc_task_sleep(context, 1000))
        continue;
    return fails ? SVC_ESYSTEM : 0;
}

/* ---- A task that does not end */

static int stick(svc_task_context *context, void *arg)
{
    (void)context, (void)arg;
    while (pause() < 0)
        continue;
    return 0;
}

/* ---- Many threads at a queue, where the thread sanitizer checks them, unlike in unit tests */

enum { CREW = 4, EACH = 5000 };

struct member {
    pthread_t thread;
    svc_queue *queue;
    uintptr_t sum;
};

static void *produce(void *arg)
{
    struct member *member = arg;
    for (uintptr_t n = 1; n <= EACH; n++) {
        int error = SVC_EAGAIN;
        if (n % 2)
            error = svc_queue_push(member->queue, (void *)n);
        while (error == SVC_EAGAIN)
            error = svc_queue_push_within(member->queue, (void *)n, 1);
        member->sum += error ? 0 : n;
    }
    return NULL;
}

static void *consume(void *arg)
{
    struct member *member = arg;
    void *item;
    int error;
    while ((error = svc_queue_pop_within(member->queue, &item, 1)) != SVC_ECLOSED)
        member->sum += error ? 0 : (uintptr_t)item;
    return NULL;
}

static void start_crew(struct member *crew, svc_queue *queue, void *(*run)(void *arg))
{
    for (size_t i = 0; i < CREW; i++) {
        crew[i] = (struct member){.queue = queue};
        if (pthread_create(&crew[i].thread, NULL, run, &crew[i]))
            abort();
    }
}

static uintptr_t join_crew(struct member *crew)
{
    uintptr_t of_all = 0;
    for (size_t i = 0; i < CREW; i++) {
        pthread_join(crew[i].thread, NULL);
        of_all += crew[i].sum;
    }
    return of_all;
}

static int crowd(svc_request *req, svc_response *res)
{
    struct member producers[CREW], consumers[CREW];
    svc_queue *queue = svc_queue_new(7, NULL);
    (void)req;
    if (!queue)
        return SVC_ENOMEM;
    start_crew(producers, queue, produce);
    start_crew(consumers, queue, consume);
    uintptr_t in = join_crew(producers);
    svc_queue_close(queue);
    uintptr_t out = join_crew(consumers);
    svc_queue_free(queue);
    return svc_response_json(res, 200, "{s:I,s:I}", "in", (json_int_t)in, "out", (json_int_t)out);
}

/* ---- The service */

static void *listen_to_test(void *arg)
{
    char letter;
    (void)arg;
    while (read(STDIN_FILENO, &letter, 1) == 1)
        sem_post(letter == 'w' ? &let_work : &let_answer);
    return NULL;
}

static int start(svc_app *app, void *arg)
{
    pthread_t thread;
    (void)app, (void)arg;
    return pthread_create(&thread, NULL, listen_to_test, NULL) || pthread_detach(thread);
}

static void stop(svc_app *app, void *arg)
{
    (void)arg;
    svc_app_log_info(app, "hook ended", svc_kv_uint("left", svc_queue_len(works)));
}

static int number(const char *name)
{
    const char *text = getenv(name);
    return text ? atoi(text) : 0;
}

int main(void)
{
    static int failures;
    svc_app *app = svc_app_new("tasks");
    svc_task worker = SVC_TASK_INIT, flaky = SVC_TASK_INIT, stuck = SVC_TASK_INIT;
    works = svc_queue_new(1000, NULL);
    sem_init(&let_work, 0, 0);
    sem_init(&let_answer, 0, 0);
    failures = number("TASKS_FAILURES");
    worker.name = "worker";
    worker.run = work_off;
    worker.stop = close_works;
    svc_app_add_task(app, &worker);
    flaky.name = "flaky";
    flaky.run = fail;
    flaky.arg = &failures;
    flaky.min_delay_ms = 20;
    flaky.max_delay_ms = 100;
    svc_app_add_task(app, &flaky);
    stuck.name = "stuck";
    stuck.run = stick;
    if (number("TASKS_STUCK"))
        svc_app_add_task(app, &stuck);
    svc_app_add_hook(app, start, stop, NULL);
    svc_app_post(app, "/work/{number}", enqueue, NULL);
    svc_app_post(app, "/late/{number}", enqueue_late, NULL);
    svc_app_get(app, "/crowd", crowd, NULL);
    int status = svc_app_run(app);
    if (status != 3)
        svc_queue_free(works);
    return status;
}
