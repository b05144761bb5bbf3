/*
 * Routing as its definition says, one pattern after the other and with no thought for speed: what
 * the tree and the algebra of patterns are checked against. Also used by the fuzz target.
 */
#ifndef TESTS_UNIT_ROUTE_NAIVE_H
#define TESTS_UNIT_ROUTE_NAIVE_H

#include "libsvc/proto/uri.h"
#include "libsvc/route/precedence.h"
#include "libsvc/route/tree.h"

/* How a pattern matches a request. */
struct naive {
    bool found, exact; /* exact: no tail took a rest that is not empty */
    struct match match;
};

static inline void naive_capture(struct match *out, const struct segment *segment, struct bytes raw)
{
    if (segment->text.len == 0)
        return;
    out->params[out->count].name = segment->text;
    out->params[out->count].raw = raw;
    out->params[out->count++].multi = segment->kind == SEGMENT_MULTI;
}

/* Whether one segment of a pattern takes one of a path, which is not the empty one at the end. */
static inline bool naive_takes(const struct segment *segment, struct bytes raw)
{
    return segment->kind == SEGMENT_WILD ||
           (segment->kind == SEGMENT_LITERAL && svc__uri_decoded_eq(raw, segment->text));
}

/* The path begins with '/'. */
static inline struct naive naive_path(const struct pattern *pattern, struct bytes path)
{
    struct naive n = {.exact = true};
    struct bytes rest = path;
    svc__bytes_cut(&rest, '/');
    for (size_t i = 0; i < pattern->count; i++) {
        const struct segment *segment = &pattern->segments[i];
        if (rest.data == NULL)
            return n;
        if (segment->kind == SEGMENT_MULTI) {
            n.found = true;
            n.exact = rest.len == 0;
            naive_capture(&n.match, segment, rest);
            return n;
        }
        struct bytes raw = svc__bytes_cut(&rest, '/');
        bool at_end = raw.len == 0 && rest.data == NULL;
        if (segment->kind == SEGMENT_END ? !at_end : at_end || !naive_takes(segment, raw))
            return n;
        if (segment->kind == SEGMENT_WILD)
            naive_capture(&n.match, segment, raw);
    }
    n.found = rest.data == NULL;
    return n;
}

static inline bool naive_method(const struct pattern *pattern, struct bytes method)
{
    return pattern->method.len == 0 || svc__bytes_eq(pattern->method, method) ||
           (svc__bytes_eq_z(pattern->method, "GET") && svc__bytes_eq_z(method, "HEAD"));
}

static inline bool naive_host(const struct pattern *pattern, struct bytes host)
{
    return pattern->host.len == 0 || svc__bytes_eq_nocase(pattern->host, host);
}

/* Whether `a` wins over `b`, where both match and do not conflict. */
static inline bool naive_wins(const struct pattern *a, const struct pattern *b)
{
    if ((a->host.len > 0) != (b->host.len > 0))
        return a->host.len > 0;
    return svc__precedence_compare(a, b) == RELATION_SPECIFIC;
}

/* The most specific pattern that matches. */
static inline struct naive naive_best(const struct pattern *const *patterns, size_t count,
                                      struct bytes method, struct bytes host, struct bytes path)
{
    struct naive best = {.found = false};
    for (size_t i = 0; i < count; i++) {
        struct naive n = naive_path(patterns[i], path);
        if (!n.found || !naive_method(patterns[i], method) || !naive_host(patterns[i], host))
            continue;
        if (best.found && !naive_wins(patterns[i], patterns[best.match.pattern]))
            continue;
        best = n;
        best.match.pattern = i;
    }
    return best;
}

/* `slashed` is the path with a slash behind it. */
static inline enum match_verdict naive_match(const struct pattern *const *patterns, size_t count,
                                             struct bytes method, struct bytes host,
                                             struct bytes path, struct bytes slashed,
                                             struct match *out)
{
    struct naive best = naive_best(patterns, count, method, host, path);
    if ((!best.found || !best.exact) && path.data[path.len - 1] != '/') {
        struct naive other = naive_best(patterns, count, method, host, slashed);
        if (other.found && other.exact)
            return MATCH_REDIRECT_SLASH;
    }
    if (best.found)
        *out = best.match;
    return best.found ? MATCH_FOUND : MATCH_NONE;
}

/* Whether a pattern for this very method matches the path, with or without a slash behind it. */
static inline bool naive_allows(const struct pattern *const *patterns, size_t count,
                                struct bytes method, struct bytes host, struct bytes path,
                                struct bytes slashed)
{
    for (size_t i = 0; i < count; i++) {
        if (patterns[i]->method.len == 0 || !naive_method(patterns[i], method) ||
            !naive_host(patterns[i], host))
            continue;
        bool ends_in_slash = path.data[path.len - 1] == '/';
        if (naive_path(patterns[i], path).found ||
            (!ends_in_slash && naive_path(patterns[i], slashed).found))
            return true;
    }
    return false;
}

/* Whether two matches are the same, the places of their parameters included. */
static inline bool naive_same(const struct match *a, const struct match *b)
{
    if (a->pattern != b->pattern || a->count != b->count)
        return false;
    for (size_t i = 0; i < a->count; i++)
        if (!svc__bytes_eq(a->params[i].name, b->params[i].name) ||
            a->params[i].raw.len != b->params[i].raw.len ||
            a->params[i].raw.data != b->params[i].raw.data ||
            a->params[i].multi != b->params[i].multi)
            return false;
    return true;
}

#endif
