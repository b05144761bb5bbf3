/*
 * A ring of records between two threads: the producer puts records, the consumer takes them, and
 * neither waits.
 *
 * Each function names the thread that may call it: the producer or the consumer, one thread each at
 * a time.
 */
#ifndef SVC_LOG_RING_H
#define SVC_LOG_RING_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { RING_SIZE_MAX = 1 << 28 };

/* Each side's members share no cache line with the other's. */
struct ring {
    char *data;
    size_t size; /* a power of two */

    _Alignas(64) _Atomic size_t head; /* bytes put so far, modulo the range of size_t */
    size_t tail_seen;                 /* `tail` as the producer last read it */
    _Atomic uint64_t puts;            /* records put so far */

    _Alignas(64) _Atomic size_t tail; /* bytes taken so far */
};

/* Makes an empty ring of `size` bytes, a power of two up to RING_SIZE_MAX. 0, SVC_EINVAL,
 * SVC_ENOMEM. */
int svc__ring_init(struct ring *r, size_t size);

/* Frees the memory. Neither side may use the ring any more. */
void svc__ring_free(struct ring *r);

/* Puts a record of `len` bytes, which takes four more; false, with nothing put, when there is no
 * room. The new record is visible before anything that the producer loads next (sequentially
 * consistent), so that it may then check whether the consumer sleeps. The producer. */
bool svc__ring_put(struct ring *r, const char *data, size_t len);

/* Whether more than half of the ring is in use. The producer. */
bool svc__ring_is_half_full(struct ring *r);

/* Whether there is a record; if so, writes the length of the next one to `*len`. The consumer. */
bool svc__ring_next(struct ring *r, size_t *len);

/* Moves the next record to `out`; `len` is its length by svc__ring_next. The consumer. */
void svc__ring_take(struct ring *r, char *out, size_t len);

/* Bytes in use; the producer may add to them meanwhile. The consumer. */
size_t svc__ring_used(struct ring *r);

#endif
