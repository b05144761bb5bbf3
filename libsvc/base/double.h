/* Doubles as the shortest decimals that identify them. */
#ifndef SVC_BASE_DOUBLE_H
#define SVC_BASE_DOUBLE_H

#include <stddef.h>

enum { DOUBLE_LEN = 25 /* "-0.0000012345678901234567" is as long as any */ };

/*
 * Writes `d`, which is neither infinite nor NaN, without a NUL and returns the length. Of the
 * decimals that every correct reader takes for `d`, the text has the fewest digits and, of equal
 * lengths, is the nearest to `d`. Its form is that of ECMAScript's Number::toString, whatever the
 * locale: 1e21 and more, and less than 1e-6, have an exponent. Only -0 differs: it keeps its sign.
 * Any thread.
 */
size_t svc__double_format(char out[static DOUBLE_LEN], double d);

#endif
