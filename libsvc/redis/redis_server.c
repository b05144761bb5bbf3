/* Connections, the breaker and its thread. */
#define SVC_LOG_MODULE "redis"
#include "libsvc/redis/redis_server.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <svc/log.h>
#include <svc/loop.h>

#include "libsvc/redis/redis_time.h"

enum { REPORT_MS = 10000, RENEW_MS = 5000, CALM_MS = 5000 };

/* Whether so much time has passed since the last time that this was true; for one thread of all. */
static bool is_due(_Atomic uint64_t *last_ms, uint64_t every_ms)
{
    uint64_t now = svc__redis_time_ms(), last = atomic_load(last_ms);
    return (!last || now - last >= every_ms) && atomic_compare_exchange_strong(last_ms, &last, now);
}

/* ---- The log */

static void log_down(const struct redis_server *server)
{
    svc_app_log_warn(server->app, "redis cannot be asked", svc_kv_str("reason", server->why.text),
                     svc_kv_str("host", *server->url.host ? server->url.host : server->url.path),
                     svc_kv_str("port", server->url.port));
}

void svc__redis_server_report(struct redis_server *server, const char *fault)
{
    if (!is_due(&server->logged_ms, REPORT_MS)) {
        atomic_fetch_add(&server->suppressed, 1);
        return;
    }
    svc_app_log_warn(server->app, "redis has refused a command", svc_kv_str("reason", fault),
                     svc_kv_uint("suppressed", atomic_exchange(&server->suppressed, 0)));
}

/* ---- Loops. All of it under the lock. */

static void post_news(struct redis_seat *seat)
{
    if (!seat->posted)
        seat->posted = svc_loop_post(seat->loop, seat->news, seat) == 0;
}

static void post_all(struct redis_server *server)
{
    for (struct redis_seat *seat = server->seats; seat; seat = seat->next)
        post_news(seat);
}

static struct redis_seat *find_seeker(const struct redis_server *server)
{
    struct redis_seat *seat = server->seats;
    while (seat && !seat->seeks)
        seat = seat->next;
    return seat;
}

/* Gives a new connection to a loop that wants one, or to the workers. */
static void place_link(struct redis_server *server, struct redis_link *link)
{
    struct redis_seat *seat = find_seeker(server);
    if (seat) {
        seat->seeks = false;
        seat->link = link;
        post_news(seat);
    } else {
        link->next = server->idle;
        server->idle = link;
    }
}

/* ---- The breaker. All of it under the lock. */

static void close_idle(struct redis_server *server)
{
    while (server->idle) {
        struct redis_link *link = server->idle;
        server->idle = link->next;
        svc__redis_link_free(link);
    }
}

/* Opens the breaker. The first attempt to close it is at once if the reason is a guess from some
 * late answers, else after a while. If it was closed just before, attempts become rarer as if they
 * had failed: a server may take connections and then answer nothing. */
static void open_breaker(struct redis_server *server, const struct redis_why *why, bool guessed)
{
    uint64_t now = svc__redis_time_ms();
    if (atomic_load(&server->down))
        return;
    atomic_store(&server->down, true);
    server->why = *why;
    bool is_calm = !server->closed_ms || now - server->closed_ms >= CALM_MS;
    server->attempts = is_calm ? !guessed : server->attempts + 1;
    server->attempt_ms =
        now + (server->attempts ? svc__redis_time_backoff(server->attempts, now) : 0);
    close_idle(server);
    post_all(server);
    log_down(server);
    pthread_cond_signal(&server->wake);
    pthread_cond_broadcast(&server->settled);
}

static void close_breaker(struct redis_server *server)
{
    if (!atomic_load(&server->down))
        return;
    atomic_store(&server->failures, 0);
    atomic_store(&server->down, false);
    server->closed_ms = svc__redis_time_ms();
    svc_app_log_info(server->app, "redis can be asked again",
                     svc_kv_uint("attempts", server->attempts + 1U));
}

/* An attempt of the thread has failed. */
static void note_attempt(struct redis_server *server, const struct redis_why *why)
{
    uint64_t now = svc__redis_time_ms();
    bool is_new = !atomic_load(&server->down) || strcmp(why->text, server->why.text) != 0;
    if (!atomic_exchange(&server->down, true))
        post_all(server);
    server->why = *why;
    server->attempts++;
    server->attempt_ms =
        now + svc__redis_time_backoff(server->attempts, server->commands.seed + now);
    if (is_new)
        log_down(server);
}

/* ---- The thread */

/* A time of svc__redis_time_ms for conditions, which is one ahead. */
static struct timespec moment_of(uint64_t time_ms)
{
    uint64_t at = time_ms - 1;
    return (struct timespec){(time_t)(at / 1000), (long)(at % 1000) * 1000000};
}

/* Whether a call can connect. Under the lock. */
static bool is_known(const struct redis_server *server)
{
    return !*server->url.host || server->address.len > 0;
}

static void wait_for_work(struct redis_server *server)
{
    const struct timespec until = moment_of(server->attempt_ms ? server->attempt_ms : 1);
    if (atomic_load(&server->down))
        pthread_cond_timedwait(&server->wake, &server->lock, &until);
    else
        pthread_cond_wait(&server->wake, &server->lock);
}

/* Connects, without the lock, and takes note of the result. */
static void attempt(struct redis_server *server)
{
    struct redis_link *link;
    struct redis_why why;
    struct redis_address address = {.len = 0};
    unsigned age = atomic_load(&server->age);
    pthread_mutex_unlock(&server->lock);
    int error = svc__redis_dial(&server->url, &address, server->most,
                                svc__redis_time_ms() + server->url.connect_timeout_ms,
                                server->stop_fd, &link, &why);
    pthread_mutex_lock(&server->lock);
    pthread_cond_broadcast(&server->settled);
    if (error == SVC_ECANCELLED)
        return;
    if (error) {
        note_attempt(server, &why);
        return;
    }
    link->age = age;
    if (age == atomic_load(&server->age))
        server->address = address;
    close_breaker(server);
    place_link(server, link);
}

static void *run_thread(void *arg)
{
    struct redis_server *server = arg;
    pthread_setname_np(pthread_self(), "svc-redis");
    pthread_mutex_lock(&server->lock);
    if (!server->stopping)
        attempt(server);
    while (!server->stopping)
        if (atomic_load(&server->down) ? svc__redis_time_ms() >= server->attempt_ms
                                       : find_seeker(server) || !is_known(server))
            attempt(server);
        else
            wait_for_work(server);
    pthread_mutex_unlock(&server->lock);
    return NULL;
}

/* ---- Calls */

/* Takes an idle connection. If there is none, and no address for another, waits for the thread's
 * attempt. */
static struct redis_link *pop_idle(struct redis_server *server, uint64_t deadline_ms)
{
    const struct timespec until = moment_of(deadline_ms);
    pthread_mutex_lock(&server->lock);
    while (!server->idle && !is_known(server) && !svc__redis_server_is_down(server) &&
           svc__redis_time_ms() < deadline_ms)
        pthread_cond_timedwait(&server->settled, &server->lock, &until);
    struct redis_link *link = server->idle;
    if (link)
        server->idle = link->next;
    pthread_mutex_unlock(&server->lock);
    return link;
}

static void push_idle(struct redis_server *server, struct redis_link *link)
{
    pthread_mutex_lock(&server->lock);
    link->next = server->idle;
    server->idle = link;
    pthread_mutex_unlock(&server->lock);
}

/* Opens the breaker, from a call. */
static void fail_breaker(struct redis_server *server, const struct redis_why *why, bool guessed)
{
    pthread_mutex_lock(&server->lock);
    open_breaker(server, why, guessed);
    pthread_mutex_unlock(&server->lock);
}

void svc__redis_server_count(struct redis_server *server, int error)
{
    struct redis_why why;
    if (!error && atomic_load_explicit(&server->failures, memory_order_relaxed))
        atomic_store(&server->failures, 0);
    if (!error || atomic_fetch_add(&server->failures, 1) + 1 < REDIS_FAILURES)
        return;
    (void)snprintf(why.text, sizeof why.text, "calls in succession have failed: %s",
                   error == SVC_EUNAVAILABLE ? "the connection was closed" : svc_error_text(error));
    fail_breaker(server, &why, true);
}

/* False when there is none, and it is needed. */
static bool copy_address(struct redis_server *server, struct redis_address *address)
{
    pthread_mutex_lock(&server->lock);
    *address = server->address;
    bool known = is_known(server);
    pthread_mutex_unlock(&server->lock);
    return known;
}

/* Makes a connection in the course of a call. */
static int dial_for_call(struct redis_server *server, uint64_t deadline_ms,
                         struct redis_link **link)
{
    struct redis_why why;
    uint64_t until = svc__redis_time_ms() + server->url.connect_timeout_ms;
    bool is_short = deadline_ms < until;
    struct redis_address address;
    unsigned age = atomic_load(&server->age);
    if (!copy_address(server, &address))
        return svc__redis_server_is_down(server) ? SVC_EUNAVAILABLE : SVC_ETIMEDOUT;
    int error = svc__redis_dial(&server->url, &address, server->most,
                                is_short ? deadline_ms : until, -1, link, &why);
    if (error == SVC_ETIMEDOUT && is_short)
        svc__redis_server_count(server, error); /* the server may be well */
    else if (error && error != SVC_ENOMEM)
        fail_breaker(server, &why, false);
    if (!error)
        (*link)->age = age;
    return error == SVC_ETIMEDOUT && !is_short ? SVC_EUNAVAILABLE : error;
}

int svc__redis_server_take(struct redis_server *server, uint64_t deadline_ms,
                           struct redis_link **link)
{
    if (svc__redis_server_is_down(server))
        return SVC_EUNAVAILABLE;
    struct redis_link *found = pop_idle(server, deadline_ms);
    while (found && !svc__redis_link_is_quiet(found)) {
        svc__redis_link_free(found);
        found = pop_idle(server, deadline_ms);
    }
    *link = found;
    return found ? 0 : dial_for_call(server, deadline_ms, link);
}

void svc__redis_server_give(struct redis_server *server, struct redis_link *link, int error)
{
    svc__redis_server_count(server, error);
    if (error || link->age != atomic_load_explicit(&server->age, memory_order_relaxed))
        svc__redis_link_free(link);
    else
        push_idle(server, link);
}

void svc__redis_server_renew(struct redis_server *server)
{
    if (!is_due(&server->renewed_ms, RENEW_MS))
        return;
    pthread_mutex_lock(&server->lock);
    atomic_fetch_add(&server->age, 1);
    server->address.len = 0;
    close_idle(server);
    post_all(server);
    pthread_cond_signal(&server->wake);
    pthread_mutex_unlock(&server->lock);
}

/* ---- The calls of loops */

void svc__redis_server_join(struct redis_server *server, struct redis_seat *seat)
{
    pthread_mutex_lock(&server->lock);
    seat->next = server->seats;
    server->seats = seat;
    seat->seeks = true;
    pthread_cond_signal(&server->wake);
    pthread_mutex_unlock(&server->lock);
}

void svc__redis_server_seek(struct redis_server *server, struct redis_seat *seat)
{
    pthread_mutex_lock(&server->lock);
    if (!seat->seeks && !seat->link) {
        seat->seeks = true;
        pthread_cond_signal(&server->wake);
    }
    pthread_mutex_unlock(&server->lock);
}

struct redis_link *svc__redis_server_fetch(struct redis_server *server, struct redis_seat *seat,
                                           bool *left)
{
    pthread_mutex_lock(&server->lock);
    struct redis_link *link = seat->link;
    seat->link = NULL;
    seat->posted = false;
    *left = seat->left;
    pthread_mutex_unlock(&server->lock);
    return link;
}

bool svc__redis_server_leave(struct redis_server *server, struct redis_seat *seat)
{
    pthread_mutex_lock(&server->lock);
    struct redis_seat **at = &server->seats;
    while (*at && *at != seat)
        at = &(*at)->next;
    if (*at)
        *at = seat->next;
    struct redis_link *link = seat->link;
    seat->link = NULL;
    seat->left = true;
    bool is_free = !seat->posted;
    pthread_mutex_unlock(&server->lock);
    svc__redis_link_free(link);
    return is_free;
}

/* ---- Begin and end */

static int begin_thread(struct redis_server *server)
{
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_mutex_init(&server->lock, NULL);
    pthread_cond_init(&server->wake, &attributes);
    pthread_cond_init(&server->settled, &attributes);
    pthread_condattr_destroy(&attributes);
    server->stop_fd = eventfd(0, EFD_CLOEXEC);
    if (server->stop_fd >= 0 && !pthread_create(&server->thread, NULL, run_thread, server))
        return 0;
    if (server->stop_fd >= 0)
        close(server->stop_fd);
    pthread_cond_destroy(&server->wake);
    pthread_cond_destroy(&server->settled);
    pthread_mutex_destroy(&server->lock);
    return SVC_ESYSTEM;
}

int svc__redis_server_open(svc_app *app, const svc_sys_store_place *place,
                           struct redis_server **server, const char **why)
{
    struct redis_server *made = calloc(1, sizeof *made);
    if (!made)
        return SVC_ENOMEM;
    made->app = app;
    made->most = place->max_value;
    int error = svc__redis_url_read(&made->url, place, why);
    if (!error)
        error = svc__redis_command_init(&made->commands, place->max_value, made->url.db);
    if (!error)
        error = begin_thread(made);
    if (error)
        free(made);
    else
        *server = made;
    return error;
}

void svc__redis_server_close(struct redis_server *server)
{
    pthread_mutex_lock(&server->lock);
    server->stopping = true;
    pthread_cond_signal(&server->wake);
    pthread_mutex_unlock(&server->lock);
    (void)eventfd_write(server->stop_fd, 1);
    pthread_join(server->thread, NULL);
    close_idle(server);
    close(server->stop_fd);
    pthread_cond_destroy(&server->wake);
    pthread_cond_destroy(&server->settled);
    pthread_mutex_destroy(&server->lock);
    explicit_bzero(&server->url, sizeof server->url);
    free(server);
}
