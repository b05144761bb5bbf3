/*
 * A service whose status is looked at: requests that wait or hold a loop until a letter on standard
 * input lets them go (life.h), names that are markup, a secret, and a task.
 */
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <unistd.h>

#include <svc.h>

#include "tests/support/life.h"

enum { HELD = 4096 };

static sem_t unblocked;
static _Atomic int blocked;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static svc_pending *held[HELD]; /* guarded by the lock */
static size_t held_count;

static void answer_held(void)
{
    pthread_mutex_lock(&lock);
    for (; held_count > 0; held_count--) {
        svc_response *res = svc_response_new();
        svc_response_text(res, 200, "held");
        svc_pending_complete(held[held_count - 1], res);
        svc_pending_unref(held[held_count - 1]);
    }
    pthread_mutex_unlock(&lock);
}

static void *listen_to_test(void *arg)
{
    char letter;
    (void)arg;
    while (read(STDIN_FILENO, &letter, 1) == 1) {
        if (letter == LIFE_UNBLOCK)
            sem_post(&unblocked);
        if (letter == LIFE_RELEASE)
            answer_held();
    }
    return NULL;
}

static int start_listening(svc_app *app, void *arg)
{
    pthread_t thread;
    (void)app, (void)arg;
    sem_init(&unblocked, 0, 0);
    return pthread_create(&thread, NULL, listen_to_test, NULL) || pthread_detach(thread);
}

static int hold(svc_request *req, svc_response *res)
{
    svc_pending *pending = svc_request_defer(req, NULL, NULL);
    (void)res;
    pthread_mutex_lock(&lock);
    bool room = pending && held_count < HELD;
    if (room)
        held[held_count++] = pending;
    pthread_mutex_unlock(&lock);
    if (!room)
        svc_pending_unref(pending);
    return room ? 0 : SVC_ENOMEM;
}

static int block(svc_request *req, svc_response *res)
{
    svc_app_log_info(svc_request_app(req), "blocked",
                     svc_kv_int("number", atomic_fetch_add(&blocked, 1) + 1));
    while (sem_wait(&unblocked))
        continue;
    return svc_response_text(res, 200, "unblocked");
}

static int hello(svc_request *req, svc_response *res)
{
    (void)req;
    return svc_response_text(res, 200, "hello");
}

static int fail(svc_request *req, svc_response *res)
{
    (void)req;
    return svc_response_problem(res, 500, "as asked");
}

static int idle(svc_task_context *context, void *arg)
{
    (void)arg;
    while (!svc_task_sleep(context, 3600000))
        continue;
    return 0;
}

struct settings {
    const char *password;
};

static const svc_setting table[] = {
    SVC_SETTING_STRING(struct settings, password, "squeamish", "Of the store", .secret = true),
    SVC_SETTING_END,
};

int main(void)
{
    static struct settings settings;
    svc_app *app = svc_app_new("<b>status</b>");
    svc_task task = SVC_TASK_INIT;
    task.name = "idler";
    task.run = idle;
    svc_app_add_task(app, &task);
    svc_app_add_settings(app, table, &settings);
    svc_app_get(app, "/hello/{name}", hello, NULL);
    svc_app_get(app, "/raw\xff<script>alert(1)</script>\"'&/{x}", hold, NULL);
    svc_app_get(app, "/fail", fail, NULL);
    svc_app_get(app, "/hold", hold, NULL);
    svc_app_get(app, "/block", block, NULL);
    svc_app_add_hook(app, start_listening, NULL, NULL);
    return svc_app_run(app);
}
