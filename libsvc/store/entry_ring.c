/* Places in a ring whose entries lie in one piece each. */
#include "libsvc/store/entry_ring.h"

static void empty_ring(struct entry_ring *ring)
{
    ring->head = ring->tail = ring->start;
    ring->wrapped = false;
}

void svc__entry_ring_init(struct entry_ring *ring, uint32_t start, uint32_t end)
{
    *ring = (struct entry_ring){.start = start, .end = end};
    empty_ring(ring);
}

bool svc__entry_ring_has_room(const struct entry_ring *ring, uint32_t words)
{
    if (ring->wrapped)
        return ring->tail - ring->head >= words;
    return ring->end - ring->head >= words || ring->tail - ring->start >= words;
}

uint32_t svc__entry_ring_push(struct entry_ring *ring, uint32_t words)
{
    if (!ring->wrapped && ring->end - ring->head < words) {
        ring->wrap = ring->head;
        ring->head = ring->start;
        ring->wrapped = true;
    }
    uint32_t place = ring->head;
    ring->head += words;
    ring->count++;
    return place;
}

void svc__entry_ring_pop(struct entry_ring *ring, uint32_t words)
{
    ring->tail += words;
    ring->count--;
    if (ring->count == 0) {
        empty_ring(ring);
    } else if (ring->wrapped && ring->tail == ring->wrap) {
        ring->tail = ring->start;
        ring->wrapped = false;
    }
}
