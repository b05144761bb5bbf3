#include "libsvc/store/entry_ring.h"

#include <criterion/criterion.h>
#include <stdlib.h>

enum { START = 1, END = 101, ENTRIES_MAX = 100 };

TestSuite(store_entry_ring);

Test(store_entry_ring, an_entry_of_the_whole_ring_has_room_whenever_it_is_empty)
{
    struct entry_ring ring;
    svc__entry_ring_init(&ring, START, END);
    for (uint32_t first = 1; first < 100; first++) {
        svc__entry_ring_push(&ring, first);
        cr_assert_not(svc__entry_ring_has_room(&ring, 100));
        svc__entry_ring_pop(&ring, first);
        cr_assert(svc__entry_ring_has_room(&ring, 100));
        cr_assert_not(svc__entry_ring_has_room(&ring, 101));
    }
}

Test(store_entry_ring, an_entry_is_never_parted_by_the_end)
{
    struct entry_ring ring;
    svc__entry_ring_init(&ring, START, END);
    cr_assert_eq(svc__entry_ring_push(&ring, 60), 1);
    cr_assert_eq(svc__entry_ring_push(&ring, 30), 61);
    cr_assert_not(svc__entry_ring_has_room(&ring, 20),
                  "10 words are left at the end, and none before");
    svc__entry_ring_pop(&ring, 60);
    cr_assert_eq(svc__entry_ring_push(&ring, 20), 1);
    cr_assert(svc__entry_ring_has_room(&ring, 40));
    cr_assert_not(svc__entry_ring_has_room(&ring, 41));
    svc__entry_ring_pop(&ring, 30);
    cr_assert_eq(svc__entry_ring_push(&ring, 80), 21, "the ring begins anew at its end");
}

/* Random entries come and leave in order; no two of them ever share a word, and the one that has
 * left can come back at once. */
Test(store_entry_ring, entries_never_overlap)
{
    struct entry_ring ring;
    struct {
        uint32_t place, words;
    } queue[ENTRIES_MAX];
    bool taken[END] = {false};
    size_t count = 0;
    unsigned seed = 7;
    svc__entry_ring_init(&ring, START, END);
    for (int step = 0; step < 200000; step++) {
        uint32_t words = 1 + (uint32_t)rand_r(&seed) % (rand_r(&seed) % 8 ? 12 : 100);
        bool comes_back = rand_r(&seed) % 4 == 0 && count > 0;
        if (comes_back || !svc__entry_ring_has_room(&ring, words)) {
            uint32_t left = queue[0].words;
            for (uint32_t i = 0; i < left; i++)
                taken[queue[0].place + i] = false;
            svc__entry_ring_pop(&ring, left);
            count--;
            memmove(queue, queue + 1, count * sizeof *queue);
            if (!comes_back)
                continue;
            words = left;
        }
        uint32_t place = svc__entry_ring_push(&ring, words);
        cr_assert(place >= START && place + words <= END);
        for (uint32_t i = 0; i < words; i++) {
            cr_assert_not(taken[place + i]);
            taken[place + i] = true;
        }
        queue[count].place = place;
        queue[count++].words = words;
        cr_assert_eq(ring.count, count);
        cr_assert_eq(ring.tail, queue[0].place);
    }
}
