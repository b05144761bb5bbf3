/* The text between the quotes of a JSON string. */
#ifndef SVC_BASE_JSON_TEXT_H
#define SVC_BASE_JSON_TEXT_H

#include "libsvc/base/bytes.h"

enum { JSON_TEXT_ESCAPE_LEN = 6 /* "\u2028" */ };

/*
 * Writes what stands for `text` between quotes to `to`, which has `room` bytes, not less than
 * `text` has, and returns how many it was. What needs no escape is copied, and quote, backslash, C0
 * controls and DEL are escaped as long as there is room. `*text` becomes what is left; when it is
 * not empty, its first character is for svc__json_text_escape. What `to` holds behind the bytes
 * that are counted is undefined. Any thread.
 */
size_t svc__json_text_write(char *to, size_t room, struct bytes *text);

/*
 * Writes the escape of the character that svc__json_text_write has stopped at, with which `text`
 * begins, and its length to `*len`: one of those above, or a C1 control, U+2028 or U+2029, at which
 * some reader splits lines. Returns how many bytes of `text` it stands for; 0 when they are no
 * UTF-8: then nothing is written. Any thread.
 */
size_t svc__json_text_escape(char out[static JSON_TEXT_ESCAPE_LEN], size_t *len, struct bytes text);

#endif
