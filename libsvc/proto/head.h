/*
 * The check of a request head. libmicrohttpd's parser accepts heads by which two servers can
 * disagree on where a request ends; this check refuses them.
 */
#ifndef SVC_PROTO_HEAD_H
#define SVC_PROTO_HEAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "libsvc/base/bytes.h"
#include "libsvc/proto/fields.h"

struct head {
    struct bytes method, target_raw;
    unsigned minor; /* of HTTP/1.minor */
    const struct field
        *fields; /* in order of arrival, without white space around values; NULL if `count` is 0 */
    size_t count;
    size_t bytes; /* the whole head on the wire, as far as known; 0: not known */
};

struct head_limits {
    size_t max_target, max_bytes, max_fields;
};

enum framing_kind {
    BODY_NONE,   /* no body follows: no framing field, or Content-Length: 0 */
    BODY_LENGTH, /* `length` bytes follow, at least one */
    BODY_CHUNKED /* chunks follow, of unknown length in all */
};

struct framing {
    enum framing_kind kind;
    uint64_t length;      /* 0 unless the kind is BODY_LENGTH; at most INT64_MAX */
    bool expect_continue; /* the client may wait for a 100; never on HTTP/1.0 */
    bool chunks;          /* the client understands chunked coding: not on HTTP/1.0 */
    bool close;           /* the client will not send another request on this connection */
    struct bytes host;    /* the Host field, trimmed; empty when there is none */
};

/*
 * Checks a head as a whole: its size, the method, every name and value, Host, Content-Length,
 * Transfer-Encoding and Expect. `fields` are the head's, as svc__fields_read leaves them. What the
 * target says is left to svc__target_parse; here only its length counts.
 *
 * Returns 0, or the status to refuse with and a static text in `*reason`:
 *   414 target too long; 431 too many fields or bytes;
 *   400 a method or a name that is no token, a control character in a value, not exactly one Host
 *       (HTTP/1.0: more than one) or a malformed one, two of Content-Length or of
 *       Transfer-Encoding, both of them, a Content-Length that is not all digits, a
 *       Transfer-Encoding on HTTP/1.0;
 *   413 a Content-Length over INT64_MAX; 501 a Transfer-Encoding that is not exactly "chunked" in
 *       any case; 417 an Expect other than 100-continue.
 * A head with several faults gets one of them. The connection must be closed after each of these:
 * nobody knows where the next request begins. `*out` points into the head's fields and is written
 * only on success. Any thread.
 */
int svc__head_check(const struct head *head, const struct fields *fields,
                    const struct head_limits *limits, struct framing *out, const char **reason);

/*
 * Reads a Content-Length. 0, or the status to refuse with (400, or 413 over INT64_MAX) and a static
 * text in `*reason`. `*length` is written only on success. Any thread.
 */
int svc__head_length(struct bytes value, uint64_t *length, const char **reason);

/*
 * The bytes that a head takes on the wire when written without spare white space, for callers that
 * did not count it while it was read; SIZE_MAX when that is more. Any thread.
 */
size_t svc__head_size(const struct head *head);

#endif
