/* The weight of a language in Accept-Language fields (RFC 9110 12.5.4, RFC 4647). */
#ifndef SVC_PROTO_ACCEPT_LANGUAGE_H
#define SVC_PROTO_ACCEPT_LANGUAGE_H

#include "libsvc/proto/fields.h"

/* Whether `text` is a language range or a tag: subtags of up to 8 letters or digits, of which the
 * first has only letters, joined by '-' (RFC 4647 2.1). "*" is not. Any thread. */
bool svc__accept_language_valid(struct bytes text);

/*
 * The weight of a language tag in the fields of a request, in thousandths; 0 is "not acceptable".
 * The longest range that the tag equals or begins with decides (basic filtering, RFC 4647 3.3.1);
 * without one, a range that becomes the tag when subtags are cut off its end (lookup, 3.4), unless
 * its weight is 0; else "*". Of equal ones the highest weight counts. Malformed elements are
 * skipped; without a well-formed one the weight is 1000. Any thread.
 */
unsigned svc__accept_language_weight(const struct fields *fields, struct bytes tag);

#endif
