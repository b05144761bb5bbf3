/* The slow paths of the arena: getting chunks, and giving everything back. */
#include "libsvc/base/arena.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <svc/errors.h>

/* Standard chunks have size ARENA_CHUNK_SIZE and go back to the cache; larger ones serve a single
 * allocation each. */
struct arena_chunk {
    struct arena_chunk *next;
    size_t size;
};

struct arena_cleanup {
    struct arena_cleanup *next;
    void (*fn)(void *arg);
    void *arg;
};

/* The header, and the bytes that align malloc's memory to ARENA_ALIGN. */
enum { CHUNK_OVERHEAD = sizeof(struct arena_chunk) + ARENA_ALIGN - 1 };

void svc__arena_cache_init(struct arena_cache *cache, size_t max_chunks)
{
    cache->chunks = NULL;
    cache->count = 0;
    cache->max_chunks = max_chunks;
}

static void free_chunk(struct arena_chunk *chunk)
{
    ARENA_OPEN(chunk, chunk->size);
    free(chunk);
}

void svc__arena_cache_free(struct arena_cache *cache)
{
    while (cache->chunks != NULL) {
        struct arena_chunk *chunk = cache->chunks;
        cache->chunks = chunk->next;
        free_chunk(chunk);
    }
    cache->count = 0;
}

static struct arena_chunk *new_chunk(size_t size)
{
    struct arena_chunk *chunk = malloc(size);
    if (chunk == NULL)
        return NULL;
    chunk->size = size;
    ARENA_SHUT(chunk + 1, size - sizeof *chunk);
    return chunk;
}

static struct arena_chunk *take_chunk(struct arena_cache *cache)
{
    if (cache == NULL || cache->chunks == NULL)
        return new_chunk(ARENA_CHUNK_SIZE);
    struct arena_chunk *chunk = cache->chunks;
    cache->chunks = chunk->next;
    cache->count--;
    return chunk;
}

static void give_chunk(struct arena_cache *cache, struct arena_chunk *chunk)
{
    if (cache == NULL || chunk->size != ARENA_CHUNK_SIZE || cache->count >= cache->max_chunks) {
        free_chunk(chunk);
        return;
    }
    ARENA_SHUT(chunk + 1, chunk->size - sizeof *chunk);
    chunk->next = cache->chunks;
    cache->chunks = chunk;
    cache->count++;
}

static size_t round_down(size_t n)
{
    return n & ~(size_t)(ARENA_ALIGN - 1);
}

void svc__arena_init(struct arena *a, struct arena_cache *cache, size_t ceiling)
{
    memset(a, 0, sizeof *a);
    a->cache = cache;
    a->ceiling = round_down(ceiling < PTRDIFF_MAX ? ceiling : PTRDIFF_MAX);
    a->left = a->ceiling;
}

/* Allocates from a standard chunk where one is large enough, so that the cache serves it;
 * afterwards the arena goes on in the chunk that has more left. The ceiling always covers `left`
 * and `space` together. */
static void *from_new_chunk(struct arena *a, size_t n, size_t rounded)
{
    bool standard = rounded <= ARENA_CHUNK_SIZE - CHUNK_OVERHEAD;
    struct arena_chunk *chunk =
        standard ? take_chunk(a->cache) : new_chunk(rounded + CHUNK_OVERHEAD);
    if (chunk == NULL)
        return NULL;
    chunk->next = a->chunks;
    a->chunks = chunk;
    char *data = (char *)(chunk + 1);
    data += -(uintptr_t)data & (ARENA_ALIGN - 1);
    size_t room = round_down((size_t)((char *)chunk + chunk->size - data));
    if (room - rounded > a->space) { /* the rest of the old chunk goes back to the ceiling */
        a->left += a->space;
        a->at = data;
        a->space = room < a->left ? room : a->left;
        a->left -= a->space;
        return svc__arena_alloc(a, n);
    }
    if (rounded > a->left) { /* the old chunk has room that the ceiling no longer covers */
        a->space -= rounded - a->left;
        a->left = rounded;
    }
    a->left -= rounded;
    ARENA_OPEN(data, n);
    return data;
}

void *svc__arena_grow(struct arena *a, size_t n)
{
    if (n == 0)
        return svc__arena_alloc(a, 1); /* a byte of its own makes the pointer unique */
    if (n > a->left + a->space)
        return NULL;
    /* Both are multiples of ARENA_ALIGN, so the rounded size is not more than they are. */
    return from_new_chunk(a, n, round_down(n + ARENA_ALIGN - 1));
}

void *svc__arena_zalloc(struct arena *a, size_t n)
{
    void *p = svc__arena_alloc(a, n);
    if (p != NULL)
        memset(p, 0, n);
    return p;
}

char *svc__arena_strndup(struct arena *a, const char *data, size_t len)
{
    if (len == SIZE_MAX)
        return NULL;
    char *copy = svc__arena_alloc(a, len + 1);
    if (copy == NULL)
        return NULL;
    if (len > 0)
        memcpy(copy, data, len);
    copy[len] = '\0';
    return copy;
}

struct bytes svc__arena_copy(struct arena *a, struct bytes b)
{
    char *copy = svc__arena_strndup(a, b.data, b.len);
    return svc__bytes(copy, copy == NULL ? 0 : b.len);
}

int svc__arena_defer(struct arena *a, void (*fn)(void *arg), void *arg)
{
    struct arena_cleanup *cleanup = svc__arena_alloc(a, sizeof *cleanup);
    if (cleanup == NULL)
        return SVC_ENOMEM;
    cleanup->next = a->cleanups;
    cleanup->fn = fn;
    cleanup->arg = arg;
    a->cleanups = cleanup;
    return 0;
}

void svc__arena_clean_up(struct arena *a)
{
    while (a->cleanups != NULL) {
        struct arena_cleanup *cleanup = a->cleanups;
        a->cleanups = cleanup->next;
        cleanup->fn(cleanup->arg);
    }
}

void svc__arena_reset(struct arena *a)
{
    svc__arena_clean_up(a);
    while (a->chunks != NULL) {
        struct arena_chunk *chunk = a->chunks;
        a->chunks = chunk->next;
        give_chunk(a->cache, chunk);
    }
    svc__arena_init(a, a->cache, a->ceiling);
}
