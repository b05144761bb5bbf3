/* Replies come in the order of commands, so a ring of the operations that are under way is all that
 * is kept of them. */
#include "libsvc/redis/redis_lane.h"

#include <stdlib.h>
#include <string.h>

#include "libsvc/redis/redis_cache.h"
#include "libsvc/redis/redis_time.h"

enum {
    FIRST_SLOTS = 64,
    READS_IN_TURN = 4, /* so that long replies do not hold the loop */
    SILENCE_MS =
        20 /* a server that has replied of late is not blamed for a call's short deadline */
};

/* A command that has no reply yet. */
struct redis_slot {
    svc_sys_store_op *op; /* NULL: it was forgotten */
    bool whole;           /* its script was sent whole */
    bool is_ttl; /* of its time to live, before the value itself; it does not end the operation */
};

struct redis_lane {
    struct redis_seat seat; /* first */
    struct redis_server *server;
    struct redis_link *link;  /* NULL: there is none, and it is sought */
    struct redis_link *spare; /* takes the place of `link` when that has no command under way */
    svc_watch *watch;         /* of `link` */
    bool is_full;             /* the socket has no room, and the watch waits for some */
    struct redis_slot *slots; /* a ring */
    size_t first, count, space;
    svc_sys_store_op *waiting, *last_waiting; /* for a connection */
    uint64_t
        heard_ms; /* when the server has replied last, or was asked for the first of the ring */
};

/* ---- The ring */

static struct redis_slot *slot_at(const struct redis_lane *lane, size_t index)
{
    return &lane->slots[(lane->first + index) & (lane->space - 1)];
}

static bool grow_ring(struct redis_lane *lane)
{
    size_t space = lane->space ? lane->space * 2 : FIRST_SLOTS;
    struct redis_slot *slots = malloc(space * sizeof *slots);
    if (!slots)
        return false;
    for (size_t i = 0; i < lane->count; i++)
        slots[i] = *slot_at(lane, i);
    free(lane->slots);
    lane->slots = slots;
    lane->space = space;
    lane->first = 0;
    return true;
}

static struct redis_slot pop_slot(struct redis_lane *lane)
{
    struct redis_slot slot = *slot_at(lane, 0);
    lane->first = (lane->first + 1) & (lane->space - 1);
    lane->count--;
    return slot;
}

/* Writes the command of an operation. False: its error is set. */
static bool push_op(struct redis_lane *lane, svc_sys_store_op *op, bool whole)
{
    struct redis_server *server = lane->server;
    if (lane->space - lane->count < 2 && !grow_ring(lane)) {
        op->error = SVC_ENOMEM;
        return false;
    }
    if (!svc__redis_cache_write(server->cache, &server->commands, lane->link, op, whole))
        return false;
    if (lane->count == 0)
        lane->heard_ms = svc__redis_time_ms();
    if (svc__redis_cache_asks_ttl(op))
        *slot_at(lane, lane->count++) = (struct redis_slot){op, whole, true};
    *slot_at(lane, lane->count++) = (struct redis_slot){op, whole, false};
    return true;
}

/* ---- The end of operations. A callback may make calls, which are submitted in a later turn. */

static void end_op(struct redis_lane *lane, svc_sys_store_op *op)
{
    svc__redis_cache_end(lane->server->cache, op);
    svc_sys_store_done(op);
}

static void fail_op(struct redis_lane *lane, svc_sys_store_op *op, int error)
{
    op->error = error;
    end_op(lane, op);
}

static void fail_waiting(struct redis_lane *lane, int error)
{
    svc_sys_store_op *op = lane->waiting;
    lane->waiting = lane->last_waiting = NULL;
    for (svc_sys_store_op *next; op; op = next) {
        next = op->next;
        fail_op(lane, op, error);
    }
}

static void close_link(struct redis_lane *lane)
{
    svc_watch_free(lane->watch);
    svc__redis_link_free(lane->link);
    lane->watch = NULL;
    lane->link = NULL;
    lane->is_full = false;
}

/* Closes the connection; what was under way on it fails. */
static void lose_link(struct redis_lane *lane, int error)
{
    close_link(lane);
    while (lane->count > 0) {
        struct redis_slot slot = pop_slot(lane);
        if (slot.op && !slot.is_ttl)
            fail_op(lane, slot.op, error);
    }
}

/* ---- Sending */

/* Sends what waits, as far as the socket takes it. */
static void flush(struct redis_lane *lane)
{
    int error = svc__redis_link_send(lane->link);
    bool is_full = error == SVC_EAGAIN;
    if (is_full != lane->is_full) {
        lane->is_full = is_full;
        (void)svc_watch_set(lane->watch, SVC_READABLE | (is_full ? SVC_WRITABLE : 0U));
    }
    /* A broken connection is readable, and is noticed there. */
}

static void send_ops(struct redis_lane *lane, svc_sys_store_op *first)
{
    for (svc_sys_store_op *next; first; first = next) {
        next = first->next;
        if (!push_op(lane, first, false))
            end_op(lane, first);
    }
    flush(lane);
}

static void append_waiting(struct redis_lane *lane, svc_sys_store_op *first)
{
    if (lane->last_waiting)
        lane->last_waiting->next = first;
    else
        lane->waiting = first;
    while (first->next)
        first = first->next;
    lane->last_waiting = first;
}

static void send_waiting(struct redis_lane *lane)
{
    svc_sys_store_op *first = lane->waiting;
    lane->waiting = lane->last_waiting = NULL;
    if (first)
        send_ops(lane, first);
}

/* ---- Receiving */

/* Takes a reply for the oldest command. */
static void take_reply(struct redis_lane *lane)
{
    const char *fault;
    const struct redis_reply *reply = &lane->link->reply;
    struct redis_slot slot = pop_slot(lane);
    if (!slot.op)
        return;
    if (slot.is_ttl) {
        svc__redis_cache_take_ttl(slot.op, reply);
        return;
    }
    enum redis_verdict verdict = svc__redis_command_read(slot.op, reply, &fault);
    if (fault)
        svc__redis_server_report(lane->server, fault);
    if (verdict == REDIS_RENEW)
        svc__redis_server_renew(lane->server);
    if (verdict != REDIS_AGAIN || slot.whole || !push_op(lane, slot.op, true))
        end_op(lane, slot.op);
}

/* Takes the replies that have arrived. 0, or an error after which the connection is of no use. */
static int take_replies(struct redis_lane *lane)
{
    struct redis_link *link = lane->link;
    while (lane->count > 0) {
        const struct redis_slot *slot = slot_at(lane, 0);
        bool is_value = slot->op && slot->op->kind == SVC_SYS_STORE_GET && !slot->is_ttl;
        int got = svc__redis_reply_next(link->in, &link->reply,
                                        is_value ? svc__redis_cache_take : NULL, slot->op);
        if (got <= 0)
            return got;
        take_reply(lane);
    }
    return svc__redis_reply_is_empty(link->in) ? 0 : SVC_ESYNTAX;
}

/* Reads for a while. 0, or an error after which the connection is of no use. */
static int receive(struct redis_lane *lane)
{
    int error = 0;
    for (int i = 0; i < READS_IN_TURN && !error; i++) {
        error = svc__redis_link_receive(lane->link);
        if (!error) {
            lane->heard_ms = svc__redis_time_ms();
            svc__redis_server_count(lane->server, 0);
            error = take_replies(lane);
        }
    }
    return error == SVC_EAGAIN ? 0 : error;
}

static void on_ready(unsigned events, void *arg);

/* Begins to use a connection. */
static void use_link(struct redis_lane *lane, struct redis_link *link)
{
    lane->link = link;
    lane->watch = svc_watch_new(lane->seat.loop, link->fd, SVC_READABLE, on_ready, lane);
    if (lane->watch) {
        send_waiting(lane);
        return;
    }
    close_link(lane);
    fail_waiting(lane, SVC_ENOMEM);
}

static void use_spare(struct redis_lane *lane)
{
    struct redis_link *link = lane->spare;
    lane->spare = NULL;
    close_link(lane);
    use_link(lane, link);
}

static void on_ready(unsigned events, void *arg)
{
    struct redis_lane *lane = arg;
    int error = events & SVC_READABLE ? receive(lane) : 0;
    if (error) {
        bool was_asked = lane->count > 0;
        lose_link(lane, error);
        if (was_asked) /* a server may close a connection that is idle */
            svc__redis_server_count(lane->server, error);
        if (lane->spare)
            use_spare(lane);
        else
            svc__redis_server_seek(lane->server, &lane->seat);
        return;
    }
    if (lane->spare && lane->count == 0)
        use_spare(lane);
    else
        flush(lane);
}

/* ---- News from the server's thread */

static void take_link(struct redis_lane *lane, struct redis_link *link)
{
    if (!lane->link) {
        use_link(lane, link);
        return;
    }
    svc__redis_link_free(lane->spare);
    lane->spare = link;
    if (lane->count == 0)
        use_spare(lane);
}

static void on_news(void *arg)
{
    struct redis_lane *lane = arg;
    bool left;
    struct redis_link *link = svc__redis_server_fetch(lane->server, &lane->seat, &left);
    if (left) {
        svc__redis_link_free(link);
        free(lane);
        return;
    }
    if (link)
        take_link(lane, link);
    if (svc__redis_server_is_down(lane->server)) {
        svc__redis_link_free(lane->spare);
        lane->spare = NULL;
        if (lane->link)
            lose_link(lane, SVC_EUNAVAILABLE);
        fail_waiting(lane, SVC_EUNAVAILABLE);
    }
    bool is_old = lane->link && !lane->spare && lane->link->age != atomic_load(&lane->server->age);
    if (!lane->link || is_old)
        svc__redis_server_seek(lane->server, &lane->seat);
}

/* ---- The calls */

struct redis_lane *svc__redis_lane_new(struct redis_server *server, svc_loop *loop)
{
    struct redis_lane *lane = calloc(1, sizeof *lane);
    if (!lane)
        return NULL;
    lane->server = server;
    lane->seat.loop = loop;
    lane->seat.news = on_news;
    svc__redis_server_join(server, &lane->seat);
    return lane;
}

void svc__redis_lane_free(struct redis_lane *lane)
{
    close_link(lane);
    svc__redis_link_free(lane->spare);
    lane->spare = NULL;
    free(lane->slots);
    if (svc__redis_server_leave(lane->server, &lane->seat))
        free(lane);
}

/* Takes those out of a list that the cache answers. */
static svc_sys_store_op *take_kept(struct redis_lane *lane, svc_sys_store_op **first)
{
    svc_sys_store_op *kept = NULL, **last = &kept, **at = first;
    while (*at) {
        svc_sys_store_op *op = *at;
        if (svc__redis_cache_answer(lane->server->cache, op)) {
            *at = op->next;
            *last = op;
            last = &op->next;
        } else {
            at = &op->next;
        }
    }
    *last = NULL;
    return kept;
}

static void ask_server(struct redis_lane *lane, svc_sys_store_op *first)
{
    bool is_late = !lane->link || lane->spare;
    if (!lane->link)
        svc__redis_server_seek(lane->server, &lane->seat);
    if (svc__redis_server_is_down(lane->server) || is_late)
        append_waiting(lane, first);
    else
        send_ops(lane, first);
    if (svc__redis_server_is_down(lane->server))
        fail_waiting(lane, SVC_EUNAVAILABLE);
}

void svc__redis_lane_submit(struct redis_lane *lane, svc_sys_store_op *first)
{
    svc_sys_store_op *kept = take_kept(lane, &first);
    if (first)
        ask_server(lane, first);
    for (svc_sys_store_op *next; kept; kept = next) {
        next = kept->next;
        end_op(lane, kept);
    }
}

/* Takes an operation out of those that wait. False: it is not there. */
static bool unlink_waiting(struct redis_lane *lane, const svc_sys_store_op *op)
{
    svc_sys_store_op *before = NULL, *at = lane->waiting;
    for (; at && at != op; at = at->next)
        before = at;
    if (!at)
        return false;
    if (before)
        before->next = at->next;
    else
        lane->waiting = at->next;
    if (lane->last_waiting == at)
        lane->last_waiting = before;
    return true;
}

void svc__redis_lane_forget(struct redis_lane *lane, const svc_sys_store_op *op)
{
    svc__redis_cache_end(lane->server->cache, op);
    if (unlink_waiting(lane, op))
        return;
    for (size_t i = 0; i < lane->count; i++)
        if (slot_at(lane, i)->op == op)
            slot_at(lane, i)->op = NULL;
    if (svc__redis_time_ms() - lane->heard_ms >= SILENCE_MS)
        svc__redis_server_count(lane->server, SVC_ETIMEDOUT);
}
