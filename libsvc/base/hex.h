/* Bytes as lower-case hexadecimal digits, the form of ids. */
#ifndef SVC_BASE_HEX_H
#define SVC_BASE_HEX_H

#include <stdbool.h>
#include <stddef.h>

/* Writes 2 * n digits for `n` bytes, without a NUL. Any thread. */
void svc__hex_write(char *out, const unsigned char *bytes, size_t n);

/* Reads `n` bytes from 2 * n digits. False, with `out` undefined, when a character is no digit;
 * upper-case letters are none. Any thread. */
bool svc__hex_read(unsigned char *out, const char *digits, size_t n);

/* The value of a hexadecimal digit of either case; -1 for any other character. Any thread. */
int svc__hex_value(char c);

#endif
