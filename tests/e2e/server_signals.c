/*
 * A server for the tests of signals. It is held at the place of its life that SIGNALS_HOLD names,
 * until a letter comes on its standard input.
 */
#include <dlfcn.h>
#include <netdb.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <svc.h>

static svc_app *app;
static sem_t released;

static void say(const char *text, const char *place)
{
    printf("%s %s\n", text, place);
    fflush(stdout);
}

static bool is_held(const char *place)
{
    const char *held = getenv("SIGNALS_HOLD");
    return held && strstr(held, place);
}

static void hold(const char *place)
{
    if (!is_held(place))
        return;
    say("held in", place);
    while (sem_wait(&released))
        continue;
}

static void *read_letters(void *arg)
{
    char letter;
    (void)arg;
    while (read(STDIN_FILENO, &letter, 1) == 1)
        sem_post(&released);
    return NULL;
}

/* Logs that the first signal was handled: a second one before that would be merged with it. The
 * thread ends before the app is freed. */
static pthread_t watcher;
static atomic_bool undone;

static void *watch_stop(void *arg)
{
    (void)arg;
    while (!svc_app_stopping(app) && !atomic_load(&undone))
        usleep(1000);
    say("is", "stopping");
    return NULL;
}

static int start_watcher(svc_app *of, void *arg)
{
    (void)of, (void)arg;
    return pthread_create(&watcher, NULL, watch_stop, NULL);
}

static void stop_watcher(svc_app *of, void *arg)
{
    (void)of, (void)arg;
    atomic_store(&undone, true);
    pthread_join(watcher, NULL);
}

static const svc_middleware watch = {
    .size = sizeof watch, .name = "watch", .start = start_watcher, .stop = stop_watcher};

/* Replaces the system's function, and calls it after the hold. */
__attribute__((visibility("default"))) int getaddrinfo(const char *node, const char *service,
                                                       const struct addrinfo *hints,
                                                       struct addrinfo **list)
{
    int (*real)(const char *, const char *, const struct addrinfo *, struct addrinfo **);
    *(void **)&real = dlsym(RTLD_NEXT, "getaddrinfo");
    hold("look-up");
    return real(node, service, hints, list);
}

/* The signal ends a child that has not executed another program, as before svc_app_run. */
static void fork_child(void)
{
    int status;
    pid_t child = fork();
    if (child == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        for (;;)
            pause();
    }
    kill(child, SIGTERM);
    waitpid(child, &status, 0);
    say("child ended by", WIFSIGNALED(status) ? strsignal(WTERMSIG(status)) : "itself");
}

static int start_first(svc_app *of, void *arg)
{
    (void)of, (void)arg;
    if (is_held("fork"))
        fork_child();
    return 0;
}

static void stop_first(svc_app *of, void *arg)
{
    (void)arg;
    hold("stop hook");
    svc_app_log_info(of, "the first hook is undone");
}

static int start_second(svc_app *of, void *arg)
{
    (void)arg;
    hold("start hook");
    if (is_held("patience")) {
        say("held in", "patience");
        while (!svc_app_stopping(of))
            usleep(1000);
        return -1;
    }
    if (is_held("own stop"))
        svc_app_stop(of);
    return is_held("failure");
}

static int start_third(svc_app *of, void *arg)
{
    (void)arg;
    svc_app_log_info(of, "the last hook begins");
    return 0;
}

static int start_layer(svc_app *of, void *arg)
{
    (void)of, (void)arg;
    hold("layer");
    return 0;
}

static const svc_middleware layer = {.size = sizeof layer, .name = "layer", .start = start_layer};

/* Requests the stop itself, as a program may. */
static int stop(svc_request *req, svc_response *res)
{
    svc_app_stop(svc_request_app(req));
    return svc_response_text(res, 200, "stopping");
}

int main(void)
{
    pthread_t reader;
    app = svc_app_new("signals");
    sem_init(&released, 0, 0);
    if (pthread_create(&reader, NULL, read_letters, NULL) || pthread_detach(reader))
        abort();
    svc_app_use(app, &watch);
    svc_app_use(app, &layer);
    svc_app_get(app, "/stop", stop, NULL);
    svc_app_add_hook(app, start_first, stop_first, NULL);
    svc_app_add_hook(app, start_second, NULL, NULL);
    svc_app_add_hook(app, start_third, NULL, NULL);
    return svc_app_run(app);
}
