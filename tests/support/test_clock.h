/* The clock of a test program, which goes on only when a test says so, if it does. */
#ifndef TESTS_SUPPORT_TEST_CLOCK_H
#define TESTS_SUPPORT_TEST_CLOCK_H

#include <stdint.h>

/* What the monotonic clocks show in this process, a nanosecond more each time; 0: what they are.
 * Waits in the kernel last as long as ever. Each test is a process of its own. */
extern _Atomic uint64_t test_clock_ns;

/* Stops it where it is. */
void test_clock_stop(void);

#endif
