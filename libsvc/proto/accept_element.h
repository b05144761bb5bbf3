/* One element of an Accept-Encoding or Accept-Language field: "name" or "name;q=0.5" (RFC 9110
 * 12.4.2). */
#ifndef SVC_PROTO_ACCEPT_ELEMENT_H
#define SVC_PROTO_ACCEPT_ELEMENT_H

#include <stdbool.h>

#include "libsvc/base/bytes.h"

struct accept_element {
    struct bytes name; /* a token */
    unsigned weight;   /* in thousandths */
};

/* Reads an element. False for malformed text; `*out` is written only on success and points into
 * `text`. Any thread. */
bool svc__accept_element_read(struct bytes text, struct accept_element *out);

#endif
