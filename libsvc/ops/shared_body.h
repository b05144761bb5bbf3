/* Bytes that are the body of several replies at once, and are freed with the last of them. */
#ifndef SVC_OPS_SHARED_BODY_H
#define SVC_OPS_SHARED_BODY_H

#include <stdatomic.h>

#include <svc/types.h>

#include "libsvc/base/buf.h"

struct shared_body;

/* Makes an empty buffer for up to `ceiling` bytes of a body; ended by svc__shared_body_make or
 * svc__buf_free. An error, such as SVC_ENOMEM, stays in it. */
void svc__shared_body_begin(struct buf *b, size_t ceiling);

/* The bytes of the body that a buffer of svc__shared_body_begin has so far. Borrowed. */
struct bytes svc__shared_body_view(const struct buf *b);

/*
 * Makes a body of a buffer's bytes, and empties the buffer. `*held` counts the bytes until the body
 * is freed. One reference is the caller's. NULL if the buffer has an error; it is freed then.
 */
struct shared_body *svc__shared_body_make(struct buf *b, _Atomic size_t *held);

/* Answers with the body, which the response refers to until it is released. As svc_response_take.
 * Any thread. */
int svc__shared_body_answer(struct shared_body *body, svc_response *res, int status,
                            const char *type);

/* Gives a reference back. Accepts NULL. Any thread. */
void svc__shared_body_unref(struct shared_body *body);

#endif
