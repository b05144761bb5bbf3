/* The requests in flight, as log lines. */
#ifndef SVC_SERVICE_LOG_FLIGHTS_H
#define SVC_SERVICE_LOG_FLIGHTS_H

#include <svc/types.h>

/* Logs a line for each request in flight, the oldest first and CENSUS_FLIGHTS at most, one for each
 * loop that is late to answer, and one with the numbers. Waits for loops for a quarter of a second.
 * The thread that waits for the service's end. */
void svc__log_flights(svc_app *app);

#endif
