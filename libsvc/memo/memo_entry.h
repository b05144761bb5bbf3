/* A value as a memo stores it: a head that says until when it is fresh, and the bytes behind it. */
#ifndef SVC_MEMO_MEMO_ENTRY_H
#define SVC_MEMO_MEMO_ENTRY_H

#include <stdbool.h>
#include <stdint.h>

#include "libsvc/base/bytes.h"

enum { MEMO_HEAD_BYTES = 48 };

struct memo_entry {
    bool negative;     /* the loader has found no value */
    uint64_t made_ms;  /* when it was loaded, since 1970 */
    uint64_t fresh_ms; /* for how long it is fresh from then on */
    uint64_t took_us;  /* how long its load took */
    struct bytes value;
};

/* Writes the head of an entry under `key`, the whole key of the store; the value stands behind it.
 */
void svc__memo_entry_write(unsigned char head[static MEMO_HEAD_BYTES],
                           const struct memo_entry *entry, struct bytes key);

/*
 * Reads what is stored under `key`. The value points into `stored`. 0, or SVC_ESYNTAX for anything
 * that svc__memo_entry_write has not written under this key, such as the value of another program
 * or another form; a store that means harm can still write entries of its own.
 */
int svc__memo_entry_read(struct memo_entry *entry, struct bytes stored, struct bytes key);

/* ---- The lease of a key, which shows that an instance loads it, or that its load has failed */

enum { MEMO_LEASE_BYTES = 3 };

/* Writes the lease of a load under way, for 0, or of one that has failed: SVC_EUNAVAILABLE stands
 * in for an error that is not the library's, since other instances may not know it. */
void svc__memo_entry_write_lease(unsigned char lease[static MEMO_LEASE_BYTES], int error);

/* The error of a load that has failed; 0 for a load under way, and for anything else. */
int svc__memo_entry_read_lease(struct bytes stored);

#endif
