/* The bytes of streams in tests. Each depends on its offset, so that a lost, repeated or moved byte
 * is found, and both sides can make and check gigabytes of them quickly. */
#ifndef TESTS_SUPPORT_FLOW_H
#define TESTS_SUPPORT_FLOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The most bytes of one call. */
enum { FLOW_MOST = 1 << 20 };

/* The `len` bytes at offset `at`. Borrowed, static. Any thread after the first call. */
const char *flow_at(uint64_t at, size_t len);

/* Whether `data` has the `len` bytes at offset `at`. */
bool flow_is(const char *data, uint64_t at, size_t len);

#endif
