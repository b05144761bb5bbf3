/* Parses the request target of RFC 9112 3.2 into its parts. */
#ifndef SVC_PROTO_TARGET_H
#define SVC_PROTO_TARGET_H

#include <stdbool.h>

#include "libsvc/base/bytes.h"

enum target_form {
    TARGET_ORIGIN,    /* "/path?query" */
    TARGET_ABSOLUTE,  /* "http://authority/path?query" */
    TARGET_AUTHORITY, /* "host:port" */
    TARGET_ASTERISK   /* "*" */
};

struct target {
    enum target_form form;
    struct bytes raw;
    /* escaped as sent; begins with '/', or is "*" in the asterisk form, "/" in the authority form
     */
    struct bytes path;
    struct bytes query;     /* escaped as sent, without the '?' */
    bool has_query;         /* there was a '?'; the query may still be empty */
    struct bytes authority; /* in the absolute form, a valid host with or without a port; in the
                               authority form, with one */
    bool escaped;           /* the path has a '%' */
    bool unclean;           /* svc__uri_clean would change the path */
};

/*
 * Parses a request target. It accepts the origin form, the absolute form of http and https without
 * user information, whose empty path becomes "/", "*" with the method OPTIONS, and a host with its
 * port with the method CONNECT. It refuses control characters, spaces, '#', bad percent escapes,
 * and, in the path, an escaped NUL and a backslash. Bytes from 0x80 on pass, whether they are UTF-8
 * or not.
 *
 * Returns 0, or the status to refuse with (400) and a static text in `*reason`. `*out` points into
 * `raw` or at static memory, and is written only on success. Any thread.
 */
int svc__target_parse(struct bytes raw, struct bytes method, struct target *out,
                      const char **reason);

/* Whether a target has white space or control characters, at which other parsers may end it, and
 * with it the request line (RFC 9112 3). Any thread. */
bool svc__target_ends_early(struct bytes raw);

#endif
