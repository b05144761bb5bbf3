/*
 * The readers of proto/http1_head.h and proto/http1_chunks.h, given bytes in pieces. Each call gets
 * a copy at another address, without a byte more, so that a sanitizer sees every read beyond it;
 * and what the contracts say of the bytes and outputs is checked. One thread at a time.
 */
#ifndef TESTS_SUPPORT_HTTP1_PIECES_H
#define TESTS_SUPPORT_HTTP1_PIECES_H

#include "tests/support/http1_plain.h"

/* The status of a reading that has broken its contract: no other reading has it. */
enum { PIECES_BROKEN = -9 };

/* The lengths of the pieces: one of `first` bytes, then others of `step`, 0 for all of the rest. */
struct pieces {
    size_t first, step;
};

void pieces_head(const char *text, size_t len, struct pieces pieces,
                 const struct head_limits *limits, struct plain_head *out);
void pieces_trailers(const char *text, size_t len, struct pieces pieces,
                     const struct head_limits *limits, struct plain_head *out);

/* `data` is the caller's, as for plain_chunks. */
void pieces_chunks(const char *text, size_t len, struct pieces pieces, struct plain_body *out);

/* Whether both tell the same. */
bool pieces_same_head(const struct plain_head *a, const struct plain_head *b);
bool pieces_same_body(const struct plain_body *a, const struct plain_body *b);

#endif
