/* Commands and their replies, by the kind of the operation. */
#include "libsvc/memcached/memcached_task.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "libsvc/memcached/memcached_clock.h"

enum {
    LINE_MOST = 512, /* of a command: a key of 250 bytes, and numbers */
    OUTPUT_LEAST = 1024,
    CAS_BITS = 48,   /* of a version; the rest is the server's identity */
    FLAG_MARKED = 1, /* client flags: a byte stands before the value */
    FLAG_LIMIT = 2   /* the value is a limit's state */
};

/*
 * memcached increments any text that begins as a number does: "12 apples" becomes 13. So a value
 * that begins so, and is no number, is stored behind this byte, with FLAG_MARKED.
 */
static const char mark = '=';

/* By more than this, two increments at once could pass the end of 64 bits. */
static const uint64_t by_at_once = UINT64_C(1) << 32;

/* The longest relative time of the protocol, in seconds: 30 days. A longer one is a time of the
 * calendar. */
static const uint64_t relative_most_s = 2592000;

/* A time that no value has written, since the server counts them from 1. */
static const uint64_t no_cas = UINT64_MAX;

/* ---- Output */

/* Makes room for `len` bytes more. */
static bool grow_output(struct memcached_output *output, size_t len)
{
    size_t needed, room = output->room < OUTPUT_LEAST ? OUTPUT_LEAST : output->room;
    if (__builtin_add_overflow(output->len, len, &needed))
        return false;
    if (needed <= output->room)
        return true;
    while (room < needed)
        if (__builtin_mul_overflow(room, 2, &room))
            return false;
    char *bytes = realloc(output->bytes, room);
    if (!bytes)
        return false;
    output->bytes = bytes;
    output->room = room;
    return true;
}

static void put_bytes(struct memcached_output *output, const void *data, size_t len)
{
    if (len > 0)
        memcpy(output->bytes + output->len, data, len);
    output->len += len;
}

/* Room for it was made. */
static __attribute__((format(printf, 2, 3))) void put_text(struct memcached_output *output,
                                                           const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int len = vsnprintf(output->bytes + output->len, output->room - output->len, format, arguments);
    va_end(arguments);
    output->len += len > 0 ? (size_t)len : 0;
}

/* ---- Encoding */

/*
 * The server's clock moves once in a second, so a time of N seconds may end after N - 1: one is
 * added, and a value lives for its time at least, and up to two seconds longer. 0 stays 0.
 */
static uint64_t expiry_of(uint64_t ttl_ms)
{
    if (ttl_ms == 0)
        return 0;
    uint64_t seconds = (ttl_ms + 999) / 1000 + 1;
    if (ttl_ms > SVC_STORE_TTL_MS)
        return 0; /* a limit that is longer than any value: it may be evicted as all are */
    return seconds > relative_most_s ? svc__memcached_clock_wall_us() / 1000000 + seconds : seconds;
}

static uint64_t version_of(uint64_t cas, uint64_t identity)
{
    return identity << CAS_BITS | cas;
}

/* The number that the server compares: one that no value has for the version of another server. */
static uint64_t cas_of(uint64_t version, uint64_t identity)
{
    uint64_t cas = version & ((UINT64_C(1) << CAS_BITS) - 1);
    return version >> CAS_BITS == identity && cas > 0 ? cas : no_cas;
}

/* Whether the bytes are a number as svc_store_increment has it. */
static bool is_number(const char *data, size_t len, uint64_t *number)
{
    return svc__memcached_reply_number(data, len, number) && *number <= INT64_MAX;
}

static bool needs_mark(const char *data, size_t len)
{
    static const char starts[] = "0123456789+- \t\n\v\f\r";
    uint64_t number;
    return len > 0 && memchr(starts, data[0], sizeof starts - 1) != NULL &&
           !is_number(data, len, &number);
}

/* What is stored, and how. */
struct item {
    const char *data;
    size_t len;
    uint64_t ttl_ms, flags;
    bool adds;    /* only where nothing is stored */
    uint64_t cas; /* not 0: only in place of this one */
};

static void put_key(struct memcached_output *output, const char *command,
                    const struct memcached_task *task)
{
    put_text(output, "%s ", command);
    put_bytes(output, task->op->key, task->op->key_len);
}

static void encode_item(struct memcached_output *output, const struct memcached_task *task,
                        const struct item *item)
{
    bool marked = item->flags & FLAG_MARKED;
    put_key(output, "ms", task);
    put_text(output, " %zu T%" PRIu64 " F%" PRIu64 " c O%" PRIu64, item->len + marked,
             expiry_of(item->ttl_ms), item->flags, task->opaque);
    if (item->adds)
        put_text(output, " ME");
    if (item->cas)
        put_text(output, " C%" PRIu64, item->cas);
    put_text(output, "\r\n%.*s", marked, &mark);
    put_bytes(output, item->data, item->len);
    put_text(output, "\r\n");
}

/* Of a key that has nothing the server makes an empty item for a lease, and says so to this client
 * alone. */
static void encode_get(struct memcached_output *output, const struct memcached_task *task)
{
    put_key(output, "mg", task);
    put_text(output, " v c f O%" PRIu64, task->opaque);
    if (task->kind == SVC_SYS_STORE_LEASE)
        put_text(output, " N%" PRIu64, expiry_of(task->op->ttl_ms));
    put_text(output, "\r\n");
}

static void encode_value(struct memcached_output *output, const struct memcached_task *task,
                         uint64_t identity)
{
    const svc_sys_store_op *op = task->op;
    struct item item = {.data = op->data,
                        .len = op->len,
                        .ttl_ms = op->ttl_ms,
                        .flags = needs_mark(op->data, op->len) ? FLAG_MARKED : 0,
                        .adds = op->kind == SVC_SYS_STORE_ADD};
    if (op->kind == SVC_SYS_STORE_REPLACE)
        item.cas = cas_of(op->version, identity);
    encode_item(output, task, &item);
}

static void encode_delete(struct memcached_output *output, const struct memcached_task *task,
                          uint64_t identity)
{
    put_key(output, "md", task);
    if (task->op->compares)
        put_text(output, " C%" PRIu64, cas_of(task->op->version, identity));
    put_text(output, " O%" PRIu64 "\r\n", task->opaque);
}

/* By little at once; by more, a number is read first. */
static void encode_increment(struct memcached_output *output, const struct memcached_task *task)
{
    if (task->stage == MEMCACHED_FIRST && task->by > by_at_once) {
        encode_get(output, task);
    } else if (task->stage == MEMCACHED_WRITE && task->cas == 0) {
        char text[24];
        int len = snprintf(text, sizeof text, "%" PRIu64, task->by);
        encode_item(
            output, task,
            &(struct item){
                .data = text, .len = (size_t)len, .ttl_ms = task->op->ttl_ms, .adds = true});
    } else {
        put_key(output, "ma", task);
        put_text(output, " D%" PRIu64 " v O%" PRIu64, task->by, task->opaque);
        if (task->stage == MEMCACHED_FIRST)
            put_text(output, " N%" PRIu64 " J%" PRIu64, expiry_of(task->op->ttl_ms), task->by);
        else if (task->stage == MEMCACHED_WRITE)
            put_text(output, " C%" PRIu64, task->cas);
        else
            put_text(output, " MD");
        put_text(output, "\r\n");
    }
}

static void encode_limit(struct memcached_output *output, const struct memcached_task *task)
{
    if (task->stage == MEMCACHED_FIRST)
        encode_get(output, task);
    else
        encode_item(output, task,
                    &(struct item){.data = task->state.bytes,
                                   .len = task->state.len,
                                   .ttl_ms = task->state.ttl_ms,
                                   .flags = FLAG_LIMIT,
                                   .adds = task->cas == 0,
                                   .cas = task->cas});
}

void svc__memcached_task_init(struct memcached_task *task, svc_sys_store_op *op)
{
    task->op = op;
    task->next = NULL;
    task->kind = op->kind;
    task->stage = MEMCACHED_FIRST;
    task->tries = 0;
    task->cas = 0;
    task->by = op->number;
}

int svc__memcached_task_encode(struct memcached_task *task, struct memcached_output *output,
                               uint64_t opaque, uint64_t identity)
{
    const svc_sys_store_op *op = task->op;
    bool has_value = op->kind == SVC_SYS_STORE_SET || op->kind == SVC_SYS_STORE_ADD ||
                     op->kind == SVC_SYS_STORE_REPLACE;
    size_t len;
    if (__builtin_add_overflow(LINE_MOST + MEMCACHED_LIMIT_BYTES, has_value ? op->len : 0, &len) ||
        !grow_output(output, len))
        return SVC_ENOMEM;
    task->opaque = opaque;
    task->failed = false;
    if (has_value)
        encode_value(output, task, identity);
    else if (op->kind == SVC_SYS_STORE_GET || op->kind == SVC_SYS_STORE_LEASE)
        encode_get(output, task);
    else if (op->kind == SVC_SYS_STORE_DELETE)
        encode_delete(output, task, identity);
    else if (op->kind == SVC_SYS_STORE_INCREMENT)
        encode_increment(output, task);
    else
        encode_limit(output, task);
    return 0;
}

/* ---- Replies */

/*
 * The empty item of a lease: with each mg the server says of it that a client has won it. Of a
 * value it says so only where another program has used the flags I or R; if that value is empty, it
 * is taken for a lease, and made anew.
 */
static bool is_lease(const struct memcached_reply *reply)
{
    return reply->code == MEMCACHED_VA && reply->len == 0 && (reply->won || reply->lost);
}

/* A value of GET goes into the caller's memory. One with a mark loses it. */
static char *place_value(struct memcached_task *task, const struct memcached_reply *reply,
                         size_t *skip)
{
    size_t marked = reply->flags & FLAG_MARKED;
    char *memory = NULL;
    if (reply->len < marked)
        task->op->error = SVC_ESYNTAX;
    else
        memory = svc_sys_store_alloc(task->op, (size_t)reply->len - marked);
    task->failed = !memory;
    *skip = marked;
    return memory;
}

char *svc__memcached_task_place(struct memcached_task *task, const struct memcached_reply *reply,
                                size_t *skip)
{
    if (!task->op)
        return NULL;
    if (task->kind == SVC_SYS_STORE_GET || task->kind == SVC_SYS_STORE_LEASE)
        return is_lease(reply) ? NULL : place_value(task, reply, skip);
    task->state.len = (size_t)reply->len;
    if (reply->len <= sizeof task->state.bytes)
        return task->state.bytes;
    task->op->error = SVC_ESYNTAX; /* neither a number nor a limit's state */
    task->failed = true;
    return NULL;
}

static int finish(struct memcached_task *task, int error)
{
    task->op->error = error;
    return MEMCACHED_DONE;
}

/* Somebody else has written in between. */
static int begin_again(struct memcached_task *task)
{
    task->stage = MEMCACHED_FIRST;
    task->cas = 0;
    return ++task->tries < MEMCACHED_TRIES ? MEMCACHED_AGAIN : finish(task, SVC_EUNAVAILABLE);
}

/* A lease that the server does not make, since it has no memory for it, is no lease. */
static int take_get(struct memcached_task *task, const struct memcached_reply *reply,
                    uint64_t identity)
{
    bool leases = task->kind == SVC_SYS_STORE_LEASE;
    if (reply->code == MEMCACHED_EN)
        return finish(task, leases ? SVC_EUNAVAILABLE : SVC_ENOTFOUND);
    if (reply->code != MEMCACHED_VA || reply->cas == 0)
        return SVC_ESYNTAX;
    task->op->version = version_of(reply->cas, identity);
    if (is_lease(reply))
        return finish(task, leases && !reply->won ? SVC_ECONFLICT : SVC_ENOTFOUND);
    return task->failed ? MEMCACHED_DONE : finish(task, 0);
}

/* ms and md. */
static int take_write(struct memcached_task *task, const struct memcached_reply *reply,
                      uint64_t identity)
{
    switch ((int)reply->code) {
    case MEMCACHED_HD:
        if (task->kind == SVC_SYS_STORE_ADD || task->kind == SVC_SYS_STORE_REPLACE)
            task->op->version = version_of(reply->cas, identity);
        return finish(task, 0);
    case MEMCACHED_NS:
    case MEMCACHED_EX:
        return finish(task, SVC_ECONFLICT);
    case MEMCACHED_NF:
        return finish(task, SVC_ENOTFOUND);
    default:
        return SVC_ESYNTAX;
    }
}

/* A number that grows by much: it was read, and is written if the sum is no more than a number may
 * be. */
static int take_number_read(struct memcached_task *task, const struct memcached_reply *reply)
{
    uint64_t number = 0;
    task->stage = MEMCACHED_WRITE;
    task->cas = reply->cas;
    if (reply->code == MEMCACHED_EN)
        return MEMCACHED_AGAIN;
    if (reply->flags != 0 || !is_number(task->state.bytes, task->state.len, &number))
        return finish(task, SVC_ESYNTAX);
    return task->by <= INT64_MAX - number ? MEMCACHED_AGAIN : finish(task, SVC_ETOOBIG);
}

/* What an increment has given. A number over the limit is decremented again: its length does not
 * change by that, so the bytes are as before too, unless the reply to this does not come. */
static int take_number(struct memcached_task *task)
{
    uint64_t number;
    if (!svc__memcached_reply_number(task->state.bytes, task->state.len, &number))
        return finish(task, SVC_ESYNTAX);
    if (number > INT64_MAX) {
        task->stage = MEMCACHED_UNDO;
        return MEMCACHED_AGAIN;
    }
    task->op->number = number;
    return finish(task, 0);
}

/* What a write has given, whose condition is that nobody has written since the read: else all
 * begins again. */
static int take_new_state(struct memcached_task *task, const struct memcached_reply *reply)
{
    switch ((int)reply->code) {
    case MEMCACHED_HD:
        return finish(task, 0);
    case MEMCACHED_NS:
    case MEMCACHED_NF:
    case MEMCACHED_EX:
        return begin_again(task);
    default:
        return SVC_ESYNTAX;
    }
}

static int take_increment(struct memcached_task *task, const struct memcached_reply *reply)
{
    bool has_read = task->stage == MEMCACHED_FIRST && task->by > by_at_once;
    if (task->stage == MEMCACHED_UNDO)
        return finish(task, SVC_ETOOBIG);
    if (task->failed)
        return MEMCACHED_DONE;
    if (has_read && (reply->code == MEMCACHED_VA || reply->code == MEMCACHED_EN))
        return take_number_read(task, reply);
    if (reply->code == MEMCACHED_VA)
        return take_number(task);
    if (reply->code == MEMCACHED_HD) /* the number was added */
        task->op->number = task->by;
    return take_new_state(task, reply);
}

/* The state was read, or there is none: decides. */
static int take_limit_read(struct memcached_task *task, const struct memcached_reply *reply)
{
    struct memcached_limit next;
    const svc_sys_store_op *op = task->op;
    bool found = reply->code == MEMCACHED_VA;
    if (!found && reply->code != MEMCACHED_EN)
        return SVC_ESYNTAX;
    if (found && (reply->flags != FLAG_LIMIT || task->state.len == 0))
        return finish(task, SVC_ESYNTAX);
    int error =
        svc__memcached_limit_decide(op->charge, task->state.bytes, found ? task->state.len : 0,
                                    svc__memcached_clock_wall_us(), op->verdict, &next);
    if (error || !op->verdict->pass || op->charge->cost == 0)
        return finish(task, error);
    task->state = next;
    task->stage = MEMCACHED_WRITE;
    task->cas = reply->cas;
    return MEMCACHED_AGAIN;
}

static int take_limit(struct memcached_task *task, const struct memcached_reply *reply)
{
    if (task->failed)
        return MEMCACHED_DONE;
    return task->stage == MEMCACHED_FIRST ? take_limit_read(task, reply)
                                          : take_new_state(task, reply);
}

/* An error that the server reports, and after which its next line answers the next command. */
static int take_error(struct memcached_task *task, const struct memcached_reply *reply)
{
    switch ((int)reply->code) {
    case MEMCACHED_TOO_LARGE:
        return task->op ? finish(task, SVC_ETOOBIG) : MEMCACHED_DONE;
    case MEMCACHED_NO_ROOM:
        return task->op ? finish(task, SVC_EUNAVAILABLE) : MEMCACHED_DONE;
    default:
        if (task->kind != SVC_SYS_STORE_INCREMENT)
            return SVC_ESYNTAX;
        return task->op ? finish(task, SVC_ESYNTAX) : MEMCACHED_DONE;
    }
}

int svc__memcached_task_take(struct memcached_task *task, const struct memcached_reply *reply,
                             uint64_t identity)
{
    if (reply->code == MEMCACHED_TOO_LARGE || reply->code == MEMCACHED_NO_ROOM ||
        reply->code == MEMCACHED_NO_NUMBER)
        return take_error(task, reply);
    if (reply->code == MEMCACHED_OTHER_ERROR || reply->opaque != task->opaque)
        return SVC_ESYNTAX;
    if (!task->op)
        return MEMCACHED_DONE;
    switch (task->kind) {
    case SVC_SYS_STORE_GET:
    case SVC_SYS_STORE_LEASE:
        return take_get(task, reply, identity);
    case SVC_SYS_STORE_INCREMENT:
        return take_increment(task, reply);
    case SVC_SYS_STORE_LIMIT:
        return take_limit(task, reply);
    default:
        return take_write(task, reply, identity);
    }
}

/* ---- Losses */

static bool is_reading(const struct memcached_task *task)
{
    return task->kind == SVC_SYS_STORE_GET ||
           (task->stage == MEMCACHED_FIRST &&
            (task->kind == SVC_SYS_STORE_LIMIT ||
             (task->kind == SVC_SYS_STORE_INCREMENT && task->by > by_at_once)));
}

bool svc__memcached_task_restart(struct memcached_task *task)
{
    if (task->stage == MEMCACHED_UNDO)
        return false;
    task->stage = MEMCACHED_FIRST;
    task->cas = 0;
    return true;
}

int svc__memcached_task_loss(const struct memcached_task *task, int reason)
{
    return reason == SVC_EUNAVAILABLE && !is_reading(task) ? SVC_ETIMEDOUT : reason;
}
