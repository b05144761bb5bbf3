/* Range, Content-Range, and the lines between parts. */
#include "libsvc/proto/range.h"

#include <svc/errors.h>

#include "libsvc/base/least.h"
#include "libsvc/base/num.h"

/* Reads digits; a number that is too large counts as the largest. False: it is no number. */
static bool read_position(struct bytes text, uint64_t *out)
{
    int error = svc__num_u64(text, UINT64_MAX, out);
    if (error == SVC_ETOOBIG)
        *out = UINT64_MAX;
    return error != SVC_ESYNTAX;
}

/* The last `count` bytes. */
static enum range_verdict read_suffix(uint64_t count, uint64_t length, struct range *out)
{
    if (count == 0)
        return RANGE_UNSATISFIABLE;
    if (length == 0)
        return RANGE_NONE;
    *out = (struct range){count < length ? length - count : 0, length - 1};
    return RANGE_PARTS;
}

/* One range-spec of RFC 9110 14.1.1. */
static enum range_verdict read_range(struct bytes text, uint64_t length, struct range *out)
{
    uint64_t first, last = UINT64_MAX;
    struct bytes begin = svc__bytes_cut(&text, '-');
    if (!text.data)
        return RANGE_MALFORMED;
    if (begin.len == 0)
        return read_position(text, &last) ? read_suffix(last, length, out) : RANGE_MALFORMED;
    if (!read_position(begin, &first) || (text.len > 0 && !read_position(text, &last)) ||
        last < first)
        return RANGE_MALFORMED;
    if (first >= length)
        return RANGE_UNSATISFIABLE;
    *out = (struct range){first, svc__least_u64(last, length - 1)};
    return RANGE_PARTS;
}

/* Both lie within a length, so that a position behind them is no overflow. */
static bool ranges_touch(const struct range *a, const struct range *b)
{
    return a->first <= b->last + 1 && b->first <= a->last + 1;
}

/* Adds a range, joined with those that it overlaps or touches, in the place of the first of them.
 */
static void add_range(struct range_set *set, struct range range)
{
    size_t kept = 0, place = RANGE_MOST;
    for (size_t i = 0; i < set->count; i++) {
        const struct range other = set->list[i];
        if (!ranges_touch(&other, &range)) {
            set->list[kept++] = other;
            continue;
        }
        range.first = svc__least_u64(range.first, other.first);
        range.last = range.last > other.last ? range.last : other.last;
        if (place == RANGE_MOST)
            place = kept++;
    }
    if (place == RANGE_MOST)
        place = kept++;
    set->list[place] = range;
    set->count = kept;
}

/* The ranges of a list, in which elements may be empty (RFC 9110 5.6.1.2). */
static enum range_verdict read_list(struct bytes list, uint64_t length, struct range_set *out)
{
    enum range_verdict verdict = RANGE_MALFORMED;
    size_t seen = 0;
    while (list.data) {
        struct range range;
        struct bytes element = svc__bytes_trim(svc__bytes_cut(&list, ','));
        if (element.len == 0)
            continue;
        if (seen++ == RANGE_MOST)
            return RANGE_NONE;
        enum range_verdict found = read_range(element, length, &range);
        if (found == RANGE_MALFORMED)
            return found;
        if (found == RANGE_PARTS)
            add_range(out, range);
        if (found == RANGE_NONE || verdict == RANGE_MALFORMED)
            verdict = found;
    }
    return out->count > 0 ? RANGE_PARTS : verdict;
}

enum range_verdict svc__range_parse(struct bytes value, uint64_t length, struct range_set *out)
{
    struct range_set set;
    set.count = 0;
    struct bytes unit = svc__bytes_cut(&value, '=');
    if (!svc__bytes_eq_nocase(unit, svc__bytes("bytes", 5)))
        return RANGE_NONE;
    enum range_verdict verdict = value.data ? read_list(value, length, &set) : RANGE_MALFORMED;
    if (verdict == RANGE_PARTS)
        *out = set;
    return verdict;
}

size_t svc__range_content(char out[static RANGE_CONTENT_SIZE], const struct range *range,
                          uint64_t length)
{
    struct buf text;
    svc__buf_over(&text, out, RANGE_CONTENT_SIZE);
    svc__buf_puts(&text, "bytes ");
    if (range) {
        svc__buf_u64(&text, range->first);
        svc__buf_putc(&text, '-');
        svc__buf_u64(&text, range->last);
    } else {
        svc__buf_putc(&text, '*');
    }
    svc__buf_putc(&text, '/');
    svc__buf_u64(&text, length);
    svc__buf_terminate(&text);
    return text.len;
}

void svc__range_part_begin(struct buf *out, struct bytes boundary, struct bytes type,
                           const struct range *range, uint64_t length)
{
    char content[RANGE_CONTENT_SIZE];
    svc__buf_puts(out, "\r\n--");
    svc__buf_bytes(out, boundary);
    if (type.data) {
        svc__buf_puts(out, "\r\nContent-Type: ");
        svc__buf_bytes(out, type);
    }
    svc__buf_puts(out, "\r\nContent-Range: ");
    svc__buf_append(out, content, svc__range_content(content, range, length));
    svc__buf_puts(out, "\r\n\r\n");
}

void svc__range_parts_end(struct buf *out, struct bytes boundary)
{
    svc__buf_puts(out, "\r\n--");
    svc__buf_bytes(out, boundary);
    svc__buf_puts(out, "--\r\n");
}
