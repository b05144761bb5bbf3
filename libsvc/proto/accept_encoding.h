/* The weight of a content coding in Accept-Encoding fields (RFC 9110 12.5.3). */
#ifndef SVC_PROTO_ACCEPT_ENCODING_H
#define SVC_PROTO_ACCEPT_ENCODING_H

#include "libsvc/proto/fields.h"

/*
 * How much the fields of a request want a coding, in thousandths, 0 being "not acceptable": by its
 * own element in any case of letters, else by "*"; of several elements the highest weight counts.
 * Elements that are malformed are skipped. "identity" has 1000 where no coding at all is listed,
 * and 1 where others are and neither it nor "*" is; every other coding has 0 there. Any thread.
 */
unsigned svc__accept_encoding_weight(const struct fields *fields, struct bytes coding);

#endif
