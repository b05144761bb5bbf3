/* The reports service over HTTP. */
#ifndef REPORTS_REPORTS_H
#define REPORTS_REPORTS_H

#include <pthread.h>

#include "board.h"
#include "metrics.h"

/* The service's settings and state. */
struct reports {
    const char *folder; /* settings */
    uint64_t max_upload_bytes, max_reports, queue_length;
    int directory; /* these from the start hook to the stop hook */
    struct board *board;
    pthread_mutex_t keeping;
    struct metrics metrics;
};

/*
 * Makes the service, with routes for uploads and reports, settings, metrics, a readiness check and
 * the task that makes reports; `reports`, which it fills, is borrowed by the app. NULL when out of
 * memory.
 */
svc_app *reports_new(struct reports *reports);

#endif
