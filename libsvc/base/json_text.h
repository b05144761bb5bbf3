/* What stands between the quotes of a JSON string. */
#ifndef LIBSVC_BASE_JSON_TEXT_H
#define LIBSVC_BASE_JSON_TEXT_H

#include "libsvc/base/bytes.h"

enum { JSON_TEXT_ESCAPE_LEN = 6 /* "\u2028" */ };

/*
 * Copies what stands in a JSON string as it is from the beginning of `text` to `to`, which has room
 * for all of `text`, and returns how much that was. It stops before what is escaped (quote,
 * backslash, C0 and C1 controls, DEL, U+2028 and U+2029, at which some reader splits lines) and
 * before bytes that are no UTF-8. What `to` holds behind the copy is then undefined. Any thread.
 */
size_t svc__json_text_plain(char *to, struct bytes text);

/*
 * Writes the escape of the character that svc__json_text_plain has stopped at, with which `text`
 * begins, and its length to `*len`. Returns how many bytes of `text` it stands for; 0 when they are
 * no UTF-8: then nothing is written. Any thread.
 */
size_t svc__json_text_escape(char out[static JSON_TEXT_ESCAPE_LEN], size_t *len, struct bytes text);

#endif
