/* The header fields of one part of a form (RFC 7578 4.2 to 4.8), as browsers and others send them.
 */
#ifndef SVC_FORM_MULTIPART_HEAD_H
#define SVC_FORM_MULTIPART_HEAD_H

#include <stdbool.h>
#include <stddef.h>

#include "libsvc/base/bytes.h"
#include "libsvc/exchange/refusal.h"

/* What a part says of itself. Names are UTF-8 without a NUL. */
struct multipart_head {
    struct bytes name;
    struct bytes filename; /* never a path; "none" if the part is no file */
    struct bytes type;     /* the media type as sent; "text/plain" without one */
};

/*
 * Reads the lines of a part's head, without the empty line at its end. Texts are decoded to `text`,
 * which has room for `lines.len` + 1 bytes, with a NUL behind each:
 *
 * - in a quoted string, `\"` and `\\` are escapes, any other backslash stands for itself, and %22,
 *   %0D and %0A are the three characters that browsers escape (WHATWG HTML, "multipart/form-data
 *   encoding algorithm"); all other percent signs stay;
 * - `filename*` of RFC 8187, which RFC 7578 forbids senders, counts before `filename`;
 * - of a file's name, the part behind its last slash or backslash is taken.
 *
 * False: `*why` is the answer, 400, 413 for a name of more than `max_name` bytes, or 415. Any
 * thread.
 */
bool svc__multipart_head_read(struct bytes lines, size_t max_name, char *text,
                              struct multipart_head *out, struct refusal *why);

#endif
