/* The character classes of HTTP fields: tokens and field values. */
#ifndef SVC_PROTO_TOKEN_H
#define SVC_PROTO_TOKEN_H

#include <stdbool.h>

#include "libsvc/base/bytes.h"

/* Whether `text` is a token of RFC 9110 5.6.2: one or more tchar. Any thread. */
bool svc__token_valid(struct bytes text);

/*
 * The length of the token that `text` begins with; 0 when it begins with none. Any thread.
 */
size_t svc__token_span(struct bytes text);

/*
 * Whether `text` may stand as a field value: no control character except tab, so no CR, LF or NUL.
 * Bytes from 0x80 on are allowed, and so is white space at either end. Any thread.
 */
bool svc__token_value_valid(struct bytes text);

#endif
