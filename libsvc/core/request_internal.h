/* What the library does to a request beside what the public calls do. */
#ifndef SVC_CORE_REQUEST_INTERNAL_H
#define SVC_CORE_REQUEST_INTERNAL_H

#include "libsvc/core/exchange.h"

/* Parses the query, unless that is done. 0 or SVC_ENOMEM: then there are no parameters. */
int svc__request_parse_query(svc_request *req);

#endif
