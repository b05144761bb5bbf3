/*
 * Checks the bytes of a request head as they were sent. A parser that edits the head makes a line
 * feed alone, a NUL and a CRLF look the same, so the lines are checked before.
 */
#ifndef SVC_PROTO_HEAD_RAW_H
#define SVC_PROTO_HEAD_RAW_H

#include <stddef.h>

enum { HEAD_RAW_PART = -1 }; /* faultless so far, and not at its end */

/*
 * Reads a request line: a method, which does not begin with NUL, a space, a target, a space,
 * HTTP/1.x, CRLF. White space around the target passes, and so do bytes that no method or target
 * may have: later checks refuse those.
 *
 * Returns 0 with the target's place in `*target` and the line's length in `*end`; HEAD_RAW_PART; or
 * the status to refuse with, 400 or 505, and a static text in `*reason`. Outputs are written in
 * these cases only. Any thread.
 */
int svc__head_raw_line(const char *data, size_t len, size_t *target, size_t *end,
                       const char **reason);

/*
 * Reads field lines up to the empty one. Each must end with CRLF, hold no NUL, not begin with white
 * space, and have a colon behind a name; a Content-Length must be a number. White space behind a
 * value is moved before it, where every parser skips it (RFC 9110 5.5).
 *
 * Returns 0 with the length up to behind the empty line in `*end`; HEAD_RAW_PART; or 400, 413 or,
 * for more than `max_fields` lines, 431, and a static text in `*reason`. Outputs are written in
 * these cases only. Any thread.
 */
int svc__head_raw_fields(char *data, size_t len, size_t max_fields, size_t *end,
                         const char **reason);

#endif
