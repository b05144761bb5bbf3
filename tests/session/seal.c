/* Sealed texts, keys and ids. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <svc/errors.h>

#include "libsvc/session/session_seal.h"

#define KEY_A "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
#define KEY_B "ffeeddccbbaa99887766554433221100FFEEDDCCBBAA99887766554433221100"

enum { DATA = 300 };

static struct session_keys keys;
static unsigned line;

static void begin(void)
{
    cr_assert_eq(svc__session_seal_begin(), 0);
    cr_assert_eq(svc__session_seal_read_keys(KEY_A "\n", &keys, &line), 0);
}

TestSuite(session_seal, .init = begin);

static char *seal(const struct session_keys *with, const char *name, const char *data, size_t len)
{
    char *scratch = malloc(len + SESSION_SEALING),
         *text = malloc(svc__session_seal_length(len) + 1);
    svc__session_seal_write(with, name, data, len, scratch, text);
    free(scratch);
    cr_assert_eq(strlen(text), svc__session_seal_length(len));
    return text;
}

static int open_with(const struct session_keys *with, const char *name, const char *text,
                     const char *data, size_t data_len)
{
    size_t size = strlen(text) + 1, len = 0;
    char *scratch = malloc(size), *out = malloc(size);
    int error = svc__session_seal_open(with, name, text, scratch, out, &len);
    if (!error)
        cr_expect(len == data_len && !memcmp(out, data, len), "another text than was sealed");
    free(scratch);
    free(out);
    return error;
}

Test(session_seal, a_sealed_text_opens_and_says_nothing)
{
    char data[DATA];
    for (size_t len = 0; len <= DATA; len++) {
        memset(data, 'a', len);
        char *text = seal(&keys, "a", data, len), *again = seal(&keys, "a", data, len);
        cr_expect_eq(open_with(&keys, "a", text, data, len), 0, "%zu bytes", len);
        cr_expect_str_neq(text, again, "no nonce comes twice");
        cr_expect_eq(
            strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"),
            strlen(text));
        cr_expect_null(strstr(text, "YWFh"));
        free(text);
        free(again);
    }
}

/* Each bit of each character, and each shorter text. */
Test(session_seal, a_text_that_was_changed_does_not_open)
{
    char *text = seal(&keys, "a", "user\0ada", 9);
    size_t len = strlen(text);
    for (size_t at = 0; at < len; at++) {
        for (int bit = 0; bit < 8; bit++) {
            text[at] = (char)(text[at] ^ 1 << bit);
            cr_expect_eq(open_with(&keys, "a", text, NULL, 0), SVC_ESYNTAX, "bit %d of %zu", bit,
                         at);
            text[at] = (char)(text[at] ^ 1 << bit);
        }
    }
    cr_expect_eq(open_with(&keys, "a", text, "user\0ada", 9), 0);
    char *longer = malloc(len + 2);
    for (const char *more = "A=.\n "; *more; more++) {
        snprintf(longer, len + 2, "%s%c", text, *more);
        cr_expect_eq(open_with(&keys, "a", longer, NULL, 0), SVC_ESYNTAX);
    }
    free(longer);
    while (len-- > 0) {
        text[len] = '\0';
        cr_expect_eq(open_with(&keys, "a", text, NULL, 0), SVC_ESYNTAX, "%zu characters", len);
    }
    free(text);
}

Test(session_seal, a_text_opens_under_its_name_alone)
{
    char *text = seal(&keys, "__Host-a", "data", 4);
    cr_expect_eq(open_with(&keys, "__Host-b", text, NULL, 0), SVC_ESYNTAX);
    cr_expect_eq(open_with(&keys, "a", text, NULL, 0), SVC_ESYNTAX);
    cr_expect_eq(open_with(&keys, "", text, NULL, 0), SVC_ESYNTAX);
    cr_expect_eq(open_with(&keys, "__Host-a", text, "data", 4), 0);
    free(text);
}

Test(session_seal, the_first_key_seals_and_all_of_them_open)
{
    struct session_keys old = keys, both, other;
    cr_assert_eq(
        svc__session_seal_read_keys("# new\n" KEY_B "\n\n  " KEY_A " # old\r\n", &both, &line), 0);
    cr_assert_eq(svc__session_seal_read_keys(KEY_B, &other, &line), 0);
    cr_expect_eq(both.count, 2);
    char *by_old = seal(&old, "a", "data", 4), *by_both = seal(&both, "a", "data", 4);
    cr_expect_eq(open_with(&both, "a", by_old, "data", 4), 0, "of before the rotation");
    cr_expect_eq(open_with(&other, "a", by_both, "data", 4), 0);
    cr_expect_eq(open_with(&old, "a", by_both, NULL, 0), SVC_ESYNTAX);
    cr_expect_eq(open_with(&other, "a", by_old, NULL, 0), SVC_ESYNTAX, "the old key is gone");
    free(by_old);
    free(by_both);
}

Test(session_seal, a_file_with_a_mistake_gives_no_key)
{
    static const struct {
        const char *text;
        int error;
        unsigned line;
    } rows[] = {
        {"", SVC_ENOTFOUND, 0},
        {"\n# none\n", SVC_ENOTFOUND, 2},
        {KEY_A "\n" KEY_B "0\n", SVC_ESYNTAX, 2},
        {"\n" KEY_A "ff\n", SVC_ESYNTAX, 2},
        {KEY_A " " KEY_B "\n", SVC_ESYNTAX, 1},
        {"key", SVC_ESYNTAX, 1},
        {"g0112233445566778899aabbccddeeff00112233445566778899aabbccddeeff", SVC_ESYNTAX, 1},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        cr_expect_eq(svc__session_seal_read_keys(rows[i].text, &keys, &line), rows[i].error,
                     "row %zu", i);
        cr_expect_eq(line, rows[i].line, "row %zu: %u", i, line);
        cr_expect_eq(keys.count, 0);
        cr_expect_eq(keys.keys[0][0], 0, "cleared");
    }
    char many[17 * sizeof KEY_A + 1] = "";
    for (int i = 0; i < 17; i++)
        strcat(many, KEY_A "\n");
    cr_expect_eq(svc__session_seal_read_keys(many, &keys, &line), SVC_ETOOBIG);
    many[16 * sizeof KEY_A] = '\0';
    cr_expect_eq(svc__session_seal_read_keys(many, &keys, &line), 0);
}

Test(session_seal, ids_are_random_and_their_hashes_are_not)
{
    char id[2][SESSION_ID_CHARS + 1], hash[2][SESSION_HASH_CHARS + 1];
    svc__session_seal_make_id(id[0]);
    svc__session_seal_make_id(id[1]);
    cr_expect_str_neq(id[0], id[1]);
    cr_assert_eq(svc__session_seal_hash_id(id[0], hash[0]), 0);
    cr_assert_eq(svc__session_seal_hash_id(id[0], hash[1]), 0);
    cr_expect_str_eq(hash[0], hash[1]);
    cr_assert_eq(svc__session_seal_hash_id(id[1], hash[1]), 0);
    cr_expect_str_neq(hash[0], hash[1]);
    cr_expect_eq(strlen(hash[0]), SESSION_HASH_CHARS);
    static const char *const wrong[] = {"",
                                        "a",
                                        "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
                                        "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA ",
                                        "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAB",
                                        "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=="};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        cr_expect_eq(svc__session_seal_hash_id(wrong[i], hash[1]), SVC_ESYNTAX, "%s", wrong[i]);
}
