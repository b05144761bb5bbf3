/* ETag and Last-Modified, and a request's conditions on them. */
#include "libsvc/cache/condition.h"

#include "libsvc/base/clock.h"
#include "libsvc/base/sized.h"
#include "libsvc/cache/caching.h"
#include "libsvc/exchange/response_internal.h"
#include "libsvc/proto/date.h"

static int64_t wall_seconds(void)
{
    return (int64_t)(svc__clock_wall_us() / 1000000);
}

/* ---- Setting validators */

int svc__condition_put_etag(svc_response *res, struct bytes text)
{
    return svc__response_put(res, svc__bytes_z("ETag"), text);
}

/* A tag with its quotes, in the arena; opaque "none" when out of memory. */
static struct etag make_tag(struct arena *arena, struct bytes text, bool weak)
{
    size_t prefix = weak ? 2 : 0, len = prefix + text.len + 2;
    struct etag tag = {.weak = weak};
    char *copy = svc__arena_alloc(arena, len + 1);
    if (!copy)
        return tag;
    memcpy(copy, "W/", prefix);
    copy[prefix] = '"';
    memcpy(copy + prefix + 1, text.data, text.len);
    memcpy(copy + len - 1, "\"", 2);
    tag.opaque = svc__bytes(copy + prefix, len - prefix);
    return tag;
}

/* The field's value: the tag with its mark of weakness, which stands right before it. */
static struct bytes tag_text(const struct etag *tag)
{
    size_t prefix = tag->weak ? 2 : 0;
    return svc__bytes(tag->opaque.data - prefix, tag->opaque.len + prefix);
}

static int set_tag(svc_response *res, const char *text, bool weak, struct etag *out)
{
    struct bytes bytes = svc__bytes_z(text);
    if (!text || !svc__etag_text_valid(bytes))
        return SVC_EINVAL;
    struct etag tag = make_tag(&res->exchange->arena, bytes, weak);
    if (!tag.opaque.data)
        return SVC_ENOMEM;
    *out = tag;
    return 0;
}

int svc_response_set_etag(svc_response *res, const char *tag, bool weak)
{
    struct etag made;
    if (!res)
        return SVC_ENOMEM;
    int error = set_tag(res, tag, weak, &made);
    return error ? error : svc__condition_put_etag(res, tag_text(&made));
}

int svc_response_set_modified(svc_response *res, int64_t unix_seconds)
{
    if (!res)
        return SVC_ENOMEM;
    int64_t now = wall_seconds();
    return svc__caching_put_date(res, svc__bytes_z("Last-Modified"),
                                 unix_seconds < now ? unix_seconds : now);
}

/* ---- Answers */

/*
 * RFC 9110 15.4.5: a 304 has no metadata of the representation but the fields that guide a cache,
 * and Last-Modified only if there is no ETag.
 */
static void strip_metadata(svc_response *res)
{
    static const char *const names[] = {"Content-Type", "Content-Encoding", "Content-Language",
                                        "Content-Range"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        svc_response_remove_header(res, names[i]);
    if (svc_response_header(res, "ETag"))
        svc_response_remove_header(res, "Last-Modified");
}

static void answer_not_modified(svc_response *res, uint64_t length)
{
    strip_metadata(res);
    svc__response_drop_body(res);
    res->status = 304;
    res->length = length;
}

/* Removes the fields that describe the representation: they do not describe an error. */
int svc__condition_error(svc_response *res, int status, const char *detail)
{
    static const char *const names[] = {"ETag", "Last-Modified", "Content-Location"};
    strip_metadata(res);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        svc_response_remove_header(res, names[i]);
    int error = svc_response_problem(res, status, detail);
    return error ? error : svc__caching_forbid(res);
}

static int answer_failed(svc_response *res)
{
    return svc__condition_error(res, 412,
                                "the resource is not in the state that the request demands");
}

int svc__condition_demand(const svc_request *req, svc_response *res)
{
    svc__plan_counts_conditional(&req->plan->counts, CONDITIONAL_MISSING);
    return svc__condition_error(res, 428,
                                "this request must be conditional: send If-Match with the ETag");
}

/* ---- Deciding */

static void count_result(const svc_request *req, enum precondition precondition)
{
    static const int results[] = {[PRECONDITION_NOT_MODIFIED] = CONDITIONAL_NOT_MODIFIED,
                                  [PRECONDITION_FAILED] = CONDITIONAL_FAILED,
                                  [PRECONDITION_HOLDS] = CONDITIONAL_PASSED,
                                  [PRECONDITION_RANGE] = CONDITIONAL_PASSED};
    if (precondition != PRECONDITION_NONE)
        svc__plan_counts_conditional(&req->plan->counts,
                                     (enum conditional_result)results[precondition]);
}

static bool safe(enum method method)
{
    return method == METHOD_GET || method == METHOD_HEAD;
}

static struct etag read_tag(const svc_response *res)
{
    struct etag tag = {.weak = false};
    const struct field *field = svc__response_find(res, svc__bytes_z("ETag"));
    if (field)
        svc__etag_parse(field->value, &tag);
    return tag;
}

static int64_t read_modified(const svc_response *res, int64_t now)
{
    int64_t modified = PRECONDITION_NO_DATE;
    const struct field *field = svc__response_find(res, svc__bytes_z("Last-Modified"));
    if (field)
        svc__date_parse(field->value, now, &modified);
    return modified;
}

/*
 * A date is strong once its second is over (RFC 9110 8.8.2.2): what was sent since then is what has
 * that date now. A client must not ask by a date that it got within its second.
 */
static struct validators read_validators(const svc_response *res)
{
    int64_t now = wall_seconds(), modified = read_modified(res, now);
    return (struct validators){.exists = true,
                               .tag = read_tag(res),
                               .modified = modified,
                               .date_strong = modified < now,
                               .now = now};
}

bool svc__condition_wants_part(const svc_request *req, const svc_response *res)
{
    if (req->known_method != METHOD_GET || res->status != 200 ||
        !svc__fields_has(&req->fields, FIELD_RANGE))
        return false;
    if (!svc__fields_has(&req->fields, FIELD_IF_RANGE))
        return true;
    const struct validators validators = read_validators(res);
    return svc__precondition_evaluate(METHOD_GET, &req->fields, &validators) == PRECONDITION_RANGE;
}

int svc__condition_settle(svc_request *req, svc_response *res)
{
    enum method method = req->known_method;
    if (req->conditions_asked || !safe(method) || res->status / 100 != 2 ||
        !svc__precondition_any(&req->fields))
        return 0;
    const struct validators validators = read_validators(res);
    enum precondition precondition = svc__precondition_evaluate(method, &req->fields, &validators);
    req->conditions_asked = true;
    count_result(req, precondition);
    switch (precondition) {
    case PRECONDITION_NOT_MODIFIED:
        answer_not_modified(res, svc__exchange_reply_length(res->exchange));
        return 0;
    case PRECONDITION_FAILED:
        return answer_failed(res);
    case PRECONDITION_NONE:
    case PRECONDITION_HOLDS:
    case PRECONDITION_RANGE: /* of which mw/ranges.c sends the part */
        break;
    }
    return 0;
}

bool svc__condition_guarded(const svc_request *req)
{
    return svc__fields_has(&req->fields, FIELD_IF_MATCH) ||
           svc__fields_has(&req->fields, FIELD_IF_NONE_MATCH) ||
           svc__fields_has(&req->fields, FIELD_IF_UNMODIFIED_SINCE);
}

/* The state in the form of the pure functions, with the tag copied for a field. */
static int read_state(svc_response *res, const svc_validators *given, struct validators *out)
{
    struct validators state = {
        .exists = !given->absent, .modified = given->modified_s, .now = wall_seconds()};
    int error = given->etag ? set_tag(res, given->etag, given->weak, &state.tag) : 0;
    if (!error)
        *out = state;
    return error;
}

static int put_validators(svc_response *res, const struct validators *state)
{
    int error = state->tag.opaque.data ? svc__condition_put_etag(res, tag_text(&state->tag)) : 0;
    if (!error && state->modified != PRECONDITION_NO_DATE)
        error = svc_response_set_modified(res, state->modified);
    return error;
}

/* Where it cannot even be asked, the handler must not act: no answer becomes a 500, and is logged.
 */
static bool answer_nothing(svc_response *res)
{
    if (res)
        svc__response_reset(res);
    return false;
}

bool svc_request_check_conditions(svc_request *req, svc_response *res,
                                  const svc_validators *validators)
{
    if (!req)
        return answer_nothing(res);
    struct validators state;
    enum method method = req->known_method;
    svc_validators own = SVC_VALIDATORS_INIT;
    if (!res || SIZED_READ(&own, validators, etag) || read_state(res, &own, &state) ||
        (safe(method) && state.exists && put_validators(res, &state)))
        return answer_nothing(res);
    req->conditions_asked = true;
    enum precondition precondition = svc__precondition_evaluate(method, &req->fields, &state);
    count_result(req, precondition);
    switch (precondition) {
    case PRECONDITION_NOT_MODIFIED:
        answer_not_modified(res, own.length);
        return false;
    case PRECONDITION_FAILED:
        return answer_failed(res) ? answer_nothing(res) : false;
    case PRECONDITION_NONE:
        if (!safe(method) && req->condition_required)
            return svc__condition_demand(req, res) ? answer_nothing(res) : false;
        break;
    case PRECONDITION_HOLDS:
    case PRECONDITION_RANGE:
        break;
    }
    return true;
}
