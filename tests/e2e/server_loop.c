/* The server for the tests of loops, timers and watches of the application. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include <svc.h>

/* ---- GET /round: a function, a descriptor and a timer on every loop, one after the other */

enum { MAX_LOOPS = 8 };

struct round;

/* The state of one loop's part, used on that loop's thread only. */
struct station {
    struct round *round;
    svc_loop *loop;
    pthread_t thread;
    int fd;
    svc_watch *watch;
    svc_timer *timer;
};

struct round {
    svc_request *req;
    size_t count;
    _Atomic size_t left;
    _Atomic unsigned errors;
    struct station stations[MAX_LOOPS];
};

static void check(struct station *station, bool is_so)
{
    if (!is_so || !pthread_equal(station->thread, pthread_self()))
        atomic_fetch_add(&station->round->errors, 1);
}

static void on_timer(void *arg)
{
    struct station *station = arg;
    check(station, true);
    svc_timer_free(station->timer);
    struct round *round = station->round;
    if (atomic_fetch_sub(&round->left, 1) == 1)
        svc_request_resume(round->req);
}

static void on_readable(unsigned events, void *arg)
{
    struct station *station = arg;
    check(station, events == SVC_READABLE);
    svc_watch_free(station->watch);
    close(station->fd);
    station->timer = svc_timer_new(station->loop, on_timer, station);
    check(station, svc_timer_set(station->timer, 5) == 0);
}

static void on_post(void *arg)
{
    struct station *station = arg;
    station->thread = pthread_self();
    station->fd = eventfd(1, EFD_CLOEXEC | EFD_NONBLOCK);
    station->watch = svc_watch_new(station->loop, station->fd, SVC_READABLE, on_readable, station);
    check(station, station->watch != NULL);
}

/* The count is fixed before the first loop can be done. */
static int go_round(svc_request *req, svc_response *res, const svc_layer *layer)
{
    struct round *round = layer->state;
    (void)res;
    if (round->req)
        return SVC_PASS;
    round->req = req;
    while (round->count < MAX_LOOPS && svc_app_loop(svc_request_app(req), round->count))
        round->count++;
    round->left = round->count;
    for (size_t i = 0; i < round->count; i++) {
        struct station *station = &round->stations[i];
        *station = (struct station){.round = round, .loop = svc_app_loop(svc_request_app(req), i)};
        if (svc_loop_post(station->loop, on_post, station))
            abort();
    }
    return SVC_WAIT;
}

static int tell_round(svc_request *req, svc_response *res, const svc_layer *layer)
{
    const struct round *round = layer->state;
    (void)req;
    char text[64];
    size_t threads = 0;
    for (size_t i = 0; i < round->count; i++) {
        size_t same = 0;
        for (size_t j = 0; j < i; j++)
            same += pthread_equal(round->stations[i].thread, round->stations[j].thread) != 0;
        threads += !same;
    }
    int len = snprintf(text, sizeof text, "%zu loops, %zu threads, %u errors", round->count,
                       threads, atomic_load(&round->errors));
    return svc_response_copy(res, 200, "text/plain", text, (size_t)len);
}

static int hello(svc_request *req, svc_response *res)
{
    (void)req;
    return svc_response_text(res, 200, "hello");
}

/* ---- GET /flood: from then on functions are posted to every loop until they refuse */

enum { POSTERS = 2 };

static pthread_t posters[POSTERS];
static _Atomic unsigned taken, ran;
static atomic_bool flooding;

static void count(void *arg)
{
    (void)arg;
    atomic_fetch_add(&ran, 1);
}

static void *post_until_refused(void *arg)
{
    const struct timespec breath = {0, 100000};
    int error = 0;
    while (!error) {
        for (size_t i = 0; !error && svc_app_loop(arg, i); i++) {
            error = svc_loop_post(svc_app_loop(arg, i), count, NULL);
            taken += !error;
        }
        nanosleep(&breath, NULL);
    }
    return NULL;
}

static int flood(svc_request *req, svc_response *res)
{
    for (size_t i = 0; i < POSTERS; i++)
        if (pthread_create(&posters[i], NULL, post_until_refused, svc_request_app(req)))
            return SVC_ESYSTEM;
    flooding = true;
    return svc_response_text(res, 200, "flooding");
}

/* ---- GET /left: a timer that is still set, and a watch, when the service stops */

static svc_timer *left_timer;
static svc_watch *left_watch;

static void never(void *arg)
{
    (void)arg;
    abort();
}

static void never_ready(unsigned events, void *arg)
{
    (void)events;
    never(arg);
}

static int leave(svc_request *req, svc_response *res)
{
    svc_loop *loop = svc_request_loop(req);
    left_timer = svc_timer_new(loop, never, NULL);
    left_watch = svc_watch_new(loop, eventfd(0, EFD_CLOEXEC), SVC_READABLE, never_ready, NULL);
    int error = svc_timer_set(left_timer, 3600000);
    return error || !left_watch ? SVC_ESTATE : svc_response_text(res, 200, "left");
}

static void stop(svc_app *app, void *arg)
{
    (void)arg;
    for (size_t i = 0; i < POSTERS && flooding; i++)
        pthread_join(posters[i], NULL);
    svc_timer_free(left_timer);
    svc_watch_free(left_watch);
    bool refuses = svc_loop_post(svc_app_loop(app, 0), count, NULL) == SVC_ESTATE;
    svc_app_log_info(app, "loops ended", svc_kv_uint("taken", taken), svc_kv_uint("ran", ran),
                     svc_kv_bool("agree", refuses && taken == ran));
}

/* ---- GET /spin: holds its loop until a letter on standard input, and for the limit at least */

static _Atomic unsigned told;

static void *listen_to_test(void *arg)
{
    char letter;
    (void)arg;
    while (read(STDIN_FILENO, &letter, 1) == 1)
        told++;
    return NULL;
}

/* By CPU time: in wall time, the system might run other threads instead. */
static uint64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static int spin(svc_request *req, svc_response *res)
{
    static _Atomic unsigned spins;
    unsigned wanted = ++spins;
    uint64_t until_ms = now_ms() + 700;
    svc_log_info(req, "spinning");
    while (told < wanted || now_ms() < until_ms)
        continue;
    return svc_response_text(res, 200, "done");
}

static int start(svc_app *app, void *arg)
{
    pthread_t thread;
    (void)arg;
    if (svc_app_loop(app, 0))
        return 1; /* there is none yet */
    return pthread_create(&thread, NULL, listen_to_test, NULL) || pthread_detach(thread);
}

int main(void)
{
    static const svc_middleware round = {.size = sizeof round,
                                         .name = "round",
                                         .state_size = sizeof(struct round),
                                         .on_request = go_round,
                                         .on_response = tell_round};
    static const svc_middleware *const layers[] = {&round, NULL};
    svc_app *app = svc_app_new("loop");
    svc_route route = SVC_ROUTE_INIT;
    route.pattern = "GET /round";
    route.handler = hello;
    route.middleware = layers;
    svc_app_route(app, &route);
    svc_app_get(app, "/flood", flood, NULL);
    svc_app_get(app, "/left", leave, NULL);
    svc_app_get(app, "/spin", spin, NULL);
    svc_app_add_hook(app, start, stop, NULL);
    return svc_app_run(app);
}
