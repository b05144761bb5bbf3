/* Both queues of a shard, and the way of an entry through them. */
#include "libsvc/store/shard.h"

#include <svc/errors.h>

enum {
    WORD = sizeof(uint64_t),
    INDEX_PART = 7,  /* of the bytes, at most, for the index */
    SMALL_PART = 10, /* of the rest for the small queue */
    ROUNDS_MAX = 64  /* entries that get another round before one must leave all the same */
};

_Static_assert(sizeof(struct entry) == 3 * WORD, "an entry's head has three words");

uint64_t svc__shard_entry_bytes(size_t key_len, size_t len)
{
    return (sizeof(struct entry) + key_len + len + WORD - 1) / WORD * WORD;
}

static uint32_t slots_of(uint64_t bytes)
{
    uint64_t slots = bytes / INDEX_PART / INDEX_SLOT_BYTES;
    return slots < INDEX_SLOTS_MIN ? INDEX_SLOTS_MIN : (uint32_t)(slots & (UINT32_MAX - 1));
}

/* The words of both queues, and the word before them. */
static uint32_t words_of(uint64_t bytes)
{
    uint64_t index = (uint64_t)slots_of(bytes) * INDEX_SLOT_BYTES;
    uint64_t words = bytes > index ? (bytes - index) / WORD : 0;
    return words < UINT32_MAX ? (uint32_t)words : UINT32_MAX;
}

static uint32_t small_words_of(uint32_t words)
{
    return words / SMALL_PART;
}

uint64_t svc__shard_largest(uint64_t bytes)
{
    uint32_t words = words_of(bytes);
    return words > 1 ? (uint64_t)(words - 1 - small_words_of(words)) * WORD : 0;
}

int svc__shard_init(struct shard *shard, void *memory, uint64_t bytes)
{
    uint32_t words = words_of(bytes), small = small_words_of(words);
    *shard = (struct shard){.memory = memory};
    svc__entry_ring_init(&shard->small, 1, 1 + small);
    svc__entry_ring_init(&shard->main, 1 + small, words);
    return svc__index_init(&shard->index, slots_of(bytes));
}

void svc__shard_free(struct shard *shard)
{
    svc__index_free(&shard->index);
}

static struct entry *entry_at(const struct shard *shard, uint32_t place)
{
    return (struct entry *)(void *)(shard->memory + place);
}

static uint32_t place_of(const struct shard *shard, const struct entry *entry)
{
    return (uint32_t)((const uint64_t *)(const void *)entry - shard->memory);
}

static uint32_t words_needed(size_t key_len, size_t len)
{
    return (uint32_t)(svc__shard_entry_bytes(key_len, len) / WORD);
}

static uint32_t words_in(const struct entry *entry)
{
    return words_needed(entry->key_len, entry->len) + (uint32_t)entry->slack;
}

static char *key_of(struct entry *entry)
{
    return (char *)(entry + 1);
}

static bool is_over(const struct shard *shard, const struct entry *entry)
{
    return entry->expires_ms && entry->expires_ms <= shard->now_ms;
}

static void drop_entry(struct shard *shard, struct entry *entry)
{
    svc__index_remove(&shard->index, entry->hash, place_of(shard, entry));
    shard->words -= words_in(entry);
    entry->dead = 1;
}

/* ---- The queues */

/* Copies an entry, whose queue has let go of it, to the place that the main queue has given it. */
static void move_entry(struct shard *shard, struct entry *entry, uint64_t uses)
{
    uint32_t words = words_in(entry), from = place_of(shard, entry), hash = entry->hash;
    uint32_t to = svc__entry_ring_push(&shard->main, words);
    if (to != from) {
        memmove(shard->memory + to, entry, (size_t)words * WORD);
        svc__index_move(&shard->index, hash, from, to);
    }
    entry_at(shard, to)->uses = uses & SHARD_USES_MAX;
}

/* Whether an entry at the end of its queue is nothing to be kept; it is then dropped. */
static bool is_nothing(struct shard *shard, struct entry *entry)
{
    if (!entry->dead && is_over(shard, entry)) {
        drop_entry(shard, entry);
        shard->expired++;
    }
    return entry->dead;
}

static void evict_entry(struct shard *shard, struct entry *entry)
{
    drop_entry(shard, entry);
    shard->evicted++;
}

/* Takes the oldest entry out of the main queue. True: it has got another round. */
static bool turn_main(struct shard *shard, bool may_stay)
{
    struct entry *entry = entry_at(shard, shard->main.tail);
    uint32_t words = words_in(entry);
    bool stays = !is_nothing(shard, entry) && entry->uses > 0 && may_stay;
    if (!stays && !entry->dead)
        evict_entry(shard, entry);
    svc__entry_ring_pop(&shard->main, words);
    if (stays)
        move_entry(shard, entry, entry->uses - 1);
    return stays;
}

static void make_room_in_main(struct shard *shard, uint32_t words)
{
    unsigned rounds = 0;
    while (!svc__entry_ring_has_room(&shard->main, words))
        rounds += turn_main(shard, rounds < ROUNDS_MAX);
}

/* Whether the main queue has room without an eviction. */
static bool has_spare_room(struct shard *shard, uint32_t words)
{
    struct entry_ring *main = &shard->main;
    while (!svc__entry_ring_has_room(main, words)) {
        struct entry *entry = entry_at(shard, main->tail);
        uint32_t freed = words_in(entry);
        if (!is_nothing(shard, entry))
            return false;
        svc__entry_ring_pop(main, freed);
    }
    return true;
}

/* Takes the oldest entry out of the small queue. It goes on to the main queue if it was read, or if
 * nothing need leave that for it. */
static void turn_small(struct shard *shard)
{
    struct entry *entry = entry_at(shard, shard->small.tail);
    uint32_t words = words_in(entry);
    if (!is_nothing(shard, entry)) {
        if (entry->uses > 0 || has_spare_room(shard, words)) {
            make_room_in_main(shard, words);
            move_entry(shard, entry, 0);
        } else {
            svc__index_haunt(&shard->index, entry->hash);
            evict_entry(shard, entry);
        }
    }
    svc__entry_ring_pop(&shard->small, words);
}

static void make_room_in_small(struct shard *shard, uint32_t words)
{
    while (!svc__entry_ring_has_room(&shard->small, words))
        turn_small(shard);
}

/* Removes one entry at least, of which there is one, for a slot of the index. */
static void make_room_in_index(struct shard *shard)
{
    uint32_t before = shard->index.used;
    unsigned rounds = 0;
    while (shard->index.used == before)
        if (shard->main.count > 0)
            rounds += turn_main(shard, rounds < ROUNDS_MAX);
        else
            turn_small(shard);
}

/* The words at the end of a queue that belong to nobody any more are free at once. */
static void trim_ring(struct shard *shard, struct entry_ring *ring)
{
    while (ring->count > 0 && entry_at(shard, ring->tail)->dead)
        svc__entry_ring_pop(ring, words_in(entry_at(shard, ring->tail)));
}

/* ---- Entries */

struct entry *svc__shard_find(struct shard *shard, uint32_t hash, struct bytes key, uint64_t now_ms)
{
    const struct index *index = &shard->index;
    uint32_t slot = svc__index_first(index, hash), place;
    shard->now_ms = now_ms;
    for (; (place = svc__index_place(index, slot)); slot = svc__index_next(index, slot)) {
        if (svc__index_hash(index, slot) != hash)
            continue;
        struct entry *entry = entry_at(shard, place);
        if (!svc__bytes_eq(svc__bytes(key_of(entry), entry->key_len), key))
            continue;
        if (!is_over(shard, entry))
            return entry;
        svc__shard_remove(shard, entry);
        shard->expired++;
        return NULL;
    }
    return NULL;
}

void svc__shard_remove(struct shard *shard, struct entry *entry)
{
    drop_entry(shard, entry);
    trim_ring(shard, &shard->small);
    trim_ring(shard, &shard->main);
}

/* Whether the entry has room for a value in place of its own; it then has as many words as before.
 */
static bool refit_entry(struct entry *entry, size_t len)
{
    uint32_t words = words_in(entry), needed = words_needed(entry->key_len, len);
    if (needed > words || words - needed > SHARD_SLACK_MAX)
        return false;
    entry->slack = (words - needed) & SHARD_SLACK_MAX;
    entry->len = (uint32_t)len;
    return true;
}

static struct entry *add_entry(struct shard *shard, uint32_t hash, struct bytes key, size_t len,
                               bool to_main)
{
    uint32_t words = words_needed(key.len, len);
    to_main = to_main || svc__index_exorcise(&shard->index, hash) ||
              words > shard->small.end - shard->small.start;
    if (!svc__index_has_room(&shard->index))
        make_room_in_index(shard);
    if (to_main)
        make_room_in_main(shard, words);
    else
        make_room_in_small(shard, words);
    struct entry_ring *ring = to_main ? &shard->main : &shard->small;
    uint32_t place = svc__entry_ring_push(ring, words);
    struct entry *entry = entry_at(shard, place);
    *entry = (struct entry){.key_len = key.len & SHARD_KEY_MAX, .hash = hash, .len = (uint32_t)len};
    memcpy(key_of(entry), key.data, key.len);
    svc__index_add(&shard->index, hash, place);
    shard->words += words;
    return entry;
}

struct entry *svc__shard_store(struct shard *shard, struct entry *entry, uint32_t hash,
                               struct bytes key, struct bytes value, uint64_t expires_ms)
{
    if (entry && refit_entry(entry, value.len)) {
        svc__shard_use(entry);
    } else {
        bool in_main = entry && place_of(shard, entry) >= shard->main.start;
        if (entry)
            svc__shard_remove(shard, entry);
        entry = add_entry(shard, hash, key, value.len, in_main);
    }
    entry->version = ++shard->version;
    entry->expires_ms = expires_ms & SHARD_TIME_MAX;
    if (value.len > 0)
        memcpy(key_of(entry) + key.len, value.data, value.len);
    return entry;
}
