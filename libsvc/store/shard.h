/*
 * A part of the memory store: entries by their keys, within a fixed number of bytes. One thread at
 * a time.
 *
 * S3-FIFO (Yang et al., SOSP 2023) decides which entries are evicted. A new entry waits in a small
 * queue, of a tenth of the memory. One that was read there goes on to the main queue, and the rest
 * leaves early, so that a scan does not displace entries that are read repeatedly. The main queue
 * gives an entry that was read another round. An entry that comes back soon after it has left (a
 * ghost) goes to the main queue at once. As long as the main queue has room nothing is evicted.
 * Both queues are rings of one piece of memory (entry_ring.h), and a read changes two bits of the
 * entry, and no queue.
 */
#ifndef SVC_STORE_SHARD_H
#define SVC_STORE_SHARD_H

#include <stddef.h>

#include "libsvc/base/bytes.h"
#include "libsvc/store/entry_ring.h"
#include "libsvc/store/index.h"

enum {
    SHARD_KEY_MAX = 255,   /* bytes of a key */
    SHARD_USES_MAX = 3,    /* reads that are counted */
    SHARD_SLACK_MAX = 2047 /* words that an entry may have beyond its need */
};

/* Times are milliseconds up to this, 139 years. */
#define SHARD_TIME_MAX ((UINT64_C(1) << 42) - 1)

/* An entry; its key and its value stand behind it. */
struct entry {
    uint64_t version;         /* of the value: no two values under one key ever have the same */
    uint64_t expires_ms : 42; /* 0: never */
    uint64_t uses : 2;        /* reads since it came, or since its last round */
    uint64_t dead : 1;        /* removed: only its memory is still to be taken back */
    uint64_t slack : 11;      /* words beyond those that it needs */
    uint64_t key_len : 8;
    uint32_t hash;
    uint32_t len; /* of the value */
};

struct shard {
    uint64_t *memory; /* words; the first is unused, since no entry has place 0 */
    struct entry_ring small, main;
    struct index index;
    uint64_t version; /* the latest of any entry */
    uint64_t now_ms;  /* of the operation under way; not 0 */
    uint64_t words;   /* of entries that are not dead */
    uint64_t evicted; /* entries that left for lack of room */
    uint64_t expired; /* entries that left since their time was over */
};

/* The bytes that an entry takes in the memory. */
uint64_t svc__shard_entry_bytes(size_t key_len, size_t len);

/* The largest entry, in bytes, that a shard of so many bytes can have; 0: the shard cannot be. */
uint64_t svc__shard_largest(uint64_t bytes);

/*
 * An empty shard in `memory`, whose `bytes` are its whole size; a part of them is not used, for the
 * index, which is allocated as it grows. 0 or SVC_ENOMEM.
 */
int svc__shard_init(struct shard *shard, void *memory, uint64_t bytes);

/* Frees the index. */
void svc__shard_free(struct shard *shard);

/* The entry of a key at `now_ms`; NULL: there is none, or its time is over. Does not count as a
 * read. */
struct entry *svc__shard_find(struct shard *shard, uint32_t hash, struct bytes key,
                              uint64_t now_ms);

/*
 * Stores a value under a key: `entry` is the one that svc__shard_find has found for it, and is then
 * no more, or NULL. `value` does not lie in the shard, and the entry is not larger than
 * svc__shard_largest. Returns the entry, with a new version.
 */
struct entry *svc__shard_store(struct shard *shard, struct entry *entry, uint32_t hash,
                               struct bytes key, struct bytes value, uint64_t expires_ms);

/* Removes an entry that was found. */
void svc__shard_remove(struct shard *shard, struct entry *entry);

/* Counts a read. */
static inline void svc__shard_use(struct entry *entry)
{
    if (entry->uses < SHARD_USES_MAX)
        entry->uses++;
}

static inline struct bytes svc__shard_value(const struct entry *entry)
{
    return svc__bytes((const char *)(entry + 1) + entry->key_len, entry->len);
}

#endif
