/* One value meets the rules of its field: at the bounds of each, and what is written. */
#include "libsvc/bind/bind_value.h"

#include <float.h>
#include <math.h>

#include "tests/unit/bind/support.h"

static struct schema_field *field;

static void make(int type)
{
    hand_table.count = 0;
    field = hand_field("a", type, 0, 8);
    field->rule.min_double = -DBL_MAX;
    field->rule.max_double = DBL_MAX;
}

/* ---- Numbers */

#define EXPECT_WHOLE(n, good)                                                                      \
    do {                                                                                           \
        int64_t at = 77;                                                                           \
        const char *wrong = svc__bind_value_whole(field, &at, (n));                                \
        cr_expect_eq(wrong, (good) ? NULL : field->wrong, "%s", #n);                               \
        cr_expect_eq(at, (good) ? (n) : 77, "%s", #n);                                             \
    } while (0)

#define EXPECT_NUMBER(type, n, good)                                                               \
    do {                                                                                           \
        type at = 77;                                                                              \
        const char *wrong = svc__bind_value_number(field, &at, (n));                               \
        cr_expect_eq(wrong, (good) ? NULL : field->wrong, "%s", #n);                               \
        cr_expect((good) ? at == (type)(n) : at == 77, "%s", #n);                                  \
    } while (0)

#define EXPECT_PARSED(type, text, good, value)                                                     \
    do {                                                                                           \
        type at = 77;                                                                              \
        const char *wrong = svc__bind_value_parse(field, &at, svc__bytes_z(text));                 \
        cr_expect_eq(wrong, (good) ? NULL : field->wrong, "%s", text);                             \
        cr_expect((good) ? at == (type)(value) : at == 77, "%s", text);                            \
    } while (0)

Test(bind_value, whole_numbers_hold_their_bounds)
{
    make(SVC_TYPE_INT64);
    EXPECT_WHOLE(INT64_MIN, true);
    EXPECT_WHOLE(INT64_MAX, true);
    field->rule.min = -3;
    field->rule.max = 5;
    EXPECT_WHOLE(-4, false);
    EXPECT_WHOLE(-3, true);
    EXPECT_WHOLE(5, true);
    EXPECT_WHOLE(6, false);
    make(SVC_TYPE_UINT64);
    EXPECT_WHOLE(-1, false);
    EXPECT_WHOLE(0, true);
    field->rule.min = 2;
    field->greatest = 4;
    EXPECT_WHOLE(1, false);
    EXPECT_WHOLE(4, true);
    EXPECT_WHOLE(5, false);
    EXPECT_WHOLE(INT64_MIN, false);
}

/* Beyond 2^53 a double does not say which whole number was meant. */
Test(bind_value, doubles_are_whole_numbers_only_where_they_are_exact)
{
    make(SVC_TYPE_INT64);
    EXPECT_NUMBER(int64_t, 9007199254740992.0, true);
    EXPECT_NUMBER(int64_t, -9007199254740992.0, true);
    EXPECT_NUMBER(int64_t, 9007199254740994.0, false);
    EXPECT_NUMBER(int64_t, -1e300, false);
    EXPECT_NUMBER(int64_t, 0.5, false);
    EXPECT_NUMBER(int64_t, -0.0, true);
    EXPECT_NUMBER(int64_t, (double)NAN, false);
    EXPECT_NUMBER(int64_t, (double)INFINITY, false);
    make(SVC_TYPE_UINT64);
    EXPECT_NUMBER(uint64_t, -1.0, false);
    EXPECT_NUMBER(uint64_t, 1e15, true);
}

Test(bind_value, doubles_hold_their_bounds_and_are_numbers)
{
    make(SVC_TYPE_DOUBLE);
    field->rule.min_double = 0.25;
    field->rule.max_double = 2;
    EXPECT_NUMBER(double, 0.25, true);
    EXPECT_NUMBER(double, 2.0, true);
    EXPECT_NUMBER(double, nextafter(2.0, 3), false);
    EXPECT_NUMBER(double, nextafter(0.25, 0), false);
    EXPECT_NUMBER(double, (double)NAN, false);
    EXPECT_PARSED(double, "0.5", true, 0.5);
    EXPECT_PARSED(double, "1e0", true, 1);
    EXPECT_PARSED(double, "nan", false, 0);
    EXPECT_PARSED(double, "0x1", false, 0);
    EXPECT_PARSED(double, "", false, 0);
    EXPECT_PARSED(double, " 1", false, 0);
}

Test(bind_value, texts_are_numbers_to_the_last_digit)
{
    make(SVC_TYPE_INT64);
    EXPECT_PARSED(int64_t, "9223372036854775807", true, INT64_MAX);
    EXPECT_PARSED(int64_t, "-9223372036854775808", true, INT64_MIN);
    EXPECT_PARSED(int64_t, "9223372036854775808", false, 0);
    EXPECT_PARSED(int64_t, "1.0", false, 0);
    EXPECT_PARSED(int64_t, "", false, 0);
    make(SVC_TYPE_UINT64);
    EXPECT_PARSED(uint64_t, "18446744073709551615", true, UINT64_MAX);
    EXPECT_PARSED(uint64_t, "18446744073709551616", false, 0);
    EXPECT_PARSED(uint64_t, "-0", false, 0);
    field->greatest = 9;
    EXPECT_PARSED(uint64_t, "10", false, 0);
}

/* ---- Others */

Test(bind_value, a_truth_is_one_of_three_words)
{
    static const char *const bad[] = {"",     "TRUE", "1",  "true ", "truefalse",
                                      "fals", "o",    "On", "off"};
    make(SVC_TYPE_BOOL);
    bool at = false;
    cr_expect_eq(svc__bind_value_parse(field, &at, svc__bytes_z("true")), NULL);
    cr_expect(at);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        cr_expect_eq(svc__bind_value_parse(field, &at, svc__bytes_z(bad[i])), field->wrong);
    cr_expect(at, "nothing was written");
    cr_expect_eq(svc__bind_value_parse(field, &at, svc__bytes_z("false")), NULL);
    cr_expect_not(at);
    cr_expect_eq(svc__bind_value_parse(field, &at, svc__bytes_z("on")), NULL, "a checkbox");
    cr_expect(at);
}

Test(bind_value, a_choice_is_known_by_its_whole_name)
{
    static const svc_choice choices[] = {{"open", 3}, {"opened", -4}, {"", 5}, {NULL, 0}};
    make(SVC_TYPE_ENUM);
    field->rule.choices = choices;
    int at = 77;
    cr_expect_eq(svc__bind_value_choice(field, &at, svc__bytes_z("ope")), field->wrong);
    cr_expect_eq(svc__bind_value_choice(field, &at, svc__bytes_z("OPEN")), field->wrong);
    cr_expect_eq(svc__bind_value_choice(field, &at, svc__bytes("open\0", 5)), field->wrong);
    cr_expect_eq(at, 77);
    cr_expect_eq(svc__bind_value_choice(field, &at, svc__bytes_z("opened")), NULL);
    cr_expect_eq(at, -4);
    cr_expect_eq(svc__bind_value_parse(field, &at, svc__bytes_z("open")), NULL);
    cr_expect_eq(at, 3);
    cr_expect_eq(svc__bind_value_choice(field, &at, svc__bytes_z("")), NULL);
    cr_expect_eq(at, 5);
}

/* Of a text of 3 to 4 characters, however many bytes those have. */
Test(bind_value, lengths_are_in_characters)
{
    static const struct {
        const char *text;
        bool good;
    } rows[] = {{"ab", false},
                {"abc", true},
                {"abcd", true},
                {"abcde", false},
                {"\xc3\xa9\xc3\xa9", false},
                {"\xf0\x9f\x98\x80\xe2\x82\xac\xc3\xa9z", true}};
    make(SVC_TYPE_TEXT);
    field->wrong_length = "has a wrong length";
    field->rule.min_length = 3;
    field->rule.max_length = 4;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const char *at = "before";
        const char *wrong = svc__bind_value_text(field, &at, svc__bytes_z(rows[i].text));
        cr_expect_eq(wrong, rows[i].good ? NULL : field->wrong_length, "%s", rows[i].text);
        cr_expect_str_eq(at, rows[i].good ? rows[i].text : "before");
    }
    field->rule.max_length = 0;
    const char *at = "before";
    cr_expect_eq(svc__bind_value_text(field, &at, svc__bytes_z("abcdefghijkl")), NULL,
                 "there is no most");
}

Test(bind_value, a_pattern_is_tried_on_texts_of_a_good_length_alone)
{
    regex_t pattern;
    cr_assert_eq(regcomp(&pattern, "^a+$", REG_EXTENDED | REG_NOSUB), 0);
    make(SVC_TYPE_TEXT);
    field->pattern = &pattern;
    field->wrong_pattern = "does not match";
    field->wrong_length = "is too long";
    field->rule.max_length = 3;
    const char *at = "before";
    cr_expect_eq(svc__bind_value_text(field, &at, svc__bytes_z("bbbb")), field->wrong_length);
    cr_expect_eq(svc__bind_value_text(field, &at, svc__bytes_z("b")), field->wrong_pattern);
    cr_expect_str_eq(at, "before");
    cr_expect_eq(svc__bind_value_parse(field, &at, svc__bytes_z("aaa")), NULL);
    cr_expect_str_eq(at, "aaa");
    regfree(&pattern);
}

Test(bind_value, no_text_stands_for_an_object_or_json)
{
    int64_t at = 77;
    make(SVC_TYPE_OBJECT);
    cr_expect_eq(svc__bind_value_parse(field, &at, svc__bytes_z("{}")), field->wrong);
    make(SVC_TYPE_JSON);
    cr_expect_eq(svc__bind_value_parse(field, &at, svc__bytes_z("1")), field->wrong);
    cr_expect_eq(at, 77);
}
