/* SHA-1, by which Redis names scripts. Nothing secret depends on it. */
#ifndef SVC_REDIS_REDIS_SHA1_H
#define SVC_REDIS_REDIS_SHA1_H

#include <stddef.h>

enum { REDIS_SHA1_BYTES = 20, REDIS_SHA1_DIGITS = 40 };

/* Writes the hash of `len` bytes. Pure. */
void svc__redis_sha1(const void *data, size_t len, unsigned char hash[REDIS_SHA1_BYTES]);

/* The same as lower-case hexadecimal digits, NUL-terminated. */
void svc__redis_sha1_digits(const void *data, size_t len, char digits[REDIS_SHA1_DIGITS + 1]);

#endif
