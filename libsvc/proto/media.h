/* Media types, their parameters, and their weights in Accept fields (RFC 9110 8.3, 12.5.1). */
#ifndef SVC_PROTO_MEDIA_H
#define SVC_PROTO_MEDIA_H

#include <stdbool.h>
#include <stddef.h>

#include "libsvc/base/bytes.h"
#include "libsvc/proto/fields.h"

/* A weight of one, in thousandths. */
enum { MEDIA_WEIGHT_ONE = 1000 };

struct media {
    struct bytes type, subtype; /* as sent, in any case */
    struct bytes params;        /* the rest, checked */
};

/*
 * Parses "type/subtype; name=value; …" strictly: no space around '/' or '='. White space at either
 * end and empty parameters are allowed. `*out` points into `text`.
 *
 * 0 or SVC_ESYNTAX; `*out` is written only on success. Any thread.
 */
int svc__media_parse(struct bytes text, struct media *out);

/* Whether a media type has that type and subtype, in any case. Any thread. */
bool svc__media_is(const struct media *media, const char *type, const char *subtype);

/*
 * Finds the first parameter of that name, in any case. The value of a quoted string comes without
 * its quotes, its backslash pairs as they were sent. `*value` points into the text that was parsed.
 *
 * 0 or SVC_ENOTFOUND; `*value` is written only on success. Any thread.
 */
int svc__media_param(const struct media *media, struct bytes name, struct bytes *value);

/* Whether a parameter stands there more than once, which is an error (RFC 6838 4.3). Any thread. */
bool svc__media_repeats(const struct media *media);

/*
 * Whether a Content-Type is JSON: application/json, or a subtype that ends in "+json". A charset,
 * if given, must be UTF-8. False for a malformed value. Any thread.
 */
bool svc__media_is_json(struct bytes content_type);

/* The same for a form, application/x-www-form-urlencoded. Any thread. */
bool svc__media_is_form(struct bytes content_type);

/* Whether Content-Encoding fields in the list name any coding but identity (RFC 9110 8.4). Any
 * thread. */
bool svc__media_is_coded(const struct fields *fields);

/* A weight (RFC 9110 12.4.2) in thousandths: "0" or "1" with up to three decimals and not above 1;
 * -1 for other text. Any thread. */
int svc__media_weight(struct bytes text);

/*
 * The weight of type/subtype (lower case, no parameters) in one Accept value, in thousandths; 0 is
 * "not acceptable". The most specific range decides; of equal ones the higher weight counts. A
 * range with parameters counts only where no other range matches. Malformed ranges are skipped, and
 * a value without any well-formed range accepts everything (1000). Any thread.
 */
unsigned svc__media_accept(struct bytes accept, const char *type, const char *subtype);

/* The same over all Accept fields of a list, as if they were one; 1000 without any. Any thread. */
unsigned svc__media_accept_fields(const struct fields *fields, const char *type,
                                  const char *subtype);

/*
 * The same for a media type with parameters, such as "text/html;level=1". A parameter of a range
 * that the offer has with the same value makes the range more specific; with another value, the
 * range does not match. 0 for a malformed `type`. Any thread.
 */
unsigned svc__media_accept_offer(const struct fields *fields, struct bytes type);

/* Takes a list element off `*rest`, up to a comma that is not inside a quoted string; `*rest` is
 * "none" at the end, as after svc__bytes_cut. Any thread. */
struct bytes svc__media_take_element(struct bytes *rest);

/* How a request's Accept fields see a media type. */
struct media_answer {
    unsigned weight; /* in thousandths */
    bool named;      /* it was named, and not just not excluded or met by a wildcard */
};

/*
 * The same for one version of a media type, whose parameters are `params`, such as ";version=1.0".
 * All other parameters of a range are ignored. Any thread.
 */
struct media_answer svc__media_accept_version(const struct fields *fields, const char *type,
                                              const char *subtype, const char *params);

/*
 * Whether an error may be sent as JSON: by the Accept fields of the list, application/problem+json
 * or application/json is acceptable. True without any Accept field. Any thread.
 */
bool svc__media_accepts_json(const struct fields *fields);

#endif
