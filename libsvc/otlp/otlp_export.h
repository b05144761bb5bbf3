/* The exporter: takes spans from the threads that serve, and sends them from a thread of its own.
 */
#ifndef SVC_OTLP_OTLP_EXPORT_H
#define SVC_OTLP_OTLP_EXPORT_H

#include <pthread.h>

#include <svc/metric.h>

#include "libsvc/otlp/otlp_config.h"
#include "libsvc/otlp/otlp_http.h"
#include "libsvc/otlp/otlp_json.h"
#include "libsvc/otlp/otlp_queue.h"

/* The fates of a span; the words are those of svc_otlp_counts and of the metric's label. */
enum otlp_result { OTLP_SENT, OTLP_REJECTED, OTLP_FAILED, OTLP_DROPPED, OTLP_RESULTS };

/* All of it, in the memory of the app. */
struct otlp_export {
    svc_app *app;
    struct otlp_config config;
    struct otlp_queue queue;
    struct otlp_http *http; /* from the start to the stop */
    pthread_t thread;
    _Atomic bool stopping;
    _Atomic uint64_t stop_ms; /* when the stop waits no longer; 0: none was asked for */
    _Atomic uint64_t counts[OTLP_RESULTS];
    svc_counter *counters[OTLP_RESULTS]; /* the same as a metric */
    svc_gauge *queued;                   /* spans that wait, or are on their way */

    /* The thread's own. */
    svc_sys_span *waiting, **waiting_end; /* taken from the queue, the oldest first */
    size_t waiting_count;
    struct otlp_json json;
    struct otlp_text gzip;
    uint64_t quiet_until_ms; /* the receiver has asked for no request before; 0: it has not */
    bool failing;            /* the last batch was not taken, which has been logged */
    uint64_t dropped_logged, drops_logged_ms;
};

/* Takes a span that has ended, as svc_sys_exporter.take. */
void svc__otlp_export_take(void *arg, svc_sys_span *span);

/* Counts a span that there was no memory for, as svc_sys_exporter.lose. */
void svc__otlp_export_lose(void *arg);

/* Starts the thread. 0, SVC_ENOMEM or SVC_ESYSTEM. */
int svc__otlp_export_start(struct otlp_export *otlp);

/* Has the thread send the rest, within flush_ms, and ends it. Spans that come later are dropped. */
void svc__otlp_export_stop(struct otlp_export *otlp);

#endif
