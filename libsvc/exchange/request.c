/* The calls by which a handler reads its request. */
#include <string.h>

#include <svc/loop.h>
#include <svc/request.h>

#include "libsvc/base/clock.h"
#include "libsvc/base/num.h"
#include "libsvc/exchange/refusal.h"
#include "libsvc/exchange/request_internal.h"
#include "libsvc/exchange/response_internal.h"
#include "libsvc/proto/media.h"

struct request_value {
    const svc_key *key;
    void *value;
    struct request_value *next;
};

const char *svc_request_method(const svc_request *req)
{
    return req ? req->method.data : "";
}

const char *svc_request_target(const svc_request *req)
{
    return req ? req->target.raw.data : "";
}

const char *svc_request_path(const svc_request *req)
{
    if (!req)
        return "";
    const struct target *target = &req->target;
    if (!target->has_query && target->path.len)
        return target->path.data; /* the end of the target, NUL-terminated as that is */
    struct exchange *x = svc__exchange_of(req);
    if (!req->path)
        x->request.path = svc__arena_strndup(&x->arena, target->path.data, target->path.len);
    return req->path ? req->path : "";
}

const char *svc_request_raw_query(const svc_request *req)
{
    /* The query is the end of the target, so it is NUL-terminated as that is. */
    return req && req->target.has_query ? req->target.query.data : NULL;
}

const char *svc_request_route(const svc_request *req)
{
    return req && req->route ? req->route->pattern.text : "";
}

const char *svc_request_param(const svc_request *req, const char *name)
{
    struct bytes wanted = svc__bytes_z(name);
    for (size_t i = 0; req && i < req->match.count; i++)
        if (svc__bytes_eq(req->match.params[i].name, wanted))
            return req->params[i];
    return NULL;
}

/* Parsed when first asked for: most handlers never do. The target's size bounds the count. */
int svc__request_parse_query(const svc_request *req)
{
    int error = 0;
    struct exchange *x = svc__exchange_of(req);
    if (req->target.has_query && !req->query_parsed)
        error = svc__query_parse(&x->arena, req->target.query, req->target.query.len,
                                 &x->request.query, &x->request.query_count);
    x->request.query_parsed = !error;
    return error;
}

const char *svc_request_query(const svc_request *req, const char *name)
{
    return svc_request_query_nth(req, name, 0);
}

const char *svc_request_query_nth(const svc_request *req, const char *name, size_t n)
{
    if (!req)
        return NULL;
    svc__request_parse_query(req);
    struct bytes wanted = svc__bytes_z(name);
    for (size_t i = 0; i < req->query_count; i++)
        if (svc__bytes_eq(req->query[i].name, wanted) && n-- == 0)
            return req->query[i].value.data;
    return NULL;
}

size_t svc_request_query_count(const svc_request *req)
{
    if (!req)
        return 0;
    svc__request_parse_query(req);
    return req->query_count;
}

int svc_request_query_at(const svc_request *req, size_t index, const char **name,
                         const char **value)
{
    if (index >= svc_request_query_count(req))
        return SVC_ENOTFOUND;
    *name = req->query[index].name.data;
    *value = req->query[index].value.data;
    return 0;
}

const char *svc_request_header(const svc_request *req, const char *name)
{
    return svc_request_header_nth(req, name, 0);
}

const char *svc_request_header_nth(const svc_request *req, const char *name, size_t n)
{
    if (!req)
        return NULL;
    struct bytes wanted = svc__bytes_z(name);
    const struct field *field = svc__fields_named(&req->fields, NULL, wanted);
    while (field && n-- > 0)
        field = svc__fields_named(&req->fields, field, wanted);
    return field ? field->value.data : NULL;
}

size_t svc_request_header_count(const svc_request *req)
{
    return req ? req->fields.count : 0;
}

int svc_request_header_at(const svc_request *req, size_t index, const char **name,
                          const char **value)
{
    if (index >= svc_request_header_count(req))
        return SVC_ENOTFOUND;
    *name = req->fields.list[index].name.data;
    *value = req->fields.list[index].value.data;
    return 0;
}

const char *svc_request_body(const svc_request *req, size_t *len)
{
    if (len)
        *len = req ? req->body.len : 0;
    return req && req->body.data ? req->body.data : "";
}

const char *svc_request_peer(const svc_request *req)
{
    return req ? req->peer.text : "";
}

const char *svc_request_scheme(const svc_request *req)
{
    return req ? req->scheme : "";
}

const char *svc_request_id(const svc_request *req)
{
    return req ? req->id : "";
}

void *svc_request_arg(const svc_request *req)
{
    return req && req->route ? req->route->arg : NULL;
}

svc_app *svc_request_app(const svc_request *req)
{
    return req ? req->owner->app : NULL;
}

const char *svc_request_mount(const svc_request *req)
{
    if (!req)
        return "";
    size_t segments = 0, len = 0;
    struct bytes prefix = req->owner->mounted_at, path = req->target.path;
    for (size_t i = 0; i < prefix.len; i++)
        segments += prefix.data[i] == '/';
    if (segments == 0)
        return "";
    while (len < path.len && segments > 0)
        if (++len == path.len || path.data[len] == '/')
            segments--;
    const char *copy = svc__arena_strndup(&svc__exchange_of(req)->arena, path.data, len);
    return copy ? copy : "";
}

uint64_t svc_request_remaining_ms(const svc_request *req)
{
    if (!req)
        return 0;
    const struct exchange *x = svc__exchange_of(req);
    bool cut = atomic_load_explicit(req->plan->draining, memory_order_relaxed) == DRAIN_CUT;
    if (cut || atomic_load(&x->away.cancelled))
        return 0;
    return svc__exchange_remaining_ms(x, svc__clock_ns());
}

const char *svc_request_timeout_text(const svc_request *req)
{
    char text[NUM_U64_LEN];
    size_t len = svc__num_format_u64(text, svc_request_remaining_ms(req));
    const char *copy = req ? svc__arena_strndup(&svc__exchange_of(req)->arena, text, len) : NULL;
    return copy ? copy : "";
}

bool svc_request_cancelled(const svc_request *req)
{
    return svc_request_remaining_ms(req) == 0;
}

void *svc_request_alloc(svc_request *req, size_t size)
{
    return req ? svc__arena_alloc(&svc__exchange_of(req)->arena, size ? size : 1) : NULL;
}

int svc_request_add_cleanup(svc_request *req, void (*fn)(void *arg), void *arg)
{
    return req ? svc__arena_defer(&svc__exchange_of(req)->arena, fn, arg) : SVC_ENOMEM;
}

static struct request_value *find_value(const svc_request *req, const svc_key *key,
                                        const struct request_value *end)
{
    struct request_value *value = req->values;
    while (value != end && value->key != key)
        value = value->next;
    return value;
}

void *svc_request_get(const svc_request *req, const svc_key *key)
{
    const struct request_value *value = req ? find_value(req, key, NULL) : NULL;
    return value ? value->value : NULL;
}

int svc_request_set(svc_request *req, const svc_key *key, void *value)
{
    if (!req)
        return SVC_ENOMEM;
    /* Those that a home may need are not changed but hidden. */
    const struct request_value *shared = svc__exchange_of(req)->away.lent.values;
    struct request_value *entry = find_value(req, key, shared);
    if (entry == shared) {
        entry = svc_request_alloc(req, sizeof *entry);
        if (!entry)
            return SVC_ENOMEM;
        *entry = (struct request_value){key, value, req->values};
        req->values = entry;
    }
    entry->value = value;
    return 0;
}

bool svc__request_accept_coding(const svc_request *req, svc_response *res)
{
    if (req->body_changed || !svc__media_is_coded(&req->fields))
        return true;
    if (!svc_response_problem(res, REFUSAL_CODED))
        svc__response_put(res, svc__bytes_z("Accept-Encoding"), svc__bytes_z("identity"));
    return false;
}

svc_loop *svc_request_loop(const svc_request *req)
{
    return req ? svc__exchange_of(req)->home->loop : NULL;
}
