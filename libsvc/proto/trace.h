/* W3C Trace Context: the fields `traceparent` and `tracestate`, read and written. */
#ifndef SVC_PROTO_TRACE_H
#define SVC_PROTO_TRACE_H

#include <stdbool.h>

#include "libsvc/base/bytes.h"

enum {
    TRACE_ID_BYTES = 16,
    TRACE_SPAN_BYTES = 8,
    TRACE_PARENT_LEN = 55,  /* "00-", 32 digits, "-", 16 digits, "-", 2 digits */
    TRACE_MEMBERS = 32,     /* of a tracestate */
    TRACE_STATE_MAX = 512,  /* bytes of a tracestate that is sent */
    TRACE_MEMBER_LONG = 128 /* bytes of a member above which it is dropped first */
};

/* The defined flags; all others are sent as 0. */
enum { TRACE_SAMPLED = 1 << 0, TRACE_RANDOM = 1 << 1 };

/* A trace and a span of it. Neither id is all zeros. */
struct trace {
    unsigned char trace_id[TRACE_ID_BYTES];
    unsigned char span_id[TRACE_SPAN_BYTES];
    unsigned char flags; /* TRACE_SAMPLED, TRACE_RANDOM */
};

/*
 * Reads the value of a traceparent: version 00 exactly, and of later versions the part that they
 * share with it. 0, or SVC_ESYNTAX, after which a new trace begins; `*out` is written only on
 * success. Any thread.
 */
int svc__trace_parse(struct bytes text, struct trace *out);

/* Writes a traceparent of version 00, without a NUL. Any thread. */
void svc__trace_format(const struct trace *trace, char out[static TRACE_PARENT_LEN]);

/* The members of a tracestate, each "key=value", in order; they point into the fields' values. */
struct trace_state {
    size_t count;
    struct bytes members[TRACE_MEMBERS];
};

/* Whether a key, or a value, is well-formed. Any thread. */
bool svc__trace_key_valid(struct bytes key);
bool svc__trace_value_valid(struct bytes value);

/*
 * Appends the members in the value of one field; call it for the fields in their order. Empty
 * members are skipped. 0, SVC_ESYNTAX, or SVC_ETOOBIG for more than TRACE_MEMBERS: the whole
 * tracestate must then be dropped. Any thread.
 */
int svc__trace_state_read(struct trace_state *state, struct bytes value);

/* Puts a valid member first, in place of members with its key; of too many members the last one is
 * dropped. Any thread. */
void svc__trace_state_put(struct trace_state *state, struct bytes member);

/* Drops whole members until at most TRACE_STATE_MAX bytes would be sent: those of more than
 * TRACE_MEMBER_LONG first, then from the end. Any thread. */
void svc__trace_state_cut(struct trace_state *state);

/* Writes the members with commas between them, without a NUL. Returns the length. For a state that
 * has been cut. Any thread. */
size_t svc__trace_state_format(const struct trace_state *state, char out[static TRACE_STATE_MAX]);

#endif
