/* Bodies that are parts of files. */
#ifndef SVC_REPLY_RESPONSE_FILE_H
#define SVC_REPLY_RESPONSE_FILE_H

#include <sys/stat.h>

#include "libsvc/exchange/exchange.h"

/* Answers with the part of a file that `file` names; `info` is that of its descriptor, which the
 * response owns from then on. 0, or SVC_EINVAL, SVC_ENOMEM or SVC_ETOOBIG: the descriptor is the
 * caller's then. */
int svc__response_file_set(svc_response *res, int status, const char *type, const svc_file *file,
                           const struct stat *info);

/* Answers with a whole file of `length` bytes, whose descriptor is shared: the response takes the
 * caller's reference. 0, or SVC_EINVAL, SVC_ENOMEM or SVC_ETOOBIG: it is the caller's then. */
int svc__response_file_share(svc_response *res, int status, const char *type,
                             struct shared_fd *shared, uint64_t length);

/* Whether the file of a response is still long enough for its part. */
bool svc__response_file_whole(const svc_response *res);

/* Makes a source of the response's file, which the source owns. 0 or SVC_ENOMEM. */
int svc__response_file_source(svc_response *res, svc_source *source);

#endif
