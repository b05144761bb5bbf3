/* Loads off the requests: values that are given while they are stale, or that expire soon, are
 * loaded anew by a worker of the app. */
#ifndef SVC_MEMO_MEMO_REFRESH_H
#define SVC_MEMO_MEMO_REFRESH_H

#include "libsvc/memo/memo_flight.h"

/* Has a worker load a value anew, unless its load is under way or has failed of late; or not, if no
 * worker can be had, out of memory, or once the workers stop. Any thread while the app serves. */
void svc__memo_refresh(svc_memo *memo, const struct memo_wish *wish);

#endif
