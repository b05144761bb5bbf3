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

void *svc__span_record_alloc(struct span_record *record, size_t size)
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

static char *copy_text(struct span_record *record, const char *data, size_t len)
{
    char *copy = svc__span_record_alloc(record, len + 1);
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
    if (len <= max)
        return len;
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

/* Room for `count` members of `size` bytes and one more, in place of `old`. NULL when there is
 * none. */
static void *make_room(struct span_record *record, void *old, size_t count, size_t *space,
                       size_t size, size_t first)
{
    if (count < *space)
        return old;
    size_t wanted = *space ? 2 * *space : first;
    void *grown = svc__span_record_alloc(record, wanted * size);
    if (!grown)
        return NULL;
    if (count)
        memcpy(grown, old, count * size);
    *space = wanted;
    return grown;
}

/* The place of the next attribute; NULL when a limit leaves none. */
static svc_kv *next_attribute(struct span_record *record)
{
    svc_sys_span *span = &record->span;
    svc_kv *grown = span->attribute_count < record->exporter->max_attributes
                        ? make_room(record, record->attributes, span->attribute_count,
                                    &record->attribute_space, sizeof *grown, FIRST_SPACE)
                        : NULL;
    if (!grown)
        return NULL;
    span->attributes = record->attributes = grown;
    return &grown[span->attribute_count];
}

/* A text within the limit of its length, and of the record's own unless it may be borrowed. False
 * when there is no room. */
static bool take_value(struct span_record *record, svc_kv *item, bool borrow)
{
    if (item->kind != SVC_KV_STR)
        return true;
    const char *text = item->value.text ? item->value.text : "";
    item->len = item->value.text ? cut_text(text, item->len, record->exporter->max_text) : 0;
    item->value.text = borrow ? text : copy_text(record, text, item->len);
    return item->value.text != NULL;
}

static void append_attribute(struct span_record *record, svc_kv item, bool borrow)
{
    svc_kv *to = next_attribute(record);
    if (!to || !item.key || !take_value(record, &item, borrow)) {
        record->span.attributes_left_out++;
        return;
    }
    *to = item;
    record->span.attribute_count++;
}

void svc__span_record_add(struct span_record *record, svc_kv item)
{
    if (!record->has_program_items || !find_attribute(record, item.key))
        append_attribute(record, item, false);
}

void svc__span_record_borrow(struct span_record *record, svc_kv item)
{
    if (!record->has_program_items || !find_attribute(record, item.key))
        append_attribute(record, item, true);
}

void svc__span_record_set(struct span_record *record, const svc_kv *items)
{
    record->has_program_items = true;
    for (; items && items->key; items++) {
        svc_kv item = *items;
        svc_kv *same = find_attribute(record, item.key);
        item.key = same ? same->key : copy_text(record, item.key, strlen(item.key));
        if (!same)
            append_attribute(record, item, false);
        else if (take_value(record, &item, false))
            *same = item;
        else
            record->span.attributes_left_out++;
    }
}

void svc__span_record_link(struct span_record *record, const struct trace *to)
{
    svc_sys_span *span = &record->span;
    svc_sys_link *grown = span->link_count < record->exporter->max_links
                              ? make_room(record, record->links, span->link_count,
                                          &record->link_space, sizeof *grown, FIRST_LINKS)
                              : NULL;
    if (!grown) {
        span->links_left_out++;
        return;
    }
    svc_sys_link *link = &grown[span->link_count++];
    memcpy(link->trace_id, to->trace_id, sizeof link->trace_id);
    memcpy(link->span_id, to->span_id, sizeof link->span_id);
    link->flags = to->flags;
    span->links = record->links = grown;
}
