/* Percent-encoding of RFC 3986, and paths without dot segments. */
#ifndef SVC_PROTO_URI_H
#define SVC_PROTO_URI_H

#include <stdbool.h>
#include <stddef.h>

#include "libsvc/base/bytes.h"

/* Whether every '%' is followed by two hexadecimal digits. Any thread. */
bool svc__uri_escapes_valid(struct bytes text);

/*
 * Takes one decoded byte off the front of `text`, which is not empty. An invalid escape is taken
 * undecoded, a byte at a time. Any thread.
 */
unsigned char svc__uri_take(struct bytes *text);

/*
 * Decodes percent escapes into `dst`, and '+' to a space if asked. `dst` has room for `src.len`
 * bytes, and may be `src.data` itself. Returns the decoded length, never more than `src.len`; no
 * NUL is added. An invalid escape is copied unchanged: check with svc__uri_escapes_valid first. Any
 * thread.
 */
size_t svc__uri_decode(char *dst, struct bytes src, bool plus_is_space);

/* Whether `escaped`, once decoded, equals `literal`. Allocates nothing. Any thread. */
bool svc__uri_decoded_eq(struct bytes escaped, struct bytes literal);

/* Whether `escaped`, once decoded, is UTF-8. Allocates nothing. Any thread. */
bool svc__uri_decoded_utf8(struct bytes escaped);

/*
 * Whether a path, which begins with '/', has a segment that svc__uri_clean removes: an empty one
 * that is not the last, or "." or ".." with its dots escaped or not. Any thread.
 */
bool svc__uri_unclean(struct bytes escaped_path);

/*
 * Removes empty segments, "." and ".." (escaped dots included) from an escaped path that begins
 * with '/', and never climbs above the root. A slash at the end stays; "/a/." and "/a/b/.." become
 * "/a", without one, as ServeMux of Go does. Other escapes, %2F among them, are copied unchanged.
 *
 * Writes at most `escaped_path.len` bytes and a NUL into `dst`, which does not overlap the path.
 * Returns the length, at least 1. Any thread.
 */
size_t svc__uri_clean(char *dst, struct bytes escaped_path);

#endif
