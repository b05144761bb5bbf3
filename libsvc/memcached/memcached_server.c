/* The breaker of a server. */
#include "libsvc/memcached/memcached_server.h"

#include "libsvc/memcached/memcached_clock.h"

enum { FAILURES = 3 /* in a row, that make a server dead */ };

static const uint64_t delay_least_ms = 100;

int svc__memcached_server_init(struct memcached_server *server, const struct memcached_place *place,
                               const struct memcached_address *from)
{
    *server = (struct memcached_server){.place = place, .name = from->name};
    server->host = svc__memcached_host_new(from);
    if (!server->host)
        return SVC_ENOMEM;
    pthread_mutex_init(&server->lock, NULL);
    svc__memcached_host_refresh(server->host); /* so that the first call need not wait for a name */
    server->delay_ms = delay_least_ms;
    return 0;
}

void svc__memcached_server_end(struct memcached_server *server)
{
    svc__memcached_host_free(server->host);
    pthread_mutex_destroy(&server->lock);
}

bool svc__memcached_server_may_ask(struct memcached_server *server)
{
    uint64_t retry_at = server->retry_at;
    if (retry_at == 0)
        return true;
    uint64_t now = svc__memcached_clock_ms();
    bool may = false;
    if (now < retry_at)
        return false;
    pthread_mutex_lock(&server->lock);
    if (server->retry_at == 0) {
        may = true;
    } else if (now >= server->retry_at) {
        /* A caller that never reports, since its own time was over, is followed by another. */
        server->retry_at = now + server->place->connect_ms;
        server->tried = may = true;
    }
    pthread_mutex_unlock(&server->lock);
    return may;
}

void svc__memcached_server_answered(struct memcached_server *server)
{
    if (!server->ill)
        return;
    pthread_mutex_lock(&server->lock);
    server->failures = 0;
    server->delay_ms = delay_least_ms;
    server->tried = false;
    server->retry_at = 0;
    server->ill = false;
    pthread_mutex_unlock(&server->lock);
}

/* With the lock held. */
static void leave_out(struct memcached_server *server)
{
    uint64_t most = server->place->retry_ms;
    uint64_t delay = server->delay_ms < most ? server->delay_ms : most;
    server->delay_ms = delay * 2;
    delay = delay / 2 + svc__memcached_clock_jitter(delay - delay / 2);
    server->retry_at = svc__memcached_clock_ms() + delay + 1;
    server->tried = false;
}

void svc__memcached_server_failed(struct memcached_server *server, enum memcached_failure failure)
{
    pthread_mutex_lock(&server->lock);
    server->ill = true;
    server->failures++;
    bool is_dead = server->retry_at > 0;
    if (is_dead ? server->tried : failure == MEMCACHED_ABSENT || server->failures >= FAILURES)
        leave_out(server);
    pthread_mutex_unlock(&server->lock);
    if (failure == MEMCACHED_ABSENT)
        svc__memcached_host_refresh(server->host);
}
