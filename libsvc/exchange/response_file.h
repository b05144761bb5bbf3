/* Bodies that are parts of files. */
#ifndef SVC_EXCHANGE_RESPONSE_FILE_H
#define SVC_EXCHANGE_RESPONSE_FILE_H

#include "libsvc/exchange/exchange.h"

/* Whether the file of a response still has the part that was promised. */
bool svc__response_file_whole(const svc_response *res);

/* Takes the file out of the response as a source, which owns it. 0 or SVC_ENOMEM. */
int svc__response_file_source(svc_response *res, svc_source *source);

#endif
