/* Content negotiation: what routes offer, and what handlers ask for. */
#include "libsvc/dispatch/negotiation.h"

#include <svc/negotiation.h>

#include "libsvc/exchange/problem.h"
#include "libsvc/exchange/vary.h"
#include "libsvc/proto/accept.h"
#include "libsvc/proto/accept_encoding.h"
#include "libsvc/proto/problem_text.h"

_Static_assert((int)ACCEPT_TYPE == (int)SVC_ACCEPT_TYPE, "another order of kinds");
_Static_assert((int)ACCEPT_LANGUAGE == (int)SVC_ACCEPT_LANGUAGE, "another order of kinds");
_Static_assert((int)ACCEPT_CODING == (int)SVC_ACCEPT_CODING, "another order of kinds");

static bool is_kind(int kind)
{
    return kind >= 0 && kind < ACCEPT_KINDS;
}

/* ---- What the route offers */

/* Whether the client has no say: it gets the first language at worst, and there is no other. */
static bool is_fixed(const struct offers *offers, int kind)
{
    return kind == ACCEPT_LANGUAGE && !offers->strict_languages && !offers->lists[kind][1];
}

/* The index of the chosen form, or SVC_ENOTFOUND. */
static int choose_form(const struct fields *fields, const struct offers *offers, int kind)
{
    int chosen = svc__accept_choose(fields, (enum accept_kind)kind, offers->lists[kind]);
    bool has_default = kind == ACCEPT_LANGUAGE && !offers->strict_languages;
    return chosen < 0 && has_default ? 0 : chosen;
}

/* The first kind of which `is_bad` holds; ACCEPT_KINDS: none. */
static int find_kind(const svc_request *req, const struct offers *offers,
                     bool (*is_bad)(const struct fields *fields, const struct offers *offers,
                                    int kind))
{
    int kind = 0;
    while (kind < ACCEPT_KINDS && (!offers->lists[kind] || !is_bad(&req->fields, offers, kind)))
        kind++;
    return kind;
}

static bool is_malformed(const struct fields *fields, const struct offers *offers, int kind)
{
    (void)offers;
    return svc__accept_malformed(fields, (enum accept_kind)kind);
}

static bool is_refused(const struct fields *fields, const struct offers *offers, int kind)
{
    return choose_form(fields, offers, kind) < 0;
}

/* ---- Answers */

static int answer_malformed(svc_request *req, svc_response *res)
{
    static const char *const details[ACCEPT_KINDS] = {
        [ACCEPT_TYPE] = "Accept has no media range, such as text/html or text/*;q=0.5",
        [ACCEPT_LANGUAGE] = "Accept-Language has no language range, such as en or de-CH;q=0.5",
        [ACCEPT_CODING] = "Accept-Encoding has no content coding, such as gzip or br;q=0.5",
    };
    svc__exchange_of(req)->refused = true;
    return svc_response_problem(res, 400,
                                details[find_kind(req, req->route->offers, is_malformed)]);
}

struct unacceptable {
    const struct offers *offers;
    const char *detail;
};

static void render_text(struct buf *out, const struct unacceptable *error)
{
    svc__problem_text_plain(out, 406, error->detail);
    for (int kind = 0; kind < ACCEPT_KINDS; kind++)
        for (const char *const *offer = error->offers->lists[kind]; offer && *offer; offer++) {
            svc__buf_puts(out, *offer);
            svc__buf_puts(out, "\n");
        }
}

static void render_json(struct buf *out, const struct unacceptable *error)
{
    static const char *const members[ACCEPT_KINDS] = {",\"types\":[", ",\"languages\":[",
                                                      ",\"codings\":["};
    svc__problem_text_open(out, &(struct problem_text){.status = 406, .detail = error->detail});
    for (int kind = 0; kind < ACCEPT_KINDS; kind++) {
        const char *const *list = error->offers->lists[kind];
        svc__buf_puts(out, list ? members[kind] : "");
        for (size_t i = 0; list && list[i]; i++) {
            svc__buf_puts(out, i ? "," : "");
            svc__buf_json_string(out, svc__bytes_z(list[i]));
        }
        svc__buf_puts(out, list ? "]" : "");
    }
    svc__problem_text_close(out);
}

static void render_unacceptable(struct buf *out, bool json, const void *error)
{
    if (json)
        render_json(out, error);
    else
        render_text(out, error);
}

/* RFC 9110 15.5.7: the answer lists what there is. */
static int answer_unacceptable(svc_request *req, svc_response *res)
{
    static const char *const details[ACCEPT_KINDS] = {
        [ACCEPT_TYPE] = "the resource has no media type that Accept allows",
        [ACCEPT_LANGUAGE] = "the resource has no language that Accept-Language allows",
        [ACCEPT_CODING] = "the resource has no content coding that Accept-Encoding allows",
    };
    const struct offers *offers = req->route->offers;
    const struct unacceptable error = {offers, details[find_kind(req, offers, is_refused)]};
    svc__exchange_of(req)->refused = true;
    return svc__problem_answer(res, 406, render_unacceptable, &error);
}

svc_handler *svc__negotiation_refusal(const svc_request *req, const struct route *route)
{
    if (find_kind(req, route->offers, is_malformed) < ACCEPT_KINDS)
        return answer_malformed;
    return find_kind(req, route->offers, is_refused) < ACCEPT_KINDS ? answer_unacceptable : NULL;
}

int svc__negotiation_vary(const struct offers *offers, svc_response *res)
{
    int error = 0;
    for (int kind = 0; kind < ACCEPT_KINDS && !error; kind++)
        if (offers->lists[kind] && !is_fixed(offers, kind))
            error = svc__vary_merge(
                res, svc__field_name_text(svc__accept_field((enum accept_kind)kind)));
    return error;
}

/* ---- What handlers ask for */

const char *svc_request_chosen(const svc_request *req, int kind)
{
    const struct offers *offers = req && req->route ? req->route->offers : NULL;
    if (!offers || !is_kind(kind) || !offers->lists[kind])
        return NULL;
    int chosen = choose_form(&req->fields, offers, kind);
    return chosen < 0 ? NULL : offers->lists[kind][chosen];
}

int svc_request_accepts(const svc_request *req, int kind, const char *const *offers)
{
    if (!req || !is_kind(kind) || !offers)
        return SVC_ENOTFOUND;
    return svc__accept_choose(&req->fields, (enum accept_kind)kind, offers);
}

unsigned svc_request_weight(const svc_request *req, int kind, const char *offer)
{
    if (!req || !is_kind(kind) || !offer)
        return 0;
    return svc__accept_weight(&req->fields, (enum accept_kind)kind, svc__bytes_z(offer));
}

unsigned svc_request_accepts_encoding(const svc_request *req, const char *coding)
{
    return req ? svc__accept_encoding_weight(&req->fields, svc__bytes_z(coding)) : 0;
}
