/* All operations of a call are sent at once, by one write, and their replies are read in order. */
#include "libsvc/redis/redis_run.h"

#include "libsvc/redis/redis_cache.h"
#include "libsvc/redis/redis_time.h"

/* Marks in the `error` of operations that have not ended. */
enum { PENDING = 1, PENDING_WHOLE };

static void mark_all(svc_sys_store_op *first, int from, int to)
{
    for (svc_sys_store_op *op = first; op; op = op->next)
        if (op->error == from)
            op->error = to;
}

/* Reads the reply to one operation. 0, or an error after which the connection is of no use. */
static int read_one(struct redis_server *server, struct redis_link *link, svc_sys_store_op *op,
                    uint64_t deadline_ms, bool *again, bool *renew)
{
    const char *fault;
    redis_take *take = op->kind == SVC_SYS_STORE_GET ? svc__redis_cache_take : NULL;
    int error = 0;
    if (svc__redis_cache_asks_ttl(op)) {
        error = svc__redis_link_wait(link, deadline_ms, -1, NULL, NULL);
        if (!error)
            svc__redis_cache_take_ttl(op, &link->reply);
    }
    if (!error)
        error = svc__redis_link_wait(link, deadline_ms, -1, take, op);
    if (error)
        return error;
    enum redis_verdict verdict = svc__redis_command_read(op, &link->reply, &fault);
    if (fault)
        svc__redis_server_report(server, fault);
    if (verdict == REDIS_AGAIN) {
        *again = true;
        op->error = PENDING_WHOLE;
    }
    *renew = *renew || verdict == REDIS_RENEW;
    return 0;
}

/* Sends the operations that have the mark, and reads their replies. */
static int run_round(struct redis_server *server, struct redis_link *link, svc_sys_store_op *first,
                     int mark, uint64_t deadline_ms, bool *again, bool *renew)
{
    int error = 0;
    *again = false;
    for (svc_sys_store_op *op = first; op; op = op->next)
        if (op->error == mark && svc__redis_cache_write(server->cache, &server->commands, link, op,
                                                        mark == PENDING_WHOLE))
            op->error = PENDING;
    for (svc_sys_store_op *op = first; op && !error; op = op->next)
        if (op->error == PENDING) {
            error = read_one(server, link, op, deadline_ms, again, renew);
            if (error)
                op->error = PENDING; /* a value may have been taken before */
        }
    return error;
}

/* Carries out those that are PENDING. */
static void ask_server(struct redis_server *server, svc_sys_store_op *first, uint64_t deadline_ms)
{
    struct redis_link *link;
    bool again, renew = false;
    int error = svc__redis_server_take(server, deadline_ms, &link);
    if (error) {
        mark_all(first, PENDING, error);
        return;
    }
    error = run_round(server, link, first, PENDING, deadline_ms, &again, &renew);
    if (!error && again)
        error = run_round(server, link, first, PENDING_WHOLE, deadline_ms, &again, &renew);
    mark_all(first, PENDING, error ? error : SVC_EUNAVAILABLE);
    mark_all(first, PENDING_WHOLE, error ? error : SVC_EUNAVAILABLE);
    if (renew)
        svc__redis_server_renew(server);
    svc__redis_server_give(server, link, error);
}

void svc__redis_run(struct redis_server *server, svc_sys_store_op *first, uint64_t wait_ms)
{
    uint64_t deadline_ms = svc__redis_time_ms() + wait_ms;
    bool asks = false;
    for (svc_sys_store_op *op = first; op; op = op->next)
        if (!svc__redis_cache_answer(server->cache, op)) {
            op->error = PENDING;
            asks = true;
        }
    if (asks)
        ask_server(server, first, deadline_ms);
    for (svc_sys_store_op *op = first; op; op = op->next)
        svc__redis_cache_end(server->cache, op);
}

int svc__redis_run_ping(struct redis_server *server, uint64_t wait_ms)
{
    uint64_t deadline_ms = svc__redis_time_ms() + wait_ms;
    struct redis_link *link;
    int error = svc__redis_server_take(server, deadline_ms, &link);
    if (error)
        return error;
    svc__redis_text_begin(&link->out, 1);
    svc__redis_text_string(&link->out, "PING");
    error = svc__redis_link_wait(link, deadline_ms, -1, NULL, NULL);
    bool serves = !error && link->reply.kind == REDIS_STATUS;
    if (!error && link->reply.kind == REDIS_ERROR)
        svc__redis_server_report(server, link->reply.text);
    svc__redis_server_give(server, link, error);
    return error ? error : serves ? 0 : SVC_EUNAVAILABLE;
}
