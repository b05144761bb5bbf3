/* Cookies of a request, RFC 6265bis 4.2: the one reader of Cookie fields. */
#ifndef SVC_PROTO_COOKIE_H
#define SVC_PROTO_COOKIE_H

#include <stdbool.h>

#include "libsvc/base/bytes.h"

/*
 * Takes pairs off `*rest`, the value of a Cookie field, up to the next well-formed one. Quotes
 * around its value are removed. A pair is skipped when its name is not a token, or its value has a
 * control character, a quote or a backslash inside, or a byte above 0x7e. Both outputs point into
 * `*rest`.
 *
 * False when there is none; the outputs are written only on success. Any thread.
 */
bool svc__cookie_take(struct bytes *rest, struct bytes *name, struct bytes *value);

#endif
