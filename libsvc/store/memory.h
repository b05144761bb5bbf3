/*
 * The memory store: bytes under keys, for a time or until there is no room for them, in this
 * process. Any thread. It is a number of shards, by the hash of the key, each with a lock of its
 * own. The hash is keyed, so no stranger can choose keys of one shard, or of one slot.
 *
 * Each call returns 0 or a code of svc/store.h. Times to live are in milliseconds, and 0 is no end.
 */
#ifndef SVC_STORE_MEMORY_H
#define SVC_STORE_MEMORY_H

#include "libsvc/base/siphash.h"
#include "libsvc/store/limiter.h"

enum {
    MEMORY_SHARDS_MAX = 1024,
    MEMORY_KEY_MAX = 255 /* bytes of a key */
};

/* A number that `increment` has made is at most this. */
#define MEMORY_NUMBER_MAX ((uint64_t)INT64_MAX)

struct memory_options {
    uint64_t bytes;   /* for everything: entries, their heads and the index */
    size_t value_max; /* bytes of a value, at most; at least a part of `bytes` must fit it */
    struct siphash_key seed;
};

struct memory;

/* Makes an empty store. Its memory is touched as entries come. 0; SVC_ETOOBIG when `bytes` are too
 * few for an entry with such a value; SVC_ENOMEM. */
int svc__memory_new(const struct memory_options *options, struct memory **memory);

/* Frees a store, which no thread may use any more. Accepts NULL. */
void svc__memory_free(struct memory *memory);

/* A value that is read: `alloc` gives the memory for its copy, or NULL. It is called within a lock.
 */
struct memory_reader {
    void *(*alloc)(void *arg, size_t len);
    void *arg;
    const void *data; /* of the copy */
    size_t len;
    uint64_t version;
};

/* Reads a value. SVC_ENOTFOUND, or SVC_ENOMEM when `alloc` has failed. */
int svc__memory_get(struct memory *memory, struct bytes key, struct memory_reader *reader);

/* Takes a value within the lock; `data` is borrowed for the call. */
typedef void memory_take(void *arg, const void *data, size_t len, uint64_t version);

/* As svc__memory_get, for a reader that copies what it wants by itself. 0 or SVC_ENOTFOUND. */
int svc__memory_look(struct memory *memory, struct bytes key, memory_take *take, void *arg);

/* How a value is written. */
enum memory_write {
    MEMORY_SET,    /* in any case */
    MEMORY_ADD,    /* if there is none: else SVC_ECONFLICT */
    MEMORY_REPLACE /* if it has that version: else SVC_ENOTFOUND or SVC_ECONFLICT */
};

/* Writes a value; `*version` becomes the new one. SVC_ETOOBIG for one that is over the maximum. */
int svc__memory_set(struct memory *memory, enum memory_write how, struct bytes key,
                    struct bytes value, uint64_t ttl_ms, uint64_t *version);

/* Removes a value; with `version`, only if it has that one (SVC_ECONFLICT). SVC_ENOTFOUND. */
int svc__memory_delete(struct memory *memory, struct bytes key, const uint64_t *version);

/* Adds to a number in decimal; a new one begins at 0, and lives as long as `ttl_ms` says.
 * SVC_ESYNTAX for a value that is none, SVC_ETOOBIG when it would be over MEMORY_NUMBER_MAX; the
 * value is then as before. */
int svc__memory_increment(struct memory *memory, struct bytes key, uint64_t by, uint64_t ttl_ms,
                          uint64_t *number);

/* Decides whether `cost` passes all windows, as struct limiter does. SVC_ESYNTAX for a value that
 * is of no limit, SVC_EINVAL for a bad window. Other windows than before begin anew. */
int svc__memory_limit(struct memory *memory, struct bytes key, const struct limiter_window *windows,
                      size_t count, uint32_t cost, struct limiter_decision *decision);

struct memory_stats {
    uint64_t entries;
    uint64_t bytes; /* of the entries, with keys and heads, and of the index */
    uint64_t evicted, expired;
};

/* Adds up the shards. */
void svc__memory_read_stats(struct memory *memory, struct memory_stats *stats);

/* From now on the store's clock is ahead by `ms` more, for tests. */
void svc__memory_age(struct memory *memory, uint64_t ms);

#endif
