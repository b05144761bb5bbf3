/* The path of a file, as a client has written it in a request's target. */
#ifndef SVC_FILES_FILE_PATH_H
#define SVC_FILES_FILE_PATH_H

#include <stdbool.h>

#include "libsvc/base/buf.h"

/*
 * Decodes the part of a request's path that names a file, and writes it to `out`, which has room
 * for one byte more than `raw`, with a NUL: parts with a '/' between each two, and none at either
 * end; "" is the folder itself. `*folder`: the path is empty or has ended with '/'.
 *
 * False for a path that names no file that may be served: with a NUL, a backslash, or a '/' that
 * was escaped; with an empty part, "." or ".."; or with a part that begins with a dot, unless it is
 * the first and ".well-known" (RFC 8615). Any thread.
 */
bool svc__file_path_read(struct bytes raw, char *out, bool *folder);

/* Appends `path` with the characters escaped that a URI's path may not have (RFC 3986 3.3), and '/'
 * unless `slashes`. Any thread. */
void svc__file_path_escape(struct buf *out, struct bytes path, bool slashes);

#endif
