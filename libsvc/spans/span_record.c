/* The record of a span: attributes and links within the exporter's limits. */
#include "libsvc/spans/span_record.h"

#include <string.h>

enum { FIRST_SPACE = 16 /* of attributes: an HTTP span has about ten */, FIRST_LINKS = 2 };

struct span_record *svc__span_record_new(const svc_sys_exporter *exporter, const struct trace *own,
                                         int kind)
{
    /* The record lies in its own arena, whose first chunk is the only memory that most of them
     * need. */
    struct arena memory;
    svc__arena_init(&memory, NULL, SPAN_RECORD_MEMORY);
    struct span_record *record = svc__arena_zalloc(&memory, sizeof *record);
    if (!record) {
        svc__span_record_lose(exporter);
        return NULL;
    }
    record->memory = memory;
    record->exporter = exporter;
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
    struct arena memory = ((struct span_record *)(void *)span)->memory;
    svc__arena_reset(&memory);
}

const char *svc__span_record_text(struct span_record *record, struct bytes text)
{
    const char *copy = svc__arena_strndup(&record->memory, text.data, text.len);
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
    void *grown = svc__arena_alloc(&record->memory, wanted * size);
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

/* The same item with a text of the record's own. False when there is no room. */
static bool copy_value(struct span_record *record, svc_kv *item)
{
    if (item->kind != SVC_KV_STR)
        return true;
    const char *text = item->value.text;
    item->len = text ? cut_text(text, item->len, record->exporter->max_text) : 0;
    item->value.text = svc__arena_strndup(&record->memory, text, item->len);
    return item->value.text != NULL;
}

static void append_attribute(struct span_record *record, svc_kv item)
{
    svc_kv *to = next_attribute(record);
    if (!to || !item.key || !copy_value(record, &item)) {
        record->span.attributes_left_out++;
        return;
    }
    *to = item;
    record->span.attribute_count++;
}

void svc__span_record_add(struct span_record *record, svc_kv item)
{
    if (!record->has_program_items || !find_attribute(record, item.key))
        append_attribute(record, item);
}

void svc__span_record_set(struct span_record *record, const svc_kv *items)
{
    record->has_program_items = true;
    for (; items && items->key; items++) {
        svc_kv item = *items;
        svc_kv *same = find_attribute(record, item.key);
        item.key =
            same ? same->key : svc__arena_strndup(&record->memory, item.key, strlen(item.key));
        if (!same)
            append_attribute(record, item);
        else if (copy_value(record, &item))
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
