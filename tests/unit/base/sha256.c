#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "libsvc/base/sha256.h"

static void hash(const void *data, size_t len, size_t piece, char out[static 2 * SHA256_BYTES + 1])
{
    struct sha256 hash;
    unsigned char bytes[SHA256_BYTES];
    svc__sha256_init(&hash);
    for (size_t at = 0; at < len; at += piece)
        svc__sha256_update(&hash, (const char *)data + at, len - at < piece ? len - at : piece);
    svc__sha256_update(&hash, NULL, 0);
    svc__sha256_final(&hash, bytes);
    for (size_t i = 0; i < SHA256_BYTES; i++)
        snprintf(out + 2 * i, 3, "%02x", bytes[i]);
}

/* FIPS 180-4's own examples. */
Test(base_sha256, examples_of_the_standard_hold)
{
    static const char two[] = "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq";
    char text[2 * SHA256_BYTES + 1];
    hash("abc", 3, 3, text);
    cr_expect_str_eq(text, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    hash(two, sizeof two - 1, 64, text);
    cr_expect_str_eq(text, "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
}

/* Around the lengths at which the padding needs a block more; by Python's hashlib. */
Test(base_sha256, of_any_length_is_what_others_make_of_it_in_any_pieces)
{
    static const struct {
        size_t len;
        const char *hash;
    } rows[] = {
        {0, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
        {1, "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"},
        {3, "ae4b3280e56e2faf83f414a6e3dabe9d5fbe18976544c05fed121accb85b53fc"},
        {55, "463eb28e72f82e0a96c0a4cc53690c571281131f672aa229e0d45ae59b598b59"},
        {56, "da2ae4d6b36748f2a318f23e7ab1dfdf45acdc9d049bd80e59de82a60895f562"},
        {57, "2fe741af801cc238602ac0ec6a7b0c3a8a87c7fc7d7f02a3fe03d1c12eac4d8f"},
        {63, "29af2686fd53374a36b0846694cc342177e428d1647515f078784d69cdb9e488"},
        {64, "fdeab9acf3710362bd2658cdc9a29e8f9c757fcf9811603a8c447cd1d9151108"},
        {65, "4bfd2c8b6f1eec7a2afeb48b934ee4b2694182027e6d0fc075074f2fabb31781"},
        {119, "da18797ed7c3a777f0847f429724a2d8cd5138e6ed2895c3fa1a6d39d18f7ec6"},
        {120, "f52b23db1fbb6ded89ef42a23ce0c8922c45f25c50b568a93bf1c075420bbb7c"},
        {128, "471fb943aa23c511f6f72f8d1652d9c880cfa392ad80503120547703e56a2be5"},
        {1000, "4e4c294b331f7a2099a379bec34b9f9fc03dc46ab465d998f4d683da53487e6d"},
    };
    static const size_t pieces[] = {1, 3, 55, 63, 64, 65, 1000};
    unsigned char data[1000];
    for (size_t i = 0; i < sizeof data; i++)
        data[i] = (unsigned char)(i % 251);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        for (size_t p = 0; p < sizeof pieces / sizeof *pieces; p++) {
            char text[2 * SHA256_BYTES + 1];
            hash(data, rows[i].len, pieces[p], text);
            cr_expect_str_eq(text, rows[i].hash, "%zu bytes by %zu", rows[i].len, pieces[p]);
        }
    }
}
