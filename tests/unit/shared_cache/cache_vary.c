/* Requests that select the same stored reply have equal texts. */
#include <criterion/criterion.h>

#include "libsvc/shared_cache/cache_vary.h"

#define ROWS(table) (sizeof(table) / sizeof((table)[0]))

enum { TEXT = 512, FIELDS = 6 };

static void expect_names(const struct field *fields, size_t count, const char *names)
{
    char text[TEXT];
    struct buf out;
    svc__buf_over(&out, text, sizeof text);
    svc__cache_vary_names(&out, fields, count);
    cr_expect(svc__bytes_eq_z(svc__buf_view(&out), names), "%.*s", (int)out.len, out.data);
}

Test(cache_vary, lists_the_names_of_all_fields)
{
    const struct field fields[] = {
        {svc__bytes_z("Vary"), svc__bytes_z("Accept-Encoding , ,Origin")},
        {svc__bytes_z("X-Other"), svc__bytes_z("Cookie")},
        {svc__bytes_z("vary"), svc__bytes_z("FOO")}};
    expect_names(fields, 3, "accept-encoding,origin,foo");
    expect_names(fields + 1, 1, "");
}

struct select_row {
    const char *names;
    const char *one[FIELDS], *other[FIELDS]; /* names and values */
    bool same;
};

static const struct select_row rows[] = {
    {"foo", {"Foo", "1"}, {"FOO", "1"}, true},
    {"foo", {"Foo", "1"}, {"Foo", "2"}, false},
    {"foo", {"Foo", "1"}, {NULL}, false},
    {"foo", {"Foo", ""}, {NULL}, false},
    {"foo", {NULL}, {"Bar", "1"}, true},
    {"foo", {"Foo", "1, 2"}, {"Foo", "1", "Foo", "2"}, true},
    {"foo", {"Foo", "1,2"}, {"Foo", "1 ,\t2"}, true},
    {"foo", {"Foo", "1 2"}, {"Foo", "1   2"}, true},
    {"foo", {"Foo", "12"}, {"Foo", "1 2"}, false},
    {"foo", {"Foo", "\"1, 2\""}, {"Foo", "\"1,2\""}, false},
    {"foo", {"Foo", "\"1\\\", 2\""}, {"Foo", "\"1\\\",2\""}, false},
    {"foo", {"Foo", "a"}, {"Foo", "A"}, false},
    {"accept-encoding", {"Accept-Encoding", "GZIP; q=1"}, {"Accept-Encoding", "gzip;q=1"}, true},
    {"accept-language", {"Accept-Language", "en-US, de"}, {"Accept-Language", "en-us,de"}, true},
    {"accept-language", {"Accept-Language", "en, de"}, {"Accept-Language", "de, en"}, false},
    {"foo,bar", {"Foo", "1", "Bar", "2"}, {"Bar", "2", "Foo", "1"}, true},
    {"foo,bar", {"Foo", "1"}, {"Bar", "1"}, false},
    {"foo,bar", {"Foo", "1", "Bar", "2"}, {"Foo", "2", "Bar", "1"}, false},
};

static struct bytes select_by(struct buf *out, const char *names, const char *const *texts)
{
    struct field list[FIELDS / 2];
    struct fields fields;
    size_t count = 0;
    for (size_t i = 0; i + 1 < FIELDS && texts[i]; i += 2)
        list[count++] = (struct field){svc__bytes_z(texts[i]), svc__bytes_z(texts[i + 1])};
    svc__fields_read(&fields, list, count);
    svc__cache_vary_select(out, svc__bytes_z(names), &fields);
    cr_assert_not(svc__buf_error(out));
    return svc__buf_view(out);
}

Test(cache_vary, tells_selections_apart)
{
    for (size_t i = 0; i < ROWS(rows); i++) {
        char one_text[TEXT], other_text[TEXT];
        struct buf one, other;
        svc__buf_over(&one, one_text, sizeof one_text);
        svc__buf_over(&other, other_text, sizeof other_text);
        bool same = svc__bytes_eq(select_by(&one, rows[i].names, rows[i].one),
                                  select_by(&other, rows[i].names, rows[i].other));
        cr_expect_eq(same, rows[i].same, "row %zu", i);
    }
}
