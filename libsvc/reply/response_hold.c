/* A source before a source: it keeps the first bytes, which were read to learn whether any come. */
#include "libsvc/reply/response_hold.h"

#include <string.h>

#include <svc/stream.h>

#include "libsvc/base/least.h"

enum { FIRST_BYTES = 2048 };

struct held_source {
    svc_source inner;
    size_t at, len; /* of the kept bytes */
    bool empty;     /* nothing has been read yet */
    bool ended;     /* nothing comes behind the kept bytes */
    char data[FIRST_BYTES];
};

int svc_response_hold_head(svc_response *res)
{
    if (!res)
        return SVC_ENOMEM;
    res->holds_head = true;
    return 0;
}

static int64_t read_first(struct held_source *held)
{
    int64_t n = held->inner.read(held->inner.state, held->data, sizeof held->data);
    if (n < 0)
        return n;
    if ((uint64_t)n > sizeof held->data)
        return SVC_EINVAL;
    held->empty = false;
    held->ended = n == 0;
    held->len = (size_t)n;
    return n;
}

static int64_t read_held(void *state, char *data, size_t len)
{
    struct held_source *held = state;
    if (held->empty)
        return read_first(held);
    size_t left = held->len - held->at;
    if (!left)
        return held->ended ? 0 : held->inner.read(held->inner.state, data, len);
    len = svc__least(len, left);
    memcpy(data, held->data + held->at, len);
    held->at += len;
    return (int64_t)len;
}

/* The kept bytes are dropped, wherever they stand. */
static int seek_held(void *state, uint64_t offset)
{
    struct held_source *held = state;
    held->empty = held->ended = false;
    held->at = held->len = 0;
    return held->inner.seek(held->inner.state, offset);
}

static void close_held(void *state)
{
    const struct held_source *held = state;
    if (held->inner.close)
        held->inner.close(held->inner.state);
}

int svc__response_hold_begin(svc_response *res)
{
    struct held_source *held = svc__arena_alloc(&res->exchange->arena, sizeof *held);
    if (!held)
        return SVC_ENOMEM;
    held->inner = res->body.source;
    held->at = held->len = 0;
    held->empty = true;
    held->ended = false;
    res->body.source.read = read_held;
    res->body.source.close = close_held;
    res->body.source.seek = held->inner.seek ? seek_held : NULL;
    res->body.source.state = held;
    return 0;
}
