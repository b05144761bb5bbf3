/* The powers of ten with 128 bits, in a file of their own because a script generates it. */
#ifndef SVC_BASE_POWERS_H
#define SVC_BASE_POWERS_H

#include <stdint.h>

enum { POWERS_LOWEST = -292, POWERS_HIGHEST = 324 };

/* The first 128 bits of each 10^k, rounded up, the higher half first: as a whole number the entry
 * is 10^k * 2^(127 - floor(log2(10^k))). Its index is k - POWERS_LOWEST. */
extern const uint64_t svc__powers_of_ten[POWERS_HIGHEST - POWERS_LOWEST + 1][2];

#endif
