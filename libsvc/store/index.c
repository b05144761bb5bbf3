/* Open addressing with linear steps; a removal closes its gap. */
#include "libsvc/store/index.h"

#include <stdlib.h>

#include <svc/errors.h>

/* Slots and ghosts in one allocation; four fifths of the slots may be used. */
static bool make_slots(struct index *index, uint32_t count)
{
    uint64_t *memory = calloc(count, INDEX_SLOT_BYTES);
    if (!memory)
        return false;
    index->slots = memory;
    index->ghosts = (uint32_t *)(memory + count);
    index->count = count;
    index->used = 0;
    index->used_max = count / 5 * 4;
    return true;
}

int svc__index_init(struct index *index, uint32_t count_max)
{
    index->count_max = count_max & ~UINT32_C(1);
    return make_slots(index, INDEX_SLOTS_MIN) ? 0 : SVC_ENOMEM;
}

void svc__index_free(struct index *index)
{
    free(index->slots);
    index->slots = NULL;
}

/* By other bits of the hash than those that choose the slot, lest ghosts of one slot meet in one
 * place. */
static uint32_t *ghost_of(const struct index *index, uint32_t hash)
{
    uint32_t mixed = hash * UINT32_C(0x9e3779b1);
    return &index->ghosts[(uint64_t)mixed * (index->count / 2) >> 32];
}

static bool grow_slots(struct index *index)
{
    struct index larger = {.count_max = index->count_max};
    uint32_t count = index->count <= index->count_max / 2 ? index->count * 2 : index->count_max;
    if (count <= index->count || !make_slots(&larger, count))
        return false;
    for (uint32_t i = 0; i < index->count; i++)
        if (index->slots[i])
            svc__index_add(&larger, svc__index_hash(index, i), svc__index_place(index, i));
    for (uint32_t i = 0; i < index->count / 2; i++)
        if (index->ghosts[i])
            *ghost_of(&larger, index->ghosts[i]) = index->ghosts[i];
    free(index->slots);
    *index = larger;
    return true;
}

bool svc__index_has_room(struct index *index)
{
    return index->used < index->used_max || grow_slots(index);
}

void svc__index_add(struct index *index, uint32_t hash, uint32_t place)
{
    uint32_t slot = svc__index_first(index, hash);
    while (index->slots[slot])
        slot = svc__index_next(index, slot);
    index->slots[slot] = (uint64_t)hash << 32 | place;
    index->used++;
}

static uint32_t find_slot(const struct index *index, uint32_t hash, uint32_t place)
{
    uint64_t wanted = (uint64_t)hash << 32 | place;
    uint32_t slot = svc__index_first(index, hash);
    while (index->slots[slot] != wanted)
        slot = svc__index_next(index, slot);
    return slot;
}

void svc__index_move(struct index *index, uint32_t hash, uint32_t from, uint32_t to)
{
    index->slots[find_slot(index, hash, from)] = (uint64_t)hash << 32 | to;
}

/* The steps from one slot to another. */
static uint32_t steps_to(const struct index *index, uint32_t from, uint32_t to)
{
    return to >= from ? to - from : to + index->count - from;
}

/* Each entry behind the gap moves into it, unless the gap is before its first slot. */
void svc__index_remove(struct index *index, uint32_t hash, uint32_t place)
{
    uint32_t gap = find_slot(index, hash, place);
    for (uint32_t at = svc__index_next(index, gap); index->slots[at];
         at = svc__index_next(index, at)) {
        uint32_t first = svc__index_first(index, svc__index_hash(index, at));
        if (steps_to(index, first, at) >= steps_to(index, gap, at)) {
            index->slots[gap] = index->slots[at];
            gap = at;
        }
    }
    index->slots[gap] = 0;
    index->used--;
}

void svc__index_haunt(struct index *index, uint32_t hash)
{
    *ghost_of(index, hash) = hash;
}

bool svc__index_exorcise(struct index *index, uint32_t hash)
{
    uint32_t *ghost = ghost_of(index, hash);
    if (hash == 0 || *ghost != hash)
        return false;
    *ghost = 0;
    return true;
}
