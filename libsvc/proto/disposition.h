/* Content-Disposition of a reply that is to be saved (RFC 6266). */
#ifndef SVC_PROTO_DISPOSITION_H
#define SVC_PROTO_DISPOSITION_H

#include "libsvc/base/buf.h"

/*
 * Appends `attachment` with the file's name: as a quoted string where it is ASCII, else as a
 * likeness in ASCII and the name itself in the form of RFC 8187. Bytes that are not UTF-8 become
 * U+FFFD, control characters '_'. Any thread.
 */
void svc__disposition_write(struct buf *out, struct bytes name);

/* The part of a path behind its last slash or backslash. Any thread. */
struct bytes svc__disposition_name(struct bytes path);

#endif
