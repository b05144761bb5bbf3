/* URI references, as Location and Content-Location have them. */
#ifndef SVC_PROTO_REFERENCE_H
#define SVC_PROTO_REFERENCE_H

#include <stddef.h>

#include "libsvc/base/bytes.h"

/*
 * Writes `text` to `out`, which has room for three times its length, as a URI reference (RFC 3986
 * 4.1): what no URI may hold in path, query and fragment, and what is not ASCII, is escaped.
 * Returns the length. 0 where escaping would have to guess, or clients might read another host than
 * is meant: controls, spaces, a '%' without two digits, a scheme or an authority that is none, and,
 * with http and https or without a scheme, no host behind "//", or none at all behind the scheme.
 * Any thread.
 */
size_t svc__reference_write(char *out, struct bytes text);

#endif
