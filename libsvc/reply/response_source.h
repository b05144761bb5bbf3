/* Bodies that are sources. */
#ifndef SVC_REPLY_RESPONSE_SOURCE_H
#define SVC_REPLY_RESPONSE_SOURCE_H

#include "libsvc/exchange/exchange.h"

/* Makes the body of a decided reply a source, whatever it was: one that trailers follow, for
 * example, is read piece by piece. 0 or SVC_ENOMEM. */
int svc__response_source_make(svc_response *res);

#endif
