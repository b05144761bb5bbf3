/* The weight of a content coding in Accept-Encoding fields (RFC 9110 12.5.3). */
#ifndef SVC_PROTO_ACCEPT_ENCODING_H
#define SVC_PROTO_ACCEPT_ENCODING_H

#include "libsvc/proto/fields.h"

/*
 * The weight of a coding in the fields of a request, in thousandths; 0 is "not acceptable". The
 * coding's own element counts, in any case of letters, else "*"; of several elements the highest
 * weight. Malformed elements are skipped. Without an element for it, "identity" has 1000 where no
 * coding is listed and 1 where others are; every other coding has 0. Any thread.
 */
unsigned svc__accept_encoding_weight(const struct fields *fields, struct bytes coding);

#endif
