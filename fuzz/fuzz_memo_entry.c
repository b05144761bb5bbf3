/* Entries and leases of memos, as a store may have them: a key, and what is stored under it. */
#include <svc/errors.h>
#include <svc/store.h>

#include "fuzz/fuzz.h"
#include "libsvc/memo/memo_entry.h"
#include "libsvc/memo/memo_time.h"

/* ---- Judging */

static uint64_t next_bits(void *state)
{
    uint64_t *bits = state;
    return *bits = *bits * 6364136223846793005u + 1442695040888963407u;
}

/* Whoever can write to the store can forge an entry, with any times. */
static void check_times(const struct memo_entry *entry, uint64_t now_ms)
{
    const struct memo_limits limits = {entry->took_us, entry->made_ms};
    uint64_t bits = now_ms, age_ms = now_ms > entry->made_ms ? now_ms - entry->made_ms : 0;
    const struct memo_chance chance = {next_bits, &bits};
    enum memo_age age = svc__memo_time_age(entry, now_ms, &limits);
    REQUIRE((age == MEMO_AGE_FRESH) == (age_ms < entry->fresh_ms));
    REQUIRE(!entry->negative || age == MEMO_AGE_FRESH || age == MEMO_AGE_OVER);
    REQUIRE(!svc__memo_time_early(entry, now_ms, 0, &chance));
    (void)svc__memo_time_early(entry, now_ms, 1, &chance);
}

/* ---- Entries */

static bool is_same(const struct memo_entry *a, const struct memo_entry *b)
{
    return a->negative == b->negative && a->made_ms == b->made_ms && a->fresh_ms == b->fresh_ms &&
           a->took_us == b->took_us && svc__bytes_eq(a->value, b->value);
}

/* What is stored under the key; to be freed. */
static char *write_entry(const struct memo_entry *entry, struct bytes key)
{
    char *text = fuzz_alloc(MEMO_HEAD_BYTES + entry->value.len);
    svc__memo_entry_write((unsigned char *)text, entry, key);
    if (entry->value.len)
        memcpy(text + MEMO_HEAD_BYTES, entry->value.data, entry->value.len);
    return text;
}

/* There is one way to write an entry. */
static void check_read(struct bytes stored, struct bytes key)
{
    struct memo_entry entry;
    int error = svc__memo_entry_read(&entry, stored, key);
    REQUIRE(error == 0 || error == SVC_ESYNTAX);
    if (error)
        return;
    REQUIRE(fuzz_inside(entry.value, stored));
    char *text = write_entry(&entry, key);
    REQUIRE(svc__bytes_eq(svc__bytes(text, MEMO_HEAD_BYTES + entry.value.len), stored));
    free(text);
}

static void expect_refused(const char *text, size_t len, struct bytes key)
{
    struct memo_entry entry;
    REQUIRE(svc__memo_entry_read(&entry, svc__bytes(text, len), key) == SVC_ESYNTAX);
}

/* An entry of any members is read as it was written, and under no other key, length or head. */
static void check_written(const struct memo_entry *entry, struct bytes key, size_t at)
{
    struct memo_entry again;
    size_t len = MEMO_HEAD_BYTES + entry->value.len;
    char *text = write_entry(entry, key);
    REQUIRE(svc__memo_entry_read(&again, svc__bytes(text, len), key) == 0);
    REQUIRE(is_same(entry, &again));
    expect_refused(text, len - 1, key);
    if (key.len)
        expect_refused(text, len, svc__bytes(key.data, key.len - 1));
    text[at % MEMO_HEAD_BYTES] ^= 1;
    expect_refused(text, len, key);
    free(text);
}

static void check_entry(struct bytes stored, struct bytes key)
{
    uint64_t words[4];
    if (stored.len < sizeof words)
        return;
    memcpy(words, stored.data, sizeof words);
    const struct memo_entry entry = {
        .negative = words[0] & 1,
        .made_ms = words[1],
        .fresh_ms = words[2],
        .took_us = words[3],
        .value = svc__bytes(stored.data + sizeof words, stored.len - sizeof words)};
    check_written(&entry, key, (size_t)(words[0] >> 8));
    check_times(&entry, words[0]);
    check_times(&entry, words[1] + words[2]);
}

/* ---- Leases */

static void check_lease(struct bytes stored)
{
    unsigned char lease[MEMO_LEASE_BYTES];
    int error = svc__memo_entry_read_lease(stored);
    REQUIRE(error <= 0 && (!error || svc_error_name(error)));
    if (!error)
        return;
    svc__memo_entry_write_lease(lease, error);
    REQUIRE(svc__bytes_eq(svc__bytes((const char *)lease, sizeof lease), stored));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes text = fuzz_input(data, size);
    size_t key_len = size ? data[0] : 0;
    if (size < 1 + key_len)
        return 0;
    struct bytes key = svc__bytes(text.data + 1, key_len);
    struct bytes stored = svc__bytes(text.data + 1 + key_len, size - 1 - key_len);
    check_read(stored, key);
    if (key_len <= SVC_STORE_KEY_BYTES)
        check_entry(stored, key);
    check_lease(stored);
    return 0;
}
