/*
 * A service that can be overloaded in two ways: GET /wait takes one of 8 permits for 20 ms, as
 * those of a database's pool, and GET /burn takes 1 ms of an event loop's CPU. OVERLOAD_LIMIT is
 * "none", "adaptive" or a number; OVERLOAD_QUEUE_MS the longest wait for the loop.
 */
#include <pthread.h>
#include <semaphore.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <svc.h>

enum { PERMITS = 8, HELD_US = 20000, BURNT_NS = 1000000 };

/* Permits that go to who has waited longest, as those of such pools do. */
struct waiter {
    sem_t turn;
    struct waiter *next;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct waiter *first, **last = &first;
static int permits = PERMITS;

static void take_permit(void)
{
    struct waiter own = {.next = NULL};
    pthread_mutex_lock(&lock);
    bool waits = permits == 0;
    if (waits) {
        sem_init(&own.turn, 0, 0);
        *last = &own;
        last = &own.next;
    } else
        permits--;
    pthread_mutex_unlock(&lock);
    while (waits && sem_wait(&own.turn))
        continue;
}

static void give_permit(void)
{
    pthread_mutex_lock(&lock);
    struct waiter *next = first;
    if (next) {
        first = next->next;
        last = first ? last : &first;
        sem_post(&next->turn);
    } else
        permits++;
    pthread_mutex_unlock(&lock);
}

static int served(svc_response *res)
{
    return svc_response_static(res, 200, "text/plain", "done\n", 5);
}

static int wait(svc_request *req, svc_response *res)
{
    (void)req;
    take_permit();
    usleep(HELD_US);
    give_permit();
    return served(res);
}

static long cpu_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return now.tv_sec * 1000000000 + now.tv_nsec;
}

static int burn(svc_request *req, svc_response *res)
{
    (void)req;
    for (long until = cpu_ns() + BURNT_NS; cpu_ns() < until;)
        for (volatile int i = 0; i < 1000; i++)
            continue;
    return served(res);
}

static const char *setting(const char *name)
{
    const char *value = getenv(name);
    return value ? value : "";
}

/* NULL: none. */
static const svc_middleware *make_limit(svc_app *app)
{
    const char *limit = setting("OVERLOAD_LIMIT"), *queue = setting("OVERLOAD_QUEUE_MS");
    svc_concurrency options = SVC_CONCURRENCY_INIT;
    options.adaptive = !strcmp(limit, "adaptive");
    options.limit = options.adaptive ? 20 : (uint32_t)atoi(limit);
    options.max_queue_ms = (uint32_t)atoi(queue);
    return options.limit || options.max_queue_ms ? svc_concurrency_new(app, &options) : NULL;
}

static void add_wait(svc_app *app)
{
    svc_route route = SVC_ROUTE_INIT;
    route.pattern = "GET /wait";
    route.handler = wait;
    route.flags = SVC_BLOCKING;
    svc_app_route(app, &route);
}

int main(void)
{
    svc_app *app = svc_app_new("overload");
    const svc_middleware *limit = make_limit(app);
    if (limit)
        svc_app_use(app, limit);
    add_wait(app);
    svc_app_get(app, "/burn", burn, NULL);
    return svc_app_run(app);
}
