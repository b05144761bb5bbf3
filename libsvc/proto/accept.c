/* What a client accepts of a service's offers. */
#include "libsvc/proto/accept.h"

#include <svc/errors.h>

#include "libsvc/proto/accept_element.h"
#include "libsvc/proto/accept_encoding.h"
#include "libsvc/proto/accept_language.h"
#include "libsvc/proto/media.h"
#include "libsvc/proto/token.h"

enum field_name svc__accept_field(enum accept_kind kind)
{
    static const enum field_name names[ACCEPT_KINDS] = {
        [ACCEPT_TYPE] = FIELD_ACCEPT,
        [ACCEPT_LANGUAGE] = FIELD_ACCEPT_LANGUAGE,
        [ACCEPT_CODING] = FIELD_ACCEPT_ENCODING,
    };
    return names[kind];
}

static bool is_any(struct bytes text)
{
    return svc__bytes_eq_z(text, "*");
}

static bool is_type(struct bytes text)
{
    struct media media;
    struct bytes weight;
    return svc__media_parse(text, &media) == 0 && !is_any(media.type) && !is_any(media.subtype) &&
           svc__media_param(&media, svc__bytes_z("q"), &weight) != 0 && !svc__media_repeats(&media);
}

bool svc__accept_offer_valid(enum accept_kind kind, struct bytes offer)
{
    if (kind == ACCEPT_TYPE)
        return is_type(offer);
    if (kind == ACCEPT_LANGUAGE)
        return svc__accept_language_valid(offer);
    return svc__token_valid(offer) && !is_any(offer);
}

unsigned svc__accept_weight(const struct fields *fields, enum accept_kind kind, struct bytes offer)
{
    if (kind == ACCEPT_TYPE)
        return svc__media_accept_offer(fields, offer);
    if (kind == ACCEPT_LANGUAGE)
        return svc__accept_language_weight(fields, offer);
    return svc__accept_encoding_weight(fields, offer);
}

int svc__accept_choose(const struct fields *fields, enum accept_kind kind,
                       const char *const *offers)
{
    int best = SVC_ENOTFOUND;
    unsigned highest = 0;
    for (int i = 0; offers[i]; i++) {
        unsigned weight = svc__accept_weight(fields, kind, svc__bytes_z(offers[i]));
        if (weight > highest) {
            highest = weight;
            best = i;
        }
    }
    /* RFC 9110 12.5.3: such a client takes any coding; "identity", if offered, has been chosen. */
    if (best < 0 && kind == ACCEPT_CODING && !svc__fields_has(fields, FIELD_ACCEPT_ENCODING))
        return offers[0] ? 0 : SVC_ENOTFOUND;
    return best;
}

static bool reads_as(enum accept_kind kind, struct bytes text)
{
    struct accept_element element;
    struct media media;
    if (kind == ACCEPT_TYPE)
        return svc__media_parse(text, &media) == 0;
    if (!svc__accept_element_read(text, &element))
        return false;
    return kind == ACCEPT_CODING || is_any(element.name) ||
           svc__accept_language_valid(element.name);
}

bool svc__accept_malformed(const struct fields *fields, enum accept_kind kind)
{
    bool has_bad = false;
    const struct field *f = NULL;
    while ((f = svc__fields_each(fields, f, svc__accept_field(kind))) != NULL) {
        for (struct bytes rest = f->value; rest.data;) {
            struct bytes element = svc__bytes_trim(
                kind == ACCEPT_TYPE ? svc__media_take_element(&rest) : svc__bytes_cut(&rest, ','));
            if (element.len > 0 && reads_as(kind, element))
                return false;
            has_bad = has_bad || element.len > 0;
        }
    }
    return has_bad;
}
