/* Decimal numbers to and from bytes, stricter than strtoull and quicker than printf. */
#ifndef SVC_BASE_NUM_H
#define SVC_BASE_NUM_H

#include <stdint.h>

#include "libsvc/base/bytes.h"

enum {
    NUM_U64_LEN = 20,     /* digits of UINT64_MAX */
    NUM_I64_LEN = 21,     /* a sign before as many */
    NUM_DOUBLE_LEN = 1024 /* exact doubles need fewer digits */
};

/*
 * Reads a number that is nothing but decimal digits (leading zeros are allowed; signs, spaces and
 * an empty text are not) into `*out`. 0, SVC_ESYNTAX, or SVC_ETOOBIG when it is more than `max`.
 * Any thread.
 */
int svc__num_u64(struct bytes text, uint64_t max, uint64_t *out);

/* The same for a whole number of 64 bits that may have a '-' before its digits. Any thread. */
int svc__num_i64(struct bytes text, int64_t *out);

/*
 * Reads a decimal number such as "-12.5e3", whatever the locale: digits, then perhaps a point and
 * digits, then perhaps an exponent. `text` has a NUL behind it. 0, SVC_ESYNTAX, or SVC_ETOOBIG when
 * no double is that large or the text is longer than NUM_DOUBLE_LEN. Any thread.
 */
int svc__num_double(struct bytes text, double *out);

/* Writes `n` in decimal without a NUL and returns the number of digits. Any thread. */
size_t svc__num_format_u64(char out[static NUM_U64_LEN], uint64_t n);

/* The same with a sign before a negative number. Returns the length. Any thread. */
size_t svc__num_format_i64(char out[static NUM_I64_LEN], int64_t n);

#endif
