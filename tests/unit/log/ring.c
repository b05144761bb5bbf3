#include <criterion/criterion.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

#include <svc/errors.h>

#include "libsvc/log/ring.h"
#include "tests/unit/base/support.h"

static struct ring ring;

static void open_ring(void)
{
    cr_assert_eq(svc__ring_init(&ring, 64), 0);
}

static void close_ring(void)
{
    svc__ring_free(&ring);
}

TestSuite(log_ring, .init = open_ring, .fini = close_ring);

static void expect_record(struct ring *r, const char *data, size_t len)
{
    size_t next;
    cr_assert(svc__ring_next(r, &next));
    cr_assert_eq(next, len);
    char *out = malloc(len + 1); /* exactly, but for a record of no bytes */
    svc__ring_take(r, out, len);
    cr_assert(len == 0 || memcmp(out, data, len) == 0);
    free(out);
}

Test(log_ring, sizes_that_are_no_power_of_two_are_refused)
{
    static const size_t rows[] = {0, 3, 63, 65, RING_SIZE_MAX + 1, (size_t)RING_SIZE_MAX * 2};
    for (size_t i = 0; i < ROWS(rows); i++) {
        struct ring r;
        cr_expect_eq(svc__ring_init(&r, rows[i]), SVC_EINVAL, "%zu", rows[i]);
    }
}

Test(log_ring, records_come_out_as_they_went_in)
{
    size_t len;
    cr_expect_not(svc__ring_next(&ring, &len));
    cr_assert(svc__ring_put(&ring, "abc", 3));
    cr_assert(svc__ring_put(&ring, "", 0));
    cr_assert(svc__ring_put(&ring, "d\0", 2));
    cr_expect_eq(svc__ring_used(&ring), 3 * 4 + 5);
    expect_record(&ring, "abc", 3);
    expect_record(&ring, "", 0);
    expect_record(&ring, "d\0", 2);
    cr_expect_not(svc__ring_next(&ring, &len));
    cr_expect_eq(svc__ring_used(&ring), 0);
}

/* Records of every length at every place, so that lengths and bytes wrap round everywhere. */
Test(log_ring, records_wrap_round_at_every_place)
{
    char data[64];
    for (size_t i = 0; i < sizeof data; i++)
        data[i] = (char)(i * 37 + 1);
    for (size_t len = 0; len <= 60; len++) {
        for (int i = 0; i < 130; i++) {
            cr_assert(svc__ring_put(&ring, data, len));
            expect_record(&ring, data, len);
        }
        cr_assert(svc__ring_put(&ring, data, 3)); /* shifts the next length by an odd number */
        expect_record(&ring, data, 3);
    }
}

Test(log_ring, a_full_ring_refuses_until_there_is_room)
{
    char data[64] = {0};
    cr_expect_not(svc__ring_put(&ring, data, 61));
    cr_expect_not(svc__ring_put(&ring, data, 64));
    cr_expect_not(svc__ring_put(&ring, data, SIZE_MAX));
    cr_assert(svc__ring_put(&ring, data, 28));
    cr_assert(svc__ring_put(&ring, data, 28));
    cr_expect_eq(svc__ring_used(&ring), 64);
    cr_expect_not(svc__ring_put(&ring, data, 0));
    expect_record(&ring, data, 28);
    cr_expect_not(svc__ring_put(&ring, data, 29));
    cr_expect(svc__ring_put(&ring, data, 28));
    cr_expect_eq(atomic_load(&ring.puts), 3);
}

Test(log_ring, half_full_is_more_than_half)
{
    char data[64] = {0};
    cr_assert(svc__ring_put(&ring, data, 28));
    cr_expect_not(svc__ring_is_half_full(&ring));
    cr_assert(svc__ring_put(&ring, data, 0));
    cr_expect(svc__ring_is_half_full(&ring));
    expect_record(&ring, data, 28);
    cr_expect_not(svc__ring_is_half_full(&ring));
}

/* The counts of bytes go on from the end of size_t at 0. */
Test(log_ring, the_byte_counts_may_wrap_round)
{
    atomic_store(&ring.head, SIZE_MAX - 10);
    atomic_store(&ring.tail, SIZE_MAX - 10);
    ring.tail_seen = SIZE_MAX - 10;
    for (int i = 0; i < 10; i++) {
        cr_assert(svc__ring_put(&ring, "0123456789", 10));
        cr_assert(svc__ring_put(&ring, "abcdefghij", 10));
        cr_expect_eq(svc__ring_used(&ring), 28);
        expect_record(&ring, "0123456789", 10);
        expect_record(&ring, "abcdefghij", 10);
    }
}

enum { RECORDS = 200000, LONGEST = 40 };

/* The bytes of record i follow from i. */
static size_t make_record(char out[static LONGEST], size_t i)
{
    size_t len = i * 7 % LONGEST;
    memset(out, (int)(i % 251), len);
    return len;
}

static void *put_all(void *arg)
{
    char data[LONGEST];
    for (size_t i = 0; i < RECORDS; i++) {
        size_t len = make_record(data, i);
        while (!svc__ring_put(&ring, data, len))
            sched_yield();
    }
    return arg;
}

Test(log_ring, two_threads_pass_every_record_on_unchanged)
{
    pthread_t producer;
    char want[LONGEST];
    cr_assert_eq(pthread_create(&producer, NULL, put_all, NULL), 0);
    for (size_t i = 0; i < RECORDS; i++) {
        size_t len = make_record(want, i), next;
        while (!svc__ring_next(&ring, &next))
            sched_yield();
        expect_record(&ring, want, len);
    }
    pthread_join(producer, NULL);
    cr_expect_eq(svc__ring_used(&ring), 0);
    cr_expect_eq(atomic_load(&ring.puts), RECORDS);
}
