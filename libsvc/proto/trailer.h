/* Trailers: the fields behind a body (RFC 9110 6.5). */
#ifndef SVC_PROTO_TRAILER_H
#define SVC_PROTO_TRAILER_H

#include <stdbool.h>
#include <stddef.h>

#include "libsvc/base/bytes.h"
#include "libsvc/proto/fields.h"
#include "libsvc/proto/head.h"

/* Whether a field of that name may stand in trailers. Fields that decide how a message is read,
 * routed, authenticated or cached may not, since they would come too late (RFC 9110 6.5.1). Any
 * thread. */
bool svc__trailer_allowed(struct bytes name);

/*
 * Checks the trailer fields of a request, which share the limits of its head, `head`, whose `bytes`
 * are known. Returns 0, or the status to refuse with and a static text in `*reason`: 431 for too
 * many fields or bytes in all, 400 for a name that is no token or a control character in a value.
 * Any thread.
 */
int svc__trailer_check(const struct head *head, const struct head_limits *limits,
                       const struct field *fields, size_t count, const char **reason);

#endif
