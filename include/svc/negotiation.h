/*
 * Content negotiation (RFC 9110 12): a client sends what it accepts, with weights, in Accept,
 * Accept-Language and Accept-Encoding, and the service chooses among the forms that it has.
 *
 * A route that declares its forms (svc_route.offers, or svc_group_set_offers for many) leaves the choice to
 * the library. Its handler gets the result by svc_request_chosen; a client that accepts none of the forms is
 * answered 406, with a list of them; the replies of the route have the Vary that caches need. A handler can
 * also choose by itself, with svc_request_accepts. docs/negotiation.md shows both.
 *
 * Calls that take a request are for the thread that runs its phase or handler.
 */
#ifndef SVC_NEGOTIATION_H
#define SVC_NEGOTIATION_H

#include <svc/types.h>

SVC_BEGIN_DECLS

/* What client and service can agree on. */
enum svc_accept {
    SVC_ACCEPT_TYPE = 0, /* a media type, such as "text/html" or "text/html;level=1": Accept */
    SVC_ACCEPT_LANGUAGE, /* a language tag (RFC 5646), such as "de" or "pt-BR": Accept-Language */
    SVC_ACCEPT_CODING    /* a content coding, such as "gzip" or "identity": Accept-Encoding */
};

/* The forms in which a route has its resource. Begin with SVC_OFFERS_INIT. Each list ends with NULL and
 * begins with the form that the service prefers; a NULL list means that nothing is negotiated there. */
struct svc_offers {
    size_t size;                  /* set by SVC_OFFERS_INIT */
    const char *const *types;     /* media types without a "q" parameter, and no parameter twice */
    const char *const *languages; /* language tags; the first one is the default */
    const char *const *codings;   /* with "identity" if the resource is there without a coding */
    /* A client whose languages are all absent is answered 406. Without this it gets the first language:
     * most people can do more with that than with an error (RFC 9110 12.5.4). */
    bool strict_languages;
};

#define SVC_OFFERS_INIT                                                                            \
    {                                                                                              \
        sizeof(svc_offers), NULL, NULL, NULL, false                                                \
    }

/*
 * Sets the offers of the routes of this group and its subgroups, registered before or after this call. A list
 * that a route or a nearer group has replaces the list of this group; apps mounted in the group have their
 * own offers, and the fallback has none. A later call replaces the offers of an earlier one. Everything is
 * copied. 0; SVC_EINVAL without SVC_OFFERS_INIT, without any list, for an empty list or an offer that is
 * malformed or has a wildcard; SVC_ESTATE once started; or SVC_ENOMEM. Before start only. Since: 0.1
 */
SVC_API int svc_group_set_offers(svc_group *group, const svc_offers *offers);

/* As svc_group_set_offers, for all routes of the app. Since: 0.1 */
SVC_API int svc_app_set_offers(svc_app *app, const svc_offers *offers);

/*
 * The form that was chosen among the offers of the request's route: a string of its list, as it was
 * declared. NULL where the route offers nothing of that `kind` (enum svc_accept). For languages, the first
 * one if the client accepts none. The library does not set Content-Type, Content-Language or
 * Content-Encoding: the handler does. Borrowed from the app. Since: 0.1
 */
SVC_API const char *svc_request_chosen(const svc_request *req, int kind);

/*
 * The index of the offer that the client prefers in a NULL-terminated list, of equally good ones the first;
 * SVC_ENOTFOUND if it accepts none of them, and for a NULL list or request. The weights are those of
 * svc_request_weight. Without an Accept-Encoding field, a list that lacks "identity" has its first coding
 * chosen, as RFC 9110 12.5.3 allows. A reply that depends on the result names the field in Vary
 * (svc_response_add_vary). Since: 0.1
 */
SVC_API int svc_request_accepts(const svc_request *req, int kind, const char *const *offers);

/*
 * The weight that the client gives to one offer, in thousandths: 1000 is preferred, 0 is not acceptable. The
 * most specific element of the field decides, whatever its place; malformed elements are skipped, and a field
 * without a well-formed element counts as absent.
 *
 * - A media type has 1000 without the field. A range with parameters matches offers that have the same ones,
 *   and counts for others only where no other range matches, since a client that asks for nothing but
 *   "application/json;charset=utf-8" means JSON.
 * - A language has 1000 without the field. A range matches tags that begin with it (basic filtering, RFC
 *   4647 3.3.1): "en" matches "en-GB". Where no range does, a longer range matches as well (lookup, 3.4):
 *   "en-US" matches "en".
 * - A coding has the weight of svc_request_accepts_encoding.
 *
 * 0 for another `kind`, a malformed media type, or NULL. Since: 0.1
 */
SVC_API unsigned svc_request_weight(const svc_request *req, int kind, const char *offer);

SVC_END_DECLS

#endif
