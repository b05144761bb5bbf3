/* Decimal numbers to and from bytes, stricter than strtoull and quicker than printf. */
#ifndef LIBSVC_BASE_NUM_H
#define LIBSVC_BASE_NUM_H

#include <stdint.h>

#include "libsvc/base/bytes.h"

enum {
    NUM_U64_LEN = 20, /* digits of UINT64_MAX */
    NUM_I64_LEN = 21  /* a sign before as many */
};

/*
 * Reads a number that is nothing but decimal digits (leading zeros are allowed; signs, spaces and
 * an empty text are not) into `*out`. 0, SVC_ESYNTAX, or SVC_ETOOBIG when it is more than `max`.
 * Any thread.
 */
int svc__num_u64(struct bytes text, uint64_t max, uint64_t *out);

/* Writes `n` in decimal without a NUL and returns the number of digits. Any thread. */
size_t svc__num_format_u64(char out[static NUM_U64_LEN], uint64_t n);

/* The same with a sign before a negative number. Returns the length. Any thread. */
size_t svc__num_format_i64(char out[static NUM_I64_LEN], int64_t n);

#endif
