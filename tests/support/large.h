/* Large arrays of tests. */
#ifndef TESTS_SUPPORT_LARGE_H
#define TESTS_SUPPORT_LARGE_H

#include <stddef.h>

/*
 * Memory of `size` zeros, for an array of a test, until its process ends; the test fails without
 * it. A static array is searched for leaks at the end of every test of its program: if it is large,
 * that takes longer than most tests. tests/structure/large.sh finds such arrays.
 */
char *large(size_t size);

#endif
