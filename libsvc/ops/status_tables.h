/* The tables of the status page, filled from a running service. */
#ifndef SVC_OPS_STATUS_TABLES_H
#define SVC_OPS_STATUS_TABLES_H

#include <svc/types.h>

#include "libsvc/ops/status_rates.h"
#include "libsvc/ops/status_writer.h"

/* The service that the tables show. */
struct status_subject {
    svc_app *app;         /* that serves */
    const svc_app *admin; /* of the library's own pages */
    struct rates *rates;
    uint64_t started_ns; /* of svc__clock_ns */
};

/* Writes all tables. Waits for loops that do not answer for a quarter of a second. A worker. */
void svc__status_tables_write(const struct status_subject *subject, struct status_writer *writer);

#endif
