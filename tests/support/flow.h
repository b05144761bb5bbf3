/* The bytes that streams carry in tests: each says where it belongs, so that one that is lost,
 * doubled or out of place shows, and both sides can make and check gigabytes of them quickly. */
#ifndef TESTS_SUPPORT_FLOW_H
#define TESTS_SUPPORT_FLOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The bytes of one call at most. */
enum { FLOW_MOST = 1 << 20 };

/* The `len` bytes at offset `at`. Borrowed, static. Any thread after the first call. */
const char *flow_at(uint64_t at, size_t len);

/* Whether `data` is the `len` bytes at offset `at`. */
bool flow_is(const char *data, uint64_t at, size_t len);

#endif
