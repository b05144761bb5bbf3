#include "libsvc/store/index.h"

#include <criterion/criterion.h>
#include <stdlib.h>

#include "tests/support/starve.h"

enum { SLOTS_MAX = 1000, PLACES = 900 };

static struct index table;

static void open_index(void)
{
    cr_assert_eq(svc__index_init(&table, SLOTS_MAX), 0);
}

static void close_index(void)
{
    svc__index_free(&table);
}

TestSuite(store_index, .init = open_index, .fini = close_index);

static bool has_entry(uint32_t hash, uint32_t place)
{
    uint32_t slot = svc__index_first(&table, hash);
    for (; svc__index_place(&table, slot); slot = svc__index_next(&table, slot))
        if (svc__index_hash(&table, slot) == hash && svc__index_place(&table, slot) == place)
            return true;
    return false;
}

/* Few different hashes, at both ends of the index and in its middle, so that their runs of slots
 * meet. */
static uint32_t choose_hash(unsigned *seed)
{
    static const uint32_t bases[] = {0, UINT32_C(0x7fffff00), UINT32_C(0xffffff00)};
    unsigned r = (unsigned)rand_r(seed);
    return r % 4 == 3 ? (uint32_t)rand_r(seed) * 2 + 1 : bases[r % 4] + (r >> 4) % 256;
}

Test(store_index, it_finds_what_was_added_and_nothing_else)
{
    uint32_t hashes[PLACES + 1] = {0}, moved[PLACES + 1];
    bool present[PLACES + 1] = {false};
    unsigned seed = 3;
    for (uint32_t i = 0; i <= PLACES; i++)
        moved[i] = i;
    for (int step = 0; step < 60000; step++) {
        uint32_t i = 1 + (uint32_t)rand_r(&seed) % PLACES;
        if (present[i] && rand_r(&seed) % 3 == 0) {
            svc__index_move(&table, hashes[i], moved[i], moved[i] ^ UINT32_C(0x100000));
            moved[i] ^= UINT32_C(0x100000);
        } else if (present[i]) {
            svc__index_remove(&table, hashes[i], moved[i]);
            present[i] = false;
        } else if (svc__index_has_room(&table)) {
            hashes[i] = choose_hash(&seed);
            svc__index_add(&table, hashes[i], moved[i]);
            present[i] = true;
        }
        for (uint32_t k = 1; step % 100 == 0 && k <= PLACES; k++)
            cr_assert_eq(has_entry(hashes[k], moved[k]), present[k]);
    }
}

Test(store_index, it_grows_up_to_its_maximum)
{
    uint32_t added = 0;
    for (; svc__index_has_room(&table); added++)
        svc__index_add(&table, added * UINT32_C(2654435761), added + 1);
    cr_expect_eq(table.count, SLOTS_MAX);
    cr_expect_eq(added, SLOTS_MAX / 5 * 4);
}

Test(store_index, without_memory_it_stays_as_it_is)
{
    for (uint32_t i = 0; i < INDEX_SLOTS_MIN / 5 * 4; i++) {
        cr_assert(svc__index_has_room(&table));
        svc__index_add(&table, i, i + 1);
    }
    starve_after(0);
    cr_assert_not(svc__index_has_room(&table));
    cr_assert(starve_end());
    cr_assert(has_entry(0, 1));
    cr_assert(svc__index_has_room(&table));
    cr_assert(has_entry(0, 1));
}

Test(store_index, a_ghost_is_seen_once_and_outlives_growth)
{
    svc__index_haunt(&table, 77);
    cr_expect_not(svc__index_exorcise(&table, 78));
    for (uint32_t i = 0; i < 100; i++) {
        cr_assert(svc__index_has_room(&table));
        svc__index_add(&table, i, i + 1);
    }
    cr_expect(svc__index_exorcise(&table, 77));
    cr_expect_not(svc__index_exorcise(&table, 77));
}
