/* What is counted of servers when metrics are read. */
#include "libsvc/server/server_gauges.h"

#include "libsvc/metrics/metric.h"
#include "libsvc/metrics/walk.h"
#include "libsvc/server/front.h"
#include "libsvc/server/loop.h"

/* The connections of a front in a state, of a server and those behind it. */
static double count_in_state(const struct server *server, size_t front, enum conn_state state)
{
    uint64_t count = 0;
    for (; server; server = server->behind)
        for (size_t i = 0; i < server->loop_count; i++)
            count += atomic_load_explicit(&server->loops[i]->parts[front]->conns[state],
                                          memory_order_relaxed);
    return (double)count;
}

/* Those that were accepted, and that their loop has not come to yet. While others come and go, the
 * two numbers may be of different moments. */
static double count_waiting(const struct server *server)
{
    uint64_t placed = 0, open = 0;
    for (; server; server = server->behind)
        for (size_t i = 0; i < server->loop_count; i++) {
            const struct loop *loop = server->loops[i];
            placed += atomic_load_explicit(&loop->count, memory_order_relaxed);
            for (size_t part = 0; part < loop->part_count; part++)
                for (size_t state = 0; state < CONN_STATES; state++)
                    open += atomic_load_explicit(&loop->parts[part]->conns[state],
                                                 memory_order_relaxed);
        }
    return placed > open ? (double)(placed - open) : 0;
}

#define LABEL(name, label) label,

static void give_server(struct metric_walk *walk, const struct server *server)
{
    static const char *const states[] = {CONN_STATE_LIST(LABEL)};
    const char *values[] = {server->metrics.listener, server->fronts[0]->name, "waiting"};
    svc__metric_give(walk, values, count_waiting(server));
    for (size_t front = 0; server->fronts[front]; front++)
        for (size_t state = 0; state < CONN_STATES; state++) {
            values[1] = server->fronts[front]->name;
            values[2] = states[state];
            svc__metric_give(walk, values, count_in_state(server, front, (enum conn_state)state));
        }
}

#undef LABEL

static void give_connections(struct metric_walk *walk, void *arg)
{
    const struct shown_servers *servers = arg;
    give_server(walk, servers->service);
    if (servers->admin)
        give_server(walk, servers->admin);
}

static void give_loop_count(struct metric_walk *walk, const struct server *server)
{
    const char *listener = server->metrics.listener;
    size_t count = 0;
    for (; server; server = server->behind)
        count += server->loop_count;
    svc__metric_give(walk, &listener, (double)count);
}

static void give_loops(struct metric_walk *walk, void *arg)
{
    const struct shown_servers *servers = arg;
    give_loop_count(walk, servers->service);
    if (servers->admin)
        give_loop_count(walk, servers->admin);
}

void svc__server_gauges_register(struct metrics *in, struct shown_servers *servers)
{
    svc__metric_giver(in, METRIC_GAUGE, "svc_connections", "Connections that are open.",
                      "listener,front,state", give_connections, servers);
    svc__metric_giver(in, METRIC_GAUGE, "svc_loops", "Event loops.", "listener", give_loops,
                      servers);
}
