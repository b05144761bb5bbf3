/* The request fields that select a stored reply. */
#include "libsvc/shared_cache/cache_vary.h"

static void append_lower(struct buf *out, struct bytes text)
{
    for (size_t i = 0; i < text.len; i++)
        svc__buf_putc(out, svc__bytes_lower(text.data[i]));
}

void svc__cache_vary_names(struct buf *out, const struct field *fields, size_t count)
{
    size_t begin = out->len;
    const struct field *field = NULL;
    while ((field = svc__fields_next(fields, count, field, svc__bytes_z("Vary")))) {
        struct bytes rest = field->value;
        while (rest.data) {
            struct bytes name = svc__bytes_trim(svc__bytes_cut(&rest, ','));
            if (name.len == 0)
                continue;
            if (out->len > begin)
                svc__buf_putc(out, ',');
            append_lower(out, name);
        }
    }
}

/* Fields whose values mean the same in any case of letters. */
static bool ignores_case(struct bytes name)
{
    return svc__bytes_eq_z(name, "accept-encoding") || svc__bytes_eq_z(name, "accept-language") ||
           svc__bytes_eq_z(name, "accept-charset");
}

static bool is_space(char c)
{
    return c == ' ' || c == '\t';
}

static bool divides(char c)
{
    return c == ',' || c == ';';
}

/* Appends a value without the white space around its commas and semicolons; a quoted string stays.
 */
static void append_value(struct buf *out, struct bytes value, bool lower)
{
    bool quoted = false;
    size_t begin = out->len;
    for (size_t i = 0; i < value.len; i++) {
        char c = value.data[i];
        if (c == '"')
            quoted = !quoted;
        if (!quoted && is_space(c)) {
            size_t next = i;
            while (next < value.len && is_space(value.data[next]))
                next++;
            bool at_divider = next == value.len || divides(value.data[next]) || out->len == begin ||
                              (out->len > 0 && divides(out->data[out->len - 1]));
            if (!at_divider)
                svc__buf_putc(out, ' ');
            i = next - 1;
            continue;
        }
        svc__buf_putc(out, lower ? svc__bytes_lower(c) : c);
        if (quoted && c == '\\' && i + 1 < value.len)
            svc__buf_putc(out, value.data[++i]);
    }
}

/* Appends the value of one name: '=' and the value, or '-' for an absent field. No value has the
 * line feed that ends it. */
static void append_selection(struct buf *out, struct bytes name, const struct fields *request)
{
    const struct field *field = NULL;
    bool lower = ignores_case(name), found = false;
    while ((field = svc__fields_named(request, field, name))) {
        svc__buf_putc(out, found ? ',' : '=');
        append_value(out, field->value, lower);
        found = true;
    }
    svc__buf_puts(out, found ? "\n" : "-\n");
}

void svc__cache_vary_select(struct buf *out, struct bytes names, const struct fields *request)
{
    while (names.len > 0 && names.data)
        append_selection(out, svc__bytes_cut(&names, ','), request);
}
