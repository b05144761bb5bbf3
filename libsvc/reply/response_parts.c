/* Bodies that are parts of the body that a handler gave. */
#include "libsvc/reply/response_parts.h"

#include <string.h>

#include "libsvc/base/hex.h"
#include "libsvc/base/least.h"
#include "libsvc/base/rand.h"
#include "libsvc/exchange/response_internal.h"

enum {
    BOUNDARY_BYTES = 16, /* random, so that no client can make a body that has them */
    BOUNDARY = 2 * BOUNDARY_BYTES,
    PART_TEXT = BOUNDARY + RANGE_CONTENT_SIZE + 48 /* the lines before a part, without its type */
};

static const char multipart[] = "multipart/byteranges; boundary=";

bool svc__response_parts_possible(const svc_response *res)
{
    const struct response_body *body = &res->body;
    if (res->on_trailers)
        return false;
    if (body->kind == REPLY_SOURCE)
        return body->source.seek && body->source.length != SVC_LENGTH_UNKNOWN;
    return body->kind == REPLY_MEMORY || body->kind == REPLY_FILE;
}

/* Once only a part is left, its release would not know where the memory begins. */
static int keep_memory(svc_response *res)
{
    struct response_body *body = &res->body;
    if (!body->release)
        return 0;
    int error =
        svc__arena_defer(&res->exchange->arena, body->release, (void *)(uintptr_t)body->data);
    if (!error)
        body->release = NULL;
    return error;
}

int svc__response_parts_cut(svc_response *res, const struct range *range)
{
    struct response_body *body = &res->body;
    int error = 0;
    if (body->kind == REPLY_SOURCE) {
        error = body->source.seek(body->source.state, range->first);
        if (!error)
            body->source.length = svc__range_length(range);
        return error;
    }
    if (body->kind == REPLY_FILE) {
        body->offset += range->first;
    } else {
        error = keep_memory(res);
        if (error)
            return error;
        body->data += range->first;
    }
    body->len = (size_t)svc__range_length(range);
    return 0;
}

/* ---- Several parts */

/* The text before a part, and the part; the last one is a text alone. */
struct part {
    struct bytes text; /* that is still to be read */
    uint64_t first;    /* of the part, where `left` is not 0 */
    uint64_t left;     /* bytes that are still to be read */
    bool sought;
};

struct parts_source {
    svc_source inner;
    size_t at, count;
    struct part list[];
};

static int64_t read_text(struct part *part, char *data, size_t len)
{
    len = svc__least(len, part->text.len);
    memcpy(data, part->text.data, len);
    part->text = svc__bytes(part->text.data + len, part->text.len - len);
    return (int64_t)len;
}

static int64_t read_bytes(const svc_source *inner, struct part *part, char *data, size_t len)
{
    if (!part->sought) {
        int error = inner->seek(inner->state, part->first);
        if (error)
            return error;
        part->sought = true;
    }
    len = (size_t)svc__least_u64(len, part->left);
    int64_t n = inner->read(inner->state, data, len);
    if (n == 0 || (n > 0 && (uint64_t)n > len))
        return SVC_EINVAL;
    if (n > 0)
        part->left -= (uint64_t)n;
    return n;
}

static int64_t read_parts(void *state, char *data, size_t len)
{
    struct parts_source *parts = state;
    for (; parts->at < parts->count; parts->at++) {
        struct part *part = &parts->list[parts->at];
        if (part->text.len > 0)
            return read_text(part, data, len);
        if (part->left > 0)
            return read_bytes(&parts->inner, part, data, len);
    }
    return 0;
}

static void close_parts(void *state)
{
    const struct parts_source *parts = state;
    if (parts->inner.close)
        parts->inner.close(parts->inner.state);
}

static struct bytes find_type(const svc_response *res)
{
    const struct field *type = svc__response_find(res, svc__bytes_z("Content-Type"));
    return type ? type->value : svc__bytes(NULL, 0);
}

/* A text of `out` from `from` on; it does not move, since its size was known. */
static struct bytes text_from(const struct buf *out, size_t from)
{
    return svc__bytes(out->data + from, out->len - from);
}

/* Writes the texts, and returns the length of them and of the parts. */
static uint64_t write_parts(struct parts_source *parts, const struct range_set *set,
                            struct bytes boundary, struct bytes type, uint64_t length,
                            struct buf *out)
{
    uint64_t total = 0;
    for (size_t i = 0; i < set->count; i++) {
        const struct range *range = &set->list[i];
        size_t from = out->len;
        svc__range_part_begin(out, boundary, type, range, length);
        parts->list[i] =
            (struct part){text_from(out, from), range->first, svc__range_length(range), false};
        total += svc__range_length(range);
    }
    size_t from = out->len;
    svc__range_parts_end(out, boundary);
    parts->list[set->count] = (struct part){.text = text_from(out, from)};
    parts->at = 0;
    parts->count = set->count + 1;
    return total + out->len;
}

/* The value of Content-Type, with a new boundary, in the arena; "none" when out of memory. */
static struct bytes make_type(struct arena *arena, struct bytes *boundary)
{
    const size_t prefix = sizeof multipart - 1;
    unsigned char bytes[BOUNDARY_BYTES];
    char *type = svc__arena_alloc(arena, prefix + BOUNDARY + 1);
    if (!type)
        return svc__bytes(NULL, 0);
    memcpy(type, multipart, prefix);
    svc__rand_bytes(bytes, sizeof bytes);
    svc__hex_write(type + prefix, bytes, sizeof bytes);
    type[prefix + BOUNDARY] = '\0';
    *boundary = svc__bytes(type + prefix, BOUNDARY);
    return svc__bytes(type, prefix + BOUNDARY);
}

int svc__response_parts_split(svc_response *res, const struct range_set *set)
{
    struct arena *arena = &res->exchange->arena;
    const struct bytes type = find_type(res);
    const size_t room = (set->count + 1) * (PART_TEXT + type.len);
    struct parts_source *parts =
        svc__arena_alloc(arena, sizeof *parts + (set->count + 1) * sizeof *parts->list);
    char *texts = svc__arena_alloc(arena, room);
    struct bytes boundary, own_type = make_type(arena, &boundary);
    uint64_t length = svc__exchange_reply_length(res->exchange);
    if (!parts || !texts || !own_type.data)
        return SVC_ENOMEM;
    struct buf out;
    svc__buf_over(&out, texts, room);
    svc_source source = SVC_SOURCE_INIT;
    source.length = write_parts(parts, set, boundary, type, length, &out);
    source.read = read_parts;
    source.close = close_parts;
    source.state = parts;
    int error = svc__buf_error(&out);
    if (!error)
        error = svc__response_put(res, svc__bytes_z("Content-Type"), own_type);
    parts->inner = (svc_source)SVC_SOURCE_INIT;
    if (!error)
        error = svc_response_take_source(res, &parts->inner);
    return error ? error : svc_response_source(res, res->status, NULL, &source);
}
