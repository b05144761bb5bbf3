/* Cells: those of threads that come and go, and of such as have none. */
#include "libsvc/metrics/cells.h"

#include <criterion/criterion.h>
#include <math.h>
#include <pthread.h>

#include <svc/errors.h>

Test(metrics_cells, begin_at_zero_and_add_up)
{
    struct cells a, b;
    cr_assert_eq(svc__cells_take(1, &a), 0);
    cr_assert_eq(svc__cells_take(3, &b), 0);
    svc__cells_add(a, 0, 40);
    svc__cells_add(a, 0, 2);
    svc__cells_add_double(b, 2, 1.5);
    cr_expect_eq(svc__cells_sum(a, 0), 42);
    cr_expect_eq(svc__cells_sum(b, 0), 0);
    cr_expect_eq(svc__cells_sum(b, 1), 0);
    cr_expect_eq(svc__cells_sum_double(b, 2), 1.5);
}

Test(metrics_cells, given_back_are_taken_again_and_are_zero)
{
    struct cells first, second, third;
    cr_assert_eq(svc__cells_take(5, &first), 0);
    cr_assert_eq(svc__cells_take(5, &second), 0);
    for (uint32_t i = 0; i < 5; i++) {
        svc__cells_add(first, i, 7);
        svc__cells_set_double(second, i, 7);
    }
    svc__cells_give(first, 5);
    svc__cells_give(second, 5);
    cr_assert_eq(svc__cells_take(4, &third), 0);
    cr_expect(third.first != first.first && third.first != second.first);
    for (int times = 0; times < 2; times++) {
        cr_assert_eq(svc__cells_take(5, &third), 0);
        cr_expect(third.first == first.first || third.first == second.first);
        for (uint32_t i = 0; i < 5; i++)
            cr_expect_eq(svc__cells_sum(third, i), 0);
    }
}

Test(metrics_cells, never_lie_across_chunks)
{
    struct cells cells;
    for (int i = 0; i < 4000; i++) {
        cr_assert_eq(svc__cells_take(CELLS_AT_ONCE, &cells), 0);
        cr_assert_leq(cells.first + CELLS_AT_ONCE, (uint32_t)CELLS_FIRST_CHUNK << cells.chunk);
        svc__cells_add(cells, CELLS_AT_ONCE - 1, 1);
        cr_assert_eq(svc__cells_sum(cells, CELLS_AT_ONCE - 1), 1);
    }
    cr_expect_gt(cells.chunk, 5);
}

Test(metrics_cells, run_out)
{
    struct cells cells;
    int error;
    do
        error = svc__cells_take(1 << 6, &cells);
    while (!error && cells.chunk < CELLS_CHUNKS - 1);
    while (!error)
        error = svc__cells_take(1 << 6, &cells);
    cr_expect_eq(error, SVC_ETOOBIG);
}

static struct cells counted;

static void *count_seven(void *arg)
{
    svc__cells_add(counted, 0, 7);
    svc__cells_add_double(counted, 1, 0.5);
    *(struct cell_block **)arg = svc__cells_own;
    return NULL;
}

Test(metrics_cells, of_threads_that_have_ended_still_count_and_their_blocks_are_used_again)
{
    struct cell_block *first = NULL, *last = NULL;
    cr_assert_eq(svc__cells_take(2, &counted), 0);
    svc__cells_add(counted, 0, 1);
    for (int i = 0; i < 10; i++) {
        pthread_t thread;
        cr_assert_eq(pthread_create(&thread, NULL, count_seven, &last), 0);
        pthread_join(thread, NULL);
        first = first != NULL ? first : last;
        cr_expect_eq(last, first);
    }
    cr_expect_neq(last, svc__cells_own);
    cr_expect_eq(svc__cells_sum(counted, 0), 71);
    cr_expect_eq(svc__cells_sum_double(counted, 1), 5);
}

Test(metrics_cells, set_is_what_is_read_whatever_threads_have_added)
{
    struct cell_block *block;
    pthread_t thread;
    cr_assert_eq(svc__cells_take(2, &counted), 0);
    svc__cells_add_double(counted, 1, 3);
    cr_assert_eq(pthread_create(&thread, NULL, count_seven, &block), 0);
    pthread_join(thread, NULL);
    svc__cells_set_double(counted, 1, -8);
    cr_expect_eq(svc__cells_sum_double(counted, 1), -8);
    svc__cells_add_double(counted, 1, 2);
    cr_expect_eq(svc__cells_sum_double(counted, 1), -6);
    svc__cells_set_double(counted, 1, (double)INFINITY);
    cr_expect(isinf(svc__cells_sum_double(counted, 1)));
    svc__cells_set_double(counted, 1, 1);
    cr_expect_eq(svc__cells_sum_double(counted, 1), 1);
}
