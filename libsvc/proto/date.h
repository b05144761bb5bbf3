/* Dates of header fields (RFC 9110 5.6.7). svc__clock_imf writes them. */
#ifndef SVC_PROTO_DATE_H
#define SVC_PROTO_DATE_H

#include <stdint.h>

#include "libsvc/base/bytes.h"

/*
 * Parses an HTTP-date in any of its three forms, case-sensitive and without white space around it,
 * to seconds since 1970: "Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun
 * Nov 6 08:49:37 1994". A year of two digits that would lie more than 50 years after `now` (seconds
 * since 1970) belongs to the past. The name of the day must exist but need not fit the date; a leap
 * second counts as the first second of the next minute.
 *
 * 0 or SVC_ESYNTAX, also for a date that no calendar has; `*out` is written only on success. Any
 * thread.
 */
int svc__date_parse(struct bytes text, int64_t now, int64_t *out);

#endif
