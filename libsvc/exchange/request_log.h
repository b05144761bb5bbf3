/* Log lines of a request: they have its ids and its route. */
#ifndef SVC_EXCHANGE_REQUEST_LOG_H
#define SVC_EXCHANGE_REQUEST_LOG_H

#include "libsvc/log/log.h"

/* Hands a record over, with the request's ids in it, as svc__log_hand_over. The request's thread.
 */
void svc__request_log_hand_over(struct log *log, const svc_request *req, svc_log_record record);

#endif
