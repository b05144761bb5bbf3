/* The connection is asked by PING whether it is alive, four times within the bound. */
#include "libsvc/redis/redis_track.h"

#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "libsvc/redis/redis_time.h"

#define CHANNEL "__redis__:invalidate"

enum { PING_MS = REDIS_CACHE_BOUND_MS / 4, CONNECT_MS = 1000, PONG_ITEMS = 2, MESSAGE_ITEMS = 3 };

struct redis_track {
    struct redis_server *server;
    struct redis_cache cache;
    const char *name_space; /* without its ':' */
    struct redis_link *link;
    uint64_t asked_ms; /* when the PING that is not answered was sent; 0: there is none */
    uint64_t next_ms;  /* when the next one is to be */
    unsigned failed;
    int stop_fd;
    pthread_t thread;
};

static int await_reply(struct redis_track *track)
{
    struct redis_link *link = track->link;
    int error =
        svc__redis_link_wait(link, svc__redis_time_ms() + CONNECT_MS, track->stop_fd, NULL, NULL);
    if (!error && link->reply.kind == REDIS_ERROR) {
        svc__redis_server_report(track->server, link->reply.text);
        return SVC_EUNAVAILABLE;
    }
    return error;
}

/* Asks for the announcements, and for none before they can be received. */
static void write_tracking(struct redis_track *track, uint64_t id)
{
    struct redis_text *out = &track->link->out;
    svc__redis_text_begin(out, 8);
    svc__redis_text_string(out, "CLIENT");
    svc__redis_text_string(out, "TRACKING");
    svc__redis_text_string(out, "ON");
    svc__redis_text_string(out, "REDIRECT");
    svc__redis_text_number(out, id);
    svc__redis_text_string(out, "BCAST");
    svc__redis_text_string(out, "PREFIX");
    svc__redis_text_parts(out, track->name_space, strlen(track->name_space), ":", 1);
    svc__redis_text_begin(out, 2);
    svc__redis_text_string(out, "SUBSCRIBE");
    svc__redis_text_string(out, CHANNEL);
}

static int subscribe(struct redis_track *track)
{
    struct redis_link *link = track->link;
    svc__redis_text_begin(&link->out, 2);
    svc__redis_text_string(&link->out, "CLIENT");
    svc__redis_text_string(&link->out, "ID");
    int error = await_reply(track);
    if (error || link->reply.kind != REDIS_NUMBER)
        return error ? error : SVC_ESYNTAX;
    write_tracking(track, (uint64_t)link->reply.number);
    error = await_reply(track);
    if (!error)
        error = await_reply(track);
    bool is_there = link->reply.kind == REDIS_LIST && link->reply.numbers[2] == 1;
    return error ? error : is_there ? 0 : SVC_ESYNTAX;
}

static void take_key(void *arg, const char *data, size_t len)
{
    struct redis_track *track = arg;
    svc__redis_cache_drop(&track->cache, data, len);
}

/* Takes an announcement or the answer to a PING. 0, or an error after which the connection is of
 * no use. */
static int take_push(struct redis_track *track)
{
    const struct redis_reply *reply = &track->link->reply;
    if (reply->kind != REDIS_LIST || reply->count < PONG_ITEMS || reply->count > MESSAGE_ITEMS)
        return SVC_ESYNTAX;
    if (reply->count == MESSAGE_ITEMS) {
        if (!reply->taken) /* no key: all of them */
            svc__redis_cache_drop_all(&track->cache, REDIS_DROP_FLUSHED);
        return 0;
    }
    if (!track->asked_ms)
        return SVC_ESYNTAX;
    atomic_store(&track->cache.trusted_ms, track->asked_ms + REDIS_CACHE_BOUND_MS);
    track->asked_ms = 0;
    track->failed = 0;
    return 0;
}

/* Waits for one push, and asks when it is time. 0, or an error. */
static int follow_once(struct redis_track *track)
{
    struct redis_link *link = track->link;
    uint64_t now_ms = svc__redis_time_ms();
    if (track->asked_ms && now_ms - track->asked_ms >= REDIS_CACHE_BOUND_MS)
        return SVC_ETIMEDOUT;
    if (now_ms >= track->next_ms && !track->asked_ms) {
        svc__redis_text_begin(&link->out, 1);
        svc__redis_text_string(&link->out, "PING");
        track->asked_ms = now_ms;
        track->next_ms = now_ms + PING_MS;
    }
    uint64_t until_ms = track->asked_ms ? track->asked_ms + REDIS_CACHE_BOUND_MS : track->next_ms;
    int error = svc__redis_link_wait(link, until_ms, track->stop_fd, take_key, track);
    if (error == SVC_ETIMEDOUT)
        return 0;
    return error ? error : take_push(track);
}

/* Follows the announcements until that is no longer possible. */
static int follow_link(struct redis_track *track)
{
    unsigned age = track->link->age;
    svc__redis_reply_expect_keys(track->link->in);
    atomic_store(&track->cache.age, age);
    track->asked_ms = track->next_ms = 0;
    int error = 0;
    while (!error && age == atomic_load(&track->server->age))
        error = follow_once(track);
    atomic_store(&track->cache.trusted_ms, 0);
    svc__redis_cache_drop_all(&track->cache, REDIS_DROP_LOST);
    return error;
}

static int connect_once(struct redis_track *track)
{
    int error =
        svc__redis_server_take(track->server, svc__redis_time_ms() + CONNECT_MS, &track->link);
    if (!error) {
        error = subscribe(track);
        if (!error)
            error = follow_link(track);
        svc__redis_link_free(track->link);
    }
    return error;
}

static void *run_track(void *arg)
{
    struct redis_track *track = arg;
    while (connect_once(track) != SVC_ECANCELLED) {
        uint64_t now_ms = svc__redis_time_ms();
        uint64_t until_ms = now_ms + svc__redis_time_backoff(++track->failed, now_ms);
        if (svc__redis_time_poll(-1, 0, until_ms, track->stop_fd) == SVC_ECANCELLED)
            break;
    }
    return NULL;
}

static int begin_thread(struct redis_track *track)
{
    track->stop_fd = eventfd(0, EFD_CLOEXEC);
    if (track->stop_fd < 0)
        return SVC_ESYSTEM;
    if (!pthread_create(&track->thread, NULL, run_track, track))
        return 0;
    close(track->stop_fd);
    return SVC_ESYSTEM;
}

int svc__redis_track_begin(struct redis_server *server, const svc_sys_store_place *place,
                           const char **why)
{
    if (!server->url.cache_mb)
        return 0;
    struct redis_track *track = calloc(1, sizeof *track);
    if (!track)
        return SVC_ENOMEM;
    track->server = server;
    track->name_space = place->name_space;
    int error = svc__redis_cache_init(&track->cache, server->app, server->url.cache_mb << 20,
                                      place->max_value);
    if (error == SVC_ETOOBIG)
        *why = "cache_mb: too few for a value";
    if (!error)
        error = begin_thread(track);
    if (error) {
        svc__redis_cache_free(&track->cache);
        free(track);
        return error;
    }
    server->cache = &track->cache;
    server->track = track;
    return 0;
}

void svc__redis_track_end(struct redis_track *track)
{
    if (!track)
        return;
    (void)eventfd_write(track->stop_fd, 1);
    pthread_join(track->thread, NULL);
    close(track->stop_fd);
    svc__redis_cache_free(&track->cache);
    free(track);
}
