/* Compression in the gzip format. The one file of the base that knows zlib, which a build may be
 * without. */
#ifndef SVC_BASE_GZIP_H
#define SVC_BASE_GZIP_H

#include <stdbool.h>

#include "libsvc/base/buf.h"

/* Whether the library was built with zlib. */
bool svc__gzip_available(void);

/*
 * Appends `data`, compressed for speed, to `out`, as one member of the gzip format. 0, or what
 * `out` has for an error, or SVC_ENOMEM, also without zlib; then `out` is as before, but for the
 * error. Any thread.
 */
int svc__gzip_append(struct buf *out, struct bytes data);

#endif
