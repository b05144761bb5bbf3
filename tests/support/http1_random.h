/* Heads and chunks at random: well-formed ones, and such with a few bytes that are not. */
#ifndef TESTS_SUPPORT_HTTP1_RANDOM_H
#define TESTS_SUPPORT_HTTP1_RANDOM_H

#include <stdint.h>

#include "libsvc/base/bytes.h"

enum { RANDOM_SPACE = 4096 };

/* A message that is written piece by piece. `seed` is the caller's; the same one gives the same. */
struct random_text {
    uint64_t seed;
    char data[RANDOM_SPACE];
    size_t len;
};

/* A number below `end`. */
size_t random_below(struct random_text *text, size_t end);

/* Writes a head, or chunks and trailers, over what the text has. */
void random_head(struct random_text *text);
void random_chunks(struct random_text *text);

/* Changes, inserts or removes up to three bytes. */
void random_mutate(struct random_text *text);

#endif
