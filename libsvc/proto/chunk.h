/*
 * The lines of chunked framing (RFC 9112 7.1), strictly: each ends with CRLF, and holds no other
 * CR, no line feed and no other control character but a tab.
 */
#ifndef SVC_PROTO_CHUNK_H
#define SVC_PROTO_CHUNK_H

#include <stdbool.h>

#include "libsvc/base/bytes.h"

/* Whether `framing` is exactly the framing before a chunk's data: a line with the size in
 * hexadecimal digits and perhaps extensions, preceded by CRLF where it is `behind` another chunk.
 * Any thread. */
bool svc__chunk_leads(struct bytes framing, bool behind);

/* Whether `rest` begins with a body's end: a size of 0, trailer fields and an empty line, preceded
 * by CRLF where it is `behind` a chunk. Any thread. */
bool svc__chunk_ends(struct bytes rest, bool behind);

#endif
