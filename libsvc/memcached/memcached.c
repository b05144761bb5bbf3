/* The backend's table. */
#include <svc/memcached.h>

#include <stdlib.h>

#include <svc/sys/store.h>

#include "libsvc/memcached/memcached_loop.h"
#include "libsvc/memcached/memcached_run.h"

static int open_servers(svc_app *app, const svc_sys_store_place *from, void *arg, void **state,
                        const char **why)
{
    struct memcached_place *place = malloc(sizeof *place);
    (void)app, (void)arg;
    int error = place ? svc__memcached_place_read(place, from, why) : SVC_ENOMEM;
    if (!error) {
        *state = svc__memcached_state_new(place);
        error = *state ? 0 : SVC_ENOMEM;
    }
    free(place);
    return error;
}

static void close_servers(void *state)
{
    svc__memcached_state_free(state);
}

static void run_operations(void *state, svc_sys_store_op *first, uint64_t wait_ms)
{
    svc__memcached_run_all(state, first, wait_ms);
}

static void read_servers_stats(void *opened, svc_sys_store_stats *stats)
{
    struct memcached_state *state = opened;
    stats->servers = state->place.count;
    stats->servers_out = 0;
    for (size_t i = 0; i < state->place.count; i++)
        stats->servers_out += svc__memcached_server_is_out(&state->servers[i]);
}

static int begin_loop(void *state, svc_loop *on, void **loop)
{
    *loop = svc__memcached_loop_new(state, on);
    return *loop ? 0 : SVC_ENOMEM;
}

static void end_loop(void *loop)
{
    svc__memcached_loop_free(loop);
}

static void submit_operations(void *loop, svc_sys_store_op *first)
{
    svc__memcached_loop_submit(loop, first);
}

static void forget_operation(void *loop, svc_sys_store_op *op)
{
    svc__memcached_loop_forget(loop, op);
}

static int check_servers(void *state, uint64_t wait_ms)
{
    return svc__memcached_run_check(state, wait_ms) ? 0 : SVC_EUNAVAILABLE;
}

int svc_memcached_use(svc_app *app)
{
    svc_sys_store backend = SVC_SYS_STORE_INIT;
    backend.scheme = "memcached";
    backend.waits = 1;
    backend.evicts = 1;
    backend.leases = 1;
    backend.open = open_servers;
    backend.close = close_servers;
    backend.run = run_operations;
    backend.check = check_servers;
    backend.read_stats = read_servers_stats;
    backend.begin_loop = begin_loop;
    backend.end_loop = end_loop;
    backend.submit = submit_operations;
    backend.forget = forget_operation;
    return svc_sys_app_add_store(app, &backend);
}
