/* Entries are a head and the bytes that the server has replied, or a head alone: a placeholder. */
#include "libsvc/redis/redis_cache.h"

#include <stdlib.h>
#include <string.h>

#include "libsvc/redis/redis_time.h"

enum { PART = 64, TTL_NONE = -1, TTL_NO_KEY = -2, TTL_UNKNOWN = -3 };

struct entry_head {
    uint64_t epoch;
    uint64_t is_value; /* else a placeholder */
};

/* Of a get that is sent: the placeholder that its reply may replace. */
struct redis_ticket {
    struct redis_cache *cache;
    uint64_t epoch, version;
    uint64_t begun_ms;
    int64_t ttl_ms;
};

/* A look at the entry of a get. */
struct look {
    svc_sys_store_op *op;
    uint64_t epoch;
    uint64_t version; /* of a placeholder of the epoch; 0: none */
    bool found;
};

/* ---- Begin and end */

static svc_counter *count_of(svc_app *app, const char *name, const char *help, const char *label,
                             const char *value)
{
    svc_metric metric = SVC_METRIC_INIT;
    metric.name = name;
    metric.help = help;
    metric.labels[0] = label;
    return svc_counter_of(svc_app_counter(app, &metric), 1, &value);
}

static svc_counter *count_gets(svc_app *app, const char *outcome)
{
    return count_of(app, "redis_cache_gets_total",
                    "Gets of Redis stores with a cache, by what the cache had.", "outcome",
                    outcome);
}

int svc__redis_cache_init(struct redis_cache *cache, svc_app *app, uint64_t bytes, size_t max_value)
{
    static const char *const reasons[REDIS_DROPS] = {"changed", "flushed", "lost"};
    size_t most = max_value + REDIS_TAIL_BYTES;
    cache->max_value = sizeof(struct entry_head) + (most < bytes / PART ? most : bytes / PART);
    cache->epoch = 1;
    cache->hits = count_gets(app, "hit");
    cache->misses = count_gets(app, "miss");
    cache->untrusted = count_gets(app, "untrusted");
    for (int i = 0; i < REDIS_DROPS; i++)
        cache->drops[i] = count_of(
            app, "redis_cache_drops_total",
            "Keys that the server has announced as changed, and times that all were dropped.",
            "reason", reasons[i]);
    return svc_sys_memory_new(bytes, cache->max_value, &cache->memory);
}

void svc__redis_cache_free(struct redis_cache *cache)
{
    svc_sys_memory_free(cache->memory);
}

/* ---- Gets */

static void take_entry(void *arg, const void *data, size_t len, uint64_t version)
{
    struct look *look = arg;
    struct entry_head head;
    memcpy(&head, data, sizeof head);
    if (head.epoch != look->epoch)
        return;
    look->found = head.is_value;
    look->version = version;
    if (look->found)
        svc__redis_command_take(look->op, (const char *)data + sizeof head, len - sizeof head);
}

/* Sets a placeholder, unless one is there: a get that is under way already shares it with this
 * one, since otherwise no reply would find its own where gets come one upon the other. */
static void make_ticket(struct redis_cache *cache, const struct look *look, uint64_t now_ms)
{
    svc_sys_store_op *op = look->op;
    const struct entry_head head = {look->epoch, false};
    struct redis_ticket *ticket = malloc(sizeof *ticket);
    if (!ticket)
        return;
    *ticket = (struct redis_ticket){cache, look->epoch, look->version, now_ms, TTL_UNKNOWN};
    if (!ticket->version && svc_sys_memory_set(cache->memory, op->key, op->key_len, &head,
                                               sizeof head, 0, &ticket->version)) {
        free(ticket);
        return;
    }
    op->owned = ticket;
}

bool svc__redis_cache_answer(struct redis_cache *cache, svc_sys_store_op *op)
{
    if (!cache || op->kind != SVC_SYS_STORE_GET) {
        svc__redis_cache_end(cache, op);
        return false;
    }
    uint64_t now_ms = svc__redis_time_ms();
    /* The epoch is read first: one that ends meanwhile is then found to have ended. */
    struct look look = {.op = op, .epoch = atomic_load(&cache->epoch)};
    if (now_ms >= atomic_load(&cache->trusted_ms)) {
        svc_counter_add(cache->untrusted, 1);
        return false;
    }
    (void)svc_sys_memory_get(cache->memory, op->key, op->key_len, take_entry, &look);
    svc_counter_add(look.found ? cache->hits : cache->misses, 1);
    if (!look.found)
        make_ticket(cache, &look, now_ms);
    return look.found;
}

static void end_ticket(svc_sys_store_op *op)
{
    free(op->owned);
    op->owned = NULL;
}

bool svc__redis_cache_write(struct redis_cache *cache, struct redis_commands *commands,
                            struct redis_link *link, svc_sys_store_op *op, bool whole)
{
    size_t len = link->out.len;
    /* An older connection may lead to another server than the announcements come from. */
    if (svc__redis_cache_asks_ttl(op) && link->age != atomic_load(&cache->age))
        end_ticket(op);
    if (svc__redis_cache_asks_ttl(op)) {
        svc__redis_text_begin(&link->out, 2);
        svc__redis_text_string(&link->out, "PTTL");
        svc__redis_text_bytes(&link->out, op->key, op->key_len);
    }
    if (svc__redis_command_write(commands, &link->out, op, whole))
        return true;
    svc__redis_text_cut(&link->out, len);
    return false;
}

void svc__redis_cache_take_ttl(svc_sys_store_op *op, const struct redis_reply *reply)
{
    struct redis_ticket *ticket = op->owned;
    if (reply->kind == REDIS_NUMBER && reply->number >= TTL_NO_KEY)
        ticket->ttl_ms = reply->number;
}

/* How long the value may be kept; 0: until it changes. False: not at all. */
static bool find_ttl(const struct redis_ticket *ticket, bool is_there, uint64_t *ttl_ms)
{
    uint64_t gone_ms = svc__redis_time_ms() - ticket->begun_ms;
    bool ends = ticket->ttl_ms >= 0;
    if (ticket->ttl_ms == TTL_UNKNOWN || is_there != (ticket->ttl_ms != TTL_NO_KEY))
        return false; /* it came or went in between */
    *ttl_ms = ends ? (uint64_t)ticket->ttl_ms - gone_ms : 0;
    return !ends || (uint64_t)ticket->ttl_ms > gone_ms;
}

static void keep_value(const struct redis_ticket *ticket, const svc_sys_store_op *op,
                       const char *data, size_t len)
{
    const struct entry_head head = {ticket->epoch, true};
    uint64_t ttl_ms, version = ticket->version;
    if (len > ticket->cache->max_value - sizeof head || !find_ttl(ticket, len > 0, &ttl_ms))
        return;
    char *entry = malloc(sizeof head + len);
    if (!entry)
        return;
    memcpy(entry, &head, sizeof head);
    if (len > 0)
        memcpy(entry + sizeof head, data, len);
    (void)svc_sys_memory_set(ticket->cache->memory, op->key, op->key_len, entry, sizeof head + len,
                             ttl_ms, &version);
    free(entry);
}

void svc__redis_cache_take(void *arg, const char *data, size_t len)
{
    svc_sys_store_op *op = arg;
    svc__redis_command_take(op, data, len);
    if (op && op->owned && (!op->error || op->error == SVC_ENOTFOUND))
        keep_value(op->owned, op, data, len);
}

/* ---- Changes */

void svc__redis_cache_end(struct redis_cache *cache, const svc_sys_store_op *op)
{
    if (!cache)
        return;
    if (op->kind == SVC_SYS_STORE_GET)
        free(op->owned);
    else if (op->kind != SVC_SYS_STORE_LIMIT)
        (void)svc_sys_memory_delete(cache->memory, op->key, op->key_len);
}

void svc__redis_cache_drop(struct redis_cache *cache, const char *key, size_t len)
{
    svc_counter_add(cache->drops[REDIS_DROP_CHANGED], 1);
    (void)svc_sys_memory_delete(cache->memory, key, len);
}

void svc__redis_cache_drop_all(struct redis_cache *cache, enum redis_drop reason)
{
    svc_counter_add(cache->drops[reason], 1);
    atomic_fetch_add(&cache->epoch, 1);
}
