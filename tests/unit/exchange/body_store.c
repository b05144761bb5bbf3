/* A body as it arrives: where it lies, how far it grows, and what is left of it after a failure. */
#include "libsvc/exchange/body_store.h"

#include <criterion/criterion.h>
#include <string.h>

#include <svc/errors.h>

#include "tests/support/starve.h"

static struct arena arena;
static struct body_store store;
static char sent[100000];

static void open_store(void)
{
    svc__arena_init(&arena, NULL, 4 << 20);
    store = (struct body_store){.limit = UINT64_MAX};
    for (size_t i = 0; i < sizeof sent; i++)
        sent[i] = (char)(i * 31 + i / 251);
}

static void close_store(void)
{
    svc__arena_reset(&arena);
}

TestSuite(exchange_body_store, .init = open_store, .fini = close_store);

/* The next `len` bytes of what is sent. */
static int append(size_t len)
{
    return svc__body_store_append(&store, &arena, sent + store.len, len);
}

static void expect_stored(size_t len)
{
    cr_assert_eq(store.len, len);
    cr_assert_geq(store.space, len + 1);
    cr_expect_eq(memcmp(store.data, sent, len), 0, "of %zu bytes", len);
    cr_expect_eq(store.data[len], '\0', "behind %zu bytes", len);
}

Test(exchange_body_store, keeps_every_byte_however_the_pieces_fall)
{
    static const size_t sizes[] = {1, 2, 3, 7, 100, 1023, 1024, 1025, 4096, 33333};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        while (store.len + sizes[i] <= sizeof sent) {
            size_t before = store.len;
            cr_assert_eq(append(sizes[i]), 0);
            cr_assert_eq(store.len, before + sizes[i]);
        }
        expect_stored(store.len);
        svc__arena_reset(&arena);
        store = (struct body_store){.limit = UINT64_MAX};
    }
}

Test(exchange_body_store, what_fits_beside_the_exchange_costs_no_allocation)
{
    cr_assert_eq(append(1), 0);
    starve_after(0);
    cr_expect_eq(append(1022), 0);
    cr_expect_not(starve_end());
    cr_expect_not(store.heap);
    expect_stored(1023);
    cr_assert_eq(append(1), 0);
    cr_expect(store.heap, "the NUL behind it has no room");
    expect_stored(1024);
    svc__arena_reset(&arena);
    cr_assert_eq(append(1023), 0);
    cr_expect_not(store.heap, "however many pieces it comes in");
    expect_stored(1023);
}

Test(exchange_body_store, an_empty_body_is_an_empty_text)
{
    store.limit = 0;
    cr_assert_eq(svc__body_store_append(&store, &arena, NULL, 0), 0);
    expect_stored(0);
    cr_expect_eq(append(1), SVC_ETOOBIG);
    expect_stored(0);
}

Test(exchange_body_store, the_limit_holds_to_the_byte_and_refuses_whole_pieces)
{
    store.limit = 2000;
    cr_assert_eq(append(1990), 0);
    cr_expect_eq(append(11), SVC_ETOOBIG);
    expect_stored(1990);
    cr_expect_eq(append(10), 0, "it goes on behind what was refused");
    cr_expect_eq(append(1), SVC_ETOOBIG);
    cr_expect_eq(append(0), 0);
    expect_stored(2000);
}

Test(exchange_body_store, sizes_that_no_memory_has_are_refused_before_anything_is_read)
{
    cr_assert_eq(append(10), 0);
    cr_expect_eq(append(SIZE_MAX), SVC_ETOOBIG);
    cr_expect_eq(append(SIZE_MAX - 10), SVC_ETOOBIG);
    cr_expect_eq(append(SIZE_MAX - 11), SVC_ENOMEM);
    cr_expect_eq(append(SIZE_MAX / 2), SVC_ENOMEM);
    expect_stored(10);
}

Test(exchange_body_store, without_memory_it_is_as_before_and_goes_on_later)
{
    cr_assert_eq(append(1000), 0);
    for (int round = 0; round < 3; round++) {
        starve_after(0);
        cr_expect_eq(append(5000), SVC_ENOMEM);
        cr_expect(starve_end());
        expect_stored(1000);
    }
    cr_assert_eq(append(5000), 0);
    starve_after(0);
    cr_expect_eq(append(50000), SVC_ENOMEM, "of what is on the heap already");
    starve_end();
    expect_stored(6000);
    cr_assert_eq(append(50000), 0);
    expect_stored(56000);
}

Test(exchange_body_store, an_arena_without_room_refuses_the_first_byte_and_the_way_to_the_heap)
{
    struct arena small;
    svc__arena_init(&small, NULL, 1024);
    cr_assert_eq(svc__body_store_append(&store, &small, sent, 1), 0);
    cr_expect_eq(svc__body_store_append(&store, &small, sent + 1, 2000), SVC_ENOMEM,
                 "nobody would free it");
    expect_stored(1);
    store = (struct body_store){.limit = UINT64_MAX};
    cr_expect_eq(svc__body_store_append(&store, &small, sent, 1), SVC_ENOMEM);
    cr_expect_eq(store.data, NULL);
    svc__arena_reset(&small);
}

Test(exchange_body_store, the_heap_goes_with_the_arena)
{
    store.limit = 70000;
    cr_assert_eq(append(70000), 0);
    svc__arena_reset(&arena);
    cr_expect_eq(store.data, NULL);
    cr_expect_eq(store.len, 0);
    cr_expect_eq(store.limit, 70000);
}
