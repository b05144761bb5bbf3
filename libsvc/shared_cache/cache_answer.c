/* Answers from stored replies: whether a request may have one, and its conditions. */
#include "libsvc/shared_cache/cache_answer.h"

#include "libsvc/base/clock.h"
#include "libsvc/cache/condition.h"
#include "libsvc/exchange/response_internal.h"

/* ---- Whether */

/* Whether another instance may have purged it: neither was the store asked of late, nor by this
 * request, or messages may have been missed since. */
static bool is_unconfirmed(const svc_response_cache *cache, const struct cache_visit *visit,
                           const struct stored_reply *stored, uint64_t now_ns)
{
    if (!cache->store || (visit && visit->asked && stored->confirmed_ns >= visit->asked_ns))
        return false;
    return stored->confirmed_ns + cache->local_ms * 1000000 < now_ns ||
           stored->confirmed_ns <= atomic_load(&cache->doubted_ns);
}

/* Whether the request is the one that validates a stale reply, which others get meanwhile: its own
 * reply must be one that is stored. */
static bool claims_validation(svc_response_cache *cache, const struct cache_visit *visit,
                              const svc_request *req, struct stored_reply *stored,
                              const struct cache_control *wish, uint64_t now_ns)
{
    if (req->known_method != METHOD_GET || (wish->flags & CACHE_CONTROL_NO_STORE))
        return false;
    return (visit && visit->claims) ||
           svc__reply_memory_claim(cache->memory, stored, now_ns, cache->max_wait_ms * 1000000);
}

/* Decides by the rules. */
static void judge_by_rules(svc_response_cache *cache, const struct cache_visit *visit,
                           const svc_request *req, struct stored_reply *stored,
                           const struct cache_control *wish, uint64_t now_ns,
                           struct cache_finding *found)
{
    found->use = svc__cache_rules_use(&stored->parts.terms, wish, found->age);
    switch (found->use) {
    case CACHE_FRESH:
        found->result = CACHE_RESULT_HIT;
        break;
    case CACHE_STALE_VALIDATING:
        found->claims = claims_validation(cache, visit, req, stored, wish, now_ns);
        found->use = found->claims ? CACHE_VALIDATE : CACHE_STALE;
        found->result = found->claims ? CACHE_RESULT_EXPIRED : CACHE_RESULT_STALE;
        break;
    case CACHE_STALE:
        found->result = CACHE_RESULT_STALE;
        break;
    case CACHE_VALIDATE_ASKED:
        found->reason = "request";
        found->result = CACHE_RESULT_BYPASS;
        break;
    case CACHE_VALIDATE:
        break;
    }
}

void svc__cache_answer_judge(svc_response_cache *cache, const struct cache_visit *visit,
                             const svc_request *req, struct stored_reply *stored,
                             const struct cache_control *wish, uint64_t now_ns,
                             struct cache_finding *found)
{
    found->use = CACHE_VALIDATE;
    found->age = svc__stored_reply_age(stored, now_ns);
    found->reason = "stale";
    found->result = CACHE_RESULT_EXPIRED;
    if (is_unconfirmed(cache, visit, stored, now_ns))
        return;
    if (svc__fields_has(&req->fields, FIELD_AUTHORIZATION) && !stored->parts.terms.licensed) {
        found->use = CACHE_VALIDATE_ASKED;
        found->reason = "bypass";
        found->result = CACHE_RESULT_BYPASS;
        return;
    }
    judge_by_rules(cache, visit, req, stored, wish, now_ns, found);
}

/* ---- The answer */

int svc__cache_answer_settle(svc_request *req, svc_response *res)
{
    const uint64_t asks = UINT64_C(1) << FIELD_IF_MATCH | UINT64_C(1) << FIELD_IF_NONE_MATCH |
                          UINT64_C(1) << FIELD_IF_MODIFIED_SINCE |
                          UINT64_C(1) << FIELD_IF_UNMODIFIED_SINCE;
    return req->fields.known & asks ? svc__condition_settle(req, res) : 0;
}

int svc__cache_answer_hit(const svc_response_cache *cache, svc_request *req, svc_response *res,
                          struct stored_reply *stored, int64_t age, enum cache_result result)
{
    svc__cache_visit_count(cache, result);
    int error = svc__stored_reply_answer(stored, res, age, cache->hit);
    if (!error)
        error = svc__cache_answer_settle(req, res);
    return error ? error : SVC_ANSWERED;
}

/* ---- In place of an error */

/* Whether the handler has failed and the stored reply may stand in for its error. */
static bool stands_in(const struct cache_visit *visit, const svc_response *res, uint64_t now_ns)
{
    const struct stored_reply *stored = visit->stored;
    return stored && res->status >= 500 && !is_unconfirmed(visit->cache, visit, stored, now_ns) &&
           svc__cache_rules_use_on_error(&stored->parts.terms, &visit->wish,
                                         svc__stored_reply_age(stored, now_ns));
}

int svc__cache_answer_error(struct cache_visit *visit, svc_request *req, svc_response *res)
{
    uint64_t now_ns = svc__clock_ns();
    if (!stands_in(visit, res, now_ns))
        return SVC_PASS;
    visit->reason = "stale; detail=stale-if-error";
    svc__response_reset(res);
    return svc__cache_answer_hit(visit->cache, req, res, svc__stored_reply_ref(visit->stored),
                                 svc__stored_reply_age(visit->stored, now_ns), CACHE_RESULT_STALE);
}
