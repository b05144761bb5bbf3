/* The text between the quotes of a JSON string. */
#ifndef SVC_BASE_JSON_TEXT_H
#define SVC_BASE_JSON_TEXT_H

#include "libsvc/base/bytes.h"

enum { JSON_TEXT_ESCAPE_LEN = 6 /* "\u2028" */ };

/*
 * Writes the form of `text` between quotes to `to`, which has `room` bytes, at least as many as
 * `text`, and returns the number of bytes written. Characters without need for an escape are
 * copied; quote, backslash, C0 controls and DEL are escaped as long as there is room. `*text`
 * becomes the rest; when it is not empty, its first character is for svc__json_text_escape. The
 * bytes of `to` behind the written ones are undefined. Any thread.
 */
size_t svc__json_text_write(char *to, size_t room, struct bytes *text);

/*
 * Writes the escape of the first character of `text`, at which svc__json_text_write has stopped,
 * and the escape's length to `*len`. The character is one of those above, or a C1 control, U+2028
 * or U+2029, at which some readers split lines. Returns the character's length in `text`; 0 when
 * the bytes are no UTF-8, and nothing is written. Any thread.
 */
size_t svc__json_text_escape(char out[static JSON_TEXT_ESCAPE_LEN], size_t *len, struct bytes text);

#endif
