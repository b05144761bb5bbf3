/*
 * A queue of entries in one piece of memory: an entry is appended at the head and leaves at the
 * tail, so that no entry needs a link or an allocation of its own, and no hole is left. Places and
 * lengths are in words of the memory. An entry lies in one piece: the rest of
 * the memory behind the last one that fits is skipped.
 */
#ifndef SVC_STORE_ENTRY_RING_H
#define SVC_STORE_ENTRY_RING_H

#include <stdbool.h>
#include <stdint.h>

struct entry_ring {
    uint32_t start, end; /* the words that are the ring's */
    uint32_t head, tail; /* where the next entry begins, and where the oldest one does */
    uint32_t wrap;       /* where the entries before the end of the memory stop, if `wrapped` */
    bool wrapped;        /* the newest entries stand before the oldest */
    uint32_t count;      /* entries */
};

/* An empty ring of the words from `start` to `end`. */
void svc__entry_ring_init(struct entry_ring *ring, uint32_t start, uint32_t end);

/* Whether an entry of `words` could be appended. */
bool svc__entry_ring_has_room(const struct entry_ring *ring, uint32_t words);

/* Appends an entry of `words`, which svc__entry_ring_has_room has allowed. Returns its place. */
uint32_t svc__entry_ring_push(struct entry_ring *ring, uint32_t words);

/*
 * Removes the oldest entry, which has `words`. Its words can then be taken by the next one: an
 * entry of the same length always has room, where it must be written as memmove does.
 */
void svc__entry_ring_pop(struct entry_ring *ring, uint32_t words);

#endif
