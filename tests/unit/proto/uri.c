#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "libsvc/proto/uri.h"
#include "tests/unit/proto/vectors.h"

static bool is_hex(int c)
{
    return c != 0 && strchr("0123456789abcdefABCDEF", c) != NULL;
}

Test(proto_uri, an_escape_is_valid_with_two_hex_digits_only)
{
    for (int high = 0; high < 256; high++) {
        for (int low = 0; low < 256; low++) {
            char text[4] = {'%', (char)high, (char)low, '%'};
            cr_assert_eq(svc__uri_escapes_valid(svc__bytes(text, 3)), is_hex(high) && is_hex(low),
                         "%%%02x%02x", high, low);
        }
    }
}

Test(proto_uri, escapes_are_looked_at_wherever_they_stand)
{
    static const struct {
        struct bytes text;
        bool valid;
    } rows[] = {
        {{NULL, 0}, true},         {LITERAL(""), true},        {LITERAL("plain"), true},
        {LITERAL("%41%42"), true}, {LITERAL("a%00b"), true},   {LITERAL("%"), false},
        {LITERAL("%4"), false},    {LITERAL("abc%"), false},   {LITERAL("abc%e"), false},
        {LITERAL("%zz"), false},   {LITERAL("%4g"), false},    {LITERAL("%%41"), false},
        {LITERAL("%41%"), false},  {LITERAL("%u0041"), false}, {LITERAL("%+1"), false},
        {LITERAL("% 1"), false},   {LITERAL("%0x41"), false},  {LITERAL("%-1"), false},
    };
    for (size_t i = 0; i < ROWS(rows); i++)
        cr_expect_eq(svc__uri_escapes_valid(rows[i].text), rows[i].valid, "%.*s",
                     SHOW(rows[i].text));
}

Test(proto_uri, every_byte_is_decoded_from_upper_and_lower_case)
{
    for (int c = 0; c < 256; c++) {
        char upper[4], lower[4], out[3];
        snprintf(upper, sizeof(upper), "%%%02X", (unsigned)c);
        snprintf(lower, sizeof(lower), "%%%02x", (unsigned)c);
        cr_assert_eq(svc__uri_decode(out, svc__bytes(upper, 3), false), 1);
        cr_assert_eq((unsigned char)out[0], c);
        cr_assert_eq(svc__uri_decode(out, svc__bytes(lower, 3), true), 1);
        cr_assert_eq((unsigned char)out[0], c);
    }
}

Test(proto_uri, decode_decodes_once)
{
    static const struct {
        struct bytes text;
        bool plus;
        struct bytes decoded;
    } rows[] = {
        {LITERAL(""), false, LITERAL("")},
        {LITERAL("a%20b"), false, LITERAL("a b")},
        {LITERAL("a+b"), false, LITERAL("a+b")},
        {LITERAL("a+b"), true, LITERAL("a b")},
        {LITERAL("a%2Bb%2bc"), true, LITERAL("a+b+c")},
        {LITERAL("%2525"), false, LITERAL("%25")},
        {LITERAL("%252f"), false, LITERAL("%2f")},
        {LITERAL("%00"), false, LITERAL("\0")},
        {LITERAL("%E2%82%AC"), false, LITERAL("\xe2\x82\xac")},
        {LITERAL("%"), false, LITERAL("%")},
        {LITERAL("%4"), false, LITERAL("%4")},
        {LITERAL("%zz%41"), false, LITERAL("%zzA")},
        {LITERAL("%%41"), false, LITERAL("%A")},
    };
    for (size_t i = 0; i < ROWS(rows); i++) {
        char out[32], *in_place = strndup(rows[i].text.data, rows[i].text.len);
        size_t len = svc__uri_decode(out, rows[i].text, rows[i].plus);
        cr_expect(svc__bytes_eq(svc__bytes(out, len), rows[i].decoded), "%.*s", SHOW(rows[i].text));
        len = svc__uri_decode(in_place, svc__bytes(in_place, rows[i].text.len), rows[i].plus);
        cr_expect(svc__bytes_eq(svc__bytes(in_place, len), rows[i].decoded), "in place: %.*s",
                  SHOW(rows[i].text));
        free(in_place);
    }
    cr_expect_eq(svc__uri_decode(NULL, svc__bytes(NULL, 0), true), 0);
}

Test(proto_uri, decoded_eq_compares_without_decoding_twice)
{
    static const struct {
        struct bytes escaped, literal;
        bool equal;
    } rows[] = {
        {LITERAL(""), LITERAL(""), true},         {{NULL, 0}, {NULL, 0}, true},
        {LITERAL("abc"), LITERAL("abc"), true},   {LITERAL("%61b%63"), LITERAL("abc"), true},
        {LITERAL("a%2Fb"), LITERAL("a/b"), true}, {LITERAL("100%25"), LITERAL("100%"), true},
        {LITERAL("%2525"), LITERAL("%"), false},  {LITERAL("%2525"), LITERAL("%25"), true},
        {LITERAL("a+b"), LITERAL("a b"), false},  {LITERAL("abc"), LITERAL("ab"), false},
        {LITERAL("ab"), LITERAL("abc"), false},   {LITERAL("%61"), LITERAL("%61"), false},
        {LITERAL("ABC"), LITERAL("abc"), false},  {LITERAL("a%00"), LITERAL("a\0"), true},
        {LITERAL("a%00"), LITERAL("a"), false},
    };
    for (size_t i = 0; i < ROWS(rows); i++)
        cr_expect_eq(svc__uri_decoded_eq(rows[i].escaped, rows[i].literal), rows[i].equal,
                     "row %zu: %.*s", i, SHOW(rows[i].escaped));
}

/* Pairs of a path and its clean form; equal ones are clean already. */
static const struct {
    struct bytes path, clean;
} clean_rows[] = {
    {LITERAL("/"), LITERAL("/")},
    {LITERAL("/a"), LITERAL("/a")},
    {LITERAL("/a/"), LITERAL("/a/")},
    {LITERAL("/a/b/c"), LITERAL("/a/b/c")},
    {LITERAL("//"), LITERAL("/")},
    {LITERAL("///"), LITERAL("/")},
    {LITERAL("//a"), LITERAL("/a")},
    {LITERAL("/a//b"), LITERAL("/a/b")},
    {LITERAL("/a//"), LITERAL("/a/")},
    {LITERAL("/."), LITERAL("/")},
    {LITERAL("/./"), LITERAL("/")},
    {LITERAL("/a/."), LITERAL("/a")},
    {LITERAL("/a/./"), LITERAL("/a/")},
    {LITERAL("/a/./b"), LITERAL("/a/b")},
    {LITERAL("/.."), LITERAL("/")},
    {LITERAL("/../"), LITERAL("/")},
    {LITERAL("/../../a"), LITERAL("/a")},
    {LITERAL("/a/.."), LITERAL("/")},
    {LITERAL("/a/../"), LITERAL("/")},
    {LITERAL("/a/b/.."), LITERAL("/a")},
    {LITERAL("/a/b/../"), LITERAL("/a/")},
    {LITERAL("/a/../b"), LITERAL("/b")},
    {LITERAL("/a/b/../../../c"), LITERAL("/c")},
    {LITERAL("/foo/../bar/./..//baz"), LITERAL("/baz")},
    /* RFC 3986 5.2.4 */
    {LITERAL("/a/b/c/./../../g"), LITERAL("/a/g")},
    /* escaped dots are dots */
    {LITERAL("/a/%2e%2e/b"), LITERAL("/b")},
    {LITERAL("/a/%2E%2e/b"), LITERAL("/b")},
    {LITERAL("/a/.%2e/b"), LITERAL("/b")},
    {LITERAL("/a/%2e./b"), LITERAL("/b")},
    {LITERAL("/a/%2e/b"), LITERAL("/a/b")},
    {LITERAL("/a/%2e%2e"), LITERAL("/")},
    {LITERAL("/%2e%2e/%2e%2e/etc/passwd"), LITERAL("/etc/passwd")},
    /* what only looks like them */
    {LITERAL("/..."), LITERAL("/...")},
    {LITERAL("/.../%2e%2e%2e"), LITERAL("/.../%2e%2e%2e")},
    {LITERAL("/.a/..b/c."), LITERAL("/.a/..b/c.")},
    {LITERAL("/a/%252e%252e/b"), LITERAL("/a/%252e%252e/b")},
    {LITERAL("/a/..%2Fb"), LITERAL("/a/..%2Fb")},
    {LITERAL("/a/%2F/b"), LITERAL("/a/%2F/b")},
    {LITERAL("/a%2Fb%2f..%2fc"), LITERAL("/a%2Fb%2f..%2fc")},
    {LITERAL("/a\\..\\b"), LITERAL("/a\\..\\b")},
    {LITERAL("/a/..;x/b"), LITERAL("/a/..;x/b")},
    {LITERAL("/a/\xc0\xae\xc0\xae/b"), LITERAL("/a/\xc0\xae\xc0\xae/b")},
    /* escapes elsewhere are copied as they are */
    {LITERAL("/x%20y//%7Ez"), LITERAL("/x%20y/%7Ez")},
    {LITERAL("/a//b%2Fc"), LITERAL("/a/b%2Fc")},
};

Test(proto_uri, clean_removes_dot_segments_and_empty_ones)
{
    for (size_t i = 0; i < ROWS(clean_rows); i++) {
        struct bytes path = clean_rows[i].path;
        char *dst = malloc(path.len + 1); /* exactly: the sanitizer watches both ends */
        struct bytes got = {dst, svc__uri_clean(dst, path)};
        cr_expect(svc__bytes_eq(got, clean_rows[i].clean), "%.*s gave %s", SHOW(path), dst);
        cr_expect_eq(dst[got.len], '\0');
        free(dst);
    }
}

Test(proto_uri, a_path_is_unclean_when_clean_changes_it)
{
    for (size_t i = 0; i < ROWS(clean_rows); i++) {
        bool changes = !svc__bytes_eq(clean_rows[i].path, clean_rows[i].clean);
        cr_expect_eq(svc__uri_unclean(clean_rows[i].path), changes, "%.*s",
                     SHOW(clean_rows[i].path));
        cr_expect_not(svc__uri_unclean(clean_rows[i].clean), "%.*s", SHOW(clean_rows[i].clean));
    }
}

/* All paths of up to seven characters from an alphabet that holds every case. */
Test(proto_uri, clean_is_idempotent_for_all_short_paths)
{
    static const char *const pieces[] = {"/", ".", "a", "%2e"};
    for (unsigned n = 0; n < 1u << 14; n++) {
        char path[32] = "/", once[32], twice[32];
        for (unsigned i = 0; i < 7; i++)
            strcat(path, pieces[(n >> (2 * i)) & 3]);
        size_t len = svc__uri_clean(once, svc__bytes_z(path));
        cr_assert_leq(len, strlen(path));
        cr_assert_eq(once[0], '/');
        cr_assert_eq(svc__uri_unclean(svc__bytes_z(path)), strcmp(path, once) != 0, "%s", path);
        svc__uri_clean(twice, svc__bytes(once, len));
        cr_assert_str_eq(once, twice, "%s", path);
    }
}

Test(proto_uri, what_escapes_stand_for_is_utf8_or_not)
{
    static const struct {
        struct bytes text;
        bool valid;
    } rows[] = {
        {{NULL, 0}, true},
        {LITERAL("/plain"), true},
        {LITERAL("/%41"), true},
        {LITERAL("/\xc3\xa9"), true},
        {LITERAL("/%C3%A9"), true},
        {LITERAL("/%c3\xa9"), true}, /* one character, half of it escaped */
        {LITERAL("/\xc3%a9"), true},
        {LITERAL("/%E2%82%AC/%F0%9F%98%80x"), true},
        {LITERAL("/%F4%8F%BF%BF"), true},
        {LITERAL("/\xff"), false},
        {LITERAL("/%FF"), false},
        {LITERAL("/%C3"), false},
        {LITERAL("/%C3/%A9"), false},
        {LITERAL("/%A9"), false},
        {LITERAL("/%C0%AF"), false}, /* overlong */
        {LITERAL("/%c0%ae%c0%ae/"), false},
        {LITERAL("/%E0%80%AF"), false}, /* overlong */
        {LITERAL("/%ED%A0%80"), false}, /* surrogate */
        {LITERAL("/%F4%90%80%80"), false},
        {LITERAL("/%E2%82"), false},
        {LITERAL("/%E2%82x"), false},
        {LITERAL("/%F0%9F%98"), false},
    };
    for (size_t i = 0; i < ROWS(rows); i++)
        cr_expect_eq(svc__uri_decoded_utf8(rows[i].text), rows[i].valid, "row %zu: %.*s", i,
                     SHOW(rows[i].text));
}
