/* Entity tags, and the lists of tags in conditions (RFC 9110 8.8.3, 13.1). */
#ifndef SVC_PROTO_ETAG_H
#define SVC_PROTO_ETAG_H

#include <stdbool.h>

#include "libsvc/base/bytes.h"

struct etag {
    struct bytes opaque; /* with its quotes; "none" (data NULL) stands for no tag */
    bool weak;
};

/* Whether `text` may stand between the quotes of an entity tag: visible ASCII without quotes, and
 * bytes from 0x80 on. There is no escaping; an empty text is valid. Any thread. */
bool svc__etag_text_valid(struct bytes text);

enum { ETAG_HASH_BYTES = 16, ETAG_HASH_TEXT = (ETAG_HASH_BYTES * 8 + 5) / 6 };

/* Writes a hash as the text of a tag, without quotes and NUL: base64 for URLs (RFC 4648 5) without
 * padding. Any thread. */
void svc__etag_write_hash(char out[static ETAG_HASH_TEXT],
                          const unsigned char hash[static ETAG_HASH_BYTES]);

/* Parses a text that is one entity tag and nothing else. 0 or SVC_ESYNTAX; `*out` points into
 * `text` and is written only on success. Any thread. */
int svc__etag_parse(struct bytes text, struct etag *out);

/*
 * Takes the next tag off a list such as `"a", W/"b"`; empty elements are skipped (RFC 9110 5.6.1).
 * 1 with `*out` set, 0 at the end, SVC_ESYNTAX where the list cannot be read any further. Any
 * thread.
 */
int svc__etag_next(struct bytes *list, struct etag *out);

/* Whether two tags are equal; by strong comparison neither may be weak (RFC 9110 8.8.3.2). No tag
 * equals an absent one. Any thread. */
bool svc__etag_equal(const struct etag *a, const struct etag *b, bool strong);

#endif
