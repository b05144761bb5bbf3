/* Bodies that are parts of files. */
#ifndef SVC_EXCHANGE_RESPONSE_FILE_H
#define SVC_EXCHANGE_RESPONSE_FILE_H

#include <sys/stat.h>

#include "libsvc/exchange/exchange.h"

/* Answers with the part of a file that `file` says, of which `info` is known. Takes the descriptor
 * unless it fails. 0, SVC_EINVAL, SVC_ENOMEM or SVC_ETOOBIG. */
int svc__response_file_set(svc_response *res, int status, const char *type, const svc_file *file,
                           const struct stat *info);

/* Whether the file of a response still has the part that was promised. */
bool svc__response_file_whole(const svc_response *res);

/* Takes the file out of the response as a source, which owns it. 0 or SVC_ENOMEM. */
int svc__response_file_source(svc_response *res, svc_source *source);

#endif
