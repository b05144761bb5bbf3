/* Media types and Accept, parsed in place with quoted strings respected. */
#include "libsvc/proto/media.h"

#include <svc/errors.h>

#include "libsvc/proto/token.h"

struct pair {
    struct bytes name, value;
};

static void skip(struct bytes *text, size_t n)
{
    text->data += n;
    text->len -= n;
}

static bool starts_with(struct bytes text, char c)
{
    return text.len > 0 && text.data[0] == c;
}

static void skip_space(struct bytes *text)
{
    while (starts_with(*text, ' ') || starts_with(*text, '\t'))
        skip(text, 1);
}

static bool take_token(struct bytes *text, struct bytes *out)
{
    size_t len = svc__token_span(*text);
    if (len == 0)
        return false;
    *out = svc__bytes(text->data, len);
    skip(text, len);
    return true;
}

/* Takes a quoted string off `*text`, which begins with its first quote. */
static bool take_quoted(struct bytes *text, struct bytes *out)
{
    for (size_t i = 1; i < text->len; i++) {
        if (text->data[i] == '"') {
            *out = svc__bytes(text->data + 1, i - 1);
            skip(text, i + 1);
            return svc__token_value_valid(*out);
        }
        if (text->data[i] == '\\')
            i++;
    }
    return false;
}

static bool take_pair(struct bytes *text, struct pair *out)
{
    if (!take_token(text, &out->name) || !starts_with(*text, '='))
        return false;
    skip(text, 1);
    return starts_with(*text, '"') ? take_quoted(text, &out->value) : take_token(text, &out->value);
}

/* Takes the next parameter. 1 when there was one, 0 at the end, SVC_ESYNTAX. */
static int take_param(struct bytes *text, struct pair *out)
{
    for (;;) {
        skip_space(text);
        if (text->len == 0)
            return 0;
        if (!starts_with(*text, ';'))
            return SVC_ESYNTAX;
        skip(text, 1);
        skip_space(text);
        if (text->len > 0 && !starts_with(*text, ';'))
            return take_pair(text, out) ? 1 : SVC_ESYNTAX;
    }
}

static bool params_valid(struct bytes params)
{
    struct pair pair;
    int rc;
    while ((rc = take_param(&params, &pair)) > 0) {
        /* the check is a part of taking */
    }
    return rc == 0;
}

int svc__media_parse(struct bytes text, struct media *out)
{
    struct media media;
    text = svc__bytes_trim(text);
    if (!take_token(&text, &media.type) || !starts_with(text, '/'))
        return SVC_ESYNTAX;
    skip(&text, 1);
    if (!take_token(&text, &media.subtype) || !params_valid(text))
        return SVC_ESYNTAX;
    media.params = text;
    *out = media;
    return 0;
}

bool svc__media_is(const struct media *media, const char *type, const char *subtype)
{
    return svc__bytes_eq_nocase(media->type, svc__bytes_z(type)) &&
           svc__bytes_eq_nocase(media->subtype, svc__bytes_z(subtype));
}

int svc__media_param(const struct media *media, struct bytes name, struct bytes *value)
{
    struct bytes params = media->params;
    struct pair pair;
    while (take_param(&params, &pair) > 0) {
        if (svc__bytes_eq_nocase(pair.name, name)) {
            *value = pair.value;
            return 0;
        }
    }
    return SVC_ENOTFOUND;
}

bool svc__media_repeats(const struct media *media)
{
    struct bytes params = media->params, first;
    struct pair pair;
    while (take_param(&params, &pair) > 0)
        if (svc__media_param(media, pair.name, &first) == 0 && first.data != pair.value.data)
            return true;
    return false;
}

/* RFC 6839: a suffix names the syntax in which a more special type is written. */
static bool has_json_suffix(struct bytes subtype)
{
    const struct bytes suffix = svc__bytes_z("+json");
    if (subtype.len <= suffix.len)
        return false;
    skip(&subtype, subtype.len - suffix.len);
    return svc__bytes_eq_nocase(subtype, suffix);
}

static bool charsets_are_utf8(struct bytes params)
{
    struct pair pair;
    while (take_param(&params, &pair) > 0)
        if (svc__bytes_eq_nocase(pair.name, svc__bytes_z("charset")) &&
            !svc__bytes_eq_nocase(pair.value, svc__bytes_z("utf-8")))
            return false;
    return true;
}

bool svc__media_is_json(struct bytes content_type)
{
    struct media media;
    if (svc__media_parse(content_type, &media) != 0)
        return false;
    return (svc__media_is(&media, "application", "json") || has_json_suffix(media.subtype)) &&
           charsets_are_utf8(media.params);
}

bool svc__media_is_form(struct bytes content_type)
{
    struct media media;
    return svc__media_parse(content_type, &media) == 0 &&
           svc__media_is(&media, "application", "x-www-form-urlencoded") &&
           charsets_are_utf8(media.params);
}

/*
 * How well a range matches, worst first. A range with parameters that the offer lacks is no match
 * by RFC 9110, but a client that asks for nothing but "application/json;charset=utf-8" means JSON.
 * Each parameter that range and offer share raises RANK_EXACT by one.
 */
enum rank { RANK_NONE, RANK_PARAMS, RANK_ANY, RANK_TYPE, RANK_EXACT };

/* The media type that is looked for. */
struct offer {
    struct media media;
    bool is_lenient; /* parameters of a range that it lacks do not matter */
};

/* The result of the ranges read so far. */
struct verdict {
    bool heard;    /* of a well-formed range */
    unsigned rank; /* enum rank, and the number of shared parameters */
    unsigned weight;
};

struct range {
    struct media media;
    bool has_params; /* before its weight */
    unsigned weight;
};

int svc__media_weight(struct bytes text)
{
    int weight = 0;
    int unit = MEDIA_WEIGHT_ONE;
    if (text.len == 0 || text.len > 5 || (text.len > 1 && text.data[1] != '.'))
        return -1;
    for (size_t i = 0; i < text.len; i++) {
        if (i == 1)
            continue; /* the point */
        if (text.data[i] < '0' || text.data[i] > '9')
            return -1;
        weight += (text.data[i] - '0') * unit;
        unit /= 10;
    }
    return weight <= MEDIA_WEIGHT_ONE ? weight : -1;
}

static bool is_weight(const struct pair *pair)
{
    return svc__bytes_eq_nocase(pair->name, svc__bytes_z("q"));
}

static bool read_range(struct bytes text, struct range *out)
{
    struct range range = {.weight = MEDIA_WEIGHT_ONE};
    struct pair pair;
    if (svc__media_parse(text, &range.media) != 0)
        return false;
    struct bytes params = range.media.params;
    while (take_param(&params, &pair) > 0) {
        if (is_weight(&pair)) {
            int weight = svc__media_weight(pair.value);
            if (weight < 0)
                return false;
            range.weight = (unsigned)weight;
            break;
        }
        range.has_params = true;
    }
    *out = range;
    return true;
}

/* RFC 9110 8.3.2: the names of charsets have no case; other values may have one. */
static bool same_value(const struct pair *pair, struct bytes value)
{
    return svc__bytes_eq_nocase(pair->name, svc__bytes_z("charset"))
               ? svc__bytes_eq_nocase(pair->value, value)
               : svc__bytes_eq(pair->value, value);
}

/* The rank of a range that matches but for its parameters, which end with its weight. */
static unsigned rank_with_params(const struct range *range, const struct offer *offer,
                                 unsigned rank)
{
    struct bytes params = range->media.params, value;
    struct pair pair;
    unsigned shared = 0;
    bool lacks_some = false;
    while (take_param(&params, &pair) > 0 && !is_weight(&pair)) {
        if (svc__media_param(&offer->media, pair.name, &value) != 0)
            lacks_some = true;
        else if (same_value(&pair, value))
            shared++;
        else
            return RANK_NONE;
    }
    if (lacks_some && !offer->is_lenient)
        return RANK_PARAMS;
    return shared ? RANK_EXACT + shared : rank;
}

static bool covers(struct bytes range, struct bytes offer)
{
    return svc__bytes_eq_nocase(range, offer);
}

static unsigned rank_of(const struct range *range, const struct offer *offer)
{
    const struct bytes any = {"*", 1};
    unsigned rank = RANK_NONE;
    if (covers(range->media.type, offer->media.type)) {
        if (covers(range->media.subtype, offer->media.subtype))
            rank = RANK_EXACT;
        else if (covers(range->media.subtype, any))
            rank = RANK_TYPE;
    } else if (covers(range->media.type, any) && covers(range->media.subtype, any)) {
        rank = RANK_ANY;
    }
    return rank != RANK_NONE && range->has_params ? rank_with_params(range, offer, rank) : rank;
}

struct bytes svc__media_take_element(struct bytes *rest)
{
    bool quoted = false;
    for (size_t i = 0; i < rest->len; i++) {
        char c = rest->data[i];
        if (c == ',' && !quoted) {
            struct bytes element = {rest->data, i};
            skip(rest, i + 1);
            return element;
        }
        if (c == '"')
            quoted = !quoted;
        else if (c == '\\' && quoted)
            i++;
    }
    struct bytes last = *rest;
    *rest = svc__bytes(NULL, 0);
    return last;
}

static void hear(struct verdict *verdict, struct bytes accept, const struct offer *offer)
{
    while (accept.data) {
        struct range range;
        if (!read_range(svc__media_take_element(&accept), &range))
            continue;
        verdict->heard = true;
        unsigned rank = rank_of(&range, offer);
        if (rank == RANK_NONE || rank < verdict->rank)
            continue;
        if (rank > verdict->rank || range.weight > verdict->weight) {
            verdict->rank = rank;
            verdict->weight = range.weight;
        }
    }
}

static unsigned weight_of(const struct verdict *verdict)
{
    return verdict->heard ? verdict->weight : MEDIA_WEIGHT_ONE;
}

static struct offer offer_of(const char *type, const char *subtype)
{
    const struct media media = {svc__bytes_z(type), svc__bytes_z(subtype), {"", 0}};
    return (struct offer){media, false};
}

unsigned svc__media_accept(struct bytes accept, const char *type, const char *subtype)
{
    struct verdict verdict = {.heard = false};
    const struct offer offer = offer_of(type, subtype);
    hear(&verdict, accept, &offer);
    return weight_of(&verdict);
}

static struct verdict hear_fields(const struct fields *fields, const struct offer *offer)
{
    struct verdict verdict = {.heard = false};
    const struct field *f = NULL;
    while ((f = svc__fields_each(fields, f, FIELD_ACCEPT)) != NULL)
        hear(&verdict, f->value, offer);
    return verdict;
}

unsigned svc__media_accept_fields(const struct fields *fields, const char *type,
                                  const char *subtype)
{
    const struct offer offer = offer_of(type, subtype);
    struct verdict verdict = hear_fields(fields, &offer);
    return weight_of(&verdict);
}

unsigned svc__media_accept_offer(const struct fields *fields, struct bytes type)
{
    struct offer offer = {.is_lenient = false};
    if (svc__media_parse(type, &offer.media) != 0)
        return 0;
    struct verdict verdict = hear_fields(fields, &offer);
    return weight_of(&verdict);
}

struct media_answer svc__media_accept_version(const struct fields *fields, const char *type,
                                              const char *subtype, const char *params)
{
    struct offer offer = offer_of(type, subtype);
    offer.media.params = svc__bytes_z(params);
    offer.is_lenient = true;
    struct verdict verdict = hear_fields(fields, &offer);
    return (struct media_answer){weight_of(&verdict), verdict.rank >= RANK_EXACT};
}

bool svc__media_accepts_json(const struct fields *fields)
{
    return svc__media_accept_fields(fields, "application", "problem+json") > 0 ||
           svc__media_accept_fields(fields, "application", "json") > 0;
}

bool svc__media_is_coded(const struct fields *fields)
{
    const struct bytes identity = {"identity", 8};
    const struct field *f = NULL;
    while ((f = svc__fields_each(fields, f, FIELD_CONTENT_ENCODING)) != NULL) {
        struct bytes rest = f->value;
        while (rest.data) {
            struct bytes coding = svc__bytes_trim(svc__bytes_cut(&rest, ','));
            if (coding.len > 0 && !svc__bytes_eq_nocase(coding, identity))
                return true;
        }
    }
    return false;
}
