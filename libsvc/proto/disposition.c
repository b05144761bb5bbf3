/* Content-Disposition of a reply that is to be saved. */
#include "libsvc/proto/disposition.h"

#include "libsvc/base/utf8.h"

static bool is_control(char c)
{
    return (unsigned char)c < 0x20 || c == 0x7f;
}

static bool is_ascii(char c)
{
    return (unsigned char)c < 0x80;
}

/* attr-char of RFC 8187 3.2.1. */
static bool is_attr(char c)
{
    return svc__bytes_is_letter(c) || svc__bytes_is_digit(c) ||
           (c != '\0' && strchr("!#$&+-.^_`|~", c) != NULL);
}

/*
 * A quoted string. Some clients undo percent-escapes in it, and others take a backslash for a part
 * of the name, so both, and the quote, are replaced. One '_' stands for each character that is not
 * ASCII.
 */
static void write_likeness(struct buf *out, struct bytes name)
{
    svc__buf_putc(out, '"');
    while (name.len > 0) {
        size_t len = svc__utf8_sequence(name);
        char c = *name.data;
        bool kept = is_ascii(c) && !is_control(c) && c != '"' && c != '\\' && c != '%';
        svc__buf_putc(out, kept ? c : '_');
        len = len ? len : svc__utf8_bad(name);
        name = svc__bytes(name.data + len, name.len - len);
    }
    svc__buf_putc(out, '"');
}

static void write_extended(struct buf *out, struct bytes name)
{
    static const char digits[] = "0123456789ABCDEF";
    svc__buf_puts(out, "UTF-8''");
    for (size_t i = 0; i < name.len; i++) {
        unsigned char c = (unsigned char)name.data[i];
        const char escape[] = {'%', digits[c >> 4], digits[c & 15]};
        if (is_control((char)c))
            svc__buf_putc(out, '_');
        else if (is_attr((char)c))
            svc__buf_putc(out, (char)c);
        else
            svc__buf_append(out, escape, sizeof escape);
    }
}

static bool is_plain_name(struct bytes name)
{
    for (size_t i = 0; i < name.len; i++)
        if (!is_ascii(name.data[i]) || is_control(name.data[i]) ||
            memchr("\"\\%", name.data[i], 3) != NULL)
            return false;
    return true;
}

void svc__disposition_write(struct buf *out, struct bytes name)
{
    svc__buf_puts(out, "attachment; filename=");
    write_likeness(out, name);
    if (is_plain_name(name))
        return;
    struct buf valid;
    svc__buf_init(&valid, 3 * name.len);
    svc__buf_utf8(&valid, name);
    svc__buf_puts(out, "; filename*=");
    write_extended(out, svc__buf_view(&valid));
    if (svc__buf_error(&valid) && !out->error)
        out->error = svc__buf_error(&valid);
    svc__buf_free(&valid);
}

struct bytes svc__disposition_name(struct bytes path)
{
    size_t begin = path.len;
    while (begin > 0 && path.data[begin - 1] != '/' && path.data[begin - 1] != '\\')
        begin--;
    return begin == 0 ? path : svc__bytes(path.data + begin, path.len - begin);
}
