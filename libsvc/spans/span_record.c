/* The record of a span: attributes and links within the exporter's limits. */
#include "libsvc/spans/span_record.h"

#include <stdlib.h>
#include <string.h>

enum {
    FIRST_SPACE = 12, /* of attributes: an HTTP span has about ten */
    FIRST_LINKS = 2,
    BLOCK_SIZE = 2048, /* of further blocks, unless one must be larger */
    ALIGN = 8
};

struct span_block {
    struct span_block *next;
    char memory[];
};

struct span_record *svc__span_record_new(const svc_sys_exporter *exporter, const struct trace *own,
                                         int kind)
{
    struct span_record *record = malloc(SPAN_RECORD_SIZE);
    if (!record) {
        svc__span_record_lose(exporter);
        return NULL;
    }
    memset(record, 0, sizeof *record);
    record->exporter = exporter;
    record->at = (char *)(record + 1);
    record->space = SPAN_RECORD_SIZE - sizeof *record;
    record->left = SPAN_RECORD_MEMORY - SPAN_RECORD_SIZE;
    svc_sys_span *span = &record->span;
    span->size = sizeof *span;
    memcpy(span->trace_id, own->trace_id, sizeof span->trace_id);
    memcpy(span->span_id, own->span_id, sizeof span->span_id);
    span->flags = own->flags;
    span->kind = kind;
    span->name = span->state = span->message = "";
    return record;
}

void svc_sys_span_free(svc_sys_span *span)
{
    if (!span)
        return;
    struct span_block *block = ((struct span_record *)(void *)span)->blocks;
    while (block) {
        struct span_block *next = block->next;
        free(block);
        block = next;
    }
    free(span);
}

static bool add_block(struct span_record *record, size_t least)
{
    size_t size = least > BLOCK_SIZE ? least : BLOCK_SIZE;
    struct span_block *block = size <= record->left ? malloc(sizeof *block + size) : NULL;
    if (!block)
        return false;
    block->next = record->blocks;
    record->blocks = block;
    record->at = block->memory;
    record->space = size;
    record->left -= size;
    return true;
}

/* Inline, since a span of a request has a dozen texts. */
static inline char *take_memory(struct span_record *record, size_t size)
{
    if (size > SPAN_RECORD_MEMORY)
        return NULL;
    size = (size + ALIGN - 1) / ALIGN * ALIGN;
    if (size > record->space && !add_block(record, size))
        return NULL;
    char *memory = record->at;
    record->at += size;
    record->space -= size;
    return memory;
}

void *svc__span_record_alloc(struct span_record *record, size_t size)
{
    return take_memory(record, size);
}

static inline char *copy_text(struct span_record *record, const char *data, size_t len)
{
    char *copy = take_memory(record, len + 1);
    if (!copy)
        return NULL;
    if (len)
        memcpy(copy, data, len);
    copy[len] = '\0';
    return copy;
}

const char *svc__span_record_text(struct span_record *record, struct bytes text)
{
    const char *copy = copy_text(record, text.data, text.len);
    return copy ? copy : "";
}

/* The bytes of the first `max` characters of a text, which need not be UTF-8. */
static size_t cut_text(const char *text, size_t len, size_t max)
{
    size_t at = 0, characters = 0;
    for (; at < len; at++) {
        bool begins = ((unsigned char)text[at] & 0xc0) != 0x80;
        if (begins && characters++ == max)
            break;
    }
    return at;
}

static svc_kv *find_attribute(const struct span_record *record, const char *key)
{
    for (size_t i = 0; i < record->span.attribute_count; i++)
        if (!strcmp(record->attributes[i].key, key))
            return &record->attributes[i];
    return NULL;
}

/* Room for twice as many members of `size` bytes, or at first `first`, in place of `old`; at most
 * `most`. NULL when there is none. */
static void *make_room(struct span_record *record, void *old, size_t *space, size_t size,
                       size_t first, size_t most)
{
    size_t wanted = *space ? 2 * *space : first;
    if (wanted > most)
        wanted = most;
    void *grown = *space < wanted ? svc__span_record_alloc(record, wanted * size) : NULL;
    if (!grown)
        return NULL;
    if (*space)
        memcpy(grown, old, *space * size);
    *space = wanted;
    return grown;
}

/* False when a limit leaves no room for one more attribute. */
static bool add_room(struct span_record *record)
{
    svc_kv *grown = make_room(record, record->attributes, &record->attribute_space, sizeof *grown,
                              FIRST_SPACE, record->exporter->max_attributes);
    if (grown)
        record->span.attributes = record->attributes = grown;
    return grown != NULL;
}

/* A text within the limit of its length, and of the record's own unless it may be borrowed. False
 * when there is no room. */
static inline bool take_text(struct span_record *record, svc_kv *item, bool borrow)
{
    const char *text = item->value.text ? item->value.text : "";
    size_t len = item->value.text ? item->len : 0;
    if (len > record->exporter->max_text)
        len = cut_text(text, len, record->exporter->max_text);
    if (!borrow)
        text = copy_text(record, text, len);
    item->len = len;
    item->value.text = text;
    return text != NULL;
}

static inline bool take_value(struct span_record *record, svc_kv *item, bool borrow)
{
    return item->kind != SVC_KV_STR || take_text(record, item, borrow);
}

static inline void append_attribute(struct span_record *record, const svc_kv *item, bool borrow)
{
    svc_sys_span *span = &record->span;
    bool has_room = span->attribute_count < record->attribute_space || add_room(record);
    svc_kv *to = has_room && item->key ? &record->attributes[span->attribute_count] : NULL;
    if (to)
        *to = *item;
    if (to && take_value(record, to, borrow))
        span->attribute_count++;
    else
        span->attributes_left_out++;
}

static inline void append_all(struct span_record *record, const svc_kv *items, size_t count,
                              bool borrow)
{
    for (const svc_kv *item = items; item < items + count; item++)
        if (!record->has_program_items || !find_attribute(record, item->key))
            append_attribute(record, item, borrow);
}

void svc__span_record_add(struct span_record *record, const svc_kv *items, size_t count)
{
    append_all(record, items, count, false);
}

void svc__span_record_borrow(struct span_record *record, const svc_kv *items, size_t count)
{
    append_all(record, items, count, true);
}

void svc__span_record_set(struct span_record *record, const svc_kv *items)
{
    record->has_program_items = true;
    for (; items && items->key; items++) {
        svc_kv item = *items;
        svc_kv *same = find_attribute(record, item.key);
        item.key = same ? same->key : copy_text(record, item.key, strlen(item.key));
        if (!same)
            append_attribute(record, &item, false);
        else if (take_value(record, &item, false))
            *same = item;
        else
            record->span.attributes_left_out++;
    }
}

void svc__span_record_link(struct span_record *record, const struct trace *to)
{
    svc_sys_span *span = &record->span;
    if (span->link_count == record->link_space) {
        svc_sys_link *grown = make_room(record, record->links, &record->link_space, sizeof *grown,
                                        FIRST_LINKS, record->exporter->max_links);
        if (grown)
            span->links = record->links = grown;
    }
    if (span->link_count == record->link_space) {
        span->links_left_out++;
        return;
    }
    svc_sys_link *link = &record->links[span->link_count++];
    memcpy(link->trace_id, to->trace_id, sizeof link->trace_id);
    memcpy(link->span_id, to->span_id, sizeof link->span_id);
    link->flags = to->flags;
}
