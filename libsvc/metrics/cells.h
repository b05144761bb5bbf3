/*
 * Cells of 64 bits that threads count in: each thread has a copy of every cell, which it alone
 * writes, and the value of a cell is the sum of all copies. So counting needs no lock and shares no
 * cache line.
 *
 * A thread's copies lie in its block, which begins with the first cell that the thread counts in
 * and, when the thread ends, goes to another with all that is in it. A thread without memory for
 * copies of its own counts in the shared block by atomic additions.
 */
#ifndef SVC_METRICS_CELLS_H
#define SVC_METRICS_CELLS_H

#include <stdatomic.h>
#include <stdint.h>
#include <string.h>

enum {
    CELLS_FIRST_CHUNK =
        512,           /* cells in the first chunk of a block; each further one has twice as many */
    CELLS_CHUNKS = 14, /* about 8 million cells */
    CELLS_AT_ONCE = 66 /* the most of one svc__cells_take */
};

/* Where cells that belong together lie in each block. */
struct cells {
    uint32_t chunk, first;
};

struct cell_block {
    _Alignas(64) _Atomic(_Atomic uint64_t *) chunks[CELLS_CHUNKS]; /* NULL before the first use */
    struct cell_block *next; /* of all, set before the block is in the list */
    struct cell_block *next_free;
};

/* The calling thread's block, or one without chunks. */
extern _Thread_local struct cell_block *svc__cells_own __attribute__((tls_model("initial-exec")));

/* Takes `n` cells that lie side by side, 1 to CELLS_AT_ONCE, of value 0. 0, SVC_ENOMEM, or
 * SVC_ETOOBIG when all are in use. Any thread. */
int svc__cells_take(uint32_t n, struct cells *out);

/* Gives back cells that nobody counts in any more. Any thread. */
void svc__cells_give(struct cells cells, uint32_t n);

/* The parts of the calls below that are not inline: the first use of a chunk by a thread. */
void svc__cells_add_slowly(struct cells cells, uint32_t index, uint64_t n);
void svc__cells_add_double_slowly(struct cells cells, uint32_t index, double d);

/* The calling thread's copies of the chunk; NULL before its first use. */
static inline _Atomic uint64_t *svc__cells_chunk(struct cells cells)
{
    return atomic_load_explicit(&svc__cells_own->chunks[cells.chunk], memory_order_relaxed);
}

/* Adds to a copy that this thread alone writes: a plain load and store. */
static inline void svc__cells_bump(_Atomic uint64_t *copy, uint64_t n)
{
    uint64_t now = atomic_load_explicit(copy, memory_order_relaxed);
    atomic_store_explicit(copy, now + n, memory_order_relaxed);
}

static inline double svc__cells_double(uint64_t bits)
{
    double d;
    memcpy(&d, &bits, sizeof d);
    return d;
}

static inline uint64_t svc__cells_bits(double d)
{
    uint64_t bits;
    memcpy(&bits, &d, sizeof bits);
    return bits;
}

/* The same for one that holds a double. */
static inline void svc__cells_bump_double(_Atomic uint64_t *copy, double d)
{
    double now = svc__cells_double(atomic_load_explicit(copy, memory_order_relaxed));
    atomic_store_explicit(copy, svc__cells_bits(now + d), memory_order_relaxed);
}

/* Adds to one of the cells. Any thread. */
static inline void svc__cells_add(struct cells cells, uint32_t index, uint64_t n)
{
    _Atomic uint64_t *chunk = svc__cells_chunk(cells);
    if (__builtin_expect(chunk != NULL, 1))
        svc__cells_bump(&chunk[cells.first + index], n);
    else
        svc__cells_add_slowly(cells, index, n);
}

/* The same for a cell that holds a double: none is added to by both calls. */
static inline void svc__cells_add_double(struct cells cells, uint32_t index, double d)
{
    _Atomic uint64_t *chunk = svc__cells_chunk(cells);
    if (__builtin_expect(chunk != NULL, 1))
        svc__cells_bump_double(&chunk[cells.first + index], d);
    else
        svc__cells_add_double_slowly(cells, index, d);
}

/* The sum of all copies. What another thread is just adding may or may not be in it. Any thread. */
uint64_t svc__cells_sum(struct cells cells, uint32_t index);
double svc__cells_sum_double(struct cells cells, uint32_t index);

/* Makes the sum of a cell that holds a double `d`, whatever others are just adding. Any thread. */
void svc__cells_set_double(struct cells cells, uint32_t index, double d);

#endif
