/* Spans as OTLP has them in JSON: ids in hexadecimal digits, enums as numbers, 64-bit integers as
 * text. */
#ifndef SVC_OTLP_OTLP_JSON_H
#define SVC_OTLP_OTLP_JSON_H

#include <svc/sys/span.h>

#include "libsvc/otlp/otlp_text.h"

/* Begins a request of spans, of a resource with these attributes. */
void svc__otlp_json_begin(struct otlp_text *text, const svc_kv *resource, size_t count);

/* Adds a span; `first` stands behind the begin. */
void svc__otlp_json_span(struct otlp_text *text, const svc_sys_span *span, bool first);

/* Ends the text that svc__otlp_json_begin has begun. */
void svc__otlp_json_end(struct otlp_text *text);

#endif
