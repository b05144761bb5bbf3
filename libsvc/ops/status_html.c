/* The status as tables of HTML. status_page.js shows numbers in the same way. */
#include <math.h>

#include "libsvc/base/double.h"
#include "libsvc/base/utf8.h"
#include "libsvc/ops/status_writer.h"

/* The units by the names that status_page.js has for them. */
static const char *const unit_names[] = {
    [STATUS_TEXT] = "text", [STATUS_STATE] = "state", [STATUS_NUMBER] = "number",
    [STATUS_RATE] = "rate", [STATUS_SHARE] = "share", [STATUS_SECONDS] = "seconds"};

static bool is_plain(char c)
{
    return (unsigned char)c >= ' ' && c != 0x7f && c != '&' && c != '<' && c != '>' && c != '"' &&
           c != '\'';
}

/* Without C1 controls either, which are two bytes in UTF-8. */
static size_t plain_span(struct bytes text)
{
    size_t n = svc__utf8_sequence(text);
    if (n == 2 && (unsigned char)text.data[0] == 0xc2 && (unsigned char)text.data[1] < 0xa0)
        return 0;
    return n > 1 || (n == 1 && is_plain(text.data[0])) ? n : 0;
}

static const char *entity_of(char c)
{
    return c == '&'    ? "&amp;"
           : c == '<'  ? "&lt;"
           : c == '>'  ? "&gt;"
           : c == '"'  ? "&quot;"
           : c == '\'' ? "&#39;"
                       : "\xef\xbf\xbd";
}

void svc__status_html_text(struct buf *out, struct bytes text)
{
    while (text.len > 0) {
        size_t n = plain_span(text), sequence = svc__utf8_sequence(text);
        size_t taken = sequence ? sequence : svc__utf8_bad(text);
        if (n > 0)
            svc__buf_append(out, text.data, n);
        else
            svc__buf_puts(out, sequence == 1 ? entity_of(text.data[0]) : "\xef\xbf\xbd");
        text = svc__bytes(text.data + taken, text.len - taken);
    }
}

/* ---- Numbers for people */

static void put_plain(struct buf *out, double number)
{
    char *to = svc__buf_reserve(out, DOUBLE_LEN);
    if (to)
        out->len += svc__double_format(to, number);
}

/* With one decimal or none, whatever the locale. */
static void put_rounded(struct buf *out, double number, bool decimal, const char *unit)
{
    bool fits = number >= 0 && number < 1e15;
    uint64_t units = fits ? (uint64_t)(number * (decimal ? 10 : 1) + 0.5) : 0;
    if (!fits)
        put_plain(out, number);
    else
        svc__buf_u64(out, decimal ? units / 10 : units);
    if (fits && decimal)
        svc__buf_printf(out, ".%u", (unsigned)(units % 10));
    svc__buf_puts(out, unit);
}

static void put_seconds(struct buf *out, double seconds)
{
    if (seconds < 1e-3)
        put_rounded(out, seconds * 1e6, false, " \xc2\xb5s");
    else if (seconds < 1)
        put_rounded(out, seconds * 1e3, true, " ms");
    else if (seconds < 120)
        put_rounded(out, seconds, true, " s");
    else if (seconds < 7200)
        put_rounded(out, seconds / 60, false, " min");
    else if (seconds < 172800)
        put_rounded(out, seconds / 3600, true, " h");
    else
        put_rounded(out, seconds / 86400, true, " d");
}

static void put_number(struct buf *out, enum status_unit unit, double number)
{
    if (!isfinite(number))
        svc__buf_puts(out, "\xe2\x80\x93");
    else if (unit == STATUS_RATE)
        put_rounded(out, number, true, "/s");
    else if (unit == STATUS_SHARE)
        put_rounded(out, number * 100, true, " %");
    else if (unit == STATUS_SECONDS)
        put_seconds(out, number);
    else
        put_plain(out, number);
}

/* ---- Tables */

static void put_heads(struct buf *out, const struct status_table *table)
{
    svc__buf_printf(out, "<table id=\"%s\"><thead><tr>", table->key);
    for (size_t i = 0; i < table->column_count; i++) {
        const struct status_column *column = &table->columns[i];
        svc__buf_printf(out, "<th scope=\"col\" data-key=\"%s\" data-unit=\"%s\">%s</th>",
                        column->key, unit_names[column->unit], column->title);
    }
    svc__buf_puts(out, "</tr></thead><tbody>");
}

static void begin_section(struct status_writer *writer)
{
    const struct status_table *table = writer->table;
    svc__buf_printf(writer->out, "<section><details%s><summary><h2>%s</h2></summary>\n",
                    table->folded ? "" : " open", table->title);
    put_heads(writer->out, table);
}

static void begin_line(struct status_writer *writer)
{
    svc__buf_puts(writer->out, "\n<tr>");
}

static void begin_cell_of(struct status_writer *writer, const struct status_column *column)
{
    svc__buf_printf(writer->out, "<td class=\"%s\" data-title=\"%s\"", unit_names[column->unit],
                    column->title);
}

static void put_html_text(struct status_writer *writer, const struct status_column *column,
                          struct bytes text)
{
    begin_cell_of(writer, column);
    if (column->unit == STATUS_STATE) {
        svc__buf_puts(writer->out, " data-state=\"");
        svc__status_html_text(writer->out, text);
        svc__buf_putc(writer->out, '"');
    }
    svc__buf_putc(writer->out, '>');
    svc__status_html_text(writer->out, text);
    svc__buf_puts(writer->out, "</td>");
}

static void put_html_number(struct status_writer *writer, const struct status_column *column,
                            double number)
{
    begin_cell_of(writer, column);
    svc__buf_putc(writer->out, '>');
    put_number(writer->out, column->unit, number);
    svc__buf_puts(writer->out, "</td>");
}

static void end_line(struct status_writer *writer)
{
    svc__buf_puts(writer->out, "</tr>");
}

static void end_section(struct status_writer *writer, size_t left_out)
{
    svc__buf_puts(writer->out, "</tbody></table>\n<p class=\"more\">");
    if (left_out > 0)
        svc__buf_printf(writer->out, "and %zu more", left_out);
    svc__buf_puts(writer->out, "</p></details></section>\n");
}

const struct status_format svc__status_html = {begin_section,   begin_line, put_html_text,
                                               put_html_number, end_line,   end_section};
