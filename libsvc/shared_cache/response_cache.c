/* The phases of the response cache: it answers from stored replies, or lets the handler run and
 * stores its reply. */
#include "libsvc/shared_cache/response_cache.h"

#include "libsvc/base/clock.h"
#include "libsvc/exchange/response_internal.h"
#include "libsvc/shared_cache/cache_answer.h"
#include "libsvc/shared_cache/cache_body.h"
#include "libsvc/shared_cache/cache_key.h"
#include "libsvc/shared_cache/cache_purge.h"
#include "libsvc/shared_cache/cache_store.h"
#include "libsvc/shared_cache/cache_validation.h"

/* ---- The way to the handler */

static struct cache_control read_wish(const svc_request *req)
{
    struct cache_control wish = svc__cache_control_none();
    const struct field *field = NULL;
    while ((field = svc__fields_each(&req->fields, field, FIELD_CACHE_CONTROL)))
        svc__cache_control_parse(field->value, &wish);
    return wish;
}

/* RFC 9111 5.2.1.7 */
static int answer_not_cached(const svc_response_cache *cache, svc_response *res)
{
    svc__cache_visit_count(cache, CACHE_RESULT_NOT_CACHED);
    int error = svc_response_problem(res, 504, "no stored reply can answer this request");
    return error ? error : SVC_ANSWERED;
}

/* Notes the fields that outer layers have set: their values stay where they are. */
static int note_outer(struct cache_visit *visit, const svc_response *res)
{
    size_t count = res->field_count;
    visit->outer = svc__arena_alloc(&res->exchange->arena, (count + 1) * sizeof *visit->outer);
    if (!visit->outer)
        return SVC_ENOMEM;
    for (size_t i = 0; i < count; i++)
        visit->outer[i] = res->fields[i].value.data;
    visit->outer_count = count;
    return 0;
}

static void resume_late(void *arg)
{
    struct cache_visit *visit = arg;
    if (svc__collapse_leave(visit->cache->collapse, &visit->waiter))
        svc_request_resume(visit->req);
}

/* Waits for the reply of another request that runs the handler. False: nothing would end the wait.
 */
static bool set_wait_limit(struct cache_visit *visit)
{
    visit->timer = svc_timer_new(svc_request_loop(visit->req), resume_late, visit);
    return visit->timer && !svc_timer_set(visit->timer, visit->cache->max_wait_ms);
}

/* Whether a request may wait for another one's reply: for a plain GET of a reply that may be
 * shared. */
static bool may_wait(const struct cache_visit *visit)
{
    const struct exchange *x = svc__exchange_of(visit->req);
    return visit->cache->max_waiting > 0 && !visit->waited && !visit->lead.listed &&
           !(visit->wish.flags & CACHE_CONTROL_ONLY_IF_CACHED) && !visit->authorized &&
           !x->host->worker && visit->req->known_method == METHOD_GET &&
           visit->result != CACHE_RESULT_BYPASS && !(visit->wish.flags & CACHE_CONTROL_NO_STORE) &&
           !svc__fields_has(&visit->req->fields, FIELD_RANGE);
}

static void stop_timer(struct cache_visit *visit)
{
    svc_timer_free(visit->timer);
    visit->timer = NULL;
}

/* Joins the requests for the same reply. True: it waits for the reply of another one. */
static bool wait_for_lead(struct cache_visit *visit)
{
    svc_response_cache *cache = visit->cache;
    enum collapse_part part =
        svc__collapse_join(cache->collapse, visit->hash, visit->key, &visit->lead, &visit->waiter,
                           visit->req, cache->max_waiting);
    if (part != COLLAPSE_WAITS)
        return false;
    visit->waited = true;
    if (set_wait_limit(visit) || !svc__collapse_leave(cache->collapse, &visit->waiter))
        return true;
    stop_timer(visit);
    return false;
}

/* Whether the store, that may have a reply, is still to be asked. */
static bool may_ask(const struct cache_visit *visit)
{
    return visit->cache->store && !visit->asked && !svc__exchange_of(visit->req)->host->worker;
}

/* Lets the handler run, or waits while the store is asked. */
static int forward(struct cache_visit *visit, svc_response *res)
{
    if (may_ask(visit)) {
        visit->asked = true;
        visit->asked_ns = svc__clock_ns();
        if (!svc__cache_store_ask(visit))
            return SVC_WAIT;
    }
    if (visit->wish.flags & CACHE_CONTROL_ONLY_IF_CACHED)
        return answer_not_cached(visit->cache, res);
    if (visit->stored || visit->lead.listed)
        svc__cache_validation_begin(visit);
    return SVC_PASS;
}

/* Ends a request's part in the cache, at the end of its exchange at the latest: others wait for it
 * no more. */
static void end_visit(void *arg)
{
    struct cache_visit *visit = arg;
    stop_timer(visit);
    svc__collapse_end(visit->cache->collapse, &visit->lead, false);
    svc__stored_reply_unref(visit->stored);
    visit->stored = NULL;
}

/* A request that stored replies do not answer; it takes over `stored`. NULL when out of memory. */
static struct cache_visit *make_visit(svc_response_cache *cache, svc_request *req,
                                      svc_response *res, struct bytes key, uint64_t hash,
                                      const struct cache_control *wish)
{
    struct arena *arena = &res->exchange->arena;
    struct cache_visit *visit = svc__arena_zalloc(arena, sizeof *visit);
    if (!visit)
        return NULL;
    visit->cache = cache;
    visit->req = req;
    visit->key = key;
    visit->hash = hash;
    visit->wish = *wish;
    visit->authorized = svc__fields_has(&req->fields, FIELD_AUTHORIZATION);
    visit->purges = svc__reply_memory_purges(cache->memory);
    if (note_outer(visit, res) || svc__arena_defer(arena, end_visit, visit))
        return NULL;
    return visit;
}

/* Takes over what was found, of which `stored` may be NULL. */
static void note_finding(struct cache_visit *visit, const struct cache_finding *finding,
                         struct stored_reply *stored)
{
    /* A reply that is not for requests with Authorization is not, even if it is valid. */
    bool barred = visit->authorized && stored && !stored->parts.terms.licensed;
    svc__stored_reply_unref(visit->stored);
    visit->stored = barred ? NULL : stored;
    if (barred)
        svc__stored_reply_unref(stored);
    visit->claims = finding->claims;
    visit->reason = finding->reason;
    visit->result = finding->result;
}

/* Looks for a stored reply, at the first run and again after a wait. SVC_PASS: none answers the
 * request, which has a visit then. */
static int look_up(svc_response_cache *cache, svc_request *req, svc_response *res,
                   struct cache_visit **state)
{
    struct cache_visit *visit = *state;
    struct bytes key = visit ? visit->key : svc__cache_key_make(svc__exchange_of(req));
    if (!key.data)
        return SVC_ENOMEM;
    uint64_t hash = visit ? visit->hash : svc__reply_memory_hash(cache->memory, key);
    uint64_t now_ns = visit ? svc__clock_ns() : req->started_ns;
    struct cache_control wish = read_wish(req);
    bool varied;
    struct stored_reply *stored =
        svc__reply_memory_find(cache->memory, hash, key, &req->fields, &varied);
    struct cache_finding finding = {CACHE_VALIDATE, 0, varied ? "vary-miss" : "uri-miss",
                                    CACHE_RESULT_MISS, false};
    if (stored)
        svc__cache_answer_judge(cache, visit, req, stored, &wish, now_ns, &finding);
    if (finding.use == CACHE_FRESH || finding.use == CACHE_STALE) {
        if (visit)
            svc__collapse_end(cache->collapse, &visit->lead, true);
        return svc__cache_answer_hit(cache, req, res, stored, finding.age,
                                     visit && visit->waited ? CACHE_RESULT_COLLAPSED
                                                            : finding.result);
    }
    if (!visit)
        visit = *state = make_visit(cache, req, res, key, hash, &wish);
    if (!visit) {
        svc__stored_reply_unref(stored);
        return SVC_ENOMEM;
    }
    note_finding(visit, &finding, stored);
    return SVC_PASS;
}

/* The way of a request that no stored reply has answered. */
static int go_on(svc_request *req, svc_response *res, struct cache_visit **state)
{
    struct cache_visit *visit = *state;
    int verdict = SVC_PASS;
    if (may_wait(visit)) {
        if (wait_for_lead(visit))
            return SVC_WAIT;
        if (visit->lead.listed) /* the lead before may have stored its reply just now */
            verdict = look_up(visit->cache, req, res, state);
    }
    return verdict == SVC_PASS ? forward(visit, res) : verdict;
}

static int on_request(svc_request *req, svc_response *res, const svc_layer *layer)
{
    struct cache_visit **state = layer->state;
    if (req->known_method != METHOD_GET && req->known_method != METHOD_HEAD)
        return SVC_PASS;
    if (*state) /* it has waited */
        stop_timer(*state);
    int verdict = look_up(layer->arg, req, res, state);
    return verdict == SVC_PASS ? go_on(req, res, state) : verdict;
}

/* ---- The way back */

/* Cache-Status of a reply that the handler has made. */
static int put_forward(const struct cache_visit *visit, svc_response *res, int status, bool stored)
{
    struct buf *text = svc__response_scratch(res);
    svc__buf_bytes(text, visit->cache->name);
    svc__buf_puts(text, "; fwd=");
    svc__buf_puts(text, visit->reason);
    if (status != res->status) {
        svc__buf_puts(text, "; fwd-status=");
        svc__buf_u64(text, (uint64_t)status);
    }
    if (stored)
        svc__buf_puts(text, "; stored");
    struct bytes copy = svc__buf_error(text)
                            ? svc__bytes(NULL, 0)
                            : svc__arena_copy(&res->exchange->arena, svc__buf_view(text));
    svc__response_scratch_done(res);
    return copy.data ? svc__response_put(res, svc__bytes("Cache-Status", 12), copy) : SVC_ENOMEM;
}

/* Stores the handler's reply, and gives the client its part of it. 0 or a negative code. */
static int take_reply(struct cache_visit *visit, svc_request *req, svc_response *res)
{
    int status = res->status, error = 0;
    visit->req = req; /* that of a stand-in, if the handler was given up */
    bool validated = visit->validates, later = false, stored = false;
    svc__cache_validation_end(visit, req);
    if (validated && visit->stored && status == 304) {
        visit->result = CACHE_RESULT_VALIDATED;
        error = svc__cache_validation_freshen(visit, res);
    } else if ((error = svc__cache_answer_error(visit, req, res))) {
        svc__collapse_end(visit->cache->collapse, &visit->lead, false);
        return error < 0 ? error : put_forward(visit, res, status, false);
    }
    if (!error)
        stored = svc__cache_body_store(visit, res, &later);
    if (!later)
        svc__collapse_end(visit->cache->collapse, &visit->lead, stored);
    svc__cache_visit_count(visit->cache, visit->result);
    if (!error)
        error = put_forward(visit, res, status, stored && !later);
    return error || !validated ? error : svc__cache_answer_settle(req, res);
}

static int on_response(svc_request *req, svc_response *res, const svc_layer *layer)
{
    struct cache_visit *visit = *(struct cache_visit **)layer->state;
    int error =
        visit ? take_reply(visit, req, res) : svc__cache_purge_changed(layer->arg, req, res);
    svc_response_remove_header(res, "Cache-Tag");
    svc_response_remove_header(res, "Surrogate-Key");
    return error;
}

/* A reply that never came, or whose body is copied as it passes, ends the others' wait here at the
 * latest. */
static void on_done(svc_request *req, const svc_response *res, const svc_layer *layer,
                    const svc_done *done)
{
    struct cache_visit *visit = *(struct cache_visit **)layer->state;
    (void)req, (void)res, (void)done;
    if (visit)
        end_visit(visit);
}

void svc__response_cache_prepare(svc_response_cache *cache)
{
    cache->middleware = (svc_middleware){
        .size = sizeof cache->middleware,
        .name = "response_cache",
        .state_size = sizeof(struct cache_visit *),
        .arg = cache,
        .on_request = on_request,
        .on_response = on_response,
        .on_done = on_done,
    };
}
