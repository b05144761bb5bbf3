#include "libsvc/store/shard.h"

#include "libsvc/base/siphash.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

enum { BYTES = 64 << 10 };

static struct shard shard;
static void *memory;
static uint64_t now_ms;

static void open_shard(void)
{
    now_ms = 1000;
    memory = malloc(BYTES);
    cr_assert_eq(svc__shard_init(&shard, memory, BYTES), 0);
}

static void close_shard(void)
{
    svc__shard_free(&shard);
    free(memory);
}

TestSuite(store_shard, .init = open_shard, .fini = close_shard);

static uint32_t hash_of(const char *key)
{
    return (uint32_t)svc__siphash(svc__siphash_known_key, svc__bytes_z(key));
}

static struct entry *find(const char *key)
{
    return svc__shard_find(&shard, hash_of(key), svc__bytes_z(key), now_ms);
}

static bool read_key(const char *key)
{
    struct entry *entry = find(key);
    if (entry)
        svc__shard_use(entry);
    return entry;
}

static struct entry *store(const char *key, const char *value, size_t len, uint64_t expires_ms)
{
    return svc__shard_store(&shard, find(key), hash_of(key), svc__bytes_z(key),
                            svc__bytes(value, len), expires_ms);
}

static const char *numbered(const char *name, unsigned i)
{
    static char key[32];
    snprintf(key, sizeof key, "%s%u", name, i);
    return key;
}

static void store_many(const char *name, unsigned from, unsigned to)
{
    static const char value[100];
    for (unsigned i = from; i < to; i++)
        store(numbered(name, i), value, sizeof value, 0);
}

static unsigned count_many(const char *name, unsigned count)
{
    unsigned found = 0;
    for (unsigned i = 0; i < count; i++)
        found += find(numbered(name, i)) != NULL;
    return found;
}

Test(store_shard, nothing_leaves_as_long_as_there_is_room)
{
    unsigned fit = (unsigned)(svc__shard_largest(BYTES) / svc__shard_entry_bytes(7, 100));
    store_many("key", 0, fit);
    cr_expect_eq(count_many("key", fit), fit, "the main queue alone has room for all of them");
    cr_expect_eq(shard.evicted, 0);
    cr_expect_leq(shard.words * 8, fit * svc__shard_entry_bytes(7, 100));
    cr_expect_geq(shard.words * 8, fit * svc__shard_entry_bytes(4, 100));
}

Test(store_shard, a_scan_does_not_displace_what_is_read)
{
    store_many("hot", 0, 100);
    for (unsigned i = 0; i < 100; i++)
        cr_assert(read_key(numbered("hot", i)));
    for (unsigned round = 0; round < 20; round++) {
        store_many("scan", round * 1000, round * 1000 + 1000);
        for (unsigned i = 0; i < 100; i++)
            cr_assert(read_key(numbered("hot", i)), "%u left in round %u", i, round);
    }
    cr_expect_gt(shard.evicted, 19000);
}

Test(store_shard, what_comes_back_soon_goes_to_the_main_queue)
{
    store_many("old", 0, 2000);
    unsigned gone = 0;
    while (gone < 2000 && find(numbered("old", gone)))
        gone++;
    cr_assert_lt(gone, 2000);
    /* The last one that has left is a ghost: the slots of ghosts are about as many as those of
     * entries. */
    unsigned last = 1999;
    while (find(numbered("old", last)))
        last--;
    uint32_t before = shard.main.head;
    struct entry *entry = store(numbered("old", last), "x", 1, 0);
    uint32_t place = (uint32_t)((uint64_t *)(void *)entry - shard.memory);
    cr_expect_geq(place, shard.main.start, "its place is %u", place);
    cr_expect_neq(before, shard.main.head);
}

Test(store_shard, an_entry_ends_at_its_time_and_not_before)
{
    store("key", "value", 5, now_ms + 50);
    now_ms += 49;
    cr_expect_not_null(find("key"));
    now_ms += 1;
    cr_expect_null(find("key"));
    cr_expect_eq(shard.expired, 1);
    cr_expect_eq(shard.words, 0);
}

Test(store_shard, entries_whose_time_is_over_make_room_before_others_leave)
{
    static const char value[100];
    for (unsigned i = 0; i < 100; i++)
        store(numbered("short", i), value, sizeof value, now_ms + 1);
    now_ms += 1;
    unsigned fit = (unsigned)(svc__shard_largest(BYTES) / svc__shard_entry_bytes(7, 100)) - 1;
    store_many("key", 0, fit);
    cr_expect_eq(count_many("key", fit), fit);
    cr_expect_eq(shard.evicted, 0);
    cr_expect_gt(shard.expired, 0);
}

Test(store_shard, a_value_of_another_length_takes_the_place_of_the_old_one)
{
    static const char value[3000];
    static const size_t lens[] = {0, 1, 40, 3000, 2999, 7, 0, 8, 3000};
    uint64_t version = 0;
    store_many("other", 0, 20);
    for (size_t i = 0; i < sizeof lens / sizeof *lens; i++) {
        struct entry *entry = store("key", value, lens[i], 0);
        cr_assert_eq(svc__shard_value(entry).len, lens[i]);
        cr_assert_gt(entry->version, version);
        version = entry->version;
        cr_assert_eq(find("key"), entry);
    }
    cr_expect_eq(count_many("other", 20), 20);
    cr_expect_eq(shard.index.used, 21);
}

Test(store_shard, the_largest_entry_fits_and_takes_the_room_of_all)
{
    size_t largest = (size_t)svc__shard_largest(BYTES) - sizeof(struct entry) - 3;
    char *value = calloc(1, largest);
    store_many("key", 0, 1000);
    cr_assert_not_null(store("big", value, largest, 0));
    cr_expect_not_null(find("big"));
    store_many("key", 0, 1000);
    cr_assert_not_null(store("big", value, largest, 0));
    free(value);
}

/* More tiny entries than the index has slots: some leave, and the index is never over its maximum.
 */
Test(store_shard, a_full_index_evicts)
{
    for (unsigned i = 0; i < 5000; i++) {
        store(numbered("k", i), "", 0, 0);
        cr_assert_not_null(find(numbered("k", i)));
    }
    cr_expect_leq(shard.index.used, shard.index.used_max);
    cr_expect_eq(shard.index.used + shard.evicted, 5000);
    cr_expect_leq(shard.words * 8 + (uint64_t)shard.index.count * INDEX_SLOT_BYTES, BYTES);
}

/* The cost of an entry beside its key and its value, with everything that the shard has allocated.
 */
Test(store_shard, an_entry_costs_at_most_64_bytes)
{
    enum { LARGE = 8 << 20 };
    struct shard large;
    void *words = malloc(LARGE);
    static const char value[200];
    cr_assert_eq(svc__shard_init(&large, words, LARGE), 0);
    uint64_t payload = 0;
    for (unsigned i = 0; large.evicted == 0; i++) {
        const char *key = numbered("key", i);
        size_t len = i * 37 % sizeof value;
        payload += strlen(key) + len;
        svc__shard_store(&large, NULL, hash_of(key), svc__bytes_z(key), svc__bytes(value, len), 0);
        uint64_t cost = large.words * 8 + (uint64_t)large.index.count * INDEX_SLOT_BYTES - payload;
        cr_assert(large.evicted > 0 || i < 100 || cost <= 64 * (uint64_t)(i + 1),
                  "%u entries: %g bytes", i + 1, (double)cost / (i + 1));
    }
    cr_expect_gt(large.index.used, 30000);
    svc__shard_free(&large);
    free(words);
}
