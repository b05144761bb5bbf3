/* The clock of the unit tests, which goes on only when a test says so, if it does. */
#ifndef TESTS_UNIT_TEST_CLOCK_H
#define TESTS_UNIT_TEST_CLOCK_H

#include <stdint.h>

/* What svc__clock_ns returns in this program, a nanosecond more each time; 0: what it is.
 * svc__clock_ms is not changed. Each test is a process of its own. */
extern _Atomic uint64_t test_clock_ns;

#endif
