/* Taking a service down in an order that loses no request behind a load balancer. */
#ifndef SVC_SERVICE_DRAIN_H
#define SVC_SERVICE_DRAIN_H

#include "libsvc/service/service.h"

/*
 * Waits for a stop, by svc_app_stop or a signal where svc_app_run has taken them, then drains:
 * readiness off, the drain delay (not on SIGINT), listeners closed, silent connections closed,
 * requests awaited until the drain timeout or a second stop, the rest cut, then likewise the app's
 * tasks, everything ended and freed, the app's hooks run, its log closed. Where a handler, a task
 * or a readiness check still runs, nothing is freed and the app stays as it is. 0, or SVC_EFORCED
 * when requests were cut or tasks had not ended.
 */
int svc__drain_run(struct service *service);

#endif
