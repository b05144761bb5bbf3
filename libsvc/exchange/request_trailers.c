/*
 * Trailer fields lie in memory of their own, since when they come others may have the exchange and
 * its arena. They are never merged with the head's.
 */
#include "libsvc/exchange/request_trailers.h"

#include <stdlib.h>

#include "libsvc/exchange/body_stream.h"
#include "libsvc/proto/trailer.h"

/* The fields are checked, so that their size is within the head's limits. */
static struct trailers *copy_fields(const struct field *fields, size_t count)
{
    struct trailers *trailers =
        malloc(sizeof *trailers + count * sizeof *fields + svc__fields_text_size(fields, count));
    if (!trailers)
        return NULL;
    trailers->count = 0;
    char *text = (char *)&trailers->list[count];
    for (size_t i = 0; i < count; i++) {
        if (!svc__trailer_allowed(fields[i].name))
            continue;
        svc__fields_copy(&trailers->list[trailers->count++], &fields[i], 1, &text);
    }
    return trailers;
}

int svc__request_trailers_take(struct exchange *x, const struct field *fields, size_t count,
                               const char **reason)
{
    const svc_request *req = &x->request;
    const svc_config *config = req->plan->config;
    const struct head_limits limits = {(size_t)config->max_target_bytes,
                                       (size_t)config->max_head_bytes, (size_t)config->max_fields};
    struct head head = {req->method, req->target.raw, 1, req->fields.list, req->fields.count, 0};
    if (!count || atomic_load(&x->body.trailers))
        return 0;
    head.bytes = svc__head_size(&head);
    int status = svc__trailer_check(&head, &limits, fields, count, reason);
    struct trailers *trailers = status ? NULL : copy_fields(fields, count);
    if (!status && !trailers) {
        *reason = "out of memory";
        status = 503;
    }
    x->close = x->close || status;
    atomic_store_explicit(&x->body.trailers, trailers, memory_order_release);
    return status;
}

/* ---- As a handler asks for them */

/* One that reads the body itself has them once it has read the end, however early they came. */
static const struct trailers *trailers_of(const svc_request *req)
{
    const struct exchange *x = svc__exchange_of(req);
    if (x->body.stream && !x->body.stream->at_end)
        return NULL;
    return atomic_load_explicit(&x->body.trailers, memory_order_acquire);
}

const char *svc_request_trailer(const svc_request *req, const char *name)
{
    const struct trailers *trailers = trailers_of(req);
    const struct field *field =
        trailers ? svc__fields_find(trailers->list, trailers->count, svc__bytes_z(name)) : NULL;
    return field ? field->value.data : NULL;
}

size_t svc_request_trailer_count(const svc_request *req)
{
    const struct trailers *trailers = trailers_of(req);
    return trailers ? trailers->count : 0;
}

int svc_request_trailer_at(const svc_request *req, size_t index, const char **name,
                           const char **value)
{
    const struct trailers *trailers = trailers_of(req);
    if (!trailers || index >= trailers->count)
        return SVC_ENOTFOUND;
    *name = trailers->list[index].name.data;
    *value = trailers->list[index].value.data;
    return 0;
}
