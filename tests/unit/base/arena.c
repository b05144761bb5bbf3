#include <criterion/criterion.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <svc/errors.h>

#include "libsvc/base/arena.h"
#include "tests/unit/base/support.h"

static struct arena_cache cache;
static struct arena arena;

static void open_arena(void)
{
    svc__arena_cache_init(&cache, 4);
    svc__arena_init(&arena, &cache, 1 << 20);
}

static void close_arena(void)
{
    svc__arena_reset(&arena);
    svc__arena_cache_free(&cache);
}

TestSuite(base_arena, .init = open_arena, .fini = close_arena);

Test(base_arena, an_empty_arena_holds_no_memory)
{
    cr_expect_null(arena.chunks);
    svc__arena_reset(&arena);
    cr_expect_eq(cache.count, 0);
}

Test(base_arena, allocations_are_aligned_and_apart)
{
    enum { COUNT = 2000 };
    unsigned char *at[COUNT];
    size_t size[COUNT];
    for (size_t i = 0; i < COUNT; i++) {
        size[i] = i * 7 % 300;
        at[i] = svc__arena_alloc(&arena, size[i]);
        cr_assert_not_null(at[i]);
        cr_assert_eq((uintptr_t)at[i] % ARENA_ALIGN, 0);
        memset(at[i], (int)(i % 251), size[i]);
    }
    for (size_t i = 0; i < COUNT; i++)
        for (size_t k = 0; k < size[i]; k++)
            cr_assert_eq(at[i][k], i % 251, "allocation %zu was overwritten", i);
}

Test(base_arena, no_bytes_still_have_a_pointer_of_their_own)
{
    void *first = svc__arena_alloc(&arena, 0);
    void *second = svc__arena_alloc(&arena, 0);
    cr_assert(first != NULL && second != NULL);
    cr_expect_neq(first, second);
}

Test(base_arena, sizes_around_a_chunk_are_all_served)
{
    for (size_t n = ARENA_CHUNK_SIZE - 64; n < ARENA_CHUNK_SIZE + 64; n++) {
        char *small = svc__arena_alloc(&arena, 1);
        char *p = svc__arena_alloc(&arena, n);
        cr_assert(small != NULL && p != NULL, "%zu", n);
        memset(p, 1, n);
        *small = 2;
        svc__arena_reset(&arena);
    }
}

Test(base_arena, zalloc_clears_memory_that_was_used_before)
{
    for (int round = 0; round < 3; round++) {
        char *p = svc__arena_zalloc(&arena, 1000);
        cr_assert_not_null(p);
        for (size_t i = 0; i < 1000; i++)
            cr_assert_eq(p[i], 0);
        memset(p, 0xff, 1000);
        svc__arena_reset(&arena);
    }
}

/* To the byte, in any order of sizes, and again after a reset. */
Test(base_arena, the_ceiling_holds_exactly)
{
    static const size_t sizes[] = {16, 4000, 48, 9000, 160, 4064, 16, 2032};
    for (size_t ceiling = 0; ceiling < 24000; ceiling += 208) {
        svc__arena_init(&arena, &cache, ceiling);
        for (int round = 0; round < 2; round++) {
            size_t used = 0;
            for (size_t i = 0; i < 64; i++) {
                size_t n = sizes[(i * 5 + ceiling) % ROWS(sizes)];
                bool fits = used + n <= ceiling;
                char *p = svc__arena_alloc(&arena, n);
                cr_assert_eq(p != NULL, fits, "%zu used of %zu, %zu more", used, ceiling, n);
                if (p != NULL)
                    memset(p, 1, n);
                used += fits ? n : 0;
            }
            svc__arena_reset(&arena);
        }
    }
}

Test(base_arena, sizes_near_the_end_of_size_t_are_refused)
{
    static const size_t sizes[] = {SIZE_MAX,      SIZE_MAX - 1,      SIZE_MAX - 15, SIZE_MAX - 16,
                                   SIZE_MAX - 64, SIZE_MAX / 2 + 17, SIZE_MAX / 2};
    svc__arena_init(&arena, &cache, SIZE_MAX);
    for (size_t i = 0; i < ROWS(sizes); i++) {
        cr_expect_null(svc__arena_alloc(&arena, sizes[i]), "%zx", sizes[i]);
        cr_expect_null(svc__arena_strndup(&arena, "", sizes[i]), "%zx", sizes[i]);
    }
    cr_expect_not_null(svc__arena_alloc(&arena, 16), "a refusal leaves the arena as it was");
}

Test(base_arena, copies_end_with_nul)
{
    char *copy = svc__arena_strndup(&arena, "a\0bcd", 3);
    cr_assert_not_null(copy);
    cr_expect_arr_eq(copy, "a\0b", 4);
    struct bytes view = svc__arena_copy(&arena, BYTES("x\0y"));
    cr_expect(svc__bytes_eq(view, BYTES("x\0y")));
    cr_expect_eq(view.data[3], '\0');
    struct bytes none = svc__arena_copy(&arena, svc__bytes(NULL, 0));
    cr_assert_not_null(none.data);
    cr_expect_eq(none.data[0], '\0');
}

Test(base_arena, a_copy_over_the_ceiling_is_none)
{
    svc__arena_init(&arena, &cache, 16);
    cr_expect_null(svc__arena_strndup(&arena, "0123456789abcdef", 16));
    struct bytes copy = svc__arena_copy(&arena, BYTES("0123456789abcdef"));
    cr_expect_null(copy.data);
    cr_expect_eq(copy.len, 0);
    cr_expect_not_null(svc__arena_strndup(&arena, "0123456789abcde", 15));
}

static char calls[8];

static void note(void *arg)
{
    strcat(calls, arg);
}

Test(base_arena, cleanups_run_once_latest_first)
{
    cr_assert_eq(svc__arena_defer(&arena, note, "a"), 0);
    cr_assert_eq(svc__arena_defer(&arena, note, "b"), 0);
    cr_assert_eq(svc__arena_defer(&arena, note, "c"), 0);
    svc__arena_reset(&arena);
    svc__arena_reset(&arena);
    cr_expect_str_eq(calls, "cba");
}

static void defer_more(void *arg)
{
    char *text = svc__arena_strndup(&arena, "d", 1);
    note(arg);
    cr_expect_eq(svc__arena_defer(&arena, note, text), 0);
}

Test(base_arena, a_cleanup_may_allocate_and_defer)
{
    cr_assert_eq(svc__arena_defer(&arena, note, "a"), 0);
    cr_assert_eq(svc__arena_defer(&arena, defer_more, "b"), 0);
    svc__arena_reset(&arena);
    cr_expect_str_eq(calls, "bda");
}

Test(base_arena, a_cleanup_that_finds_no_memory_is_never_called)
{
    svc__arena_init(&arena, &cache, 16);
    cr_expect_eq(svc__arena_defer(&arena, note, "a"), SVC_ENOMEM);
    svc__arena_reset(&arena);
    cr_expect_str_eq(calls, "");
}

Test(base_arena, the_cache_keeps_as_many_chunks_as_it_may)
{
    for (int i = 0; i < 10; i++)
        cr_assert_not_null(svc__arena_alloc(&arena, 3000));
    svc__arena_reset(&arena);
    cr_expect_eq(cache.count, 4);
    svc__arena_cache_free(&cache);
    cr_expect_eq(cache.count, 0);
    cr_assert_not_null(svc__arena_alloc(&arena, 3000), "a freed cache stays usable");
}

Test(base_arena, a_chunk_of_the_cache_is_used_again)
{
    void *first = svc__arena_alloc(&arena, 10);
    svc__arena_reset(&arena);
    cr_expect_eq(svc__arena_alloc(&arena, 10), first);
    cr_expect_eq(cache.count, 0);
}

Test(base_arena, large_allocations_do_not_enter_the_cache)
{
    cr_assert_not_null(svc__arena_alloc(&arena, 100000));
    svc__arena_reset(&arena);
    cr_expect_eq(cache.count, 0);
}

Test(base_arena, a_large_allocation_does_not_end_the_current_chunk)
{
    char *before = svc__arena_alloc(&arena, 16);
    cr_assert_not_null(svc__arena_alloc(&arena, 10000));
    char *after = svc__arena_alloc(&arena, 16);
    cr_expect_eq(after, before + 16);
}

Test(base_arena, works_without_a_cache)
{
    struct arena lone;
    svc__arena_init(&lone, NULL, 1 << 16);
    for (int i = 0; i < 10; i++)
        cr_assert_not_null(svc__arena_alloc(&lone, 4000));
    svc__arena_reset(&lone);
    cr_expect_null(lone.chunks);
}
