/* Growing a buffer under its ceiling, and the appends that are more than a copy. */
#include "libsvc/base/buf.h"

#include <stdio.h>
#include <stdlib.h>

#include <svc/errors.h>

#include "libsvc/base/num.h"
#include "libsvc/base/utf8.h"

enum { SMALLEST = 64 };

void svc__buf_init(struct buf *b, size_t ceiling)
{
    memset(b, 0, sizeof *b);
    /* Leaves room for the byte of svc__buf_terminate and keeps doubling from overflowing. */
    b->ceiling = ceiling > PTRDIFF_MAX / 2 ? PTRDIFF_MAX / 2 : ceiling;
}

void svc__buf_free(struct buf *b)
{
    if (b == NULL)
        return;
    free(b->data);
    svc__buf_init(b, b->ceiling);
}

void svc__buf_clear(struct buf *b)
{
    b->len = 0;
    b->error = 0;
}

static int grow(struct buf *b, size_t n)
{
    if (n > b->ceiling - b->len)
        return SVC_ETOOBIG;
    size_t cap = b->cap < SMALLEST / 2 ? SMALLEST : b->cap * 2;
    if (cap < b->len + n)
        cap = b->len + n;
    if (cap > b->ceiling)
        cap = b->ceiling;
    char *data = realloc(b->data, cap + 1);
    if (data == NULL)
        return SVC_ENOMEM;
    b->data = data;
    b->cap = cap;
    return 0;
}

char *svc__buf_reserve(struct buf *b, size_t n)
{
    if (b->error != 0)
        return NULL;
    if (b->data == NULL || n > b->cap - b->len)
        b->error = grow(b, n);
    return b->error == 0 ? b->data + b->len : NULL;
}

void svc__buf_u64(struct buf *b, uint64_t n)
{
    char digits[NUM_U64_LEN];
    svc__buf_append(b, digits, svc__num_format_u64(digits, n));
}

/* Formats into `space` bytes of the buffer and its byte for a NUL. Returns the length needed, or
 * -1. */
__attribute__((format(printf, 3, 0))) static int format_into(struct buf *b, size_t space,
                                                             const char *format, va_list args)
{
    char *to = svc__buf_reserve(b, space);
    if (to == NULL)
        return -1;
    int n = vsnprintf(to, space + 1, format, args);
    if (n < 0)
        b->error = SVC_EINVAL;
    return n;
}

void svc__buf_vprintf(struct buf *b, const char *format, va_list args)
{
    va_list again;
    va_copy(again, args);
    size_t space = b->cap - b->len;
    int n = format_into(b, space, format, args);
    if (n >= 0 && (size_t)n > space)
        n = format_into(b, (size_t)n, format, again);
    if (n > 0)
        b->len += (size_t)n;
    va_end(again);
}

void svc__buf_printf(struct buf *b, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    svc__buf_vprintf(b, format, args);
    va_end(args);
}

static bool in_range(struct bytes text, const char *prefix, unsigned lowest, unsigned highest)
{
    size_t n = strlen(prefix);
    unsigned char last = (unsigned char)text.data[n];
    return memcmp(text.data, prefix, n) == 0 && last >= lowest && last <= highest;
}

/* The code point of a valid sequence that some reader takes for a control or a line's end although
 * it is not ASCII: C1 controls, line and paragraph separator. 0 for all others. */
static unsigned wide_control(struct bytes sequence)
{
    if (sequence.len == 2 && in_range(sequence, "\xc2", 0x80, 0x9f))
        return (unsigned char)sequence.data[1];
    if (sequence.len == 3 && in_range(sequence, "\xe2\x80", 0xa8, 0xa9))
        return 0x2000u + ((unsigned char)sequence.data[2] & 0x3fu);
    return 0;
}

/* Whether eight bytes are all ASCII that a JSON string holds as it is. In words whose bytes are all
 * below 0x80 a subtraction sets a top bit, from the lowest byte that is too small on. */
static bool word_is_plain(uint64_t word)
{
    const uint64_t ones = UINT64_C(0x0101010101010101), tops = ones * 0x80;
    uint64_t control = word - ones * 0x20, quote = (word ^ ones * '"') - ones;
    uint64_t backslash = (word ^ ones * '\\') - ones, del = (word ^ ones * 0x7f) - ones;
    return ((word | control | quote | backslash | del) & tops) == 0;
}

/* How many bytes at the beginning go into a JSON string as they are. */
static size_t plain_run(struct bytes text)
{
    size_t i = 0;
    for (uint64_t word; text.len - i >= sizeof word; i += sizeof word) {
        memcpy(&word, text.data + i, sizeof word);
        if (!word_is_plain(word))
            break;
    }
    while (i < text.len) {
        unsigned char c = (unsigned char)text.data[i];
        size_t n = 1;
        if (c < 0x20 || c == '"' || c == '\\' || c == 0x7f)
            break;
        if (c >= 0x80) {
            n = svc__utf8_sequence(svc__bytes(text.data + i, text.len - i));
            if (n == 0 || wide_control(svc__bytes(text.data + i, n)) != 0)
                break;
        }
        i += n;
    }
    return i;
}

static void escape_number(struct buf *b, unsigned code)
{
    static const char hex[] = "0123456789abcdef";
    char text[6] = {
        '\\', 'u', hex[code >> 12 & 15], hex[code >> 8 & 15], hex[code >> 4 & 15], hex[code & 15]};
    svc__buf_append(b, text, sizeof text);
}

static void escape_ascii(struct buf *b, char c)
{
    static const char escaped[] = "\"\\\b\f\n\r\t";
    static const char letter[] = "\"\\bfnrt";
    const char *at = memchr(escaped, c, sizeof escaped - 1);
    if (at == NULL) {
        escape_number(b, (unsigned char)c);
        return;
    }
    char text[2] = {'\\', letter[at - escaped]};
    svc__buf_append(b, text, sizeof text);
}

/* Appends the form of the first character, which plain_run stopped at. Returns its length in
 * `text`. */
static size_t escape_first(struct buf *b, struct bytes text)
{
    size_t n = svc__utf8_sequence(text);
    if (n == 0) {
        svc__buf_puts(b, "\xef\xbf\xbd");
        return 1;
    }
    if (n == 1)
        escape_ascii(b, text.data[0]);
    else
        escape_number(b, wide_control(svc__bytes(text.data, n)));
    return n;
}

void svc__buf_json_string(struct buf *b, struct bytes text)
{
    size_t start = b->len;
    svc__buf_putc(b, '"');
    while (text.len > 0) {
        size_t n = plain_run(text);
        svc__buf_append(b, text.data, n);
        if (n < text.len)
            n += escape_first(b, svc__bytes(text.data + n, text.len - n));
        text = svc__bytes(text.data + n, text.len - n);
    }
    svc__buf_putc(b, '"');
    if (b->error != 0)
        b->len = start;
}

void svc__buf_terminate(struct buf *b)
{
    if (b->data == NULL)
        svc__buf_reserve(b, 0);
    if (b->data != NULL)
        b->data[b->len] = '\0';
}
