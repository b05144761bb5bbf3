/* Stalls: code of the app that holds an event loop for too long. They are counted by route and
 * logged with a remedy. */
#ifndef SVC_APP_STALLS_H
#define SVC_APP_STALLS_H

#include <svc/types.h>

#include "libsvc/run/watchdog.h"

/* Makes the watchdog of a loop that serves a readied app; its subjects are struct route. */
void svc__stalls_watch(svc_app *app, struct watchdog *dog);

/* Registers the metrics that all watchdogs of the app count. 0 or SVC_ENOMEM. */
int svc__stalls_register(svc_app *app);

#endif
