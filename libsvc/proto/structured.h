/* Structured fields (RFC 9651), as far as the library reads them. */
#ifndef SVC_PROTO_STRUCTURED_H
#define SVC_PROTO_STRUCTURED_H

#include "libsvc/base/bytes.h"

/*
 * Reads a field value that is an Item whose bare item is a String (RFC 9651 4.2.5), and passes over
 * its parameters. The string, without quotes and escapes, goes to `out`, which has room for
 * `field.len` bytes, and its length to `*len`. Printable ASCII alone is in it. 0 or SVC_ESYNTAX;
 * `out` is undefined then. Any thread.
 */
int svc__structured_string(struct bytes field, char *out, size_t *len);

#endif
