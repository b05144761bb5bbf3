/* Answers of a receiver. */
#include "libsvc/otlp/otlp_verdict.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

/* As the mapping of protocol buffers to JSON has 64-bit integers: a string, or a number. */
static uint64_t read_count(const json_t *value, size_t batch)
{
    long long count = json_is_integer(value) ? json_integer_value(value) : 0;
    if (json_is_string(value))
        count = strtoll(json_string_value(value), NULL, 10);
    if (count <= 0)
        return 0;
    return (uint64_t)count < batch ? (uint64_t)count : batch;
}

static void read_rejection(const char *body, size_t len, size_t batch,
                           struct otlp_rejection *rejection)
{
    json_t *document = len ? json_loadb(body, len, 0, NULL) : NULL;
    const json_t *part = json_object_get(document, "partialSuccess");
    const char *message = json_string_value(json_object_get(part, "errorMessage"));
    rejection->count = read_count(json_object_get(part, "rejectedSpans"), batch);
    if (message)
        snprintf(rejection->message, sizeof rejection->message, "%s", message);
    json_decref(document);
}

enum otlp_verdict svc__otlp_verdict_read(int status, const char *body, size_t len, size_t batch,
                                         struct otlp_rejection *rejection)
{
    *rejection = (struct otlp_rejection){.count = 0};
    if (status >= 200 && status < 300) {
        read_rejection(body, len, batch, rejection);
        return OTLP_TAKEN;
    }
    if (status < 200 || status == 429 || status == 502 || status == 503 || status == 504)
        return OTLP_AGAIN;
    return OTLP_REFUSED;
}
