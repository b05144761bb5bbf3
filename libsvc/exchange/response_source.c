/* Bodies that are sources, and bodies taken out of a response as such. */
#include <string.h>

#include "libsvc/exchange/response_file.h"
#include "libsvc/exchange/response_internal.h"

int svc_response_source(svc_response *res, int status, const char *type, const svc_source *source)
{
    int error = SVC_EINVAL;
    if (!source)
        return error;
    if (source->read && status >= 200 && status <= 599)
        error = svc__response_put_type(res, type);
    if (error) {
        if (source->close)
            source->close(source->state);
        return error;
    }
    svc__response_drop_body(res);
    res->status = status;
    res->body = (struct response_body){.kind = REPLY_SOURCE, .source = *source};
    return 0;
}

/* A body in memory that has been taken as a source. */
struct memory_source {
    struct response_body body;
    size_t at;
};

static int64_t memory_read(void *state, char *data, size_t len)
{
    struct memory_source *memory = state;
    size_t left = memory->body.len - memory->at;
    if (len > left)
        len = left;
    if (len)
        memcpy(data, memory->body.data + memory->at, len);
    memory->at += len;
    return (int64_t)len;
}

static void memory_close(void *state)
{
    struct memory_source *memory = state;
    svc__response_body_drop(&memory->body);
}

int svc_response_take_source(svc_response *res, svc_source *source)
{
    if (!res)
        return SVC_ENOMEM;
    if (res->body.kind == REPLY_SOURCE) {
        *source = res->body.source;
    } else if (res->body.kind == REPLY_FILE) {
        int error = svc__response_file_source(res, source);
        if (error)
            return error;
    } else {
        struct memory_source *memory = svc__arena_alloc(&res->exchange->arena, sizeof *memory);
        if (!memory)
            return SVC_ENOMEM;
        *memory = (struct memory_source){res->body, 0};
        *source = (svc_source)SVC_SOURCE_INIT;
        source->length = res->body.len;
        source->read = memory_read;
        source->close = memory_close;
        source->state = memory;
    }
    res->body = (struct response_body){.kind = REPLY_EMPTY};
    return 0;
}
