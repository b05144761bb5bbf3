/* Bodies that are sources, and bodies taken out of a response as such. */
#include "libsvc/reply/response_source.h"

#include <string.h>

#include "libsvc/base/least.h"
#include "libsvc/base/sized.h"
#include "libsvc/exchange/response_internal.h"
#include "libsvc/reply/response_file.h"

int svc_response_source(svc_response *res, int status, const char *type, const svc_source *source)
{
    svc_source own = SVC_SOURCE_INIT;
    if (SIZED_READ(&own, source, read))
        return SVC_EINVAL;
    bool valid = own.read && status >= 200 && status <= 599;
    int error = valid ? svc__response_put_type(res, type) : SVC_EINVAL;
    if (error) {
        if (own.close)
            own.close(own.state);
        return error;
    }
    svc__response_drop_body(res);
    res->status = status;
    res->body = (struct response_body){.kind = REPLY_SOURCE, .source = own};
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
    len = svc__least(len, memory->body.len - memory->at);
    if (len)
        memcpy(data, memory->body.data + memory->at, len);
    memory->at += len;
    return (int64_t)len;
}

static int memory_seek(void *state, uint64_t offset)
{
    struct memory_source *memory = state;
    memory->at = (size_t)svc__least_u64(offset, memory->body.len);
    return 0;
}

static void memory_close(void *state)
{
    struct memory_source *memory = state;
    svc__response_body_drop(&memory->body);
}

static int source_of_memory(svc_response *res, svc_source *source)
{
    struct memory_source *memory = svc__arena_alloc(&res->exchange->arena, sizeof *memory);
    if (!memory)
        return SVC_ENOMEM;
    *memory = (struct memory_source){res->body, 0};
    source->length = res->body.len;
    source->read = memory_read;
    source->seek = memory_seek;
    source->close = memory_close;
    source->state = memory;
    return 0;
}

int svc_response_take_source(svc_response *res, svc_source *source)
{
    svc_source own = SVC_SOURCE_INIT;
    int error = 0;
    if (!res)
        return SVC_ENOMEM;
    if (res->body.kind == REPLY_SOURCE)
        own = res->body.source;
    else if (res->body.kind == REPLY_FILE)
        error = svc__response_file_source(res, &own);
    else
        error = source_of_memory(res, &own);
    if (!error)
        error = SIZED_WRITE(source, &own, state);
    if (!error)
        res->body = (struct response_body){.kind = REPLY_EMPTY};
    return error;
}

int svc__response_source_make(svc_response *res)
{
    if (res->body.kind == REPLY_SOURCE)
        return 0;
    svc_source source = SVC_SOURCE_INIT;
    int error = svc_response_take_source(res, &source);
    return error ? error : svc_response_source(res, res->status, NULL, &source);
}
