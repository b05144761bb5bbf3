/* The grammar of environment files, in both directions. */
#include "libsvc/base/env_file.h"

#include "libsvc/base/utf8.h"

/* The characters that escapes in double quotes stand for, and the letters of the escapes. */
static const char escaped[] = "\n\r\t\"\\$`", letters[] = "nrt\"\\$`";

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

static struct bytes skip(struct bytes text, size_t n)
{
    return svc__bytes(text.data + n, text.len - n);
}

/* The length of the character that `text`, which is not empty, begins with; 0 if a file cannot have
 * it: C0 but tab, DEL, C1 (U+0080 to U+009F), and invalid UTF-8. */
static size_t character(struct bytes text)
{
    unsigned char first = (unsigned char)text.data[0];
    if (first < 0x80)
        return (first >= 0x20 && first != 0x7f) || first == '\t';
    size_t len = svc__utf8_sequence(text);
    return len == 2 && first == 0xc2 && (unsigned char)text.data[1] < 0xa0 ? 0 : len;
}

static bool is_plain_text(struct bytes text)
{
    while (text.len > 0) {
        size_t len = character(text);
        if (len == 0)
            return false;
        text = skip(text, len);
    }
    return true;
}

/* Whether the rest of a line is nothing, or blanks and perhaps a comment. */
static bool is_tail(struct bytes text)
{
    struct bytes trimmed = svc__bytes_trim(text);
    return trimmed.len == 0 || (is_blank(text.data[0]) && trimmed.data[0] == '#');
}

static size_t name_length(struct bytes line)
{
    size_t len = 0;
    while (len < line.len && (svc__bytes_is_letter(line.data[len]) || line.data[len] == '_' ||
                              (len > 0 && svc__bytes_is_digit(line.data[len]))))
        len++;
    return len;
}

static const char *read_single(struct bytes text, struct bytes *value)
{
    struct bytes rest = skip(text, 1);
    *value = svc__bytes_cut(&rest, '\'');
    if (!rest.data)
        return "the single quote has no end";
    return is_tail(rest) ? NULL : "something follows the closing quote";
}

/* Decodes escapes in place: `to` is where `text` begins, or before. */
static const char *read_double(char *to, struct bytes text, struct bytes *value)
{
    char *start = to;
    size_t i = 1;
    for (; i < text.len && text.data[i] != '"'; i++) {
        char c = text.data[i];
        if (c == '\\') {
            const char *letter = ++i < text.len ? strchr(letters, text.data[i]) : NULL;
            if (!letter)
                return "the escape is none of \\n, \\r, \\t, \\\", \\\\, \\$ and \\`";
            c = escaped[letter - letters];
        }
        *to++ = c;
    }
    if (i >= text.len)
        return "the double quote has no end";
    if (!is_tail(skip(text, i + 1)))
        return "something follows the closing quote";
    *value = svc__bytes(start, (size_t)(to - start));
    return NULL;
}

static const char *read_bare(struct bytes text, struct bytes *value)
{
    size_t len = 0;
    while (len < text.len && !(text.data[len] == '#' && len > 0 && is_blank(text.data[len - 1])))
        len++;
    struct bytes bare = svc__bytes_trim(svc__bytes(text.data, len));
    for (size_t i = 0; i < bare.len; i++)
        if (strchr("'\"\\", bare.data[i]))
            return "a value with quotes or backslashes must stand in quotes";
    *value = bare;
    return NULL;
}

/* `text` is the part of the line after the '='. */
static const char *read_value(struct env_file *file, struct bytes text, struct bytes *value)
{
    struct bytes trimmed = svc__bytes_trim(text);
    if (trimmed.len > 0 && trimmed.data[0] == '\'')
        return read_single(trimmed, value);
    if (trimmed.len > 0 && trimmed.data[0] == '"')
        return read_double(file->text + (trimmed.data - file->text), trimmed, value);
    return read_bare(text, value);
}

static struct bytes without_export(struct bytes line)
{
    static const char word[] = "export";
    size_t len = sizeof word - 1;
    bool exports = line.len > len && !memcmp(line.data, word, len) && is_blank(line.data[len]);
    return exports ? svc__bytes_trim(skip(line, len)) : line;
}

static const char *read_line(struct env_file *file, struct bytes line, struct env_entry *out)
{
    line = without_export(line);
    size_t name = name_length(line);
    if (name == 0 || name == line.len || line.data[name] != '=')
        return "expected NAME=value";
    struct bytes value;
    const char *reason = read_value(file, skip(line, name + 1), &value);
    if (!reason)
        *out = (struct env_entry){file->line, svc__bytes(line.data, name), value, NULL};
    return reason;
}

void svc__env_file_init(struct env_file *file, char *text, size_t len)
{
    *file = (struct env_file){text, svc__bytes(text, len), 0};
}

static struct bytes next_line(struct env_file *file)
{
    struct bytes line = svc__bytes_cut(&file->rest, '\n');
    file->line++;
    if (line.len > 0 && line.data[line.len - 1] == '\r')
        line.len--;
    return line;
}

bool svc__env_file_next(struct env_file *file, struct env_entry *out)
{
    while (file->rest.data) {
        struct bytes line = next_line(file);
        const char *reason = "a control character, or not UTF-8";
        if (is_plain_text(line)) {
            line = svc__bytes_trim(line);
            if (line.len == 0 || line.data[0] == '#')
                continue;
            reason = read_line(file, line, out);
        }
        if (reason)
            *out = (struct env_entry){.line = file->line, .reason = reason};
        return true;
    }
    return false;
}

static bool needs_quotes(struct bytes value)
{
    for (size_t i = 0; i < value.len; i++) {
        char c = value.data[i];
        if (!svc__bytes_is_letter(c) && !svc__bytes_is_digit(c) &&
            (c == '\0' || !strchr("_-+./:,@%=", c)))
            return true;
    }
    return value.len == 0;
}

/* Appends the first character of a value in double quotes; returns its length in `value`. */
static size_t quote_character(struct buf *out, struct bytes value)
{
    char c = value.data[0];
    const char *escape = c && c != '\t' ? strchr(escaped, c) : NULL;
    size_t len = character(value);
    if (escape) {
        svc__buf_putc(out, '\\');
        svc__buf_putc(out, letters[escape - escaped]);
        return 1;
    }
    if (len > 0)
        svc__buf_append(out, value.data, len);
    else
        svc__buf_puts(out, UTF8_REPLACEMENT);
    size_t valid = svc__utf8_sequence(value);
    return valid > 0 ? valid : svc__utf8_bad(value);
}

void svc__env_file_quote(struct buf *out, struct bytes value)
{
    if (!needs_quotes(value)) {
        svc__buf_bytes(out, value);
        return;
    }
    svc__buf_putc(out, '"');
    while (value.len > 0)
        value = skip(value, quote_character(out, value));
    svc__buf_putc(out, '"');
}
