/* Gauges whose values the program gives when it is asked (svc_app_gauge_fn), each on a thread of
 * its own. */
#ifndef SVC_OPS_ASKED_GAUGES_H
#define SVC_OPS_ASKED_GAUGES_H

#include <stdint.h>

#include <svc/types.h>

struct asked_gauges;

/* Those of an app, which is borrowed; none is asked yet. NULL when out of memory. */
struct asked_gauges *svc__asked_gauges_new(svc_app *app);

/*
 * Asks all gauges of the app that there are by now, and waits for their answers for a second at
 * most. A walk over the metrics then gives the values of those that have answered. Any thread that
 * may block, also several.
 */
void svc__asked_gauges_ask(struct asked_gauges *gauges);

/* Ends their threads, as svc__checks_stop. Accepts NULL. */
int svc__asked_gauges_stop(struct asked_gauges *gauges, uint64_t deadline_ms);

/* Frees gauges without threads. Accepts NULL. */
void svc__asked_gauges_free(struct asked_gauges *gauges);

#endif
