#include <criterion/criterion.h>
#include <string.h>

#include "libsvc/base/env_file.h"
#include "tests/unit/base/support.h"

/* A line, and what it says; without a name, it is refused for a reason that holds `value`. */
struct row {
    struct bytes text;
    const char *name;
    struct bytes value;
};

static void check_row(const struct row *row)
{
    char text[128];
    struct env_file file;
    struct env_entry entry;
    memcpy(text, row->text.data, row->text.len);
    svc__env_file_init(&file, text, row->text.len);
    cr_assert(svc__env_file_next(&file, &entry), "%.*s", SHOW(row->text));
    cr_expect_eq(entry.line, 1);
    if (row->name) {
        cr_assert_null(entry.reason, "%.*s: %s", SHOW(row->text), entry.reason);
        cr_expect(svc__bytes_eq_z(entry.name, row->name), "%.*s", SHOW(row->text));
        cr_expect(svc__bytes_eq(entry.value, row->value), "%.*s: %.*s", SHOW(row->text),
                  SHOW(entry.value));
    } else {
        cr_assert(entry.reason, "%.*s", SHOW(row->text));
        cr_expect(strstr(entry.reason, row->value.data), "%.*s: %s", SHOW(row->text), entry.reason);
        cr_expect_null(entry.name.data);
        cr_expect_null(entry.value.data);
    }
    cr_expect_not(svc__env_file_next(&file, &entry), "%.*s", SHOW(row->text));
}

Test(base_env_file, assignments_come_apart)
{
    static const struct row rows[] = {
        {LITERAL("A=b"), "A", LITERAL("b")},
        {LITERAL("_a9=b"), "_a9", LITERAL("b")},
        {LITERAL("A="), "A", LITERAL("")},
        {LITERAL("A=\n"), "A", LITERAL("")},
        {LITERAL("A=b\r\n"), "A", LITERAL("b")},
        {LITERAL(" \tA=b \t"), "A", LITERAL("b")},
        {LITERAL("A= b c "), "A", LITERAL("b c")},
        {LITERAL("A=b=c"), "A", LITERAL("b=c")},
        {LITERAL("export A=b"), "A", LITERAL("b")},
        {LITERAL("export\t A=b"), "A", LITERAL("b")},
        {LITERAL("export=b"), "export", LITERAL("b")},
        {LITERAL("exported=b"), "exported", LITERAL("b")},
        {LITERAL("A=b # c"), "A", LITERAL("b")},
        {LITERAL("A=b#c"), "A", LITERAL("b#c")},
        {LITERAL("A=#c"), "A", LITERAL("#c")},
        {LITERAL("A= # c"), "A", LITERAL("")},
        {LITERAL("A=b\t#c"), "A", LITERAL("b")},
        {LITERAL("A=$B ${C} `d`"), "A", LITERAL("$B ${C} `d`")},
        {LITERAL("A='b'"), "A", LITERAL("b")},
        {LITERAL("A=''"), "A", LITERAL("")},
        {LITERAL("A=' b\\n\"$ # '"), "A", LITERAL(" b\\n\"$ # ")},
        {LITERAL("A='b' # c'"), "A", LITERAL("b")},
        {LITERAL("A=\"\""), "A", LITERAL("")},
        {LITERAL("A=\"b\""), "A", LITERAL("b")},
        {LITERAL("A=\" b' # $C\" \t"), "A", LITERAL(" b' # $C")},
        {LITERAL("A=\"\\n\\r\\t\\\"\\\\\\$\\`\" # c"), "A", LITERAL("\n\r\t\"\\$`")},
        {LITERAL("A=\"gr\xc3\xbc\xc3\x9f\""), "A", LITERAL("gr\xc3\xbc\xc3\x9f")},
        {LITERAL("A=b\tc"), "A", LITERAL("b\tc")},
        {LITERAL("A=\xc2\xa0"), "A", LITERAL("\xc2\xa0")},
    };
    for (size_t i = 0; i < ROWS(rows); i++)
        check_row(&rows[i]);
}

Test(base_env_file, what_is_no_assignment_is_refused_with_a_reason)
{
    static const char expected[] = "NAME=value", quotes[] = "must stand in quotes",
                      single[] = "the single quote", twice[] = "the double quote",
                      behind[] = "follows", escape[] = "escape", bytes[] = "not UTF-8";
    static const struct row rows[] = {
        {LITERAL("A"), NULL, LITERAL(expected)},
        {LITERAL("=b"), NULL, LITERAL(expected)},
        {LITERAL("A =b"), NULL, LITERAL(expected)},
        {LITERAL("1A=b"), NULL, LITERAL(expected)},
        {LITERAL("A.B=c"), NULL, LITERAL(expected)},
        {LITERAL("A-B=c"), NULL, LITERAL(expected)},
        {LITERAL("export"), NULL, LITERAL(expected)},
        {LITERAL("export A"), NULL, LITERAL(expected)},
        {LITERAL("set A=b"), NULL, LITERAL(expected)},
        {LITERAL("\xef\xbb\xbf"
                 "A=b"),
         NULL, LITERAL(expected)},
        {LITERAL("A=b'c"), NULL, LITERAL(quotes)},
        {LITERAL("A=b\"c\""), NULL, LITERAL(quotes)},
        {LITERAL("A=b\\c"), NULL, LITERAL(quotes)},
        {LITERAL("A='b"), NULL, LITERAL(single)},
        {LITERAL("A='"), NULL, LITERAL(single)},
        {LITERAL("A=\"b"), NULL, LITERAL(twice)},
        {LITERAL("A=\""), NULL, LITERAL(twice)},
        {LITERAL("A=\"\\\""), NULL, LITERAL(twice)},
        {LITERAL("A=\"\\"), NULL, LITERAL(escape)},
        {LITERAL("A=\"\\x41\""), NULL, LITERAL(escape)},
        {LITERAL("A='b'c"), NULL, LITERAL(behind)},
        {LITERAL("A='b'#c"), NULL, LITERAL(behind)},
        {LITERAL("A=\"b\"c"), NULL, LITERAL(behind)},
        {LITERAL("A=b\0c"), NULL, LITERAL(bytes)},
        {LITERAL("A=b\x1b[0m"), NULL, LITERAL(bytes)},
        {LITERAL("A=b\x7f"), NULL, LITERAL(bytes)},
        {LITERAL("A=b\rc"), NULL, LITERAL(bytes)},
        {LITERAL("A=\xff"), NULL, LITERAL(bytes)},
        {LITERAL("A=\xc2\x9b"), NULL, LITERAL(bytes)},
        {LITERAL("# \xff"), NULL, LITERAL(bytes)},
    };
    for (size_t i = 0; i < ROWS(rows); i++)
        check_row(&rows[i]);
}

Test(base_env_file, lines_are_counted_and_those_that_say_nothing_passed_over)
{
    char text[] = "# first\n\nA=1\r\n \t\n  # more\nbad\nB='2'\n#";
    struct env_file file;
    struct env_entry entry;
    svc__env_file_init(&file, text, strlen(text));
    cr_assert(svc__env_file_next(&file, &entry));
    cr_expect(entry.line == 3 && svc__bytes_eq_z(entry.name, "A"));
    cr_assert(svc__env_file_next(&file, &entry));
    cr_expect(entry.line == 6 && entry.reason);
    cr_assert(svc__env_file_next(&file, &entry));
    cr_expect(entry.line == 7 && svc__bytes_eq_z(entry.value, "2"));
    cr_expect_not(svc__env_file_next(&file, &entry));
    cr_expect(entry.line == 7 && svc__bytes_eq_z(entry.value, "2"), "untouched at the end");
}

Test(base_env_file, an_empty_text_has_no_lines)
{
    struct env_file file;
    struct env_entry entry;
    svc__env_file_init(&file, NULL, 0);
    cr_expect_not(svc__env_file_next(&file, &entry));
}

Test(base_env_file, values_are_quoted_where_they_need_it)
{
    static const struct {
        struct bytes value;
        const char *quoted;
    } rows[] = {
        {LITERAL("b"), "b"},
        {LITERAL("127.0.0.1:80,[::1]:80"), "\"127.0.0.1:80,[::1]:80\""},
        {LITERAL("a=b/c@d%e+f-g_h.i,j:k"), "a=b/c@d%e+f-g_h.i,j:k"},
        {LITERAL(""), "\"\""},
        {LITERAL("b c"), "\"b c\""},
        {LITERAL("#"), "\"#\""},
        {LITERAL("'\"\\$`\n\r\t"), "\"'\\\"\\\\\\$\\`\\n\\r\t\""},
        {LITERAL("\xc3\xbc"), "\"\xc3\xbc\""},
        {LITERAL("a\0b\x1b"), "\"a\xef\xbf\xbd"
                              "b\xef\xbf\xbd\""},
        {LITERAL("\xff"), "\"\xef\xbf\xbd\""},
        {LITERAL("\xc2\x9b\xe2\x82"), "\"\xef\xbf\xbd\xef\xbf\xbd\""},
    };
    for (size_t i = 0; i < ROWS(rows); i++) {
        struct buf out;
        svc__buf_init(&out, 256);
        svc__env_file_quote(&out, rows[i].value);
        cr_expect(svc__bytes_eq_z(svc__buf_view(&out), rows[i].quoted), "row %zu: %.*s", i,
                  SHOW(svc__buf_view(&out)));
        svc__buf_free(&out);
    }
}
