/* Ketama: four points of a server from each of 40 digests of its name and a number. */
#include "libsvc/memcached/memcached_ring.h"

#include <stdio.h>
#include <stdlib.h>

#include "libsvc/memcached/memcached_md5.h"

enum { DIGEST_WORDS = 4, NAME_BYTES = 320 };

static int compare_points(const void *a, const void *b)
{
    const struct memcached_point *left = a, *right = b;
    if (left->at != right->at)
        return left->at < right->at ? -1 : 1;
    return (left->server > right->server) - (left->server < right->server);
}

static void add_points(struct memcached_point *points, const char *name, size_t server)
{
    for (unsigned i = 0; i < MEMCACHED_POINTS / DIGEST_WORDS; i++) {
        char text[NAME_BYTES];
        uint32_t digest[DIGEST_WORDS];
        int len = snprintf(text, sizeof text, "%s-%u", name, i);
        svc__memcached_md5_sum(text, len < NAME_BYTES ? (size_t)len : NAME_BYTES - 1, digest);
        for (unsigned j = 0; j < DIGEST_WORDS; j++)
            points[i * DIGEST_WORDS + j] = (struct memcached_point){digest[j], (uint32_t)server};
    }
}

struct memcached_ring *svc__memcached_ring_new(const char *const *names, size_t count)
{
    struct memcached_ring *ring =
        malloc(sizeof *ring + count * MEMCACHED_POINTS * sizeof *ring->points);
    if (!ring)
        return NULL;
    ring->count = count;
    for (size_t i = 0; i < count; i++)
        add_points(ring->points + i * MEMCACHED_POINTS, names[i], i);
    qsort(ring->points, count * MEMCACHED_POINTS, sizeof *ring->points, compare_points);
    return ring;
}

/* The index of the first point at `hash` or behind; the number of points for none. */
static size_t first_from(const struct memcached_ring *ring, uint32_t hash)
{
    size_t low = 0, high = ring->count * MEMCACHED_POINTS;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (ring->points[middle].at < hash)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

size_t svc__memcached_ring_find(const struct memcached_ring *ring, const void *key, size_t len,
                                bool (*may_ask)(void *arg, size_t server), void *arg)
{
    if (ring->count == 1)
        return may_ask(arg, 0) ? 0 : 1;
    uint32_t digest[DIGEST_WORDS];
    uint64_t refused = 0;
    size_t refusals = 0;
    svc__memcached_md5_sum(key, len, digest);
    size_t count = ring->count * MEMCACHED_POINTS, at = first_from(ring, digest[0]);
    for (; refusals < ring->count; at++) {
        uint32_t server = ring->points[at % count].server;
        if (refused >> server & 1)
            continue;
        if (may_ask(arg, server))
            return server;
        refused |= UINT64_C(1) << server;
        refusals++;
    }
    return ring->count;
}
