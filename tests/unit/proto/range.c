/* Ranges of bytes, and how parts are described. */
#include "libsvc/proto/range.h"

#include <criterion/criterion.h>
#include <inttypes.h>
#include <stdio.h>

#define ROWS(table) (sizeof(table) / sizeof((table)[0]))

struct range_row {
    const char *value;
    uint64_t length;
    enum range_verdict verdict;
    const char *parts; /* "first-last" each, with a space behind */
};

static const struct range_row rows[] = {
    /* RFC 9110 14.1.2: the examples for a representation of 10000 bytes */
    {"bytes=0-499", 10000, RANGE_PARTS, "0-499 "},
    {"bytes=500-999", 10000, RANGE_PARTS, "500-999 "},
    {"bytes=-500", 10000, RANGE_PARTS, "9500-9999 "},
    {"bytes=9500-", 10000, RANGE_PARTS, "9500-9999 "},
    {"bytes=0-0,-1", 10000, RANGE_PARTS, "0-0 9999-9999 "},
    {"bytes= 0-0, -2", 10000, RANGE_PARTS, "0-0 9998-9999 "},
    {"bytes= 0-999, 4500-5499, -1000", 10000, RANGE_PARTS, "0-999 4500-5499 9000-9999 "},
    {"bytes=500-600,601-999", 10000, RANGE_PARTS, "500-999 "},
    {"bytes=500-700,601-999", 10000, RANGE_PARTS, "500-999 "},
    {"bytes=7000-", 10000, RANGE_PARTS, "7000-9999 "},
    {"bytes=10000-", 10000, RANGE_UNSATISFIABLE, ""},
    {"bytes=10000-10001", 10000, RANGE_UNSATISFIABLE, ""},
    {"bytes=0-", 10000, RANGE_PARTS, "0-9999 "},
    {"bytes=-20000", 10000, RANGE_PARTS, "0-9999 "},
    {"bytes=-0", 10000, RANGE_UNSATISFIABLE, ""},
    {"bytes=-0,10000-", 10000, RANGE_UNSATISFIABLE, ""},
    {"bytes=-0,10000-,5-6", 10000, RANGE_PARTS, "5-6 "},
    /* forms */
    {"BYTES= 2-4 ", 10, RANGE_PARTS, "2-4 "},
    {"bytes=,2-4,\t,6-7 ,", 10, RANGE_PARTS, "2-4 6-7 "},
    {"bytes=2-99999999999999999999999", 10, RANGE_PARTS, "2-9 "},
    {"bytes=-99999999999999999999999", 10, RANGE_PARTS, "0-9 "},
    {"bytes=99999999999999999999999-", 10, RANGE_UNSATISFIABLE, ""},
    {"bytes=18446744073709551615-18446744073709551615", UINT64_MAX, RANGE_UNSATISFIABLE, ""},
    {"bytes=18446744073709551613-", UINT64_MAX, RANGE_PARTS,
     "18446744073709551613-18446744073709551614 "},
    {"bytes=00-01", 10, RANGE_PARTS, "0-1 "},
    /* the order is the client's, and what overlaps or touches is joined in the first one's place */
    {"bytes=8-9,0-1", 10, RANGE_PARTS, "8-9 0-1 "},
    {"bytes=0-1,8-9,2-3", 10, RANGE_PARTS, "0-3 8-9 "},
    {"bytes=0-1,4-5,8-9,1-8", 10, RANGE_PARTS, "0-9 "},
    {"bytes=8-9,4-5,0-1,2-3", 10, RANGE_PARTS, "8-9 0-5 "},
    {"bytes=8-9,4-5,0-1,3-3", 10, RANGE_PARTS, "8-9 3-5 0-1 "},
    {"bytes=3-3,3-3,3-3", 10, RANGE_PARTS, "3-3 "},
    /* no part of nothing */
    {"bytes=0-", 0, RANGE_UNSATISFIABLE, ""},
    {"bytes=-1", 0, RANGE_NONE, ""},
    {"bytes=0-,-1", 0, RANGE_NONE, ""},
    {"bytes=-1,0-", 0, RANGE_NONE, ""},
    /* malformed */
    {"bytes=4-2", 10, RANGE_MALFORMED, ""},
    {"bytes=0-1,4-2", 10, RANGE_MALFORMED, ""},
    {"bytes=20-,4-2", 10, RANGE_MALFORMED, ""},
    {"bytes=a-b", 10, RANGE_MALFORMED, ""},
    {"bytes=1", 10, RANGE_MALFORMED, ""},
    {"bytes=-", 10, RANGE_MALFORMED, ""},
    {"bytes=--1", 10, RANGE_MALFORMED, ""},
    {"bytes=1-2-3", 10, RANGE_MALFORMED, ""},
    {"bytes=+1-2", 10, RANGE_MALFORMED, ""},
    {"bytes=1 -2", 10, RANGE_MALFORMED, ""},
    {"bytes=1-2;3-4", 10, RANGE_MALFORMED, ""},
    {"bytes=1-2 3-4", 10, RANGE_MALFORMED, ""},
    {"bytes=0x1-2", 10, RANGE_MALFORMED, ""},
    {"bytes=,,", 10, RANGE_MALFORMED, ""},
    {"bytes=", 10, RANGE_MALFORMED, ""},
    {"bytes", 10, RANGE_MALFORMED, ""},
    /* other units */
    {"lines=0-1", 10, RANGE_NONE, ""},
    {"bytes =0-1", 10, RANGE_NONE, ""},
    {"byte=0-1", 10, RANGE_NONE, ""},
    {"=0-1", 10, RANGE_NONE, ""},
    {"", 10, RANGE_NONE, ""},
};

static const char *parts_of(const struct range_set *set)
{
    static char text[1024];
    size_t len = 0;
    text[0] = '\0';
    for (size_t i = 0; i < set->count; i++)
        len += (size_t)snprintf(text + len, sizeof text - len, "%" PRIu64 "-%" PRIu64 " ",
                                set->list[i].first, set->list[i].last);
    return text;
}

Test(range, finds_the_parts_or_takes_the_whole)
{
    for (size_t i = 0; i < ROWS(rows); i++) {
        struct range_set set = {.count = 0};
        const struct range_row *row = &rows[i];
        enum range_verdict verdict = svc__range_parse(svc__bytes_z(row->value), row->length, &set);
        cr_expect_eq(verdict, row->verdict, "%s: %d", row->value, verdict);
        cr_expect_str_eq(parts_of(&set), row->parts, "%s: %s", row->value, parts_of(&set));
    }
}

/* "bytes=0-0,2-2,…", of `count` ranges. */
static struct bytes many_ranges(size_t count)
{
    static char text[512];
    size_t len = (size_t)snprintf(text, sizeof text, "bytes=0-0");
    for (size_t i = 1; i < count; i++)
        len += (size_t)snprintf(text + len, sizeof text - len, ",%zu-%zu", 2 * i, 2 * i);
    return svc__bytes(text, len);
}

Test(range, takes_the_whole_in_place_of_very_many_parts)
{
    struct range_set set = {.count = 0};
    cr_expect_eq(svc__range_parse(many_ranges(RANGE_MOST), 100, &set), RANGE_PARTS);
    cr_expect_eq(set.count, RANGE_MOST);
    cr_expect_eq(svc__range_parse(many_ranges(RANGE_MOST + 1), 100, &set), RANGE_NONE);
}

Test(range, describes_a_part)
{
    char text[RANGE_CONTENT_SIZE];
    const struct range part = {2, 4}, longest = {UINT64_MAX - 1, UINT64_MAX};
    cr_expect_eq(svc__range_content(text, &part, 10), 12);
    cr_expect_str_eq(text, "bytes 2-4/10");
    svc__range_content(text, NULL, 10);
    cr_expect_str_eq(text, "bytes */10");
    svc__range_content(text, &longest, UINT64_MAX);
    cr_expect_str_eq(text, "bytes 18446744073709551614-18446744073709551615/18446744073709551615");
}

Test(range, writes_the_lines_between_parts)
{
    char text[256];
    struct buf out;
    const struct range part = {2, 4};
    svc__buf_over(&out, text, sizeof text);
    svc__range_part_begin(&out, svc__bytes_z("B"), svc__bytes_z("a/b"), &part, 10);
    svc__range_part_begin(&out, svc__bytes_z("B"), svc__bytes(NULL, 0), &part, 10);
    svc__range_parts_end(&out, svc__bytes_z("B"));
    svc__buf_terminate(&out);
    cr_expect_str_eq(text, "\r\n--B\r\nContent-Type: a/b\r\nContent-Range: bytes 2-4/10\r\n\r\n"
                           "\r\n--B\r\nContent-Range: bytes 2-4/10\r\n\r\n"
                           "\r\n--B--\r\n");
}
