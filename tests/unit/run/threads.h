/* Threads that cannot be made: the linker sends their starts to run/workers.c. */
#ifndef TESTS_UNIT_RUN_THREADS_H
#define TESTS_UNIT_RUN_THREADS_H

/* How many more can be. */
extern _Atomic int threads_left;

#endif
