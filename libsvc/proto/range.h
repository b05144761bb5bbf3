/* The Range field for bytes, and the fields that describe parts of a reply (RFC 9110 14). */
#ifndef SVC_PROTO_RANGE_H
#define SVC_PROTO_RANGE_H

#include <stddef.h>
#include <stdint.h>

#include "libsvc/base/buf.h"
#include "libsvc/base/bytes.h"

/* The answer to a Range field, for a representation of a known length. */
enum range_verdict {
    RANGE_NONE,          /* the whole: another unit, or more ranges than RANGE_MOST */
    RANGE_PARTS,         /* 206 */
    RANGE_UNSATISFIABLE, /* 416: none of the ranges begins within the representation */
    RANGE_MALFORMED      /* 416: it is no list of ranges */
};

/* The bytes `first` to `last`, both included. */
struct range {
    uint64_t first, last;
};

/* A field with more ranges is answered by the whole: it is mostly an attempt to multiply work. */
enum { RANGE_MOST = 16 };

/* Ranges in the order in which the client asked for them. No two of them overlap or touch. */
struct range_set {
    size_t count;
    struct range list[RANGE_MOST];
};

static inline uint64_t svc__range_length(const struct range *range)
{
    return range->last - range->first + 1;
}

/*
 * Finds the parts of `length` bytes that a Range field wants. `*out` is written for RANGE_PARTS: it
 * has one range at least, all of them lie within the length, and those that overlap or touch are
 * joined, so that no byte is sent twice. An empty representation has no part: a suffix range of it
 * is RANGE_NONE, as its whole is what RFC 9110 14.1.2 asks for. Any thread.
 */
enum range_verdict svc__range_parse(struct bytes value, uint64_t length, struct range_set *out);

enum { RANGE_CONTENT_SIZE = 72 /* "bytes 1-2/3" with numbers of 20 digits, and a NUL */ };

/* Writes Content-Range, of a part, or of an unsatisfiable range for a NULL `range`, with a NUL.
 * Returns its length. Any thread. */
size_t svc__range_content(char out[static RANGE_CONTENT_SIZE], const struct range *range,
                          uint64_t length);

/* The text before a part of multipart/byteranges (RFC 9110 14.6), the line break behind the part
 * before it included. `type` is the Content-Type of the whole; "none" leaves it out. Any thread. */
void svc__range_part_begin(struct buf *out, struct bytes boundary, struct bytes type,
                           const struct range *range, uint64_t length);

/* The text behind the last part. Any thread. */
void svc__range_parts_end(struct buf *out, struct bytes boundary);

#endif
