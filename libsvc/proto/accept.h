/*
 * What a client accepts of a service's offers, by its Accept, Accept-Language and Accept-Encoding
 * fields (RFC 9110 12.5, RFC 4647 3).
 */
#ifndef SVC_PROTO_ACCEPT_H
#define SVC_PROTO_ACCEPT_H

#include "libsvc/proto/fields.h"

/* The values are those of enum svc_accept. */
enum accept_kind { ACCEPT_TYPE, ACCEPT_LANGUAGE, ACCEPT_CODING, ACCEPT_KINDS };

/* The forms in which a route has its resource: NULL-terminated lists. */
struct offers {
    const char *const *lists[ACCEPT_KINDS]; /* by enum accept_kind; NULL: nothing is negotiated */
    bool strict_languages;                  /* without it, the first language is the default */
};

/* The field of a kind of offer. Any thread. */
enum field_name svc__accept_field(enum accept_kind kind);

/* Whether `offer` can be offered: a media type with any parameters but "q", a language tag, or a
 * coding; no wildcard. Any thread. */
bool svc__accept_offer_valid(enum accept_kind kind, struct bytes offer);

/*
 * The weight of an offer in the fields of a request, in thousandths; 0: it is not acceptable. The
 * most specific element decides; of equally specific ones the highest weight. Malformed elements
 * are skipped; fields without any well-formed element count as absent. Any thread.
 */
unsigned svc__accept_weight(const struct fields *fields, enum accept_kind kind, struct bytes offer);

/*
 * The index of the offer with the highest weight in a NULL-terminated list, of equal ones the
 * first; SVC_ENOTFOUND when none is acceptable. Without an Accept-Encoding field each coding is
 * acceptable if `offers` lacks "identity". Any thread.
 */
int svc__accept_choose(const struct fields *fields, enum accept_kind kind,
                       const char *const *offers);

/* Whether the fields of a kind hold elements, and none of them is well-formed. Any thread. */
bool svc__accept_malformed(const struct fields *fields, enum accept_kind kind);

#endif
