/* The form in which a store has the state of an idempotency key: that its first request is under
 * way, or its answer. Every instance reads what another has written, and trusts nothing of it. */
#ifndef SVC_MW_IDEMPOTENCY_RECORD_H
#define SVC_MW_IDEMPOTENCY_RECORD_H

#include <svc/response.h>

#include "libsvc/base/buf.h"
#include "libsvc/base/sha256.h"

enum idempotency_kind {
    IDEMPOTENCY_PENDING, /* the first request has no answer yet */
    IDEMPOTENCY_ANSWER,
    IDEMPOTENCY_UNKEPT /* it was answered, and the answer could not be kept */
};

/* A record that was read. All but the fingerprint is borrowed from its text. */
struct idempotency_record {
    enum idempotency_kind kind;
    int status;                              /* 0 of a pending one */
    unsigned char fingerprint[SHA256_BYTES]; /* of the first request; zero of a pending one */
    size_t field_count;
    struct bytes fields; /* name, NUL, value, NUL, and so on */
    struct bytes body;
};

/*
 * Appends a record without its body. The fields of `res`, which may be NULL, are those that may be
 * repeated: none that belongs to its connection, its moment or its client, such as Set-Cookie. An
 * error stays in the buffer.
 */
void svc__idempotency_record_write(struct buf *out, enum idempotency_kind kind, int status,
                                   const unsigned char fingerprint[static SHA256_BYTES],
                                   const svc_response *res);

/* Reads a record. 0 or SVC_ESYNTAX; `record` is undefined then. Any thread. */
int svc__idempotency_record_read(struct bytes text, struct idempotency_record *record);

/* Answers with a record of an answer. 0, SVC_ENOMEM, SVC_ETOOBIG or, for a field or status that no
 * response may have, SVC_EINVAL. */
int svc__idempotency_record_answer(const struct idempotency_record *record, svc_response *res);

#endif
