#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include <svc/errors.h>

#include "libsvc/proto/query.h"
#include "tests/unit/proto/vectors.h"

static struct arena arena;

static void open_arena(void)
{
    svc__arena_init(&arena, NULL, 1 << 20);
}

static void close_arena(void)
{
    svc__arena_reset(&arena);
}

TestSuite(proto_query, .init = open_arena, .fini = close_arena);

struct expected {
    struct bytes name, value;
    bool has_value;
};

static void expect_param(const struct param *got, const struct expected *want, const char *raw)
{
    cr_expect(svc__bytes_eq(got->name, want->name), "%s: name %.*s", raw, SHOW(got->name));
    cr_expect(svc__bytes_eq(got->value, want->value), "%s: value %.*s", raw, SHOW(got->value));
    cr_expect_eq(got->has_value, want->has_value, "%s", raw);
    cr_expect_eq(got->name.data[got->name.len], '\0');
    cr_expect_eq(got->value.data[got->value.len], '\0');
}

Test(proto_query, parameters_come_decoded_and_in_order)
{
    static const struct {
        const char *raw;
        size_t count;
        struct expected params[4];
    } rows[] = {
        {"", 0, {{LITERAL(""), LITERAL(""), false}}},
        {"&", 0, {{LITERAL(""), LITERAL(""), false}}},
        {"&&&", 0, {{LITERAL(""), LITERAL(""), false}}},
        {"a=1", 1, {{LITERAL("a"), LITERAL("1"), true}}},
        {"a", 1, {{LITERAL("a"), LITERAL(""), false}}},
        {"a=", 1, {{LITERAL("a"), LITERAL(""), true}}},
        {"=", 1, {{LITERAL(""), LITERAL(""), true}}},
        {"=v", 1, {{LITERAL(""), LITERAL("v"), true}}},
        {"a=b=c", 1, {{LITERAL("a"), LITERAL("b=c"), true}}},
        {"a=1&a=2&b=3",
         3,
         {{LITERAL("a"), LITERAL("1"), true},
          {LITERAL("a"), LITERAL("2"), true},
          {LITERAL("b"), LITERAL("3"), true}}},
        {"&a=1&&b&", 2, {{LITERAL("a"), LITERAL("1"), true}, {LITERAL("b"), LITERAL(""), false}}},
        {"a+b=c+d", 1, {{LITERAL("a b"), LITERAL("c d"), true}}},
        {"a%2Bb=%2b", 1, {{LITERAL("a+b"), LITERAL("+"), true}}},
        {"a%3Db=c%26d", 1, {{LITERAL("a=b"), LITERAL("c&d"), true}}},
        {"%E2%82%AC=%F0%9F%98%80",
         1,
         {{LITERAL("\xe2\x82\xac"), LITERAL("\xf0\x9f\x98\x80"), true}}},
        {"a=\xc3\xa9", 1, {{LITERAL("a"), LITERAL("\xc3\xa9"), true}}},
        {"a=%2525", 1, {{LITERAL("a"), LITERAL("%25"), true}}},
        {"a;b=1;c", 1, {{LITERAL("a;b"), LITERAL("1;c"), true}}},
        {"a?b=/?#", 1, {{LITERAL("a?b"), LITERAL("/?#"), true}}},
        {"a=%0D%0A", 1, {{LITERAL("a"), LITERAL("\r\n"), true}}},
    };
    for (size_t i = 0; i < ROWS(rows); i++) {
        struct param *params;
        size_t count;
        int rc = svc__query_parse(&arena, svc__bytes_z(rows[i].raw), 4, &params, &count);
        cr_assert_eq(rc, 0, "%s: %d", rows[i].raw, rc);
        cr_assert_eq(count, rows[i].count, "%s: %zu", rows[i].raw, count);
        cr_expect_eq(params == NULL, count == 0);
        for (size_t k = 0; k < count; k++)
            expect_param(&params[k], &rows[i].params[k], rows[i].raw);
    }
}

Test(proto_query, nul_and_bad_utf8_are_not_valid)
{
    static const struct {
        struct bytes raw;
        bool as_text, as_bytes;
    } rows[] = {
        {LITERAL(""), true, true},
        {LITERAL("a=1&&b"), true, true},
        {LITERAL("a=%E2%82%AC+\xc3\xa9"), true, true},
        {LITERAL("a=%2500"), true, true},
        {LITERAL("a=%00"), false, false},
        {LITERAL("%00=a"), false, false},
        {LITERAL("a=1&b=%41%00"), false, false},
        {LITERAL("a=\0"), false, false},
        {LITERAL("\0"), false, false},
        {LITERAL("a=%FF"), false, true},
        {LITERAL("a=\xff"), false, true},
        {LITERAL("a=\xc3%A9"), true, true},
        {LITERAL("a=%C3"), false, true},
        {LITERAL("%C3=%A9"), false, true},
        {LITERAL("a=%C3&b=%A9"), false, true},
        {LITERAL("%C3&%A9"), false, true},
        {LITERAL("%C3+%A9"), false, true},
        {LITERAL("\xc3&\xa9"), false, true},
        {LITERAL("a=%C0%80"), false, true},
        {LITERAL("a=%ED%A0%80"), false, true},
        {LITERAL("a=%E2%82"), false, true},
    };
    for (size_t i = 0; i < ROWS(rows); i++) {
        cr_expect_eq(svc__query_valid(rows[i].raw, true), rows[i].as_text, "%.*s",
                     SHOW(rows[i].raw));
        cr_expect_eq(svc__query_valid(rows[i].raw, false), rows[i].as_bytes, "%.*s",
                     SHOW(rows[i].raw));
    }
    cr_expect(svc__query_valid(svc__bytes(NULL, 0), true), "no query at all");
}

Test(proto_query, values_may_be_any_bytes)
{
    struct param *params;
    size_t count;
    cr_assert_eq(svc__query_parse(&arena, BYTES("%FF=%C3&\xfe"), 2, &params, &count), 0);
    cr_assert_eq(count, 2);
    expect_param(&params[0], &(struct expected){LITERAL("\xff"), LITERAL("\xc3"), true}, "first");
    expect_param(&params[1], &(struct expected){LITERAL("\xfe"), LITERAL(""), false}, "second");
}

Test(proto_query, a_missing_query_has_no_parameters)
{
    struct param *params;
    size_t count;
    cr_assert_eq(svc__query_parse(&arena, svc__bytes(NULL, 0), 0, &params, &count), 0);
    cr_expect_eq(count, 0);
    cr_expect_null(params);
}

Test(proto_query, the_limit_counts_pieces_that_are_not_empty)
{
    struct param *params;
    size_t count;
    cr_expect_eq(svc__query_parse(&arena, BYTES("a&&b&"), 2, &params, &count), 0);
    cr_expect_eq(svc__query_parse(&arena, BYTES("a&b&c"), 2, &params, &count), SVC_ETOOBIG);
    cr_expect_eq(svc__query_parse(&arena, BYTES("a"), 0, &params, &count), SVC_ETOOBIG);
    cr_expect_eq(svc__query_parse(&arena, BYTES("&"), 0, &params, &count), 0);
}

Test(proto_query, two_thousand_parameters_are_one_array)
{
    char raw[2000 * 6], *at = raw;
    struct param *params;
    size_t count;
    for (int i = 0; i < 2000; i++)
        at += sprintf(at, "%s%x=%d", i ? "&" : "", (unsigned)i % 16, i % 100);
    cr_assert_eq(
        svc__query_parse(&arena, svc__bytes(raw, (size_t)(at - raw)), 2000, &params, &count), 0);
    cr_assert_eq(count, 2000);
    cr_expect(svc__bytes_eq_z(params[1999].name, "f"));
    cr_expect(svc__bytes_eq_z(params[1999].value, "99"));
}

/* The text block is sized to the byte, so its last NUL must fit for every shape of the last piece.
 */
Test(proto_query, every_short_query_fits_its_block)
{
    static const char alphabet[] = "a=&+";
    for (unsigned n = 0; n < 1u << 12; n++) {
        char raw[6];
        struct param *params;
        size_t count;
        for (unsigned i = 0; i < 6; i++)
            raw[i] = alphabet[(n >> (2 * i)) & 3];
        for (size_t len = 0; len <= 6; len++)
            cr_assert_eq(svc__query_parse(&arena, svc__bytes(raw, len), 6, &params, &count), 0);
        svc__arena_reset(&arena);
    }
}

Test(proto_query, an_arena_at_its_ceiling_gives_enomem)
{
    struct arena small;
    for (size_t ceiling = 0; ceiling < 256; ceiling += 16) {
        struct param *params;
        size_t count = 77;
        svc__arena_init(&small, NULL, ceiling);
        int rc = svc__query_parse(&small, BYTES("a=1&b=2&c=3"), 10, &params, &count);
        cr_expect(rc == SVC_ENOMEM || rc == 0);
        cr_expect_eq(count, rc == 0 ? 3 : 77);
        cr_expect(rc == SVC_ENOMEM || ceiling >= 12 + 3 * sizeof(struct param));
        svc__arena_reset(&small);
    }
}
