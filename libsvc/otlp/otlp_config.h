/* The configuration by OpenTelemetry's environment variables and the program's options, read once.
 */
#ifndef SVC_OTLP_OTLP_CONFIG_H
#define SVC_OTLP_OTLP_CONFIG_H

#include <svc/log.h>
#include <svc/otlp.h>

#include "libsvc/otlp/otlp_sample.h"

enum {
    OTLP_RESOURCE_MOST = 64, /* attributes of the resource */
    OTLP_HEADERS_MOST = 32,  /* header fields of a request */
    OTLP_WARNINGS_MOST = 64, /* one for each variable at most */
    OTLP_NUMBER_MOST = INT32_MAX
};

/* A variable with a bad value. The value is not repeated: it may be a secret. */
struct otlp_warning {
    const char *name, *reason; /* static */
};

struct otlp_config {
    bool disabled;
    const char *url;       /* of the traces */
    const char *shown_url; /* the same without user, password and query, for logs */
    const char *headers[OTLP_HEADERS_MOST]; /* as libcurl takes them: "name: value", or "name;" */
    size_t header_count;
    svc_kv resource[OTLP_RESOURCE_MOST];
    size_t resource_count;
    const char *authorities;                     /* a file of certificates; NULL: the system's */
    const char *client_certificate, *client_key; /* files; NULL for none */
    bool gzip;
    struct otlp_sampler sampler;
    uint64_t timeout_ms;                          /* of a request */
    uint64_t delay_ms;                            /* between two batches that are not full */
    uint64_t batch_timeout_ms;                    /* of a batch, with all repetitions */
    uint64_t queue_max, batch_max;                /* spans */
    uint64_t max_attributes, max_links, max_text; /* of a span */
    uint64_t flush_ms;
    bool keep_failed;
    struct otlp_warning warnings[OTLP_WARNINGS_MOST];
    size_t warning_count;
};

/* Reads the environment, which has precedence over the program's options. Texts are in the app's
 * memory. 0, SVC_ENOMEM, or SVC_EINVAL for an endpoint of the program's that is no URL. Before
 * start only. */
int svc__otlp_config_read(struct otlp_config *config, svc_app *app, const svc_otlp *options);

#endif
