/* The algebra of patterns, and examples that make a conflict plain. */
#include "libsvc/route/precedence.h"

/* The relation of two patterns whose parts relate as `r1` and `r2`. */
static enum relation combine(enum relation r1, enum relation r2)
{
    if (r1 == RELATION_DISJOINT || r2 == RELATION_DISJOINT)
        return RELATION_DISJOINT;
    if (r1 == RELATION_EQUAL || r1 == r2)
        return r2;
    return r2 == RELATION_EQUAL ? r1 : RELATION_OVERLAP;
}

static enum relation compare_methods(struct bytes a, struct bytes b)
{
    if (svc__bytes_eq(a, b))
        return RELATION_EQUAL;
    if (a.len == 0)
        return RELATION_GENERAL;
    if (b.len == 0)
        return RELATION_SPECIFIC;
    /* GET serves HEAD too. */
    if (svc__bytes_eq_z(a, "GET") && svc__bytes_eq_z(b, "HEAD"))
        return RELATION_GENERAL;
    if (svc__bytes_eq_z(a, "HEAD") && svc__bytes_eq_z(b, "GET"))
        return RELATION_SPECIFIC;
    return RELATION_DISJOINT;
}

static enum relation compare_segments(const struct segment *a, const struct segment *b)
{
    if (a->kind == b->kind)
        return a->kind != SEGMENT_LITERAL || svc__bytes_eq(a->text, b->text) ? RELATION_EQUAL
                                                                             : RELATION_DISJOINT;
    if (a->kind == SEGMENT_MULTI)
        return RELATION_GENERAL;
    if (b->kind == SEGMENT_MULTI)
        return RELATION_SPECIFIC;
    if (a->kind == SEGMENT_WILD && b->kind == SEGMENT_LITERAL)
        return RELATION_GENERAL;
    if (a->kind == SEGMENT_LITERAL && b->kind == SEGMENT_WILD)
        return RELATION_SPECIFIC;
    return RELATION_DISJOINT; /* {$} and a segment that is not empty */
}

/* The high bit of each byte that is not 0. */
static uint64_t used_bytes(uint64_t word)
{
    const uint64_t low = UINT64_C(0x7F7F7F7F7F7F7F7F);
    return (((word & low) + low) | word) & ~low;
}

/* Whether one place has two literals that surely differ. It settles nearly all of the 50 million
 * pairs that 10,000 patterns make, without a look at their segments. */
static bool surely_disjoint(const struct pattern *a, const struct pattern *b)
{
    return used_bytes(a->prints) & used_bytes(b->prints) & used_bytes(a->prints ^ b->prints);
}

static bool ends_in_multi(const struct pattern *pattern)
{
    return pattern->segments[pattern->count - 1].kind == SEGMENT_MULTI;
}

static enum relation compare_paths(const struct pattern *a, const struct pattern *b)
{
    if (a->count != b->count && !ends_in_multi(a) && !ends_in_multi(b))
        return RELATION_DISJOINT;
    size_t shared = a->count < b->count ? a->count : b->count;
    enum relation relation = RELATION_EQUAL;
    for (size_t i = 0; i < shared && relation != RELATION_DISJOINT; i++)
        relation = combine(relation, compare_segments(&a->segments[i], &b->segments[i]));
    if (a->count < b->count)
        return combine(relation, ends_in_multi(a) ? RELATION_GENERAL : RELATION_DISJOINT);
    if (b->count < a->count)
        return combine(relation, ends_in_multi(b) ? RELATION_SPECIFIC : RELATION_DISJOINT);
    return relation;
}

enum relation svc__precedence_compare(const struct pattern *a, const struct pattern *b)
{
    enum relation methods = compare_methods(a->method, b->method);
    return methods == RELATION_DISJOINT ? methods : combine(methods, compare_paths(a, b));
}

bool svc__precedence_conflict(const struct pattern *a, const struct pattern *b)
{
    if (surely_disjoint(a, b) || !svc__bytes_eq(a->host, b->host))
        return false;
    enum relation relation = svc__precedence_compare(a, b);
    return relation == RELATION_EQUAL || relation == RELATION_OVERLAP;
}

/* Appends a segment as a request would send it. */
static void put_segment(struct buf *out, struct bytes text, const char *suffix)
{
    static const char plain[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~!$&'()*+,;=:@";
    svc__buf_putc(out, '/');
    for (size_t i = 0; i < text.len; i++) {
        char c = text.data[i];
        if (c && strchr(plain, c))
            svc__buf_putc(out, c);
        else
            svc__buf_printf(out, "%%%02X", (unsigned char)c);
    }
    svc__buf_puts(out, suffix);
}

/* Appends a text that the segment matches: itself, or for a wildcard its name. */
static void put_example(struct buf *out, const struct segment *segment)
{
    bool empty = segment->kind == SEGMENT_MULTI || segment->kind == SEGMENT_END;
    put_segment(out, empty ? svc__bytes("", 0) : segment->text, "");
}

static void put_rest(struct buf *out, const struct pattern *pattern, size_t from)
{
    for (size_t i = from; i < pattern->count; i++)
        put_example(out, &pattern->segments[i]);
}

/* Appends a path that both patterns match; they are not disjoint. */
static void put_common(struct buf *out, const struct pattern *a, const struct pattern *b)
{
    size_t shared = a->count < b->count ? a->count : b->count;
    for (size_t i = 0; i < shared; i++) {
        bool last = i + 1 == shared; /* a multi that is not the other's last leaves it the rest */
        const struct segment *x = &a->segments[i], *y = &b->segments[i];
        if (last && (x->kind == SEGMENT_MULTI || y->kind == SEGMENT_MULTI)) {
            put_rest(out, x->kind == SEGMENT_MULTI ? b : a, i);
            return;
        }
        put_example(out, svc__pattern_is_wild(x) ? y : x);
    }
}

/* Appends a path that `a` matches and `b` does not, where their paths overlap or `a`'s is the more
 * general. */
static void put_only(struct buf *out, const struct pattern *a, const struct pattern *b)
{
    for (size_t i = 0; i < a->count; i++) {
        const struct segment *x = &a->segments[i];
        const struct segment *y = i < b->count ? &b->segments[i] : NULL;
        if (x->kind == SEGMENT_MULTI) {
            /* A slash at the end differs from every other segment, and a segment from that slash.
             */
            bool slash = !y || y->kind != SEGMENT_END;
            put_segment(out, svc__bytes_z(slash ? "" : "x"), "");
            return;
        }
        bool differ = x->kind == SEGMENT_WILD && y && y->kind == SEGMENT_LITERAL &&
                      svc__bytes_eq(x->text, y->text);
        if (differ)
            put_segment(out, x->text, "x");
        else
            put_example(out, x);
    }
}

static const char *text_or(struct bytes method, const char *otherwise)
{
    return method.len ? method.data : otherwise;
}

/* Appends a method that `a` matches and `b` does not; `a`'s methods are more general. */
static const char *only_method(const struct pattern *a, const struct pattern *b)
{
    if (a->method.len)
        return a->method.data; /* GET, where the other has HEAD */
    return svc__bytes_eq_z(b->method, "POST") ? "GET" : "POST";
}

/* Appends a request that `a` matches and `b` does not: by its path where possible, else by its
 * method. */
static void put_only_request(struct buf *out, const struct pattern *a, const struct pattern *b)
{
    enum relation paths = compare_paths(a, b);
    if (paths == RELATION_GENERAL || paths == RELATION_OVERLAP) {
        svc__buf_printf(out, "\"%s %s", text_or(a->method, "GET"), a->host.data);
        put_only(out, a, b);
    } else {
        svc__buf_printf(out, "\"%s %s", only_method(a, b), a->host.data);
        put_common(out, a, b);
    }
    svc__buf_putc(out, '"');
}

static void put_common_request(struct buf *out, const struct pattern *a, const struct pattern *b)
{
    bool general = compare_methods(a->method, b->method) == RELATION_GENERAL;
    svc__buf_printf(out, "\"%s %s", text_or(general ? b->method : a->method, "GET"), a->host.data);
    put_common(out, a, b);
    svc__buf_putc(out, '"');
}

void svc__precedence_explain(const struct pattern *a, const struct pattern *b, struct buf *out)
{
    svc__buf_printf(out, "%s:%d: pattern \"%s\" conflicts with \"%s\" of %s:%d: both match ",
                    a->file, a->line, a->text, b->text, b->file, b->line);
    put_common_request(out, a, b);
    if (svc__precedence_compare(a, b) == RELATION_EQUAL) {
        svc__buf_puts(out, ", and all else that one of them matches");
        return;
    }
    svc__buf_puts(out, ", only the first matches ");
    put_only_request(out, a, b);
    svc__buf_puts(out, ", only the second ");
    put_only_request(out, b, a);
}
