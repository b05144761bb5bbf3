/* The request fields that select a stored reply among those of one target (RFC 9111 4.1). */
#ifndef SVC_SHARED_CACHE_CACHE_VARY_H
#define SVC_SHARED_CACHE_CACHE_VARY_H

#include "libsvc/base/buf.h"
#include "libsvc/proto/fields.h"

/* Appends the names in the Vary fields of a reply, in lower case and divided by commas. Nothing
 * without names. Any thread. */
void svc__cache_vary_names(struct buf *out, const struct field *fields, size_t count);

/*
 * Appends the values that a request has for such a list of names, so that two requests with equal
 * texts select the same reply. Several fields of a name are one list, white space around commas and
 * semicolons does not count, nor does the case of letters in the fields of content negotiation. Any
 * thread.
 */
void svc__cache_vary_select(struct buf *out, struct bytes names, const struct fields *request);

#endif
