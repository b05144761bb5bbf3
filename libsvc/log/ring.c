/* The ring of records: four bytes of length, then the bytes, both wrapping round at the end. */
#include "libsvc/log/ring.h"

#include <stdlib.h>
#include <string.h>

#include <svc/errors.h>

typedef uint32_t header;

int svc__ring_init(struct ring *r, size_t size)
{
    if (size == 0 || size > RING_SIZE_MAX || (size & (size - 1)) != 0)
        return SVC_EINVAL;
    memset(r, 0, sizeof *r);
    r->data = malloc(size);
    r->size = size;
    return r->data == NULL ? SVC_ENOMEM : 0;
}

void svc__ring_free(struct ring *r)
{
    free(r->data);
    r->data = NULL;
}

/* The number of `len` bytes from `at` on that lie before the end of the memory. */
static size_t before_end(const struct ring *r, size_t at, size_t len)
{
    size_t space = r->size - (at & (r->size - 1));
    return len < space ? len : space;
}

static void copy_in(struct ring *r, size_t at, const void *data, size_t len)
{
    size_t first = before_end(r, at, len);
    memcpy(r->data + (at & (r->size - 1)), data, first);
    memcpy(r->data, (const char *)data + first, len - first);
}

static void copy_out(const struct ring *r, size_t at, void *data, size_t len)
{
    size_t first = before_end(r, at, len);
    memcpy(data, r->data + (at & (r->size - 1)), first);
    memcpy((char *)data + first, r->data, len - first);
}

/* Whether `need` bytes are free; reads the consumer's side only when they seem not to be. */
static bool has_room(struct ring *r, size_t head, size_t need)
{
    if (need <= r->size - (head - r->tail_seen))
        return true;
    r->tail_seen = atomic_load_explicit(&r->tail, memory_order_acquire);
    return need <= r->size - (head - r->tail_seen);
}

bool svc__ring_put(struct ring *r, const char *data, size_t len)
{
    size_t head = atomic_load_explicit(&r->head, memory_order_relaxed);
    if (len > r->size || !has_room(r, head, sizeof(header) + len))
        return false;
    header h = (header)len;
    copy_in(r, head, &h, sizeof h);
    if (len > 0)
        copy_in(r, head + sizeof h, data, len);
    uint64_t puts = atomic_load_explicit(&r->puts, memory_order_relaxed);
    atomic_store_explicit(&r->puts, puts + 1, memory_order_relaxed);
    atomic_store(&r->head, head + sizeof h + len);
    return true;
}

bool svc__ring_is_half_full(struct ring *r)
{
    size_t head = atomic_load_explicit(&r->head, memory_order_relaxed);
    return !has_room(r, head, r->size / 2);
}

bool svc__ring_next(struct ring *r, size_t *len)
{
    if (svc__ring_used(r) == 0)
        return false;
    header h;
    copy_out(r, atomic_load_explicit(&r->tail, memory_order_relaxed), &h, sizeof h);
    *len = h;
    return true;
}

void svc__ring_take(struct ring *r, char *out, size_t len)
{
    size_t tail = atomic_load_explicit(&r->tail, memory_order_relaxed);
    copy_out(r, tail + sizeof(header), out, len);
    atomic_store_explicit(&r->tail, tail + sizeof(header) + len, memory_order_release);
}

size_t svc__ring_used(struct ring *r)
{
    return atomic_load(&r->head) - atomic_load_explicit(&r->tail, memory_order_relaxed);
}
