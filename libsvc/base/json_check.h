/* Checks that a text is JSON, for text that is passed on unchanged. */
#ifndef SVC_BASE_JSON_CHECK_H
#define SVC_BASE_JSON_CHECK_H

#include <stdbool.h>

#include "libsvc/base/bytes.h"

enum { JSON_CHECK_DEPTH = 64 /* the most that `max_depth` may be */ };

/*
 * Whether `text` is one value by the grammar of RFC 8259, white space around it allowed, in UTF-8,
 * with arrays and objects nested at most `max_depth` deep. Escapes must stand for Unicode
 * characters too: half a surrogate pair is refused, as by many readers. Repeated keys and the size
 * of numbers are not checked. Any thread.
 */
bool svc__json_check(struct bytes text, unsigned max_depth);

#endif
