/* Bodies that are parts of the body that a handler gave. */
#ifndef SVC_REPLY_RESPONSE_PARTS_H
#define SVC_REPLY_RESPONSE_PARTS_H

#include "libsvc/exchange/exchange.h"
#include "libsvc/proto/range.h"

/* Whether parts of the body can be sent: of memory, of a file, and of a source of known length that
 * can seek. Not if trailers follow the body, which would describe the whole. */
bool svc__response_parts_possible(const svc_response *res);

/* Leaves of such a body the bytes of a range that lies within it. The kernel still sends a file. 0,
 * SVC_ENOMEM, or the code of the source's `seek`. */
int svc__response_parts_cut(svc_response *res, const struct range *range);

/*
 * Makes of such a body the several parts of multipart/byteranges, and sets the Content-Type. The
 * body is read piece by piece then, and its length is known. 0, SVC_ENOMEM or SVC_ETOOBIG.
 */
int svc__response_parts_split(svc_response *res, const struct range_set *set);

#endif
