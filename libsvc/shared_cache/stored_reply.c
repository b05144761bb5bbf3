/* Stored replies. */
#include "libsvc/shared_cache/stored_reply.h"

#include <stdlib.h>

#include "libsvc/base/num.h"
#include "libsvc/exchange/response_internal.h"

/* Few and small enough to be within the limits of a response's fields. */
enum {
    LAST_FIELDS = 2, /* that each hit has anew */
    WHOLE_FIELDS = 64 - LAST_FIELDS,
    WHOLE_FIELD_BYTES = 8192
};

static size_t count_bytes(const struct field *fields, size_t count)
{
    size_t bytes = 0;
    for (size_t i = 0; i < count; i++)
        bytes += fields[i].name.len + fields[i].value.len + 4; /* ": " and CRLF */
    return bytes;
}

struct stored_reply *svc__stored_reply_new(const struct stored_parts *parts)
{
    size_t fields = parts->field_count * sizeof(struct field),
           tags = parts->tag_count * sizeof(uint64_t);
    size_t texts = parts->key.len + parts->names.len + parts->selection.len + 3 +
                   svc__fields_text_size(parts->fields, parts->field_count);
    if (parts->body.len > SIZE_MAX / 2)
        return NULL;
    size_t size = sizeof(struct stored_reply) + fields + tags + texts + parts->body.len;
    struct stored_reply *reply = malloc(size);
    if (!reply)
        return NULL;
    *reply = (struct stored_reply){.parts = *parts, .size = size};
    atomic_init(&reply->refs, 1);
    struct field *own_fields = (struct field *)(void *)(reply + 1);
    uint64_t *own_tags = (uint64_t *)(void *)(own_fields + parts->field_count);
    char *text = (char *)(own_tags + parts->tag_count);
    svc__fields_copy(own_fields, parts->fields, parts->field_count, &text);
    if (tags)
        memcpy(own_tags, parts->tags, tags);
    reply->field_bytes = count_bytes(own_fields, parts->field_count);
    reply->parts.fields = own_fields;
    reply->parts.tags = own_tags;
    reply->parts.key = svc__bytes_copy(&text, parts->key);
    reply->parts.names = svc__bytes_copy(&text, parts->names);
    reply->parts.selection = svc__bytes_copy(&text, parts->selection);
    if (parts->body.len)
        memcpy(text, parts->body.data, parts->body.len);
    reply->parts.body = svc__bytes(text, parts->body.len);
    return reply;
}

struct stored_reply *svc__stored_reply_ref(struct stored_reply *reply)
{
    atomic_fetch_add_explicit(&reply->refs, 1, memory_order_relaxed);
    return reply;
}

void svc__stored_reply_unref(struct stored_reply *reply)
{
    if (reply && atomic_fetch_sub_explicit(&reply->refs, 1, memory_order_acq_rel) == 1)
        free(reply);
}

static void unref_reply(void *reply)
{
    svc__stored_reply_unref(reply);
}

/* The fields that each hit has anew: Age, and Cache-Status, which ends with the seconds for which
 * the reply is fresh. `text` has room for both. */
static void write_last(struct field last[static LAST_FIELDS], char *text, int64_t age,
                       struct bytes status, int64_t left)
{
    size_t len = svc__num_format_u64(text, (uint64_t)age);
    last[0] = (struct field){svc__bytes("Age", 3), svc__bytes(text, len)};
    text[len] = '\0';
    text += len + 1;
    memcpy(text, status.data, status.len);
    len = status.len + svc__num_format_i64(text + status.len, left);
    text[len] = '\0';
    last[1] = (struct field){svc__bytes("Cache-Status", 12), svc__bytes(text, len)};
}

/* The fields of outer layers stay, unless the stored reply has others of the same name. */
static int merge_fields(svc_response *res, const struct stored_reply *reply,
                        const struct field last[static LAST_FIELDS])
{
    const svc_response stored = {.fields = (struct field *)(uintptr_t)reply->parts.fields,
                                 .field_count = reply->parts.field_count};
    int error = svc__response_merge_fields(res, &stored);
    for (size_t i = 0; i < LAST_FIELDS && !error; i++)
        error = svc__response_put(res, last[i].name, last[i].value);
    return error;
}

/* Mostly there are no fields yet: then the stored ones are taken as a whole, with the last ones
 * behind them. */
static int put_fields(svc_response *res, const struct stored_reply *reply, int64_t age,
                      struct bytes status)
{
    size_t count = reply->parts.field_count, whole = count + LAST_FIELDS;
    size_t texts = NUM_U64_LEN + 1 + status.len + NUM_I64_LEN + 1;
    struct field *own = svc__arena_alloc(&res->exchange->arena, whole * sizeof *own + texts);
    if (!own)
        return SVC_ENOMEM;
    struct field *last = own + count;
    write_last(last, (char *)(own + whole), age, status, reply->parts.terms.lifetime - age);
    if (res->field_count > 0 || reply->field_bytes > WHOLE_FIELD_BYTES || count > WHOLE_FIELDS)
        return merge_fields(res, reply, last);
    memcpy(own, reply->parts.fields, count * sizeof *own);
    res->fields = own;
    res->field_count = res->field_space = whole;
    res->field_bytes = reply->field_bytes + count_bytes(last, LAST_FIELDS);
    return 0;
}

int svc__stored_reply_answer(struct stored_reply *reply, svc_response *res, int64_t age,
                             struct bytes status)
{
    const struct stored_parts *parts = &reply->parts;
    int error = svc__arena_defer(&res->exchange->arena, unref_reply, reply);
    if (error)
        svc__stored_reply_unref(reply);
    else
        error = put_fields(res, reply, age, status);
    if (error)
        return error;
    if (res->status) /* else nothing has answered */
        svc__response_drop_body(res);
    res->status = parts->status;
    res->dated = true;
    res->cached_errors = true; /* it was stored since its Cache-Control is meant for it */
    if (parts->body.len) {
        res->body.kind = REPLY_MEMORY;
        res->body.data = parts->body.data;
        res->body.len = parts->body.len;
        res->body.release = NULL;
    }
    return 0;
}
