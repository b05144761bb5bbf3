/* Cookies of a request, RFC 6265 4.2. */
#ifndef SVC_PROTO_COOKIE_H
#define SVC_PROTO_COOKIE_H

#include "libsvc/base/bytes.h"

/*
 * Finds the first well-formed cookie of that name, case-sensitive, in the value of one Cookie
 * field. Quotes around the value are removed. A pair is skipped when its value has a control
 * character, a quote or a backslash inside, or a byte above 0x7e. `*value` points into
 * `header_value`.
 *
 * 0 or SVC_ENOTFOUND; `*value` is written only on success. Any thread.
 */
int svc__cookie_find(struct bytes header_value, struct bytes name, struct bytes *value);

#endif
