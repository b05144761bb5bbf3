/*
 * A stored reply as bytes, for the store that instances share. It comes from a server that others
 * may write to, so reading trusts no number in it.
 */
#ifndef SVC_SHARED_CACHE_STORED_FORM_H
#define SVC_SHARED_CACHE_STORED_FORM_H

#include "libsvc/base/buf.h"
#include "libsvc/shared_cache/stored_reply.h"

enum { STORED_FIELDS = 128 /* of a reply */ };

/* A reply that was read; its members are views of the bytes, and of the arrays. */
struct stored_form {
    struct stored_parts parts; /* without `born_ns` */
    int64_t born_ms;           /* when its age was 0, in milliseconds since 1970 */
    bool selects; /* no reply: those of the key are found by the values of `parts.names` in the
                     request */
    struct field fields[STORED_FIELDS];
    uint64_t tags[STORED_TAGS];
};

/* Appends a reply. `selects`: only its key and names. Any thread. */
void svc__stored_form_write(struct buf *out, const struct stored_parts *parts, int64_t born_ms,
                            bool selects);

/* Reads one: 0, or SVC_ESYNTAX, and `*out` is then undefined. Any thread. */
int svc__stored_form_read(struct bytes data, struct stored_form *out);

#endif
