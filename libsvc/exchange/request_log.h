/* Log lines of a request, which have its ids and its route. */
#ifndef SVC_EXCHANGE_REQUEST_LOG_H
#define SVC_EXCHANGE_REQUEST_LOG_H

#include "libsvc/log/log.h"

/* Puts the request's ids into a record and hands it over, as svc__log_hand_over. The request's
 * thread. */
void svc__request_log_hand_over(struct log *log, const svc_request *req, svc_log_record record);

#endif
