/* The names of an operation: its key as the client has sent it, its id, and its fingerprint. */
#ifndef SVC_MW_IDEMPOTENCY_KEY_H
#define SVC_MW_IDEMPOTENCY_KEY_H

#include "libsvc/mw/idempotency_state.h"

enum { IDEMPOTENCY_KEY_BYTES = 255 };

/* A key as the client has sent it, without quotes. */
struct idempotency_key {
    size_t len; /* 0: there is none */
    char text[IDEMPOTENCY_KEY_BYTES];
};

/* Reads a request's key. 0, also if it has none, or SVC_ESYNTAX. */
int svc__idempotency_key_read(const struct idempotency *idempotency, const svc_request *req,
                              struct idempotency_key *key);

/*
 * Writes the id of an operation, a string of IDEMPOTENCY_ID_DIGITS, which follows from the caller
 * and its key. SVC_ENOTFOUND if a part of the caller is absent.
 */
int svc__idempotency_key_id(const struct idempotency *idempotency, const svc_request *req,
                            const struct idempotency_key *key,
                            char id[static IDEMPOTENCY_ID_DIGITS + 1]);

/* Writes the fingerprint of a request: two with different methods, targets or bodies have different
 * ones. */
void svc__idempotency_key_fingerprint(const svc_request *req, struct bytes body,
                                      unsigned char out[static SHA256_BYTES]);

#endif
