/*
 * Memory that ends all at once: one request's allocations cost a pointer bump each, are freed
 * together, and come out of chunks that the event loop's thread keeps for its next request.
 *
 * An arena and its cache belong to one thread at a time; the caller synchronises a hand-over.
 */
#ifndef SVC_BASE_ARENA_H
#define SVC_BASE_ARENA_H

#include <stddef.h>

#include "libsvc/base/bytes.h"

#if defined(__SANITIZE_ADDRESS__)
#define ARENA_POISONS 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define ARENA_POISONS 1
#endif
#endif

#ifdef ARENA_POISONS
#include <sanitizer/asan_interface.h>
#define ARENA_OPEN(at, n) ASAN_UNPOISON_MEMORY_REGION((at), (n))
#define ARENA_SHUT(at, n) ASAN_POISON_MEMORY_REGION((at), (n))
#else
#define ARENA_OPEN(at, n) ((void)(at), (void)(n))
#define ARENA_SHUT(at, n) ((void)(at), (void)(n))
#endif

enum {
    ARENA_CHUNK_SIZE = 4096, /* bytes of a standard chunk, its header included */
    ARENA_ALIGN = 16         /* every allocation begins at a multiple of this */
};

struct arena_chunk;
struct arena_cleanup;

/* The free standard chunks of one thread. */
struct arena_cache {
    struct arena_chunk *chunks;
    size_t count;
    size_t max_chunks;
};

/* One request's memory. Embedded by value; its members are the arena's own. */
struct arena {
    char *at;     /* where the next allocation begins */
    size_t space; /* bytes free at `at`: a multiple of ARENA_ALIGN */
    size_t left;  /* bytes of the ceiling beyond `space` */
    size_t ceiling;
    struct arena_cache *cache;
    struct arena_chunk *chunks;
    struct arena_cleanup *cleanups;
};

/* Makes an empty cache that keeps at most `max_chunks` chunks. */
void svc__arena_cache_init(struct arena_cache *cache, size_t max_chunks);

/* Frees the chunks that the cache keeps and leaves it empty and usable. */
void svc__arena_cache_free(struct arena_cache *cache);

/*
 * Makes an empty arena, which holds no memory until the first allocation. `cache` is borrowed until
 * the last reset; with NULL, chunks come from malloc and go to free. `ceiling` bounds the bytes
 * handed out between two resets, each allocation rounded up to ARENA_ALIGN.
 */
void svc__arena_init(struct arena *a, struct arena_cache *cache, size_t ceiling);

/* The part of svc__arena_alloc that is not inline: `n` is 0 or more than the current chunk has. */
void *svc__arena_grow(struct arena *a, size_t n);

/*
 * `n` bytes aligned for any type, not cleared, that live until the reset; a pointer of its own also
 * when `n` is 0. NULL when out of memory or over the ceiling: the arena is then as before.
 */
static inline void *svc__arena_alloc(struct arena *a, size_t n)
{
    if (n - 1 >= a->space) /* 0 wraps round and goes the long way */
        return svc__arena_grow(a, n);
    char *p = a->at;
    size_t rounded = (n + (ARENA_ALIGN - 1)) & ~(size_t)(ARENA_ALIGN - 1);
    a->at += rounded;
    a->space -= rounded;
    ARENA_OPEN(p, n);
    return p;
}

/* The same, with every byte zero. */
void *svc__arena_zalloc(struct arena *a, size_t n);

/* A copy of `len` bytes with a NUL behind them. NULL as svc__arena_alloc. */
char *svc__arena_strndup(struct arena *a, const char *data, size_t len);

/* A copy of `b` with a NUL behind it, which `len` does not count. "None" (data NULL) when out of
 * memory or over the ceiling; a copy of "none" is an empty string, not NULL. */
struct bytes svc__arena_copy(struct arena *a, struct bytes b);

/*
 * Registers `fn(arg)` to run at the reset, latest first. 0, or SVC_ENOMEM as svc__arena_alloc: `fn`
 * is then never called. A cleanup may use the arena and may defer another, which then runs next.
 */
int svc__arena_defer(struct arena *a, void (*fn)(void *arg), void *arg);

/* Runs the cleanups alone. For an arena that must be moved before its reset, which then finds none.
 */
void svc__arena_clean_up(struct arena *a);

/* Runs the cleanups, then gives the standard chunks to the cache and frees the rest. The arena is
 * then empty and usable again. Also the end of an arena. */
void svc__arena_reset(struct arena *a);

#endif
