/* Shards with a lock each; in a shard, chains by the hash, and a queue in which an entry that was
 * used since it last came to the end goes round once more (CLOCK). */
#include "libsvc/coding/coded_cache.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "libsvc/base/siphash.h"

enum {
    SHARDS = 8,
    CHAINS = 64, /* of a shard */
    LANES = 4,
    MET = 1024 /* hashes that are remembered */
};

struct coded_entry {
    atomic_uint users; /* of the entry: the cache, and replies */
    uint64_t hash;
    unsigned coding;
    atomic_bool used;    /* since it last came to the end of the queue */
    struct bytes origin; /* behind the body */
    size_t size;         /* of all of it */
    struct coded_entry *same, *newer;
    struct coded_body body; /* last */
};

struct coded_shard {
    _Alignas(64) pthread_mutex_t lock;
    struct coded_entry *chains[CHAINS];
    struct coded_entry *oldest, *newest;
    size_t bytes;
};

struct coded_cache {
    struct siphash_key seed;
    size_t shard_bytes;
    _Atomic uint64_t met[MET]; /* of origins that have come of late */
    struct coded_shard shards[SHARDS];
};

struct coded_cache *svc__coded_cache_new(size_t bytes)
{
    struct coded_cache *cache = aligned_alloc(_Alignof(struct coded_cache), sizeof *cache);
    if (!cache)
        return NULL;
    memset(cache, 0, sizeof *cache);
    cache->seed = svc__siphash_key();
    cache->shard_bytes = bytes / SHARDS;
    for (size_t i = 0; i < SHARDS; i++)
        pthread_mutex_init(&cache->shards[i].lock, NULL);
    return cache;
}

static void unref(struct coded_entry *entry)
{
    if (atomic_fetch_sub_explicit(&entry->users, 1, memory_order_acq_rel) == 1)
        free(entry);
}

void svc__coded_cache_free(struct coded_cache *cache)
{
    for (size_t i = 0; cache && i < SHARDS; i++) {
        struct coded_shard *shard = &cache->shards[i];
        while (shard->oldest) {
            struct coded_entry *entry = shard->oldest;
            shard->oldest = entry->newer;
            unref(entry);
        }
        pthread_mutex_destroy(&shard->lock);
    }
    free(cache);
}

void svc__coded_cache_release(void *data)
{
    char *entry =
        (char *)data - offsetof(struct coded_entry, body) - offsetof(struct coded_body, data);
    unref((struct coded_entry *)(void *)entry);
}

/*
 * A quick hash of all bytes, in four lanes: SipHash alone would take a 12th of the time that gzip
 * takes. It withstands nobody who knows the seed; equal hashes cost an entry its place, no more.
 */
struct coded_key svc__coded_cache_key(const struct coded_cache *cache, unsigned coding,
                                      struct bytes origin)
{
    struct coded_key key = {.coding = coding, .origin = origin};
    const uint64_t odd = UINT64_C(0x9e3779b97f4a7c15);
    uint64_t words[2 * LANES] = {cache->seed.k0 ^ coding, cache->seed.k1 ^ origin.len,
                                 cache->seed.k0 + odd, cache->seed.k1 + odd};
    uint64_t *lanes = words, *next = words + LANES;
    size_t block = LANES * sizeof *next;
    for (; origin.len >= block; origin.data += block, origin.len -= block) {
        memcpy(next, origin.data, block);
        for (size_t i = 0; i < LANES; i++) {
            lanes[i] = (lanes[i] ^ next[i]) * odd;
            lanes[i] ^= lanes[i] >> 32;
        }
    }
    memset(next, 0, block);
    if (origin.len > 0)
        memcpy(next, origin.data, origin.len);
    key.hash = svc__siphash(cache->seed, svc__bytes((const char *)words, sizeof words));
    return key;
}

/* ---- A shard, under its lock */

static struct coded_shard *shard_of(struct coded_cache *cache, uint64_t hash)
{
    return &cache->shards[hash / CHAINS % SHARDS];
}

static struct coded_entry **find_link(struct coded_shard *shard, uint64_t hash)
{
    struct coded_entry **link = &shard->chains[hash % CHAINS];
    while (*link && (*link)->hash != hash)
        link = &(*link)->same;
    return link;
}

static void push_newest(struct coded_shard *shard, struct coded_entry *entry)
{
    entry->newer = NULL;
    if (shard->newest)
        shard->newest->newer = entry;
    else
        shard->oldest = entry;
    shard->newest = entry;
}

static struct coded_entry *pop_oldest(struct coded_shard *shard)
{
    struct coded_entry *entry = shard->oldest;
    shard->oldest = entry->newer;
    if (!shard->oldest)
        shard->newest = NULL;
    return entry;
}

/* Removes an entry from its chain, unless another has taken its place there. */
static void unchain(struct coded_shard *shard, struct coded_entry *entry)
{
    struct coded_entry **link = &shard->chains[entry->hash % CHAINS];
    while (*link && *link != entry)
        link = &(*link)->same;
    if (*link)
        *link = entry->same;
}

static void evict_for(struct coded_shard *shard, size_t bytes, size_t most)
{
    while (shard->oldest && shard->bytes + bytes > most) {
        struct coded_entry *entry = pop_oldest(shard);
        if (atomic_exchange_explicit(&entry->used, false, memory_order_relaxed)) {
            push_newest(shard, entry);
            continue;
        }
        unchain(shard, entry);
        shard->bytes -= entry->size;
        unref(entry);
    }
}

/* Of two entries of one hash, the newer stands in the chain. */
static void add_entry(struct coded_shard *shard, struct coded_entry *entry)
{
    struct coded_entry **link = find_link(shard, entry->hash);
    struct coded_entry *former = *link;
    if (former) {
        atomic_store_explicit(&former->used, false, memory_order_relaxed);
        *link = former->same;
        former->same = NULL;
    }
    entry->same = shard->chains[entry->hash % CHAINS];
    shard->chains[entry->hash % CHAINS] = entry;
    shard->bytes += entry->size;
    push_newest(shard, entry);
}

/* ---- Calls */

struct coded_body *svc__coded_cache_find(struct coded_cache *cache, const struct coded_key *key)
{
    struct coded_shard *shard = shard_of(cache, key->hash);
    pthread_mutex_lock(&shard->lock);
    struct coded_entry *entry = *find_link(shard, key->hash);
    if (entry)
        atomic_fetch_add_explicit(&entry->users, 1, memory_order_relaxed);
    pthread_mutex_unlock(&shard->lock);
    if (!entry)
        return NULL;
    if (entry->coding != key->coding || !svc__bytes_eq(entry->origin, key->origin)) {
        unref(entry);
        return NULL;
    }
    atomic_store_explicit(&entry->used, true, memory_order_relaxed);
    return &entry->body;
}

bool svc__coded_cache_meet(struct coded_cache *cache, const struct coded_key *key)
{
    return atomic_exchange_explicit(&cache->met[key->hash % MET], key->hash,
                                    memory_order_relaxed) == key->hash;
}

static struct coded_entry *make_entry(const struct coded_key *key, struct bytes coded)
{
    size_t size = sizeof(struct coded_entry) + coded.len + key->origin.len;
    struct coded_entry *entry = malloc(size);
    if (!entry)
        return NULL;
    *entry = (struct coded_entry){.hash = key->hash, .coding = key->coding, .size = size};
    atomic_init(&entry->users, 1);
    entry->body.len = coded.len;
    if (coded.len > 0)
        memcpy(entry->body.data, coded.data, coded.len);
    if (key->origin.len > 0)
        memcpy(entry->body.data + coded.len, key->origin.data, key->origin.len);
    entry->origin = svc__bytes(entry->body.data + coded.len, key->origin.len);
    return entry;
}

struct coded_body *svc__coded_cache_put(struct coded_cache *cache, const struct coded_key *key,
                                        struct bytes coded)
{
    struct coded_entry *entry = make_entry(key, coded);
    if (!entry)
        return NULL;
    if (entry->size > cache->shard_bytes)
        return &entry->body;
    struct coded_shard *shard = shard_of(cache, key->hash);
    atomic_fetch_add_explicit(&entry->users, 1, memory_order_relaxed);
    pthread_mutex_lock(&shard->lock);
    evict_for(shard, entry->size, cache->shard_bytes);
    add_entry(shard, entry);
    pthread_mutex_unlock(&shard->lock);
    return &entry->body;
}
