/* Replies on their way into the cache: bodies in memory are copied, and others are copied as they
 * pass. */
#include "libsvc/shared_cache/cache_body.h"

#include <stdlib.h>

#include "libsvc/base/clock.h"
#include "libsvc/base/siphash.h"
#include "libsvc/exchange/response_internal.h"
#include "libsvc/shared_cache/cache_purge.h"
#include "libsvc/shared_cache/cache_store.h"
#include "libsvc/shared_cache/cache_vary.h"

enum { SELECTION_MAX = 4096 };

/* ---- Parts of a reply */

/* Fields of one connection or one hop, those that each hit has anew, and those of tags. */
static bool is_passing(struct bytes name)
{
    static const char *const names[] = {
        "Age",
        "Cache-Status",
        "Cache-Tag",
        "Surrogate-Key",
        "Connection",
        "Content-Length",
        "Date", /* put in front of the others */
        "Keep-Alive",
        "Proxy-Authenticate",
        "Proxy-Authentication-Info",
        "Proxy-Authorization",
        "Proxy-Connection",
        "TE",
        "Trailer",
        "Transfer-Encoding",
        "Upgrade",
    };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (svc__bytes_eq_nocase(name, svc__bytes_z(names[i])))
            return true;
    return false;
}

static bool is_outer(const struct cache_visit *visit, const struct field *field)
{
    for (size_t i = 0; i < visit->outer_count; i++)
        if (visit->outer[i] == field->value.data)
            return true;
    return false;
}

/* Collects the fields to be stored, in the arena, with Date before them. */
static int collect_fields(const struct cache_visit *visit, svc_response *res, int64_t date,
                          struct stored_parts *parts)
{
    struct arena *arena = &res->exchange->arena;
    struct field *fields = svc__arena_alloc(arena, (res->field_count + 1) * sizeof *fields);
    char *text = svc__arena_alloc(arena, CLOCK_IMF_SIZE);
    if (!fields || !text)
        return SVC_ENOMEM;
    size_t count = 0, len = svc__clock_imf(text, date);
    fields[count++] = (struct field){svc__bytes("Date", 4), svc__bytes(text, len)};
    for (size_t i = 0; i < res->field_count; i++)
        if (!is_outer(visit, &res->fields[i]) && !is_passing(res->fields[i].name))
            fields[count++] = res->fields[i];
    parts->fields = fields;
    parts->field_count = count;
    return 0;
}

/* Reads the tags of a list; false if there are too many. */
static bool read_tags(struct bytes list, bool by_space, uint64_t tags[static STORED_TAGS],
                      size_t *count)
{
    while (list.data) {
        struct bytes tag = svc__bytes_trim(svc__bytes_cut(&list, by_space ? ' ' : ','));
        if (tag.len == 0)
            continue;
        if (*count == STORED_TAGS)
            return false;
        tags[(*count)++] = svc__cache_purge_hash('t', tag);
    }
    return true;
}

static bool collect_tags(const struct cache_visit *visit, const svc_response *res, uint64_t *tags,
                         size_t *count)
{
    struct bytes target = visit->key;
    svc__bytes_cut(&target, ' '); /* the host */
    tags[(*count)++] = svc__cache_purge_hash('u', target);
    const struct field *field = NULL;
    while (
        (field = svc__fields_next(res->fields, res->field_count, field, svc__bytes_z("Cache-Tag"))))
        if (!read_tags(field->value, false, tags, count))
            return false;
    while ((field = svc__fields_next(res->fields, res->field_count, field,
                                     svc__bytes_z("Surrogate-Key"))))
        if (!read_tags(field->value, true, tags, count))
            return false;
    return true;
}

/* The names in Vary and the request's values for them, in the arena. */
static int collect_selection(const struct cache_visit *visit, svc_response *res,
                             struct stored_parts *parts)
{
    struct arena *arena = &res->exchange->arena;
    struct buf text;
    if (!svc__response_find(res, svc__bytes_z("Vary")))
        return 0;
    svc__buf_init(&text, SELECTION_MAX);
    svc__cache_vary_names(&text, res->fields, res->field_count);
    size_t names = text.len;
    struct bytes both =
        svc__buf_error(&text) ? svc__bytes(NULL, 0) : svc__arena_copy(arena, svc__buf_view(&text));
    svc__buf_clear(&text);
    if (both.data)
        svc__cache_vary_select(&text, both, &visit->req->fields);
    int error = both.data ? svc__buf_error(&text) : SVC_ETOOBIG;
    struct bytes selection =
        error ? svc__bytes(NULL, 0) : svc__arena_copy(arena, svc__buf_view(&text));
    svc__buf_free(&text);
    parts->names = svc__bytes(both.data, names);
    parts->selection = selection;
    return error || selection.data ? error : SVC_ENOMEM;
}

/* Whether the reply is to be stored; then `parts` has all but its body and tags, in the request's
 * memory. */
static bool prepare_parts(const struct cache_visit *visit, svc_response *res,
                          struct stored_parts *parts)
{
    struct cache_facts facts;
    const svc_request *req = visit->req;
    uint64_t now_ns = svc__clock_ns();
    int64_t now = (int64_t)(svc__clock_wall_us() / 1000000);
    svc__cache_rules_read(&facts, res->status, res->fields, res->field_count, now);
    if (req->known_method != METHOD_GET || (visit->wish.flags & CACHE_CONTROL_NO_STORE) ||
        res->on_trailers ||
        !svc__cache_rules_store(&facts, &visit->cache->policy, visit->authorized, &parts->terms))
        return false;
    int64_t delay = (int64_t)((now_ns - req->started_ns) / 1000000000);
    int64_t age = svc__cache_rules_age(&facts, now, delay);
    parts->key = visit->key;
    parts->status = res->status;
    parts->generation = visit->generation;
    parts->born_ns = (int64_t)now_ns - age * 1000000000;
    return !collect_selection(visit, res, parts) && !collect_fields(visit, res, facts.date, parts);
}

static bool store_parts(const struct cache_visit *visit, const struct stored_parts *parts)
{
    svc_response_cache *cache = visit->cache;
    struct stored_reply *reply = svc__stored_reply_new(parts);
    if (!reply)
        return false;
    reply->confirmed_ns = visit->asked ? visit->asked_ns : visit->req->started_ns;
    bool stored =
        svc__reply_memory_put(cache->memory, visit->hash, reply, REPLY_OF_HANDLER, visit->purges);
    if (stored)
        svc_counter_add(cache->stored, 1);
    if (stored && cache->store && visit->generation_known)
        svc__cache_store_put(cache, parts);
    svc__stored_reply_unref(reply);
    return stored;
}

/* ---- Bodies that come piece by piece */

/* A source around the reply's own. */
struct copying {
    svc_source source;
    struct cache_visit *visit;
    struct stored_parts parts;
    uint64_t tags[STORED_TAGS];
    struct buf body;
    uint64_t passed; /* bytes */
    bool copies;     /* false: it is stored, or it will not be */
};

static void end_copying(struct copying *copying, bool whole)
{
    bool stored = false;
    if (!copying->copies)
        return;
    copying->copies = false;
    copying->parts.body = svc__buf_view(&copying->body);
    if (whole && !svc__buf_error(&copying->body))
        stored = store_parts(copying->visit, &copying->parts);
    svc__buf_free(&copying->body);
    svc__collapse_end(copying->visit->cache->collapse, &copying->visit->lead, stored);
}

static int64_t read_copying(void *state, char *data, size_t len)
{
    struct copying *copying = state;
    int64_t n = copying->source.read(copying->source.state, data, len);
    if (len == 0 || n == SVC_EAGAIN)
        return n;
    if (n > 0 && copying->copies) {
        svc__buf_append(&copying->body, data, (size_t)n);
        if (svc__buf_error(&copying->body)) /* it is over the ceiling, and passes without a copy */
            end_copying(copying, false);
    }
    copying->passed += n > 0 ? (uint64_t)n : 0;
    bool known = copying->source.length != SVC_LENGTH_UNKNOWN;
    if (n < 0 || (known && copying->passed > copying->source.length))
        end_copying(copying, false);
    else if (known ? copying->passed == copying->source.length : n == 0)
        end_copying(copying, true);
    return n;
}

static void close_copying(void *state)
{
    struct copying *copying = state;
    end_copying(copying, false);
    if (copying->source.close)
        copying->source.close(copying->source.state);
}

/* Wraps the body; without memory it stays as it is. */
static bool copy_as_it_passes(struct cache_visit *visit, svc_response *res,
                              const struct stored_parts *parts)
{
    svc_response_cache *cache = visit->cache;
    struct response_pipe *pipe = res->pipe;
    uint64_t length = svc__exchange_reply_length(res->exchange);
    if (length != SVC_LENGTH_UNKNOWN && length > cache->max_body)
        return false;
    struct copying *copying = svc__arena_zalloc(&res->exchange->arena, sizeof *copying);
    if (!copying)
        return false;
    copying->source = (svc_source)SVC_SOURCE_INIT;
    if (svc_response_take_source(res, &copying->source))
        return false;
    copying->visit = visit;
    copying->parts = *parts;
    memcpy(copying->tags, parts->tags, parts->tag_count * sizeof *parts->tags);
    copying->parts.tags = copying->tags;
    copying->copies = true;
    svc__buf_init(&copying->body, (size_t)cache->max_body);
    res->body = (struct response_body){.kind = REPLY_SOURCE,
                                       .source = {.size = sizeof copying->source,
                                                  .length = copying->source.length,
                                                  .read = read_copying,
                                                  .close = close_copying,
                                                  .state = copying}};
    res->pipe = pipe;
    return true;
}

bool svc__cache_body_store(struct cache_visit *visit, svc_response *res, bool *later)
{
    struct stored_parts parts = {.status = 0};
    uint64_t tags[STORED_TAGS];
    *later = false;
    if (!prepare_parts(visit, res, &parts) || !collect_tags(visit, res, tags, &parts.tag_count))
        return false;
    parts.tags = tags;
    if (res->body.kind == REPLY_SOURCE || res->body.kind == REPLY_FILE)
        return *later = copy_as_it_passes(visit, res, &parts);
    if (res->body.len > visit->cache->max_body)
        return false;
    parts.body = svc__bytes(res->body.data, res->body.kind == REPLY_MEMORY ? res->body.len : 0);
    return store_parts(visit, &parts);
}
