/* The clock of a test program, which a test may stop and set. */
#ifndef TESTS_SUPPORT_TEST_CLOCK_H
#define TESTS_SUPPORT_TEST_CLOCK_H

#include <stdint.h>

/* The time of the monotonic clocks in this process, which grows by a nanosecond with each reading;
 * 0: the real time. Waits in the kernel are not affected. Each test is a separate process. */
extern _Atomic uint64_t test_clock_ns;

/* Stops the clock at the present time. */
void test_clock_stop(void);

#endif
