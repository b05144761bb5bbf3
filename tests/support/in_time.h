/* Tests of a server's time limits, which must act before such a limit has passed. */
#ifndef TESTS_SUPPORT_IN_TIME_H
#define TESTS_SUPPORT_IN_TIME_H

#include <stdbool.h>

/* Repeats an attempt until it returns true: it was in time, by its own measurement. On a busy
 * machine an attempt may be too slow to show anything. The test fails if no attempt was in time. */
void expect_in_time(bool (*attempt)(void));

#endif
