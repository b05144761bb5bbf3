/* The parts of an open store. */
#include "libsvc/memcached/memcached_state.h"

#include <stdlib.h>

static void end_servers(struct memcached_state *state, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        while (state->pools[i].first) {
            struct memcached_link *link = state->pools[i].first;
            state->pools[i].first = link->next;
            svc__memcached_link_free(link);
        }
        pthread_mutex_destroy(&state->pools[i].lock);
        svc__memcached_server_end(&state->servers[i]);
    }
}

struct memcached_state *svc__memcached_state_new(const struct memcached_place *place)
{
    const char *names[MEMCACHED_SERVERS];
    struct memcached_state *state = calloc(1, sizeof *state);
    if (!state)
        return NULL;
    state->place = *place;
    for (size_t i = 0; i < place->count; i++) {
        const struct memcached_address *from = &state->place.servers[i];
        if (svc__memcached_server_init(&state->servers[i], &state->place, from)) {
            end_servers(state, i);
            free(state);
            return NULL;
        }
        pthread_mutex_init(&state->pools[i].lock, NULL);
        names[i] = from->name;
    }
    state->ring = svc__memcached_ring_new(names, place->count);
    if (state->ring)
        return state;
    end_servers(state, place->count);
    free(state);
    return NULL;
}

void svc__memcached_state_free(struct memcached_state *state)
{
    if (!state)
        return;
    end_servers(state, state->place.count);
    free(state->ring);
    free(state);
}

/* ---- Choosing */

struct choice {
    struct memcached_state *state;
    uint64_t known, refused;
};

static bool may_choose(void *arg, size_t server)
{
    const struct choice *choice = arg;
    if (choice->refused >> server & 1)
        return false;
    return choice->known >> server & 1 ||
           svc__memcached_server_may_ask(&choice->state->servers[server]);
}

static bool choose_any(void *arg, size_t server)
{
    (void)arg, (void)server;
    return true;
}

size_t svc__memcached_state_choose(struct memcached_state *state, const svc_sys_store_op *op,
                                   uint64_t known, uint64_t refused)
{
    struct choice choice = {state, known, refused};
    size_t server =
        svc__memcached_ring_find(state->ring, op->key, op->key_len,
                                 state->place.failover ? may_choose : choose_any, &choice);
    if (server == state->place.count || (!state->place.failover && !may_choose(&choice, server)))
        return MEMCACHED_SERVERS;
    return server;
}

/* ---- Connections that are not in use */

struct memcached_link *svc__memcached_state_take(struct memcached_state *state, size_t server)
{
    struct memcached_pool *pool = &state->pools[server];
    for (;;) {
        pthread_mutex_lock(&pool->lock);
        struct memcached_link *link = pool->first;
        if (link)
            pool->first = link->next;
        pthread_mutex_unlock(&pool->lock);
        if (!link || svc__memcached_link_is_quiet(link))
            return link;
        svc__memcached_link_free(link);
    }
}

void svc__memcached_state_keep(struct memcached_state *state, size_t server,
                               struct memcached_link *link)
{
    struct memcached_pool *pool = &state->pools[server];
    pthread_mutex_lock(&pool->lock);
    link->next = pool->first;
    pool->first = link;
    pthread_mutex_unlock(&pool->lock);
}
