/* The tables of the status page as HTML and as JSON, of texts that mean no good. */
#include "libsvc/ops/status_writer.h"

#include <criterion/criterion.h>
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "libsvc/base/utf8.h"

static const struct status_column columns[] = {
    {"text", "Text", STATUS_TEXT},    {"state", "State", STATUS_STATE},
    {"number", "No", STATUS_NUMBER},  {"rate", "Rate", STATUS_RATE},
    {"share", "Share", STATUS_SHARE}, {"seconds", "Time", STATUS_SECONDS},
};
static const struct status_table table = {"rows", "Rows", false, 6, columns};

static void write_row(struct status_writer *writer, const char *text, double number)
{
    svc__status_writer_text(writer, text);
    svc__status_writer_text(writer, text);
    for (int i = 0; i < 4; i++)
        svc__status_writer_number(writer, number);
}

/* A table with one row; the caller frees the text. */
static char *render(const struct status_format *format, const char *text, double number)
{
    struct buf out;
    svc__buf_init(&out, 1 << 20);
    struct status_writer writer = {.out = &out, .format = format};
    if (format == &svc__status_json)
        svc__buf_putc(&out, '{');
    svc__status_writer_begin(&writer, &table);
    write_row(&writer, text, number);
    svc__status_writer_end(&writer, 3);
    if (format == &svc__status_json)
        svc__buf_putc(&out, '}');
    svc__buf_terminate(&out);
    cr_assert_eq(svc__buf_error(&out), 0);
    char *copy = strdup(out.data);
    svc__buf_free(&out);
    return copy;
}

static void expect_cell(double number, const char *unit, const char *shown)
{
    char *html = render(&svc__status_html, "x", number), cell[128];
    snprintf(cell, sizeof cell, "<td class=\"%s\" data-title=\"%s\">%s</td>", unit,
             !strcmp(unit, "number")  ? "No"
             : !strcmp(unit, "rate")  ? "Rate"
             : !strcmp(unit, "share") ? "Share"
                                      : "Time",
             shown);
    cr_expect(strstr(html, cell), "%s not in %s", cell, html);
    free(html);
}

Test(status_writer, people_get_numbers_with_their_units)
{
    static const struct {
        double number;
        const char *unit, *shown;
    } rows[] = {
        {1234567, "number", "1234567"},
        {0.25, "number", "0.25"},
        {-3, "number", "-3"},
        {12.34, "rate", "12.3/s"},
        {0, "rate", "0.0/s"},
        {0.0123, "share", "1.2 %"},
        {1, "share", "100.0 %"},
        {0, "seconds", "0 \u00b5s"},
        {0.000012, "seconds", "12 \u00b5s"},
        {0.0123, "seconds", "12.3 ms"},
        {1.25, "seconds", "1.3 s"},
        {119.9, "seconds", "119.9 s"},
        {600, "seconds", "10 min"},
        {7200, "seconds", "2.0 h"},
        {172800, "seconds", "2.0 d"},
        {1e300, "rate", "1e+300/s"},
        {-1, "rate", "-1/s"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        expect_cell(rows[i].number, rows[i].unit, rows[i].shown);
    expect_cell(NAN, "number", "\u2013");
    expect_cell(INFINITY, "rate", "\u2013");
    expect_cell(-INFINITY, "seconds", "\u2013");
}

static json_t *row_of(const char *json, json_t **root)
{
    json_error_t error;
    *root = json_loads(json, JSON_REJECT_DUPLICATES, &error);
    cr_assert(*root, "%s in %s", error.text, json);
    const json_t *rows = json_object_get(*root, "rows");
    cr_expect_eq(json_integer_value(json_object_get(rows, "left_out")), 3);
    return json_array_get(json_object_get(rows, "rows"), 0);
}

Test(status_writer, programs_get_them_plain)
{
    json_t *root;
    char *json = render(&svc__status_json, "x", 0.0123);
    const json_t *row = row_of(json, &root);
    cr_expect_str_eq(json_string_value(json_object_get(row, "state")), "x");
    cr_expect_eq(json_real_value(json_object_get(row, "seconds")), 0.0123);
    json_decref(root);
    free(json);
    json = render(&svc__status_json, NULL, NAN);
    row = row_of(json, &root);
    cr_expect_str_eq(json_string_value(json_object_get(row, "text")), "");
    cr_expect(json_is_null(json_object_get(row, "rate")));
    json_decref(root);
    free(json);
}

/* ---- Hostile texts */

/* Bytes that mean something somewhere, more often than others do. */
static void make_text(char *text, size_t size, unsigned *seed)
{
    static const char *const parts[] = {"<",
                                        ">",
                                        "&",
                                        "\"",
                                        "'",
                                        "</td>",
                                        "<script>alert(1)</script>",
                                        "-->",
                                        "&lt;",
                                        "\\",
                                        "\n",
                                        "\x1b",
                                        "\x7f",
                                        "\xff",
                                        "\xc2\x85",
                                        "\xe2\x80\xa8",
                                        "\xe2\x82",
                                        "\xf4\x90\x80\x80",
                                        "\xed\xa0\x80",
                                        "\xe2\x80\xae",
                                        "]]>",
                                        "javascript:",
                                        "\u00e9",
                                        "a"};
    size_t len = 0;
    for (int count = rand_r(seed) % 12; count > 0; count--) {
        const char *part = parts[(size_t)rand_r(seed) % (sizeof parts / sizeof *parts)];
        size_t n = strlen(part);
        if (len + n + 2 > size)
            break;
        memcpy(text + len, part, n);
        len += n;
        if (rand_r(seed) % 4 == 0)
            text[len++] = (char)(1 + rand_r(seed) % 255);
    }
    text[len] = '\0';
}

/* The same text as a browser would read it back: markup and controls must not be there. */
static void read_back(const char *cell, struct buf *out)
{
    static const char *const entities[][2] = {
        {"&amp;", "&"}, {"&lt;", "<"}, {"&gt;", ">"}, {"&quot;", "\""}, {"&#39;", "'"}};
    while (*cell) {
        cr_assert(!strchr("<>\"'", *cell), "%s", cell);
        cr_assert((unsigned char)*cell >= ' ' && *cell != 0x7f);
        size_t known = 0;
        while (*cell == '&' && known < 5 &&
               strncmp(cell, entities[known][0], strlen(entities[known][0])))
            known++;
        cr_assert(*cell != '&' || known < 5, "%s", cell);
        if (*cell != '&') {
            svc__buf_putc(out, *cell++);
        } else {
            svc__buf_puts(out, entities[known][1]);
            cell += strlen(entities[known][0]);
        }
    }
    svc__buf_terminate(out);
}

/* What must come back: the text, with U+FFFD for what is no UTF-8 and for controls. */
static void expect_back(const char *text, struct buf *expected)
{
    struct bytes rest = svc__bytes_z(text);
    while (rest.len > 0) {
        size_t n = svc__utf8_sequence(rest), taken = n ? n : svc__utf8_bad(rest);
        unsigned char first = (unsigned char)rest.data[0];
        bool control = (n == 1 && (first < ' ' || first == 0x7f)) ||
                       (n == 2 && first == 0xc2 && (unsigned char)rest.data[1] < 0xa0);
        svc__buf_append(expected, n && !control ? rest.data : "\xef\xbf\xbd",
                        n && !control ? n : 3);
        rest = svc__bytes(rest.data + taken, rest.len - taken);
    }
    svc__buf_terminate(expected);
}

static void check_html(const char *text)
{
    struct buf cell, back, expected;
    svc__buf_init(&cell, 1 << 16);
    svc__buf_init(&back, 1 << 16);
    svc__buf_init(&expected, 1 << 16);
    svc__status_html_text(&cell, svc__bytes_z(text));
    svc__buf_terminate(&cell);
    cr_assert(svc__utf8_valid(svc__buf_view(&cell)));
    read_back(cell.data, &back);
    expect_back(text, &expected);
    cr_assert_str_eq(back.data, expected.data);
    svc__buf_free(&cell);
    svc__buf_free(&back);
    svc__buf_free(&expected);
}

/* Cells keep to their places whatever their text: the tags are those of a harmless one. */
static size_t count_tags(const char *html)
{
    size_t count = 0;
    for (; (html = strchr(html, '<')); html++)
        count++;
    return count;
}

Test(status_writer, no_text_becomes_markup_or_breaks_the_json)
{
    unsigned seed = 17;
    char text[512], *harmless = render(&svc__status_html, "x", 1);
    for (int i = 0; i < 5000; i++) {
        json_t *root;
        make_text(text, sizeof text, &seed);
        check_html(text);
        char *html = render(&svc__status_html, text, 1), *json = render(&svc__status_json, text, 1);
        cr_assert_eq(count_tags(html), count_tags(harmless), "%s", html);
        struct buf clean;
        svc__buf_init(&clean, 1 << 16);
        svc__buf_utf8(&clean, svc__bytes_z(text));
        svc__buf_terminate(&clean);
        const char *read = json_string_value(json_object_get(row_of(json, &root), "text"));
        cr_assert_str_eq(read, clean.data ? clean.data : "");
        cr_assert_not(strchr(json, '\n'));
        svc__buf_free(&clean);
        json_decref(root);
        free(html);
        free(json);
    }
    free(harmless);
}
