#include <criterion/criterion.h>
#include <limits.h>
#include <string.h>

#include "libsvc/settings/setting.h"
#include "tests/unit/base/support.h"

struct values {
    const char *string;
    uint64_t number;
    int flag, choice;
};

enum { STRING, NUMBER, FLAG, CHOICE, KINDS };
static const svc_setting table[KINDS] = {
    SVC_SETTING_STRING(struct values, string, "first", "A text"),
    SVC_SETTING_NUMBER(struct values, number, 5, 2, 10, "ms", "A number"),
    SVC_SETTING_FLAG(struct values, flag, 1, "A flag"),
    SVC_SETTING_CHOICE(struct values, choice, 2, "red green blue", "A choice"),
};

static struct values values;
static struct arena memory;

static void open_values(void)
{
    svc__arena_init(&memory, NULL, SIZE_MAX);
    for (size_t i = 0; i < KINDS; i++)
        svc__setting_reset(&table[i], &values);
}

static void close_values(void)
{
    svc__arena_reset(&memory);
}

TestSuite(core_setting, .init = open_values, .fini = close_values);

typedef void put_fn(const svc_setting *setting, struct buf *out);

static void put_value(const svc_setting *setting, struct buf *out)
{
    svc__setting_value(setting, &values, out);
}

static void expect_text(put_fn *put, size_t kind, const char *text)
{
    struct buf out;
    svc__buf_init(&out, 256);
    put(&table[kind], &out);
    cr_expect(svc__bytes_eq_z(svc__buf_view(&out), text), "%s: %.*s", text,
              SHOW(svc__buf_view(&out)));
    svc__buf_free(&out);
}

static int parse(size_t kind, struct bytes text)
{
    return svc__setting_parse(&table[kind], text, &values, &memory);
}

Test(core_setting, defaults_are_written_and_known)
{
    cr_expect_str_eq(values.string, "first");
    cr_expect_eq(values.number, 5);
    cr_expect_eq(values.flag, 1);
    cr_expect_eq(values.choice, 2);
    for (size_t i = 0; i < KINDS; i++) {
        cr_expect(svc__setting_is_default(&table[i], &values), "%zu", i);
        cr_expect(svc__setting_in_range(&table[i], &values), "%zu", i);
        cr_expect_null(svc__setting_fault(&table[i]), "%zu", i);
    }
    values = (struct values){.string = NULL};
    for (size_t i = 0; i < KINDS; i++)
        cr_expect_not(svc__setting_is_default(&table[i], &values), "%zu", i);
}

Test(core_setting, each_kind_is_read)
{
    static const struct {
        size_t kind;
        struct bytes text;
        const char *value;
    } rows[] = {
        {STRING, LITERAL("a b"), "a b"},     {STRING, LITERAL(""), ""},
        {NUMBER, LITERAL("2"), "2"},         {NUMBER, LITERAL("0010"), "10"},
        {FLAG, LITERAL("0"), "off"},         {FLAG, LITERAL("true"), "on"},
        {FLAG, LITERAL("no"), "off"},        {FLAG, LITERAL("on"), "on"},
        {FLAG, LITERAL("false"), "off"},     {FLAG, LITERAL("yes"), "on"},
        {FLAG, LITERAL("off"), "off"},       {FLAG, LITERAL("1"), "on"},
        {CHOICE, LITERAL("red"), "red"},     {CHOICE, LITERAL("blue"), "blue"},
        {CHOICE, LITERAL("green"), "green"},
    };
    for (size_t i = 0; i < ROWS(rows); i++) {
        cr_expect_eq(parse(rows[i].kind, rows[i].text), 0, "row %zu", i);
        expect_text(put_value, rows[i].kind, rows[i].value);
    }
}

Test(core_setting, what_is_not_of_the_kind_or_out_of_range_leaves_the_value)
{
    static const struct {
        size_t kind;
        struct bytes text;
        int error;
    } rows[] = {
        {NUMBER, LITERAL(""), SVC_ESYNTAX},
        {NUMBER, LITERAL("-3"), SVC_ESYNTAX},
        {NUMBER, LITERAL("3 "), SVC_ESYNTAX},
        {NUMBER, LITERAL("3ms"), SVC_ESYNTAX},
        {NUMBER, LITERAL("0x3"), SVC_ESYNTAX},
        {NUMBER, LITERAL("1"), SVC_ETOOBIG},
        {NUMBER, LITERAL("11"), SVC_ETOOBIG},
        {NUMBER, LITERAL("18446744073709551618"), SVC_ETOOBIG},
        {FLAG, LITERAL(""), SVC_ESYNTAX},
        {FLAG, LITERAL("ON"), SVC_ESYNTAX},
        {FLAG, LITERAL("true yes"), SVC_ESYNTAX},
        {FLAG, LITERAL("2"), SVC_ESYNTAX},
        {CHOICE, LITERAL(""), SVC_ESYNTAX},
        {CHOICE, LITERAL("red green"), SVC_ESYNTAX},
        {CHOICE, LITERAL("2"), SVC_ESYNTAX},
        {CHOICE, LITERAL("Red"), SVC_ESYNTAX},
    };
    for (size_t i = 0; i < ROWS(rows); i++) {
        cr_expect_eq(parse(rows[i].kind, rows[i].text), rows[i].error, "row %zu", i);
        cr_expect(svc__setting_is_default(&table[rows[i].kind], &values), "row %zu", i);
    }
}

/* Durations and numbers as other tools write them: none is taken for something else. */
Test(core_setting, a_number_is_decimal_digits_and_nothing_else)
{
    static const char *const odd[] = {
        "5s",        "5ms",          "5 ms",
        "5 s",       "5m",           "5h",
        "1h5m",      "PT5S",         "00:05",
        "5,0",       "5.0",          "5.",
        ".5",        "5e0",          "5E0",
        "e5",        "5_0",          "5'0",
        "5k",        "5K",           "5Ki",
        "5KB",       "5B",           "5%",
        "+5",        "-5",           "--5",
        "- 5",       " 5",           "\t5",
        "5\n",       "5 5",          "5;",
        "5#",        "5//",          "'5'",
        "\"5\"",     "$((5))",       "%d",
        "0x5",       "0X5",          "0b101",
        "0o5",       "05h",          "five",
        "true",      "on",           "null",
        "nil",       "NaN",          "inf",
        "max",       "default",      "auto",
        "-0",        "5-10",         "5..10",
        "1/2",       "5u",           "5UL",
        "5L",        "5f",           "V",
        "\xd9\xa5",  "\xef\xbc\x95", "\xc2\xbd",
        "5\xc2\xa0", "\xe2\x88\x9e", "\xe2\x80\x8b\065",
    };
    for (size_t i = 0; i < ROWS(odd); i++) {
        values.number = 7;
        cr_expect_eq(parse(NUMBER, svc__bytes_z(odd[i])), SVC_ESYNTAX, "%s", odd[i]);
        cr_expect_eq(values.number, 7, "%s", odd[i]);
    }
    cr_expect_eq(parse(NUMBER, svc__bytes("5\0", 2)), SVC_ESYNTAX);
    cr_expect_eq(parse(NUMBER, svc__bytes_z("005")), 0);
    cr_expect_eq(values.number, 5);
    cr_expect_eq(parse(NUMBER, svc__bytes_z("010")), 0, "octal");
    cr_expect_eq(values.number, 10);
}

Test(core_setting, texts_are_copied)
{
    char text[] = "text";
    cr_expect_eq(parse(STRING, svc__bytes(text, 3)), 0);
    text[0] = 'x';
    cr_expect_str_eq(values.string, "tex");
}

Test(core_setting, values_beyond_the_range_are_told_as_numbers)
{
    values = (struct values){NULL, 11, 2, -1};
    for (size_t i = NUMBER; i < KINDS; i++)
        cr_expect_not(svc__setting_in_range(&table[i], &values), "%zu", i);
    expect_text(put_value, STRING, "");
    expect_text(put_value, NUMBER, "11");
    expect_text(put_value, FLAG, "2");
    expect_text(put_value, CHOICE, "-1");
    values.choice = 3;
    cr_expect_not(svc__setting_in_range(&table[CHOICE], &values));
    values.choice = INT_MIN;
    cr_expect_not(svc__setting_in_range(&table[CHOICE], &values));
}

Test(core_setting, defaults_and_ranges_are_told)
{
    expect_text(svc__setting_default, STRING, "first");
    expect_text(svc__setting_default, NUMBER, "5 ms");
    expect_text(svc__setting_default, FLAG, "on");
    expect_text(svc__setting_default, CHOICE, "blue");
    expect_text(svc__setting_range, STRING, "");
    expect_text(svc__setting_range, NUMBER, "2 to 10");
    expect_text(svc__setting_range, FLAG, "on or off");
    expect_text(svc__setting_range, CHOICE, "red, green or blue");
}

Test(core_setting, names_become_variables)
{
    char variable[SETTING_VARIABLE_SIZE],
        prefix[SETTING_PREFIX_MAX + 1] = "", name[SETTING_NAME_MAX + 1] = "";
    svc__setting_variable(variable, &table[STRING], "My");
    cr_expect_str_eq(variable, "My_STRING");
    cr_expect(svc__setting_named(&table[STRING], "My", BYTES("My_STRING")));
    cr_expect_not(svc__setting_named(&table[STRING], "My", BYTES("My_string")));
    cr_expect_not(svc__setting_named(&table[STRING], "My", BYTES("My_STRINGS")));
    memset(prefix, 'P', SETTING_PREFIX_MAX);
    memset(name, 'n', SETTING_NAME_MAX);
    svc_setting longest = table[STRING];
    longest.name = name;
    cr_expect_null(svc__setting_fault(&longest));
    svc__setting_variable(variable, &longest, prefix);
    cr_expect_eq(strlen(variable), SETTING_VARIABLE_SIZE - 1);
}

static void expect_fault(svc_setting setting, const char *text)
{
    const char *fault = svc__setting_fault(&setting);
    cr_expect(fault && strstr(fault, text), "%s: %s", text, fault ? fault : "none");
}

Test(core_setting, rows_that_say_what_cannot_be_have_a_fault)
{
    static const char too_long[] = "n234567890n234567890n234567890n234567890n234567890n2345678901";
    static const char *const names[] = {"", "A", "1a", "_a", "a-b", "a b", "aB", too_long};
    svc_setting setting = table[NUMBER];
    for (size_t i = 0; i < ROWS(names); i++) {
        setting.name = names[i];
        expect_fault(setting, "a name begins");
    }
    static const struct {
        svc_setting row;
        const char *fault;
    } rows[] = {
        {SVC_SETTING_NUMBER(struct values, number, 5, 6, 10, "", "x"), "out of the range"},
        {SVC_SETTING_NUMBER(struct values, number, 5, 6, 4, "", "x"), "needs a range"},
        {SVC_SETTING_NUMBER(struct values, number, 5, 1, 9, NULL, "x"), "and a unit"},
        {SVC_SETTING_FLAG(struct values, flag, 2, "x"), "out of the range"},
        {SVC_SETTING_CHOICE(struct values, choice, 1, "one", "x"), "out of the range"},
        {SVC_SETTING_CHOICE(struct values, choice, 0, "", "x"), "different words"},
        {SVC_SETTING_CHOICE(struct values, choice, 0, NULL, "x"), "different words"},
        {SVC_SETTING_CHOICE(struct values, choice, 0, "a  b", "x"), "different words"},
        {SVC_SETTING_CHOICE(struct values, choice, 0, "a b a", "x"), "different words"},
        {SVC_SETTING_STRING(struct values, string, "d", "x", .required = true), "default"},
        {SVC_SETTING_STRING(struct values, string, "d", NULL), "needs a text"},
    };
    for (size_t i = 0; i < ROWS(rows); i++)
        expect_fault(rows[i].row, rows[i].fault);
    setting = table[NUMBER];
    setting.kind = (enum svc_setting_kind)4;
    expect_fault(setting, "an unknown kind");
    setting = table[NUMBER];
    setting.number = 0;
    setting.required = true;
    cr_expect_null(svc__setting_fault(&setting), "what is required has no default to be checked");
}
