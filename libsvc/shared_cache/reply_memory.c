/* Stored replies in memory. */
#include "libsvc/shared_cache/reply_memory.h"

#include <pthread.h>
#include <stdlib.h>

#include "libsvc/base/siphash.h"
#include "libsvc/metrics/metric.h"
#include "libsvc/shared_cache/cache_vary.h"

enum {
    SHARDS = 16,
    FIRST_CHAINS = 64, /* of a shard; a power of two */
    SELECTION_BYTES = 4096
};

/* A part of the table. `newest` and `oldest` are the ends of the queue of all its replies. */
struct reply_shard {
    _Alignas(64) pthread_mutex_t lock;
    struct stored_reply **chains; /* by the hash, linked by `same` */
    size_t chain_count, count;
    struct stored_reply *newest, *oldest;
    uint64_t bytes;
    const struct reply_memory_meter *meter;
};

struct reply_memory {
    struct siphash_key seed;
    uint64_t shard_bytes; /* that each shard may have */
    _Atomic uint64_t purges;
    pthread_mutex_t purge_lock;           /* guards both below; is taken before a shard's lock */
    uint64_t purged[REPLY_MEMORY_PURGES]; /* the tags of the last ones, by their number */
    struct reply_purge *under_way;
    struct reply_memory_meter meter;
    struct reply_shard shards[SHARDS];
};

struct reply_memory *svc__reply_memory_new(uint64_t bytes)
{
    struct reply_memory *memory = aligned_alloc(_Alignof(struct reply_memory), sizeof *memory);
    if (!memory)
        return NULL;
    *memory = (struct reply_memory){.seed = svc__siphash_key(), .shard_bytes = bytes / SHARDS};
    pthread_mutex_init(&memory->purge_lock, NULL);
    for (size_t i = 0; i < SHARDS; i++) {
        struct reply_shard *shard = &memory->shards[i];
        pthread_mutex_init(&shard->lock, NULL);
        shard->meter = &memory->meter;
        shard->chains = calloc(FIRST_CHAINS, sizeof(struct stored_reply *));
        shard->chain_count = shard->chains ? FIRST_CHAINS : 0;
    }
    for (size_t i = 0; i < SHARDS; i++)
        if (!memory->shards[i].chains) {
            svc__reply_memory_free(memory);
            return NULL;
        }
    return memory;
}

static struct stored_reply **chain_of(struct reply_shard *shard, uint64_t hash)
{
    return &shard->chains[hash & (shard->chain_count - 1)];
}

static struct reply_shard *shard_of(struct reply_memory *memory, uint64_t hash)
{
    return &memory->shards[hash >> 60];
}

uint64_t svc__reply_memory_hash(const struct reply_memory *memory, struct bytes key)
{
    return svc__siphash(memory->seed, key);
}

/* ---- The queue and the table of a shard, under its lock */

static void push_newest(struct reply_shard *shard, struct stored_reply *reply)
{
    reply->newer = NULL;
    reply->older = shard->newest;
    if (shard->newest)
        shard->newest->newer = reply;
    else
        shard->oldest = reply;
    shard->newest = reply;
}

static void unlink_queued(struct reply_shard *shard, struct stored_reply *reply)
{
    if (reply->newer)
        reply->newer->older = reply->older;
    else
        shard->newest = reply->older;
    if (reply->older)
        reply->older->newer = reply->newer;
    else
        shard->oldest = reply->newer;
}

static struct stored_reply **find_place(struct reply_shard *shard, const struct stored_reply *reply)
{
    struct stored_reply **at = chain_of(shard, reply->hash);
    while (*at && *at != reply)
        at = &(*at)->same;
    return at;
}

/* Counts a reply that comes (1) or goes (-1). */
static void count_reply(struct reply_shard *shard, const struct stored_reply *reply, int change)
{
    shard->count = change > 0 ? shard->count + 1 : shard->count - 1;
    shard->bytes = change > 0 ? shard->bytes + reply->size : shard->bytes - reply->size;
    svc__gauge_add(shard->meter->replies, change);
    svc__gauge_add(shard->meter->bytes, (double)change * (double)reply->size);
}

/* Removes a reply from its place in a chain. */
static void drop_reply(struct reply_shard *shard, struct stored_reply **at)
{
    struct stored_reply *reply = *at;
    *at = reply->same;
    unlink_queued(shard, reply);
    count_reply(shard, reply, -1);
    svc__stored_reply_unref(reply);
}

/* Evicts until there is room: the oldest that was not read since its last round. */
static void evict_for(struct reply_shard *shard, uint64_t most, size_t size)
{
    while (shard->oldest && shard->bytes + size > most) {
        struct stored_reply *oldest = shard->oldest;
        if (oldest->read) {
            oldest->read = false;
            unlink_queued(shard, oldest);
            push_newest(shard, oldest);
        } else {
            drop_reply(shard, find_place(shard, oldest));
            svc__counter_add(shard->meter->evicted, 1);
        }
    }
}

/* Doubles the chains once they are full; without memory they just become longer. */
static void grow_chains(struct reply_shard *shard)
{
    size_t count = shard->chain_count * 2;
    struct stored_reply **chains =
        shard->count < shard->chain_count ? NULL : calloc(count, sizeof(struct stored_reply *));
    if (!chains)
        return;
    free(shard->chains);
    shard->chains = chains;
    shard->chain_count = count;
    for (struct stored_reply *reply = shard->oldest; reply; reply = reply->newer) {
        struct stored_reply **at = chain_of(shard, reply->hash);
        reply->same = *at;
        *at = reply;
    }
}

static bool has_key(const struct stored_reply *reply, uint64_t hash, struct bytes key)
{
    return reply->hash == hash && svc__bytes_eq(reply->parts.key, key);
}

void svc__reply_memory_free(struct reply_memory *memory)
{
    if (!memory)
        return;
    memory->meter = (struct reply_memory_meter){NULL, NULL, NULL}; /* it may have gone before */
    for (size_t i = 0; i < SHARDS; i++) {
        struct reply_shard *shard = &memory->shards[i];
        while (shard->oldest)
            drop_reply(shard, find_place(shard, shard->oldest));
        free(shard->chains);
        pthread_mutex_destroy(&shard->lock);
    }
    pthread_mutex_destroy(&memory->purge_lock);
    free(memory);
}

/* ---- Finding */

/* Whether the request has the values by which the reply was selected. */
static bool selects(const struct fields *request, const struct stored_reply *reply)
{
    char text[SELECTION_BYTES];
    struct buf selection;
    svc__buf_over(&selection, text, sizeof text);
    svc__cache_vary_select(&selection, reply->parts.names, request);
    return !svc__buf_error(&selection) &&
           svc__bytes_eq(svc__buf_view(&selection), reply->parts.selection);
}

struct stored_reply *svc__reply_memory_find(struct reply_memory *memory, uint64_t hash,
                                            struct bytes key, const struct fields *request,
                                            bool *varied)
{
    struct reply_shard *shard = shard_of(memory, hash);
    struct stored_reply *found = NULL;
    bool others = false;
    pthread_mutex_lock(&shard->lock);
    for (struct stored_reply *each = *chain_of(shard, hash); each; each = each->same) {
        if (!has_key(each, hash, key))
            continue;
        if (each->parts.names.len > 0 && !selects(request, each))
            others = true;
        else if (!found || each->parts.born_ns > found->parts.born_ns)
            found = each;
    }
    if (found) {
        found->read = true;
        svc__stored_reply_ref(found);
    }
    pthread_mutex_unlock(&shard->lock);
    *varied = others;
    return found;
}

/* ---- Storing */

/* Removes the reply that a new one of the same selection replaces, and those over the limit of a
 * key. */
static void drop_same(struct reply_shard *shard, const struct stored_reply *reply)
{
    size_t variants = 1;
    struct stored_reply **at = chain_of(shard, reply->hash);
    while (*at) {
        const struct stored_parts *parts = &(*at)->parts;
        bool same_key = has_key(*at, reply->hash, reply->parts.key);
        bool same = same_key && svc__bytes_eq(parts->names, reply->parts.names) &&
                    svc__bytes_eq(parts->selection, reply->parts.selection);
        if (same_key && !same)
            variants++;
        if (same || (same_key && variants > REPLY_MEMORY_VARIANTS))
            drop_reply(shard, at);
        else
            at = &(*at)->same;
    }
}

static bool has_tag(const struct stored_reply *reply, uint64_t tag)
{
    if (tag == REPLY_MEMORY_ALL)
        return true;
    for (size_t i = 0; i < reply->parts.tag_count; i++)
        if (reply->parts.tags[i] == tag)
            return true;
    return false;
}

/* Whether a purge has come since the request began, of which one that is no longer remembered
 * counts, or one is under way of which the reply's origin may not know. */
static bool was_purged(const struct reply_memory *memory, const struct stored_reply *reply,
                       enum reply_origin origin, uint64_t since)
{
    uint64_t now = atomic_load(&memory->purges);
    if (origin == REPLY_OF_STORE)
        for (const struct reply_purge *each = memory->under_way; each; each = each->next)
            if (has_tag(reply, each->tag))
                return true;
    if (now - since > REPLY_MEMORY_PURGES)
        return true;
    for (uint64_t i = since; i < now; i++)
        if (has_tag(reply, memory->purged[i % REPLY_MEMORY_PURGES]))
            return true;
    return false;
}

uint64_t svc__reply_memory_purges(const struct reply_memory *memory)
{
    return atomic_load(&memory->purges);
}

bool svc__reply_memory_put(struct reply_memory *memory, uint64_t hash, struct stored_reply *reply,
                           enum reply_origin origin, uint64_t purges)
{
    if (reply->size > memory->shard_bytes)
        return false;
    struct reply_shard *shard = shard_of(memory, hash);
    reply->hash = hash;
    pthread_mutex_lock(&memory->purge_lock);
    bool purged = was_purged(memory, reply, origin, purges);
    if (!purged) {
        pthread_mutex_lock(&shard->lock);
        drop_same(shard, reply);
        evict_for(shard, memory->shard_bytes, reply->size);
        grow_chains(shard);
        struct stored_reply **at = chain_of(shard, hash);
        reply->same = *at;
        *at = svc__stored_reply_ref(reply);
        push_newest(shard, reply);
        count_reply(shard, reply, 1);
        pthread_mutex_unlock(&shard->lock);
    }
    pthread_mutex_unlock(&memory->purge_lock);
    return !purged;
}

/* ---- Removing */

static size_t purge_shard(struct reply_shard *shard, uint64_t tag)
{
    size_t count = 0;
    pthread_mutex_lock(&shard->lock);
    for (struct stored_reply *reply = shard->oldest, *next; reply; reply = next) {
        next = reply->newer;
        if (has_tag(reply, tag)) {
            drop_reply(shard, find_place(shard, reply));
            count++;
        }
    }
    pthread_mutex_unlock(&shard->lock);
    return count;
}

/* Requests that have begun before cannot store replies with that tag. Under the lock of the purges.
 */
static void note_purge(struct reply_memory *memory, uint64_t tag)
{
    uint64_t number = atomic_load(&memory->purges);
    memory->purged[number % REPLY_MEMORY_PURGES] = tag;
    atomic_store(&memory->purges, number + 1);
}

static size_t purge_shards(struct reply_memory *memory, uint64_t tag)
{
    size_t count = 0;
    for (size_t i = 0; i < SHARDS; i++)
        count += purge_shard(&memory->shards[i], tag);
    return count;
}

size_t svc__reply_memory_purge(struct reply_memory *memory, uint64_t tag)
{
    pthread_mutex_lock(&memory->purge_lock);
    note_purge(memory, tag);
    pthread_mutex_unlock(&memory->purge_lock);
    return purge_shards(memory, tag);
}

size_t svc__reply_memory_purge_begin(struct reply_memory *memory, struct reply_purge *purge)
{
    pthread_mutex_lock(&memory->purge_lock);
    note_purge(memory, purge->tag);
    purge->next = memory->under_way;
    memory->under_way = purge;
    pthread_mutex_unlock(&memory->purge_lock);
    return purge_shards(memory, purge->tag);
}

void svc__reply_memory_purge_end(struct reply_memory *memory, struct reply_purge *purge)
{
    pthread_mutex_lock(&memory->purge_lock);
    note_purge(memory, purge->tag);
    struct reply_purge **at = &memory->under_way;
    while (*at != purge)
        at = &(*at)->next;
    *at = purge->next;
    pthread_mutex_unlock(&memory->purge_lock);
}

bool svc__reply_memory_claim(struct reply_memory *memory, struct stored_reply *reply,
                             uint64_t now_ns, uint64_t most_ns)
{
    struct reply_shard *shard = shard_of(memory, reply->hash);
    pthread_mutex_lock(&shard->lock);
    bool claimed = !reply->validated_ns || now_ns - reply->validated_ns > most_ns;
    if (claimed)
        reply->validated_ns = now_ns;
    pthread_mutex_unlock(&shard->lock);
    return claimed;
}

void svc__reply_memory_measure(struct reply_memory *memory, const struct reply_memory_meter *meter)
{
    memory->meter = *meter;
}
