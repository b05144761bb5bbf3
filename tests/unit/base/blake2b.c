#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "libsvc/base/blake2b.h"

static void hash(const unsigned char *data, size_t len, size_t piece, size_t digest_len,
                 char out[2 * BLAKE2B_MAX + 1])
{
    struct blake2b hash;
    unsigned char digest[BLAKE2B_MAX];
    svc__blake2b_init(&hash, digest_len);
    for (size_t at = 0; at < len; at += piece)
        svc__blake2b_update(&hash, data + at, len - at < piece ? len - at : piece);
    svc__blake2b_update(&hash, NULL, 0);
    svc__blake2b_final(&hash, digest);
    for (size_t i = 0; i < digest_len; i++)
        snprintf(out + 2 * i, 3, "%02x", digest[i]);
}

/* The first is RFC 7693 appendix A; all are what Python's hashlib gives. */
Test(base_blake2b, of_a_text_is_what_others_make_of_it)
{
    static const struct {
        const char *text;
        size_t digest_len;
        const char *digest;
    } rows[] = {
        {"abc", 64,
         "ba80a53f981c4d0d6a2797b69f12f6e94c212f14685ac4b74b12bb6fdbffa2d1"
         "7d87c5392aab792dc252d5de4533cc9518d38aa8dbf1925ab92386edd4009923"},
        {"", 64,
         "786a02f742015903c6c6fd852552d272912f4740e15847618a86e217f71f5419"
         "d25e1031afee585313896444934eb04b903a685b1448b755d56f701afe9be2ce"},
        {"abc", 32, "bddd813c634239723171ef3fee98579b94964e3bb1cb3e427262c8c068d52319"},
        {"", 16, "cae66941d9efbd404e4d88758ea67670"},
        {"abc", 16, "cf4ab791c62b8d2b2109c90275287816"},
        {"abc", 18, "1748a777d8414171b3a34700dd037d955af5"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char text[2 * BLAKE2B_MAX + 1];
        hash((const unsigned char *)rows[i].text, strlen(rows[i].text), 64, rows[i].digest_len,
             text);
        cr_expect_str_eq(text, rows[i].digest);
    }
}

Test(base_blake2b, of_any_length_is_the_same_in_any_pieces)
{
    static const struct {
        size_t len;
        const char *digest;
    } rows[] = {
        {127, "77f1e2289ee5ba660fbb23b1f0cd86c2731c"},
        {128, "f58c9fec1310b4b4ca6f9e6e778190a86de9"},
        {129, "cea93baa3370a72dc0b9d8875824cc861e38"},
        {255, "9668201ff718827ca3c7b5d92fc480090260"},
        {256, "b1e999c251424b251540cc610277df78bd3a"},
        {257, "0a063f188a6d154e5f813cf0ea209563c704"},
        {1000, "f8160e04a4649dbeb49ea42313b9cb0049b8"},
    };
    static const size_t pieces[] = {1, 7, 64, 127, 128, 129, 1000};
    unsigned char data[1000];
    for (size_t i = 0; i < sizeof data; i++)
        data[i] = (unsigned char)(i % 251);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        for (size_t p = 0; p < sizeof pieces / sizeof *pieces; p++) {
            char text[2 * BLAKE2B_MAX + 1];
            hash(data, rows[i].len, pieces[p], 18, text);
            cr_expect_str_eq(text, rows[i].digest, "%zu in pieces of %zu", rows[i].len, pieces[p]);
        }
    }
}
