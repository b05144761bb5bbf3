/* The grammar of JSON (RFC 8259), read piece by piece without recursion and without memory. */
#ifndef SVC_BASE_JSON_SCAN_H
#define SVC_BASE_JSON_SCAN_H

#include <stdbool.h>
#include <stdint.h>

#include "libsvc/base/bytes.h"

enum { JSON_SCAN_DEPTH = 1024 /* the most that `max_depth` may be */ };

enum json_token {
    JSON_TOKEN_FAULT, /* the text is not JSON from here on */
    JSON_TOKEN_DONE,  /* the text was one value */
    JSON_TOKEN_OBJECT,
    JSON_TOKEN_ARRAY,
    JSON_TOKEN_CLOSE, /* of the innermost object or array */
    JSON_TOKEN_NAME,
    JSON_TOKEN_STRING,
    JSON_TOKEN_NUMBER,
    JSON_TOKEN_TRUE,
    JSON_TOKEN_FALSE,
    JSON_TOKEN_NULL
};

/* Begin with svc__json_scan_begin. One thread at a time. */
struct json_scan {
    const char *start, *at, *end;
    struct bytes text;  /* a name or string between its quotes, as it stands there; a number */
    bool escaped;       /* the name or string has escapes */
    bool whole;         /* the number has neither fraction nor exponent */
    const char *reason; /* of a fault, static; NULL while there is none */
    unsigned depth;     /* open objects and arrays */
    unsigned max_depth;
    int state;                              /* the tokens that the grammar allows next */
    uint64_t objects[JSON_SCAN_DEPTH / 64]; /* a bit for each level: whether it is an object */
};

/* Begins to read `text`, which is borrowed, with levels nested at most `max_depth` deep. */
void svc__json_scan_begin(struct json_scan *s, struct bytes text, unsigned max_depth);

/*
 * Reads the next token, whose text and flags are in `s`. Invalid UTF-8 is a fault, and so is half a
 * surrogate pair in escapes. Repeated names and the size of numbers are not checked. After a fault
 * or the end it returns the same token again.
 */
enum json_token svc__json_scan_next(struct json_scan *s);

/* Reports a fault of the caller's at the last token. Returns JSON_TOKEN_FAULT. */
enum json_token svc__json_scan_refuse(struct json_scan *s, const char *reason);

/* The line of the fault and the character in it, both from 1 on. */
void svc__json_scan_place(const struct json_scan *s, size_t *line, size_t *column);

/* Writes a name or string with its escapes decoded to `out`, which has room for `text.len` bytes.
 * Returns the number of bytes written. */
size_t svc__json_scan_unescape(char *out, struct bytes text);

#endif
