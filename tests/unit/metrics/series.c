/* Series by their label values. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <svc/errors.h>

#include "libsvc/base/utf8.h"
#include "libsvc/metrics/metric.h"
#include "tests/unit/base/support.h"

static struct metrics *metrics;
static svc_counter_family *family;

static svc_counter_family *make_family(const char *name, uint32_t max_series)
{
    struct family *made;
    const char *why;
    svc_metric metric = SVC_METRIC_INIT;
    metric.name = name;
    metric.help = "A.";
    metric.labels[0] = "a";
    metric.labels[1] = "b";
    metric.max_series = max_series;
    cr_assert_eq(svc__metric_register(metrics, &metric,
                                      (struct metric_sort){.type = METRIC_COUNTER}, &made, &why),
                 0);
    return (svc_counter_family *)made;
}

static void open_family(void)
{
    metrics = svc__metrics_new();
    cr_assert_not_null(metrics);
    family = make_family("a_total", 5000);
}

static void close_family(void)
{
    svc__metrics_free(metrics);
}

TestSuite(metrics_series, .init = open_family, .fini = close_family);

static svc_counter *of(const char *a, const char *b)
{
    return svc_counter_of(family, 2, (const char *[]){a, b});
}

Test(metrics_series, are_found_again_by_values_of_any_length)
{
    enum { LENGTHS = 60 };
    static char texts[LENGTHS][LENGTHS + 1];
    svc_counter *made[LENGTHS][2];
    for (size_t i = 0; i < LENGTHS; i++)
        memset(texts[i], 'x', i);
    for (size_t i = 0; i < LENGTHS; i++) {
        made[i][0] = of(texts[i], "y");
        made[i][1] = of("y", texts[i]);
        cr_expect(i == 1 || made[i][0] != made[i][1]);
    }
    for (size_t i = 0; i < LENGTHS; i++) {
        char copy[LENGTHS + 1];
        strcpy(copy, texts[i]);
        cr_expect_eq(of(copy, "y"), made[i][0], "%zu", i);
        cr_expect_eq(of("y", copy), made[i][1], "%zu", i);
        for (size_t j = 0; j < i; j++)
            cr_expect_neq(made[i][0], made[j][0]);
    }
    cr_expect_neq(of("ab", "c"), of("a", "bc"));
    cr_expect_neq(of("ab", ""), of("", "ab"));
    cr_expect_eq(of(NULL, "c"), of("", "c"));
}

Test(metrics_series, stay_where_they_are_while_others_are_made)
{
    enum { MANY = 4000 };
    static svc_counter *made[MANY];
    char text[16];
    for (int i = 0; i < MANY; i++) {
        snprintf(text, sizeof text, "%d", i);
        made[i] = of(text, "");
        svc_counter_add(made[i], (uint64_t)i);
    }
    for (int i = 0; i < MANY; i++) {
        snprintf(text, sizeof text, "%d", i);
        cr_assert_eq(of(text, ""), made[i]);
        cr_assert_eq(svc__counter_read(made[i]), (uint64_t)i);
    }
}

Test(metrics_series, need_as_many_values_as_there_are_labels)
{
    cr_expect_null(svc_counter_of(family, 1, (const char *[]){"a"}));
    cr_expect_null(svc_counter_of(family, 0, NULL));
    cr_expect_null(svc_counter_of(family, 3, (const char *[]){"a", "b", "c"}));
    svc_gauge_family *plain = svc__metric_gauges(metrics, "g", "G.", NULL);
    cr_expect_not_null(svc_gauge_of(plain, 0, NULL));
    cr_expect_eq(svc_gauge_of(plain, 0, NULL), svc_gauge_of(plain, 0, NULL));
    cr_expect_null(svc_gauge_of(plain, 1, (const char *[]){"a"}));
}

static uint64_t overflows(const char *name)
{
    struct family *all = svc__metrics_find(metrics, "svc_metric_overflows_total");
    return svc__counter_read((svc_counter *)svc__series_of(all, 1, &name));
}

Test(metrics_series, over_the_ceiling_are_counted_as_others)
{
    family = make_family("b_total", 2);
    svc_counter *one = of("1", ""), *two = of("2", ""), *three = of("3", ""), *four = of("4", "");
    cr_expect_neq(one, two);
    cr_expect_neq(two, three);
    cr_expect_eq(three, four);
    cr_expect_eq(of("_OTHER", "_OTHER"), three);
    cr_expect_eq(of("1", ""), one);
    cr_expect_eq(of("2", ""), two);
    cr_expect_eq(of("3", ""), three);
    cr_expect_eq(overflows("b_total"), 3);
    cr_expect_eq(overflows("a_total"), 0);
}

Test(metrics_series, have_values_up_to_a_length)
{
    char text[SVC_METRIC_VALUE_BYTES + 2];
    memset(text, 'x', sizeof text);
    text[SVC_METRIC_VALUE_BYTES + 1] = '\0';
    cr_expect_eq(of("", text), of("_OTHER", "_OTHER"));
    cr_expect_eq(overflows("a_total"), 1);
    text[SVC_METRIC_VALUE_BYTES] = '\0';
    cr_expect_neq(of("", text), of("_OTHER", "_OTHER"));
    cr_expect_neq(of(text, text), of("_OTHER", "_OTHER"));
    memset(text, '\xff', SVC_METRIC_VALUE_BYTES / 2); /* each of which needs three bytes */
    cr_expect_eq(of("", text), of("_OTHER", "_OTHER"));
}

Test(metrics_series, that_differ_only_in_what_is_no_utf8_are_one)
{
    svc_counter *replaced = of("/raw\xef\xbf\xbd/{x}", "");
    cr_expect_eq(of("/raw\xff/{x}", ""), replaced);
    cr_expect_eq(of("/raw\xfe/{x}", ""), replaced);
    cr_expect_neq(of("/raw/{x}", ""), replaced);
    cr_expect_str_eq(replaced->series.values[0], "/raw\xef\xbf\xbd/{x}");
}

/* Whatever the bytes are: the values are UTF-8, and those that were stay as they were. */
Test(metrics_series, have_values_in_utf8)
{
    static const char *const pieces[] = {
        "\xff", "\xc3", "\xa9", "\xe2\x82", "\xac",         "\xf0\x9f", "\x98\x80", "a",
        "\"",   "\\",   "\n",   "{",        "\xed\xa0\x80", "\xc0\x80", "\xf4\x90", "\x01"};
    unsigned state = 1;
    for (int round = 0; round < 3000; round++) {
        char text[64] = "";
        for (unsigned n = state >> 16 & 7; n > 0; n--) {
            state = state * 1103515245 + 12345;
            strcat(text, pieces[(state >> 16) % ROWS(pieces)]);
        }
        state = state * 1103515245 + 12345;
        const char *stored = of(text, "")->series.values[0];
        cr_assert(svc__utf8_valid(svc__bytes_z(stored)));
        if (svc__utf8_valid(svc__bytes_z(text)))
            cr_assert_str_eq(stored, text);
    }
}
