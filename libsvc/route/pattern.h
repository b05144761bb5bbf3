/* Route patterns, with the grammar of Go 1.22's ServeMux: "[METHOD ][HOST]/path". */
#ifndef SVC_ROUTE_PATTERN_H
#define SVC_ROUTE_PATTERN_H

#include <stdint.h>

#include "libsvc/base/arena.h"
#include "libsvc/base/buf.h"

enum {
    PATTERN_MAX_PARAMS = 16,    /* named wildcards */
    PATTERN_MAX_SEGMENTS = 255, /* a slash at the end counts as one */
    PATTERN_MAX_LITERAL = 255   /* bytes of a segment or host */
};

enum segment_kind {
    SEGMENT_LITERAL,
    SEGMENT_WILD,  /* {name}: one segment, not the empty one behind a slash at the end */
    SEGMENT_MULTI, /* {name...} or a slash at the end: the rest of the path, which may be empty */
    SEGMENT_END    /* {$}: the slash at the end alone */
};

struct segment {
    enum segment_kind kind;
    struct bytes
        text; /* the literal, decoded; or the wildcard's name, empty for a slash at the end */
};

struct pattern {
    const char *text;
    struct bytes method; /* empty: every method */
    struct bytes host;   /* in lower case; empty: every host */
    struct segment *segments;
    size_t count;    /* of segments; at least 1 */
    size_t params;   /* named wildcards among them */
    uint64_t prints; /* a byte for each of the first eight segments: a literal's hash, or 0 */
    const char *file;
    int line;
};

/*
 * Parses `text`. The arena gets a copy of it and everything that `*out` points at; `file` is
 * borrowed as long. 0; SVC_ESYNTAX with "at offset N: …" appended to `error`; SVC_ENOMEM. `*out` is
 * written only on success. It also refuses patterns that no request can match, because their path
 * is not clean, unless their method is CONNECT. Any thread.
 */
int svc__pattern_parse(struct arena *arena, const char *text, const char *file, int line,
                       struct pattern *out, struct buf *error);

/* The pattern's text behind its method, which is the label `http_route` of metrics. Any thread. */
const char *svc__pattern_path(const struct pattern *pattern);

/* Whether the segment takes any text. Any thread. */
static inline bool svc__pattern_is_wild(const struct segment *segment)
{
    return segment->kind == SEGMENT_WILD || segment->kind == SEGMENT_MULTI;
}

#endif
