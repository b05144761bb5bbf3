#include <criterion/criterion.h>
#include <stdio.h>

#include "libsvc/base/siphash.h"

static void hash(const unsigned char *data, size_t len, size_t piece,
                 char out[static 2 * SIPHASH_SIZE + 1])
{
    struct siphash hash;
    unsigned char bytes[SIPHASH_SIZE];
    svc__siphash_init(&hash, svc__siphash_known_key);
    for (size_t at = 0; at < len; at += piece)
        svc__siphash_update(&hash, data + at, len - at < piece ? len - at : piece);
    svc__siphash_update(&hash, NULL, 0);
    svc__siphash_final(&hash, bytes);
    for (size_t i = 0; i < SIPHASH_SIZE; i++)
        snprintf(out + 2 * i, 3, "%02x", bytes[i]);
}

/* Up to 63 bytes these are the vectors of the reference implementation; all are what OpenSSL gives.
 */
Test(base_siphash, of_any_length_is_what_others_make_of_it_in_any_pieces)
{
    static const struct {
        size_t len;
        const char *hash;
    } rows[] = {
        {0, "a3817f04ba25a8e66df67214c7550293"},  {1, "da87c1d86b99af44347659119b22fc45"},
        {2, "8177228da4a45dc7fca38bdef60affe4"},  {7, "a1f1ebbed8dbc153c0b84aa61ff08239"},
        {8, "3b62a9ba6258f5610f83e264f31497b4"},  {9, "264499060ad9baabc47f8b02bb6d71ed"},
        {15, "5493e99933b0a8117e08ec0f97cfc3d9"}, {16, "6ee2a4ca67b054bbfd3315bf85230577"},
        {17, "473d06e8738db89854c066c47ae47740"}, {63, "5150d1772f50834a503e069a973fbd7c"},
        {64, "1eaf077dc0d4cd3f8cad4d383658a74b"}, {1000, "79fe0b0c91f03f2e6e1131dd194381f2"},
    };
    static const size_t pieces[] = {1, 3, 7, 8, 9, 64, 1000};
    unsigned char data[1000];
    for (size_t i = 0; i < sizeof data; i++)
        data[i] = (unsigned char)(i % 251);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        for (size_t p = 0; p < sizeof pieces / sizeof *pieces; p++) {
            char text[2 * SIPHASH_SIZE + 1];
            hash(data, rows[i].len, pieces[p], text);
            cr_expect_str_eq(text, rows[i].hash, "%zu in pieces of %zu", rows[i].len, pieces[p]);
        }
    }
}

/* Up to 63 bytes these are the authors' vectors too. */
Test(base_siphash, in_64_bits_is_what_others_make_of_it)
{
    static const struct {
        size_t len;
        uint64_t hash;
    } rows[] = {
        {0, UINT64_C(0x726fdb47dd0e0e31)},  {1, UINT64_C(0x74f839c593dc67fd)},
        {7, UINT64_C(0xab0200f58b01d137)},  {8, UINT64_C(0x93f5f5799a932462)},
        {9, UINT64_C(0x9e0082df0ba9e4b0)},  {15, UINT64_C(0xa129ca6149be45e5)},
        {16, UINT64_C(0x3f2acc7f57c29bdb)}, {63, UINT64_C(0x958a324ceb064572)},
        {64, UINT64_C(0xacd2c40b8502cad8)},
    };
    char data[64];
    for (size_t i = 0; i < sizeof data; i++)
        data[i] = (char)i;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        cr_expect_eq(svc__siphash(svc__siphash_known_key, svc__bytes(data, rows[i].len)),
                     rows[i].hash, "%zu bytes", rows[i].len);
    cr_expect_eq(svc__siphash(svc__siphash_known_key, svc__bytes_z(NULL)), rows[0].hash);
}

Test(base_siphash, random_keys_differ_and_so_do_hashes)
{
    struct siphash_key a = svc__siphash_key(), b = svc__siphash_key();
    cr_expect(a.k0 != b.k0 && a.k1 != b.k1);
    cr_expect_neq(svc__siphash(a, svc__bytes_z("key")), svc__siphash(b, svc__bytes_z("key")));
}
