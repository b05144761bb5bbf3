/* The table of the backend, for each scheme, and the schemes that are refused by name. */
#include <svc/redis.h>
#include <svc/sys/store.h>

#include "libsvc/redis/redis_channel.h"
#include "libsvc/redis/redis_lane.h"
#include "libsvc/redis/redis_run.h"
#include "libsvc/redis/redis_track.h"

static int open_redis(svc_app *app, const svc_sys_store_place *place, void *arg, void **state,
                      const char **why)
{
    struct redis_server *server;
    (void)arg;
    int error = svc__redis_server_open(app, place, &server, why);
    if (error)
        return error;
    error = svc__redis_track_begin(server, place, why);
    if (error)
        svc__redis_server_close(server);
    else
        *state = server;
    return error;
}

static void close_redis(void *state)
{
    struct redis_server *server = state;
    svc__redis_track_end(server->track);
    svc__redis_server_close(server);
}

static void run_redis(void *state, svc_sys_store_op *first, uint64_t wait_ms)
{
    svc__redis_run(state, first, wait_ms);
}

static int check_redis(void *state, uint64_t wait_ms)
{
    return svc__redis_run_ping(state, wait_ms);
}

static void read_stats(void *state, svc_sys_store_stats *stats)
{
    const struct redis_server *server = state;
    if (server->cache)
        svc_sys_memory_read_stats(server->cache->memory, stats);
    stats->servers = 1;
    stats->servers_out = svc__redis_server_is_down(state);
}

static int begin_lane(void *state, svc_loop *loop, void **loop_state)
{
    *loop_state = svc__redis_lane_new(state, loop);
    return *loop_state ? 0 : SVC_ENOMEM;
}

static void end_lane(void *loop_state)
{
    svc__redis_lane_free(loop_state);
}

static void submit_ops(void *loop_state, svc_sys_store_op *first)
{
    svc__redis_lane_submit(loop_state, first);
}

static void forget_op(void *loop_state, svc_sys_store_op *op)
{
    svc__redis_lane_forget(loop_state, op);
}

static int subscribe_to(void *state, const char *key, size_t key_len, uint64_t wait_ms,
                        void **subscription)
{
    return svc__redis_channel_subscribe(state, key, key_len, wait_ms,
                                        (struct redis_channel **)subscription);
}

static int receive_message(void *subscription, int wake_fd, uint64_t wait_ms,
                           svc_sys_store_message *message)
{
    return svc__redis_channel_receive(subscription, wake_fd, wait_ms, message);
}

static void end_subscription(void *subscription)
{
    svc__redis_channel_free(subscription);
}

/* A scheme that is known and not supported; the reason is `arg`. */
static int refuse_scheme(svc_app *app, const svc_sys_store_place *place, void *arg, void **state,
                         const char **why)
{
    (void)app, (void)place, (void)state;
    *why = arg;
    return SVC_EINVAL;
}

static char no_tls[] =
    "TLS is not supported: a local tunnel and redis+unix: are, see docs/redis.md";
static char no_sentinel[] =
    "Sentinel is not supported: a proxy or a name that follows the master is, see docs/redis.md";

int svc_redis_use(svc_app *app)
{
    static const struct {
        const char *scheme;
        char *refused;
    } schemes[] = {
        {"redis", NULL}, {"redis+unix", NULL}, {"rediss", no_tls}, {"redis+sentinel", no_sentinel}};
    int error = 0;
    for (size_t i = 0; i < sizeof schemes / sizeof *schemes && !error; i++) {
        svc_sys_store backend = SVC_SYS_STORE_INIT;
        backend.scheme = schemes[i].scheme;
        backend.arg = schemes[i].refused;
        backend.waits = 1;
        backend.open = schemes[i].refused ? refuse_scheme : open_redis;
        backend.close = close_redis;
        backend.run = run_redis;
        backend.check = schemes[i].refused ? NULL : check_redis;
        backend.read_stats = schemes[i].refused ? NULL : read_stats;
        backend.begin_loop = begin_lane;
        backend.end_loop = end_lane;
        backend.submit = submit_ops;
        backend.forget = forget_op;
        backend.subscribe = subscribe_to;
        backend.receive = receive_message;
        backend.unsubscribe = end_subscription;
        error = svc_sys_app_add_store(app, &backend);
    }
    return error;
}
