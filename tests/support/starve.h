/*
 * Allocations that fail, for programs that are linked with the flags `starve_ldflags` of
 * Makefile.am, which redirect the library's allocations to this file. Any thread.
 */
#ifndef TESTS_SUPPORT_STARVE_H
#define TESTS_SUPPORT_STARVE_H

#include <stdbool.h>
#include <stddef.h>

/* The allocation after the next `n` fails, and only that one. */
void starve_after(int n);

/* No allocation fails any more. Returns whether one has failed. */
bool starve_end(void);

/* The number of allocations since the last call of either, if none had to fail. */
int starve_count(void);

/* For libraries whose allocator is set at run time. */
void *starve_malloc(size_t size);

#endif
