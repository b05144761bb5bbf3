/*
 * Where the entries of a shard are, by the hashes of their keys, and the hashes of entries that
 * were evicted of late (ghosts). A slot is a word: 32 bits of the hash, and the entry's place; so
 * the index grows without a look at an entry. The slots are in the order of the hashes. Ghosts take
 * two bytes for each slot, and a new ghost displaces an older one at random.
 */
#ifndef SVC_STORE_INDEX_H
#define SVC_STORE_INDEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    INDEX_SLOTS_MIN = 16,
    INDEX_SLOT_BYTES = 10, /* with its part of the ghosts */
};

struct index {
    uint64_t *slots;  /* 0: free */
    uint32_t *ghosts; /* behind them; 0: none */
    uint32_t count;   /* slots, an even number */
    uint32_t used;
    uint32_t used_max; /* before it must grow */
    uint32_t count_max;
};

/* An empty index that may grow to `count_max` slots, INDEX_SLOTS_MIN at least. 0 or SVC_ENOMEM. */
int svc__index_init(struct index *index, uint32_t count_max);

/* Frees the memory. */
void svc__index_free(struct index *index);

/* Whether one more entry can be added; the index grows for it. False: some entry must be removed
 * first, because the index has its full size, or there is no memory for a larger one. */
bool svc__index_has_room(struct index *index);

/* Adds an entry, for which svc__index_has_room was true. `place` is not 0. */
void svc__index_add(struct index *index, uint32_t hash, uint32_t place);

/* Changes the place of the entry at `from`, or removes it. */
void svc__index_move(struct index *index, uint32_t hash, uint32_t from, uint32_t to);
void svc__index_remove(struct index *index, uint32_t hash, uint32_t place);

/* The number of a slot in which to look first for a hash, and the next one. */
static inline uint32_t svc__index_first(const struct index *index, uint32_t hash)
{
    return (uint32_t)((uint64_t)hash * index->count >> 32);
}

static inline uint32_t svc__index_next(const struct index *index, uint32_t slot)
{
    return slot + 1 < index->count ? slot + 1 : 0;
}

/* The parts of a slot: its hash, and its place, which is 0 for a free slot, where a search ends. */
static inline uint32_t svc__index_hash(const struct index *index, uint32_t slot)
{
    return (uint32_t)(index->slots[slot] >> 32);
}

static inline uint32_t svc__index_place(const struct index *index, uint32_t slot)
{
    return (uint32_t)index->slots[slot];
}

/* Remembers the hash of an entry that was evicted. */
void svc__index_haunt(struct index *index, uint32_t hash);

/* Whether the hash is a ghost, which it is then no more. */
bool svc__index_exorcise(struct index *index, uint32_t hash);

#endif
