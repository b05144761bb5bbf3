/*
 * Exports spans to an OpenTelemetry receiver, by OTLP/HTTP with JSON. This is a library of its own
 * (libsvc-otlp, `pkg-config --libs libsvc-otlp`), and <svc.h> does not include this header.
 *
 *     svc_app *app = svc_app_new("orders");
 *     svc_otlp_add(app, NULL);
 *     return svc_app_main(app, argc, argv);
 *
 * A thread of the library sends batches in the background; no request waits for it. OpenTelemetry's
 * environment variables (docs/tracing.md lists them), such as OTEL_EXPORTER_OTLP_ENDPOINT, have precedence
 * over the options that a program sets here.
 */
#ifndef SVC_OTLP_H
#define SVC_OTLP_H

#include <svc/types.h>

SVC_BEGIN_DECLS

/* The options of a program. Begin with SVC_OTLP_INIT. */
typedef struct svc_otlp {
    size_t size;              /* set by SVC_OTLP_INIT */
    const char *service_name; /* NULL: the app's name */
    const char *endpoint;     /* a URL, without "/v1/traces"; NULL: http://localhost:4318 */

    /* Whether a request that fails is exported with its spans, although it is not sampled. Each request then
     * records its spans, which are dropped if it does not fail. */
    int keep_failed;

    /* How long the stop waits for the receiver to take the rest, in milliseconds, up to 600000. This comes
     * after the drain, whose timeout does not include it. */
    unsigned flush_ms;
} svc_otlp;

#define SVC_OTLP_INIT                                                                              \
    {                                                                                              \
        sizeof(svc_otlp), NULL, NULL, 0, 3000                                                      \
    }

/*
 * Exports the spans of the app's requests, from its start hooks on until its stop hooks. `options` is
 * copied; NULL stands for SVC_OTLP_INIT. With OTEL_SDK_DISABLED=true, or OTEL_TRACES_EXPORTER=none, nothing
 * is recorded, and the call returns 0. A variable with a bad value counts as not set, which is logged at the
 * start. The receiver need not be there: batches that it does not take are counted and dropped. 0;
 * SVC_EINVAL; SVC_ESTATE when the app has an exporter or has started; SVC_ENOMEM, also for a NULL app. All
 * are kept as set-up errors. Before start only. Since: 0.1
 */
SVC_API int svc_otlp_add(svc_app *app, const svc_otlp *options);

/* The numbers of the app's spans, by their fate. The program sets `size`. */
typedef struct svc_otlp_counts {
    size_t size;
    uint64_t sent;     /* taken by the receiver */
    uint64_t rejected; /* refused by the receiver, in whole batches or a part of one */
    uint64_t failed;   /* not delivered in time */
    uint64_t dropped;  /* because the queue or the memory had no room */
    uint64_t queued;   /* waiting, or on their way */
} svc_otlp_counts;

#define SVC_OTLP_COUNTS_INIT                                                                       \
    {                                                                                              \
        sizeof(svc_otlp_counts), 0, 0, 0, 0, 0                                                     \
    }

/*
 * Fills `counts`. 0; SVC_EINVAL; SVC_ENOTFOUND when the app exports nothing; SVC_ENOMEM for a NULL app.
 * Any thread. Since: 0.1
 */
SVC_API int svc_otlp_read_counts(const svc_app *app, svc_otlp_counts *counts);

SVC_END_DECLS

#endif
