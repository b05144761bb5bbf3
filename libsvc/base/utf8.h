/* UTF-8 as RFC 3629 has it: no overlong forms, no surrogates, nothing above U+10FFFF. */
#ifndef SVC_BASE_UTF8_H
#define SVC_BASE_UTF8_H

#include <stdbool.h>

#include "libsvc/base/bytes.h"

/* Whether all of `text` is valid; empty text is. Any thread. */
bool svc__utf8_valid(struct bytes text);

/* Whether it is valid and holds no NUL, so that it may end in one. Any thread. */
bool svc__utf8_text(struct bytes text);

/* The length, 1 to 4, of the valid sequence that `text` begins with; 0 when it begins with none or
 * is empty. Any thread. */
size_t svc__utf8_sequence(struct bytes text);

/* U+FFFD, which replaces bytes that are not UTF-8. */
#define UTF8_REPLACEMENT "\xef\xbf\xbd"

/* How many bytes of `text`, which begins with no valid sequence and is not empty, one U+FFFD
 * replaces: the longest beginning of a sequence that breaks off, or one byte that begins none, as
 * Unicode recommends and browsers and Python decode. All text that libsvc replaces follows this
 * rule. Any thread. */
size_t svc__utf8_bad(struct bytes text);

/* The number of characters (code points) in valid text. Any thread. */
size_t svc__utf8_count(struct bytes text);

#endif
