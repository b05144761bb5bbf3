/* Tests of times that a server keeps by its own clock, so that they must do something before one of
 * them has passed. */
#ifndef TESTS_SUPPORT_IN_TIME_H
#define TESTS_SUPPORT_IN_TIME_H

#include <stdbool.h>

/* Repeats an attempt until it says that it was in time, which it has measured; on a busy machine it
 * may have been too slow to tell anything. The test fails when none was. */
void expect_in_time(bool (*attempt)(void));

#endif
