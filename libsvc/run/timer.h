/* Timers of the application, as the reactor sees them. */
#ifndef SVC_RUN_TIMER_H
#define SVC_RUN_TIMER_H

#include "libsvc/base/wheel.h"

/* Calls the function of a timer that the reactor's wheel has given out, which may free it. */
void svc__timer_fire(struct timer *timer);

#endif
