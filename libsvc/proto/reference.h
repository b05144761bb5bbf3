/* URI references, for Location and Content-Location. */
#ifndef SVC_PROTO_REFERENCE_H
#define SVC_PROTO_REFERENCE_H

#include <stddef.h>

#include "libsvc/base/bytes.h"

/*
 * Writes `text` to `out`, which has room for three times its length, as a URI reference (RFC 3986
 * 4.1). Characters that path, query and fragment of a URI may not have are escaped, and so are
 * bytes that are not ASCII. Returns the length. Returns 0 where escaping would have to guess, or
 * clients might read another host than the intended one: for controls, spaces, a '%' without two
 * digits, a malformed scheme or authority, an empty host behind "//" with http, https or without a
 * scheme, and http or https without a host. Any thread.
 */
size_t svc__reference_write(char *out, struct bytes text);

#endif
