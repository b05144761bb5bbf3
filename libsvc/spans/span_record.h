/*
 * The record of a span, from its begin until an exporter has sent it. A record has memory of its
 * own, since it outlives its request and may pass between threads. One thread at a time.
 */
#ifndef SVC_SPANS_SPAN_RECORD_H
#define SVC_SPANS_SPAN_RECORD_H

#include <svc/sys/span.h>

#include "libsvc/base/bytes.h"
#include "libsvc/proto/trace.h"

enum {
    SPAN_RECORD_SIZE = 1024,      /* of the block that most records need alone */
    SPAN_RECORD_MEMORY = 64 << 10 /* all blocks of a record together have at most */
};

struct span_block;

struct span_record {
    svc_sys_span span; /* first: the span is its record's address */
    const svc_sys_exporter *exporter;
    svc_kv *attributes;
    size_t attribute_space;
    svc_sys_link *links;
    size_t link_space;
    bool has_program_items;    /* svc__span_record_set has been called */
    char *at;                  /* free memory of the latest block */
    size_t space, left;        /* bytes there, and of blocks that may follow */
    struct span_block *blocks; /* behind the first, which the record itself is in */
};

/* Notifies the exporter of a span that there is no memory for. */
static inline void svc__span_record_lose(const svc_sys_exporter *exporter)
{
    if (exporter->lose)
        exporter->lose(exporter->arg);
}

/* Hands a span that has ended to its exporter. */
static inline void svc__span_record_deliver(struct span_record *record)
{
    record->exporter->take(record->exporter->arg, &record->span);
}

/* A record of the span that `own` names, without a name or times. NULL when out of memory, which
 * the exporter is notified of. */
struct span_record *svc__span_record_new(const svc_sys_exporter *exporter, const struct trace *own,
                                         int kind);

/* `size` bytes, aligned for pointers and numbers, that live as long as the record. NULL when out of
 * memory, or of the record's share. */
void *svc__span_record_alloc(struct span_record *record, size_t size);

/* Copies a text into the record's memory; "" when there is no room. */
const char *svc__span_record_text(struct span_record *record, struct bytes text);

/* Sets attributes whose keys live as long as the program, and copies their texts. An attribute that
 * the program has set under the same key stays. */
void svc__span_record_add(struct span_record *record, const svc_kv *items, size_t count);

/* The same with texts that live as long as the program, or as the app. */
void svc__span_record_borrow(struct span_record *record, const svc_kv *items, size_t count);

/* Sets the attributes of a list, as svc_span_set_items. */
void svc__span_record_set(struct span_record *record, const svc_kv *items);

/* Links the record to a span. */
void svc__span_record_link(struct span_record *record, const struct trace *to);

#endif
