/* The shards of the memory store, and operations on an entry under the lock of its shard. */
#include "libsvc/store/memory.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include <svc/errors.h>

#include "libsvc/base/clock.h"
#include "libsvc/base/num.h"
#include "libsvc/store/gcra.h"
#include "libsvc/store/shard.h"

enum {
    LINE = 64,
    FIT_MIN = 2 /* largest entries that a shard has room for, if there are several shards */
};

static const uint64_t ms_ns = 1000000;

struct locked_shard {
    _Alignas(LINE) pthread_mutex_t lock;
    struct shard shard;
};

struct memory {
    struct siphash_key seed;
    size_t value_max;
    uint32_t shard_count; /* a power of two */
    uint64_t epoch_ns;
    _Atomic uint64_t ahead_ms; /* of the clock, for tests */
    void *words;
    struct locked_shard shards[];
};

/* An entry that is looked at, under the lock of its shard. */
struct look {
    struct locked_shard *at;
    struct bytes key;
    uint32_t hash;
    uint64_t now_ms;
    struct entry *entry; /* NULL: there is none */
};

/* ---- Making one */

static uint64_t largest_entry(const struct memory_options *options)
{
    return svc__shard_entry_bytes(MEMORY_KEY_MAX, options->value_max);
}

/* As many shards as have room for two of the largest entries each; 0 when not even one fits. */
static uint32_t count_shards(const struct memory_options *options)
{
    uint64_t largest = largest_entry(options);
    uint32_t count = 1;
    if (largest > UINT32_MAX || svc__shard_largest(options->bytes) < largest)
        return 0;
    while (count < MEMORY_SHARDS_MAX &&
           svc__shard_largest(options->bytes / count / 2) / FIT_MIN >= largest)
        count *= 2;
    return count;
}

/* The holder of a lock is soon done, so others try for a moment before they sleep. */
static void init_lock(pthread_mutex_t *lock)
{
    pthread_mutexattr_t attr;
    pthread_mutexattr_init(&attr);
#ifdef PTHREAD_ADAPTIVE_MUTEX_INITIALIZER_NP
    pthread_mutexattr_settype(&attr, PTHREAD_MUTEX_ADAPTIVE_NP);
#endif
    pthread_mutex_init(lock, &attr);
    pthread_mutexattr_destroy(&attr);
}

static int init_shards(struct memory *memory, uint32_t count, uint64_t bytes)
{
    bytes = bytes / count & ~(uint64_t)(sizeof(uint64_t) - 1);
    memory->words = malloc(bytes * count);
    if (!memory->words)
        return SVC_ENOMEM;
    for (uint32_t i = 0; i < count; i++) {
        struct locked_shard *at = &memory->shards[i];
        if (svc__shard_init(&at->shard, (char *)memory->words + i * bytes, bytes))
            return SVC_ENOMEM;
        init_lock(&at->lock);
        memory->shard_count++;
    }
    return 0;
}

int svc__memory_new(const struct memory_options *options, struct memory **out)
{
    uint32_t count = count_shards(options);
    if (count == 0)
        return SVC_ETOOBIG;
    size_t size = sizeof(struct memory) + count * sizeof(struct locked_shard);
    struct memory *memory = aligned_alloc(LINE, (size + LINE - 1) / LINE * LINE);
    if (!memory)
        return SVC_ENOMEM;
    memory->seed = options->seed;
    memory->value_max = options->value_max;
    memory->shard_count = 0;
    /* A key that is not known yet has used nothing before the first moment. */
    memory->epoch_ns = svc__clock_coarse_ns() - ms_ns;
    memory->ahead_ms = 0;
    int error = init_shards(memory, count, options->bytes);
    if (error)
        svc__memory_free(memory);
    else
        *out = memory;
    return error;
}

void svc__memory_free(struct memory *memory)
{
    if (!memory)
        return;
    for (uint32_t i = 0; i < memory->shard_count; i++) {
        svc__shard_free(&memory->shards[i].shard);
        pthread_mutex_destroy(&memory->shards[i].lock);
    }
    free(memory->words);
    free(memory);
}

/* ---- Looking at an entry */

static uint64_t ahead_of(const struct memory *memory, uint64_t clock_ns)
{
    uint64_t ahead_ms = atomic_load_explicit(&memory->ahead_ms, memory_order_relaxed);
    return clock_ns - memory->epoch_ns + ahead_ms * ms_ns;
}

/* Finds the entry of a key and locks its shard. */
static struct look begin_look(struct memory *memory, struct bytes key)
{
    uint64_t hash = svc__siphash(memory->seed, key);
    struct look look = {.at = &memory->shards[(hash >> 32) & (memory->shard_count - 1)],
                        .key = key,
                        .hash = (uint32_t)hash,
                        .now_ms = ahead_of(memory, svc__clock_coarse_ns()) / ms_ns};
    pthread_mutex_lock(&look.at->lock);
    look.entry = svc__shard_find(&look.at->shard, look.hash, key, look.now_ms);
    return look;
}

static int end_look(struct look *look, int error)
{
    pthread_mutex_unlock(&look->at->lock);
    return error;
}

/* When a value of this moment ends; 0: never. */
static uint64_t end_of(const struct look *look, uint64_t ttl_ms)
{
    if (ttl_ms == 0)
        return 0;
    return ttl_ms < SHARD_TIME_MAX - look->now_ms ? look->now_ms + ttl_ms : SHARD_TIME_MAX;
}

static uint64_t store_value(struct look *look, const void *data, size_t len, uint64_t expires_ms)
{
    struct entry *entry = svc__shard_store(&look->at->shard, look->entry, look->hash, look->key,
                                           svc__bytes(data, len), expires_ms);
    return entry->version;
}

int svc__memory_get(struct memory *memory, struct bytes key, struct memory_reader *reader)
{
    struct look look = begin_look(memory, key);
    if (!look.entry)
        return end_look(&look, SVC_ENOTFOUND);
    struct bytes value = svc__shard_value(look.entry);
    void *copy = reader->alloc(reader->arg, value.len);
    if (!copy)
        return end_look(&look, SVC_ENOMEM);
    if (value.len > 0)
        memcpy(copy, value.data, value.len);
    svc__shard_use(look.entry);
    reader->data = copy;
    reader->len = value.len;
    reader->version = look.entry->version;
    return end_look(&look, 0);
}

int svc__memory_look(struct memory *memory, struct bytes key, memory_take *take, void *arg)
{
    struct look look = begin_look(memory, key);
    if (!look.entry)
        return end_look(&look, SVC_ENOTFOUND);
    struct bytes value = svc__shard_value(look.entry);
    take(arg, value.data, value.len, look.entry->version);
    svc__shard_use(look.entry);
    return end_look(&look, 0);
}

static int check_write(const struct look *look, enum memory_write how, uint64_t version)
{
    if (how == MEMORY_ADD)
        return look->entry ? SVC_ECONFLICT : 0;
    if (how == MEMORY_SET)
        return 0;
    if (!look->entry)
        return SVC_ENOTFOUND;
    return look->entry->version == version ? 0 : SVC_ECONFLICT;
}

int svc__memory_set(struct memory *memory, enum memory_write how, struct bytes key,
                    struct bytes value, uint64_t ttl_ms, uint64_t *version)
{
    if (value.len > memory->value_max)
        return SVC_ETOOBIG;
    struct look look = begin_look(memory, key);
    int error = check_write(&look, how, *version);
    if (!error)
        *version = store_value(&look, value.data, value.len, end_of(&look, ttl_ms));
    return end_look(&look, error);
}

int svc__memory_delete(struct memory *memory, struct bytes key, const uint64_t *version)
{
    struct look look = begin_look(memory, key);
    int error = look.entry ? 0 : SVC_ENOTFOUND;
    if (!error && version && look.entry->version != *version)
        error = SVC_ECONFLICT;
    if (!error)
        svc__shard_remove(&look.at->shard, look.entry);
    return end_look(&look, error);
}

int svc__memory_increment(struct memory *memory, struct bytes key, uint64_t by, uint64_t ttl_ms,
                          uint64_t *number)
{
    char digits[NUM_U64_LEN];
    uint64_t value = 0;
    struct look look = begin_look(memory, key);
    if (look.entry && svc__num_u64(svc__shard_value(look.entry), MEMORY_NUMBER_MAX, &value))
        return end_look(&look, SVC_ESYNTAX);
    if (by > MEMORY_NUMBER_MAX - value)
        return end_look(&look, SVC_ETOOBIG);
    uint64_t expires_ms = look.entry ? look.entry->expires_ms : end_of(&look, ttl_ms);
    size_t len = svc__num_format_u64(digits, value + by);
    store_value(&look, digits, len, expires_ms);
    *number = value + by;
    return end_look(&look, 0);
}

/* ---- Limits */

/* The value of a limit: its windows are recognised by their hashes. */
struct limit_value {
    char mark[8];
    struct {
        uint64_t tat, window; /* the hash */
    } windows[LIMITER_WINDOWS];
};

static const char limit_mark[8] = "limit 1";

static size_t limit_size(size_t count)
{
    return offsetof(struct limit_value, windows) +
           count * sizeof((struct limit_value){0}.windows[0]);
}

/* A limit under way. */
struct weighing {
    struct gcra gcra[LIMITER_WINDOWS];
    uint64_t now[LIMITER_WINDOWS], next[LIMITER_WINDOWS]; /* in units of the window */
    struct limit_value value;
};

static int prepare_windows(struct weighing *w, const struct memory *memory,
                           const struct limiter_window *windows, size_t count)
{
    uint64_t now_ns = ahead_of(memory, svc__clock_ns());
    memcpy(w->value.mark, limit_mark, sizeof limit_mark);
    for (size_t i = 0; i < count; i++) {
        if (svc__gcra_init(&w->gcra[i], &windows[i]))
            return SVC_EINVAL;
        const struct bytes bytes = {(const char *)&windows[i], sizeof windows[i]};
        w->now[i] = svc__gcra_units(&w->gcra[i], now_ns);
        w->value.windows[i].tat = 0;
        w->value.windows[i].window = svc__siphash(memory->seed, bytes);
    }
    return 0;
}

/* Takes the state over from an entry of the same windows. */
static int read_limit(struct weighing *w, const struct entry *entry, size_t count)
{
    struct limit_value old;
    struct bytes value = svc__shard_value(entry);
    if (value.len < limit_size(1) || value.len > sizeof old ||
        memcmp(value.data, limit_mark, sizeof limit_mark) != 0)
        return SVC_ESYNTAX;
    if (value.len != limit_size(count))
        return 0;
    memcpy(&old, value.data, value.len);
    for (size_t i = 0; i < count; i++)
        if (old.windows[i].window == w->value.windows[i].window)
            w->value.windows[i].tat = old.windows[i].tat;
    return 0;
}

/* Decides, and carries the decision out in `w->value`. */
static void weigh_cost(struct weighing *w, size_t count, uint32_t cost,
                       struct limiter_decision *decision)
{
    *decision = (struct limiter_decision){.pass = true};
    for (size_t i = 0; i < count; i++)
        if (!svc__gcra_pass(&w->gcra[i], w->value.windows[i].tat, w->now[i], cost, &w->next[i])) {
            decision->pass = false;
            decision->refused |= 1U << i;
        }
    for (size_t i = 0; i < count; i++) {
        struct limiter_quota *quota = &decision->quotas[i];
        if (decision->pass && cost > 0)
            w->value.windows[i].tat = w->next[i];
        uint64_t tat = w->value.windows[i].tat;
        svc__gcra_quota(&w->gcra[i], tat, w->now[i], quota);
        if (decision->refused & 1U << i)
            quota->retry_ns = svc__gcra_retry_ns(&w->gcra[i], tat, w->now[i], cost);
    }
}

/* How long the state says more than none: until all bursts are whole. */
static uint64_t ttl_of(const struct limiter_decision *decision, size_t count)
{
    uint64_t longest_ns = 0;
    for (size_t i = 0; i < count; i++)
        if (decision->quotas[i].reset_ns > longest_ns)
            longest_ns = decision->quotas[i].reset_ns;
    return longest_ns / ms_ns + 1 + 10; /* and a tick of the clock by which entries end */
}

int svc__memory_limit(struct memory *memory, struct bytes key, const struct limiter_window *windows,
                      size_t count, uint32_t cost, struct limiter_decision *decision)
{
    struct weighing w;
    if (count < 1 || count > LIMITER_WINDOWS || prepare_windows(&w, memory, windows, count))
        return SVC_EINVAL;
    struct look look = begin_look(memory, key);
    int error = look.entry ? read_limit(&w, look.entry, count) : 0;
    if (error)
        return end_look(&look, error);
    weigh_cost(&w, count, cost, decision);
    if (decision->pass && cost > 0)
        store_value(&look, &w.value, limit_size(count), end_of(&look, ttl_of(decision, count)));
    return end_look(&look, 0);
}

/* ---- About the store */

void svc__memory_read_stats(struct memory *memory, struct memory_stats *stats)
{
    *stats = (struct memory_stats){0};
    for (uint32_t i = 0; i < memory->shard_count; i++) {
        struct locked_shard *at = &memory->shards[i];
        pthread_mutex_lock(&at->lock);
        const struct shard *shard = &at->shard;
        stats->entries += shard->index.used;
        stats->bytes +=
            shard->words * sizeof(uint64_t) + (uint64_t)shard->index.count * INDEX_SLOT_BYTES;
        stats->evicted += shard->evicted;
        stats->expired += shard->expired;
        pthread_mutex_unlock(&at->lock);
    }
}

void svc__memory_age(struct memory *memory, uint64_t ms)
{
    atomic_fetch_add(&memory->ahead_ms, ms);
}
