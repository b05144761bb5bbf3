#include <criterion/criterion.h>

#include "libsvc/base/hash.h"

struct vector {
    size_t len; /* of the message 00 01 02 …, under the key 00 01 … 0f */
    uint64_t hash;
};

/* From an implementation that gives the authors' vectors for SipHash-2-4. */
static const struct vector vectors[] = {
    {0, UINT64_C(0xabac0158050fc4dc)},  {1, UINT64_C(0xc9f49bf37d57ca93)},
    {7, UINT64_C(0xd3927d989bb11140)},  {8, UINT64_C(0x369095118d299a8e)},
    {9, UINT64_C(0x25a48eb36c063de4)},  {15, UINT64_C(0xd320d86d2a519956)},
    {16, UINT64_C(0xcc4fdd1a7d908b66)}, {63, UINT64_C(0x9d199062b7bbb3a8)},
};

static const struct hash_seed counting = {UINT64_C(0x0706050403020100),
                                          UINT64_C(0x0f0e0d0c0b0a0908)};

Test(base_hash, is_siphash_1_3)
{
    char message[64];
    for (size_t i = 0; i < sizeof message; i++)
        message[i] = (char)i;
    for (size_t i = 0; i < sizeof vectors / sizeof *vectors; i++)
        cr_expect_eq(svc__hash_bytes(counting, svc__bytes(message, vectors[i].len)),
                     vectors[i].hash, "%zu bytes", vectors[i].len);
}

Test(base_hash, of_none_is_that_of_the_empty_text)
{
    cr_expect_eq(svc__hash_bytes(counting, svc__bytes_z(NULL)), vectors[0].hash);
}

Test(base_hash, seeds_differ_and_so_do_hashes)
{
    struct hash_seed a = svc__hash_seed(), b = svc__hash_seed();
    cr_expect(a.k0 != b.k0 && a.k1 != b.k1);
    cr_expect_neq(svc__hash_bytes(a, svc__bytes_z("key")), svc__hash_bytes(b, svc__bytes_z("key")));
}
