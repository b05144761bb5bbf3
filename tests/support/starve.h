/*
 * Allocations that fail, for programs that are linked with the flags `starve_ldflags` of
 * Makefile.am, which send those of the library here. Any thread.
 */
#ifndef TESTS_SUPPORT_STARVE_H
#define TESTS_SUPPORT_STARVE_H

#include <stdbool.h>
#include <stddef.h>

/* The allocation behind the next `n` fails, and only that one. */
void starve_after(int n);

/* None does any more. Returns whether one has. */
bool starve_end(void);

/* How many allocations there have been since the last call of either, if none was to fail. */
int starve_count(void);

/* For what has its allocator set at run time. */
void *starve_malloc(size_t size);

#endif
