/* What a connection's failure means for its tasks and its server. */
#include "libsvc/memcached/memcached_lanes.h"

#include "libsvc/memcached/memcached_clock.h"

static uint64_t bit_of(size_t server)
{
    return UINT64_C(1) << server;
}

void svc__memcached_lanes_close(struct memcached_lanes *lanes, size_t server)
{
    svc__memcached_link_free(lanes->links[server]);
    lanes->links[server] = NULL;
    lanes->known &= ~bit_of(server);
}

bool svc__memcached_lanes_open(struct memcached_lanes *lanes, size_t server)
{
    struct memcached_server *to = &lanes->state->servers[server];
    struct memcached_link *link =
        lanes->pooled ? svc__memcached_state_take(lanes->state, server) : NULL;
    uint64_t now = svc__memcached_clock_ms();
    if (!link)
        link = svc__memcached_link_open(to, lanes->until > now ? lanes->until - now : 0);
    if (!link) {
        lanes->failed |= bit_of(server);
        svc__memcached_server_failed(to, MEMCACHED_ABSENT);
        return false;
    }
    link->done = lanes->done;
    link->closing = lanes->closing;
    link->arg = lanes->arg;
    lanes->links[server] = link;
    lanes->known |= bit_of(server);
    return true;
}

static void fail_task(struct memcached_lanes *lanes, struct memcached_task *task, int error)
{
    if (task->op)
        task->op->error = error;
    lanes->done(lanes->arg, task);
}

void svc__memcached_lanes_assign(struct memcached_lanes *lanes, struct memcached_task *task)
{
    for (;;) {
        size_t server =
            svc__memcached_state_choose(lanes->state, task->op, lanes->known, lanes->failed);
        if (server == MEMCACHED_SERVERS) {
            fail_task(lanes, task, SVC_EUNAVAILABLE);
            return;
        }
        if (lanes->known & bit_of(server) || svc__memcached_lanes_open(lanes, server)) {
            svc__memcached_link_add(lanes->links[server], task);
            return;
        }
    }
}

void svc__memcached_lanes_fail(struct memcached_lanes *lanes, size_t server, int error)
{
    struct memcached_link *link = lanes->links[server];
    struct memcached_queue waiting = link->waiting, sent = link->sent;
    struct memcached_task *task;
    bool was_ready = link->phase == MEMCACHED_READY;
    if (!was_ready || error != SVC_EUNAVAILABLE)
        svc__memcached_server_failed(link->server, was_ready ? MEMCACHED_SLOW : MEMCACHED_ABSENT);
    if (!was_ready || error == SVC_ETIMEDOUT)
        lanes->failed |= bit_of(server);
    svc__memcached_lanes_close(lanes, server);
    while ((task = svc__memcached_queue_take(&sent)))
        fail_task(lanes, task, svc__memcached_task_loss(task, error));
    while ((task = svc__memcached_queue_take(&waiting)))
        if (task->op && svc__memcached_task_restart(task))
            svc__memcached_lanes_assign(lanes, task);
        else
            fail_task(lanes, task, SVC_ETIMEDOUT);
}

void svc__memcached_lanes_send(struct memcached_lanes *lanes)
{
    bool failed;
    do {
        failed = false;
        for (size_t i = 0; i < lanes->state->place.count; i++) {
            struct memcached_link *link = lanes->links[i];
            if (!link || link->phase != MEMCACHED_READY || !link->waiting.first)
                continue;
            int error = svc__memcached_link_pump(link, false);
            if (error)
                svc__memcached_lanes_fail(lanes, i, error);
            failed |= error != 0;
        }
    } while (failed);
}

void svc__memcached_lanes_pump(struct memcached_lanes *lanes, size_t server)
{
    int error = svc__memcached_link_pump(lanes->links[server], true);
    if (error)
        svc__memcached_lanes_fail(lanes, server, error);
}

uint64_t svc__memcached_lanes_expire(struct memcached_lanes *lanes, uint64_t now)
{
    uint64_t next = UINT64_MAX;
    for (size_t i = 0; i < lanes->state->place.count; i++) {
        struct memcached_link *link = lanes->links[i];
        if (link && svc__memcached_link_is_busy(link) && now >= link->limit_at)
            svc__memcached_lanes_fail(lanes, i, SVC_ETIMEDOUT);
    }
    for (size_t i = 0; i < lanes->state->place.count; i++) {
        const struct memcached_link *link = lanes->links[i];
        if (link && svc__memcached_link_is_busy(link) && link->limit_at < next)
            next = link->limit_at;
    }
    return next;
}
