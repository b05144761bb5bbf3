/*
 * The service's own metrics, which /metrics shows beside those of the library:
 *
 *     reports_uploads_total{result}   counter: uploads, by their result
 *     reports_made_total{result}      counter: reports that were made: "ready" or "failed"
 *     reports_making_seconds          histogram: the time to make a report
 *     reports_waiting                 gauge, asked at scrape: reports that wait to be made
 */
#ifndef REPORTS_METRICS_H
#define REPORTS_METRICS_H

#include <svc.h>

enum upload_result {
    UPLOAD_CREATED,
    UPLOAD_KNOWN,     /* the service has the file already */
    UPLOAD_FULL,      /* the service has max_reports reports */
    UPLOAD_BUSY,      /* queue_length reports wait to be made */
    UPLOAD_TOO_LARGE, /* larger than max_upload_bytes */
    UPLOAD_BROKEN,    /* the client left, or was too slow */
    UPLOAD_FAILED,    /* the service could not keep the file */
    UPLOAD_RESULTS
};

/* The series are kept, so that counting is an addition. A series that is NULL counts nothing. */
struct metrics {
    svc_counter *uploads[UPLOAD_RESULTS];
    svc_counter *ready, *failed;
    svc_histogram *making;
};

/*
 * Registers the metrics. `count_waiting` is asked with `arg` at each scrape, on a thread of its
 * own, and only while the service runs: between the start hooks and the stop hooks. A failure is a
 * set-up error of the app.
 */
void metrics_register(struct metrics *metrics, svc_app *app, double (*count_waiting)(void *arg),
                      void *arg);

#endif
