#include <criterion/criterion.h>
#include <string.h>

#include <svc/errors.h>

#include "libsvc/memo/memo_entry.h"

static const struct bytes key = {"prices:42", 9};

static unsigned char stored[MEMO_HEAD_BYTES + 5];

static void write_entry(bool negative)
{
    const struct memo_entry entry = {.negative = negative,
                                     .made_ms = 1764460800000,
                                     .fresh_ms = 60000,
                                     .took_us = 1234567,
                                     .value = {"hello", negative ? 0 : 5}};
    svc__memo_entry_write(stored, &entry, key);
    memcpy(stored + MEMO_HEAD_BYTES, "hello", 5);
}

static int read_entry(struct memo_entry *entry, size_t len, struct bytes of)
{
    return svc__memo_entry_read(entry, svc__bytes((const char *)stored, len), of);
}

Test(memo_entry, an_entry_is_read_as_it_was_written)
{
    struct memo_entry entry;
    write_entry(false);
    cr_assert_eq(read_entry(&entry, sizeof stored, key), 0);
    cr_expect_not(entry.negative);
    cr_expect_eq(entry.made_ms, 1764460800000);
    cr_expect_eq(entry.fresh_ms, 60000);
    cr_expect_eq(entry.took_us, 1234567);
    cr_expect(svc__bytes_eq_z(entry.value, "hello"));
    write_entry(true);
    cr_assert_eq(read_entry(&entry, MEMO_HEAD_BYTES, key), 0);
    cr_expect(entry.negative);
    cr_expect_eq(entry.value.len, 0);
}

Test(memo_entry, the_form_is_the_same_on_all_machines)
{
    static const unsigned char begin[] = {1,    0, 0, 0, 0,    0,    0, 0, 0, 0x28, 0x0f, 0xd2,
                                          0x9a, 1, 0, 0, 0x60, 0xea, 0, 0, 0, 0,    0,    0};
    write_entry(false);
    cr_expect_eq(memcmp(stored, begin, sizeof begin), 0);
    cr_expect_eq(stored[32], 5);
}

Test(memo_entry, the_entry_of_another_key_is_none)
{
    struct memo_entry entry;
    char most[300] = "";
    write_entry(false);
    cr_expect_eq(read_entry(&entry, sizeof stored, svc__bytes_z("prices:43")), SVC_ESYNTAX);
    cr_expect_eq(read_entry(&entry, sizeof stored, svc__bytes_z("prices:4")), SVC_ESYNTAX);
    cr_expect_eq(read_entry(&entry, sizeof stored, svc__bytes(most, sizeof most)), SVC_ESYNTAX);
}

Test(memo_entry, an_entry_that_was_cut_or_changed_is_none)
{
    struct memo_entry entry;
    write_entry(false);
    for (size_t len = 0; len < sizeof stored; len++)
        cr_expect_eq(read_entry(&entry, len, key), SVC_ESYNTAX, "%zu bytes", len);
    for (size_t bit = 0; bit < MEMO_HEAD_BYTES * 8; bit++) {
        stored[bit / 8] ^= (unsigned char)(1U << bit % 8);
        cr_expect_eq(read_entry(&entry, sizeof stored, key), SVC_ESYNTAX, "bit %zu", bit);
        stored[bit / 8] ^= (unsigned char)(1U << bit % 8);
    }
    cr_expect_eq(read_entry(&entry, sizeof stored, key), 0);
}

static int pass_lease(int error)
{
    unsigned char lease[MEMO_LEASE_BYTES];
    svc__memo_entry_write_lease(lease, error);
    return svc__memo_entry_read_lease(svc__bytes((const char *)lease, sizeof lease));
}

Test(memo_entry, a_lease_says_whether_its_load_has_failed)
{
    cr_expect_eq(pass_lease(0), 0);
    cr_expect_eq(pass_lease(SVC_ETIMEDOUT), SVC_ETIMEDOUT);
    cr_expect_eq(pass_lease(SVC_ENOMEM), SVC_ENOMEM);
    cr_expect_eq(pass_lease(-1000), SVC_EUNAVAILABLE, "another program's own");
    cr_expect_eq(pass_lease(7), SVC_EUNAVAILABLE);
    cr_expect_eq(svc__memo_entry_read_lease(svc__bytes_z("")), 0);
    cr_expect_eq(svc__memo_entry_read_lease(svc__bytes("\1F\377", 3)), 0, "no error has this code");
    cr_expect_eq(svc__memo_entry_read_lease(svc__bytes("\1F\0", 3)), 0);
    cr_expect_eq(svc__memo_entry_read_lease(svc__bytes("\2F\1", 3)), 0);
    cr_expect_eq(svc__memo_entry_read_lease(svc__bytes("\1F\1x", 4)), 0);
}
