/* Which cells are in use, and the blocks of threads. */
#include "libsvc/metrics/cells.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>

#include <svc/errors.h>

/* Cells belong to the process and not to a registry, so that a thread finds its block without
 * asking for which of them it counts. */
static struct {
    pthread_mutex_t lock; /* of all that follows, but that `blocks` is read without */
    uint32_t chunk, used; /* up to where cells were ever taken */
    uint64_t given[CELLS_AT_ONCE +
                   1]; /* by number: a list of those given back, through their first cells */
    _Atomic(struct cell_block *) blocks;
    struct cell_block *free;
} all = {.lock = PTHREAD_MUTEX_INITIALIZER};

/* The last of the list of blocks. All chunks of it that are in use have memory. */
static struct cell_block shared;
static struct cell_block nobody;
_Thread_local struct cell_block *svc__cells_own = &nobody;

static pthread_once_t once = PTHREAD_ONCE_INIT;
static pthread_key_t key;
static bool has_key;

static _Atomic uint64_t *shared_cell(struct cells cells, uint32_t index)
{
    return atomic_load_explicit(&shared.chunks[cells.chunk], memory_order_acquire) + cells.first +
           index;
}

static struct cell_block *first_block(void)
{
    struct cell_block *block = atomic_load_explicit(&all.blocks, memory_order_acquire);
    return block != NULL ? block : &shared;
}

/* The copy that a block has; NULL when it has none. */
static _Atomic uint64_t *copy_in(struct cell_block *block, struct cells cells, uint32_t index)
{
    _Atomic uint64_t *chunk =
        atomic_load_explicit(&block->chunks[cells.chunk], memory_order_acquire);
    return chunk != NULL ? &chunk[cells.first + index] : NULL;
}

static uint32_t chunk_size(uint32_t chunk)
{
    return (uint32_t)CELLS_FIRST_CHUNK << chunk;
}

/* Gives a block memory for a chunk. Of the shared block under the lock, of others their thread. */
static _Atomic uint64_t *add_chunk(struct cell_block *block, uint32_t chunk)
{
    _Atomic uint64_t *copies = calloc(chunk_size(chunk), sizeof *copies);
    if (copies != NULL)
        atomic_store_explicit(&block->chunks[chunk], copies, memory_order_release);
    return copies;
}

/* ---- Taking and giving */

static struct cells unpack(uint64_t packed)
{
    return (struct cells){(uint32_t)(packed >> 32), (uint32_t)packed - 1};
}

static uint64_t pack(struct cells cells)
{
    return (uint64_t)cells.chunk << 32 | (cells.first + 1);
}

/* Those that were given back, whose copies are all 0 but for the link to the next. */
static bool take_given(uint32_t n, struct cells *out)
{
    if (all.given[n] == 0)
        return false;
    *out = unpack(all.given[n]);
    all.given[n] = atomic_exchange_explicit(shared_cell(*out, 0), 0, memory_order_relaxed);
    return true;
}

/* What is left of a chunk that is too short for `n` is not used. */
static int take_new(uint32_t n, struct cells *out)
{
    if (n > chunk_size(all.chunk) - all.used) {
        if (all.chunk + 1 == CELLS_CHUNKS)
            return SVC_ETOOBIG;
        all.chunk++;
        all.used = 0;
    }
    if (shared.chunks[all.chunk] == NULL && add_chunk(&shared, all.chunk) == NULL)
        return SVC_ENOMEM;
    *out = (struct cells){all.chunk, all.used};
    all.used += n;
    return 0;
}

int svc__cells_take(uint32_t n, struct cells *out)
{
    pthread_mutex_lock(&all.lock);
    int error = take_given(n, out) ? 0 : take_new(n, out);
    pthread_mutex_unlock(&all.lock);
    return error;
}

void svc__cells_give(struct cells cells, uint32_t n)
{
    pthread_mutex_lock(&all.lock);
    for (struct cell_block *block = first_block(); block != NULL; block = block->next) {
        _Atomic uint64_t *copies = copy_in(block, cells, 0);
        for (uint32_t i = 0; copies != NULL && i < n; i++)
            atomic_store_explicit(&copies[i], 0, memory_order_relaxed);
    }
    atomic_store_explicit(shared_cell(cells, 0), all.given[n], memory_order_relaxed);
    all.given[n] = pack(cells);
    pthread_mutex_unlock(&all.lock);
}

/* ---- The blocks of threads */

static void release_block(void *of)
{
    struct cell_block *block = of;
    svc__cells_own = &nobody;
    pthread_mutex_lock(&all.lock);
    block->next_free = all.free;
    all.free = block;
    pthread_mutex_unlock(&all.lock);
}

static void make_key(void)
{
    has_key = pthread_key_create(&key, release_block) == 0;
}

/* A block that a thread has left, or a new one; NULL when out of memory. */
static struct cell_block *take_block(void)
{
    pthread_mutex_lock(&all.lock);
    struct cell_block *block = all.free;
    if (block != NULL) {
        all.free = block->next_free;
    } else if ((block = aligned_alloc(_Alignof(struct cell_block), sizeof *block)) != NULL) {
        memset(block, 0, sizeof *block);
        block->next = first_block();
        atomic_store_explicit(&all.blocks, block, memory_order_release);
    }
    pthread_mutex_unlock(&all.lock);
    return block;
}

/* Gives this thread a block, if it can: one whose end nobody would report is given none. */
static void begin_block(void)
{
    pthread_once(&once, make_key);
    struct cell_block *block = has_key ? take_block() : NULL;
    if (block == NULL)
        return;
    if (pthread_setspecific(key, block) == 0)
        svc__cells_own = block;
    else
        release_block(block);
}

/* This thread's copy, made if there is memory for it; NULL else. */
static _Atomic uint64_t *own_copy(struct cells cells, uint32_t index)
{
    if (svc__cells_own == &nobody)
        begin_block();
    if (svc__cells_own == &nobody)
        return NULL;
    _Atomic uint64_t *chunk = svc__cells_chunk(cells);
    if (chunk == NULL)
        chunk = add_chunk(svc__cells_own, cells.chunk);
    return chunk != NULL ? &chunk[cells.first + index] : NULL;
}

void svc__cells_add_slowly(struct cells cells, uint32_t index, uint64_t n)
{
    _Atomic uint64_t *copy = own_copy(cells, index);
    if (copy != NULL)
        svc__cells_bump(copy, n);
    else
        atomic_fetch_add_explicit(shared_cell(cells, index), n, memory_order_relaxed);
}

static void add_shared_double(_Atomic uint64_t *copy, double d)
{
    uint64_t was = atomic_load_explicit(copy, memory_order_relaxed);
    while (!atomic_compare_exchange_weak_explicit(copy, &was,
                                                  svc__cells_bits(svc__cells_double(was) + d),
                                                  memory_order_relaxed, memory_order_relaxed))
        continue;
}

void svc__cells_add_double_slowly(struct cells cells, uint32_t index, double d)
{
    _Atomic uint64_t *copy = own_copy(cells, index);
    if (copy != NULL)
        svc__cells_bump_double(copy, d);
    else
        add_shared_double(shared_cell(cells, index), d);
}

/* ---- Values */

uint64_t svc__cells_sum(struct cells cells, uint32_t index)
{
    uint64_t sum = 0;
    for (struct cell_block *block = first_block(); block != NULL; block = block->next) {
        _Atomic uint64_t *copy = copy_in(block, cells, index);
        sum += copy != NULL ? atomic_load_explicit(copy, memory_order_relaxed) : 0;
    }
    return sum;
}

/* The sum of the copies of threads. */
static double sum_of_threads(struct cells cells, uint32_t index)
{
    double sum = 0;
    for (struct cell_block *block = first_block(); block != &shared; block = block->next) {
        _Atomic uint64_t *copy = copy_in(block, cells, index);
        if (copy != NULL)
            sum += svc__cells_double(atomic_load_explicit(copy, memory_order_relaxed));
    }
    return sum;
}

/* The shared copy is read first: a change by svc__cells_set_double is not seen then, and so the
 * result is no value that the cell never had. */
double svc__cells_sum_double(struct cells cells, uint32_t index)
{
    uint64_t base = atomic_load_explicit(shared_cell(cells, index), memory_order_acquire);
    return svc__cells_double(base) + sum_of_threads(cells, index);
}

void svc__cells_set_double(struct cells cells, uint32_t index, double d)
{
    double base = d - sum_of_threads(cells, index);
    atomic_store_explicit(shared_cell(cells, index), svc__cells_bits(base), memory_order_release);
}
