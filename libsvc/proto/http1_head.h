/*
 * Reads the head of an HTTP/1 request, and the trailers behind a chunked body, from the bytes as
 * they come (RFC 9112). A line is taken only if it can be read in one way: it ends with CRLF, and
 * holds no other CR or line feed, no other control character but a tab in a value, and no white
 * space where the grammar has none.
 */
#ifndef SVC_PROTO_HTTP1_HEAD_H
#define SVC_PROTO_HTTP1_HEAD_H

#include <stddef.h>

#include "libsvc/proto/fields.h"
#include "libsvc/proto/head.h"

enum {
    HTTP1_PART = -1,      /* faultless so far, and not at its end */
    HTTP1_EMPTY_LINES = 8 /* that many may stand before a request line */
};

/*
 * Where a reading stands, as lengths from the beginning of the data; all zeros at first. The time
 * that a reading takes grows with the head's length and the number of pieces, not with their
 * product: each byte is looked at three times at most.
 */
struct http1_reading {
    size_t begin;  /* the request line, behind empty lines: nothing of a request has come before */
    size_t line;   /* the first line that is not read; the end, once the head is whole */
    size_t looked; /* no line feed is between the two */
    size_t count;  /* of fields */
};

/*
 * Reads a request's head: a request line, field lines and an empty line. `data` has all bytes from
 * the beginning on, `len` of them; from call to call, `len` grows, and the bytes may have moved.
 * `fields` has room for `limits->max_fields`; its content need not be kept between calls. The empty
 * lines before do not count as bytes of the head.
 *
 * Returns:
 *   0, when the head is whole, with its end in `r->line`. `*out` points into `data`; a NUL is
 *     written behind the method, the target, each name and each value. Its `bytes` are known.
 *   HTTP1_PART, when it is not whole. Nothing is written to `data`. This is not the result for
 *     `limits->max_bytes + 2 * HTTP1_EMPTY_LINES` bytes or more.
 *   The status to refuse with, and a static text in `*reason`:
 *     400 a malformed line, a control character, more empty lines than HTTP1_EMPTY_LINES;
 *     505 an HTTP version other than 1.x; 414 a target, or a request line, that is too long;
 *     431 too many fields or bytes.
 *     If the request line is faultless, `*out` has the method (with a NUL behind it), the target
 *     and the version alone, so that the refusal can be the answer to a request; else it is all
 *     zeros.
 * The result depends on the bytes alone, and not on the pieces in which they come.
 *
 * The framing that the fields tell of is left to svc__head_check, and the form of the target to
 * svc__target_parse: the target is one or more bytes that are neither white space nor control
 * characters. Any thread.
 */
int svc__http1_head_read(struct http1_reading *r, char *data, size_t len,
                         const struct head_limits *limits, struct field *fields, struct head *out,
                         const char **reason);

/*
 * Reads the trailers behind the last chunk, field lines and an empty line, in the same way. On
 * success their number is in `*count`; it is 0 for most bodies. Any thread.
 */
int svc__http1_head_trailers(struct http1_reading *r, char *data, size_t len,
                             const struct head_limits *limits, struct field *fields, size_t *count,
                             const char **reason);

#endif
