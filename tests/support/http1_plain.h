/*
 * HTTP/1 read slowly and plainly, from the grammar of RFC 9112, on the whole of the bytes: what the
 * readers of proto/http1_head.h and proto/http1_chunks.h are compared with. Nothing here is shared
 * with them but their limits.
 */
#ifndef TESTS_SUPPORT_HTTP1_PLAIN_H
#define TESTS_SUPPORT_HTTP1_PLAIN_H

#include <stddef.h>

#include "libsvc/proto/head.h"

enum { PLAIN_FIELDS = 16 }; /* the most that the limits may allow */

/* A part of the text, which may be empty. */
struct place {
    size_t at, len;
};

struct plain_field {
    struct place name, value;
};

/* What a head or trailers are, with zeros for all that is not known, so that two of them can be
 * compared as memory. */
struct plain_head {
    int status; /* 0, HTTP1_PART, or the status that refuses it */
    size_t begin, end;
    struct place method, target; /* also of a refused head, if its request line is well-formed */
    size_t minor, count;
    struct plain_field fields[PLAIN_FIELDS];
};

/* What chunks are: `data` has room for all of the text and gets the data, `len` bytes of it. */
struct plain_body {
    int status;
    size_t end; /* of the last chunk's line, or 0 */
    size_t len;
    char *data;
};

void plain_head(const char *text, size_t len, const struct head_limits *limits,
                struct plain_head *out);
void plain_trailers(const char *text, size_t len, const struct head_limits *limits,
                    struct plain_head *out);

/* `data` is the caller's and is set before. */
void plain_chunks(const char *text, size_t len, struct plain_body *out);

#endif
