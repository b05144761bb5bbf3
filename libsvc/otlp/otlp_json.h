/* Spans as OTLP has them in JSON: ids in hexadecimal digits, enums as numbers, 64-bit integers as
 * text. */
#ifndef SVC_OTLP_OTLP_JSON_H
#define SVC_OTLP_OTLP_JSON_H

#include <svc/sys/span.h>

#include "libsvc/otlp/otlp_text.h"

enum {
    OTLP_JSON_KINDS = 6,  /* of enum svc_span_kind, and one for any other */
    OTLP_JSON_KNOWN = 24, /* attributes of a span whose places are known: most have fewer */
};

/* The latest span of a kind, and the places of its attributes in the text. */
struct otlp_json_latest {
    const svc_sys_span *span; /* where `known` is not 0 */
    size_t known;
    size_t starts[OTLP_JSON_KNOWN + 1]; /* up to the end of the last that is known */
};

/* A request in the making. Zeros, but for the ceiling of its text, to begin with. */
struct otlp_json {
    struct otlp_text text;
    size_t count; /* of spans */
    struct otlp_json_latest latest[OTLP_JSON_KINDS];
};

/* Begins a request of spans, of a resource with these attributes. */
void svc__otlp_json_begin(struct otlp_json *json, const svc_kv *resource, size_t count);

/* Adds a span, which is borrowed until the request's end. */
void svc__otlp_json_span(struct otlp_json *json, const svc_sys_span *span);

/* Ends the text that svc__otlp_json_begin has begun. */
void svc__otlp_json_end(struct otlp_json *json);

#endif
