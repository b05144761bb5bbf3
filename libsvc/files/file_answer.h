/* The reply that sends a file, or a 304 or 412 in its place. */
#ifndef SVC_FILES_FILE_ANSWER_H
#define SVC_FILES_FILE_ANSWER_H

#include <svc/pending.h>

#include "libsvc/files/folder.h"

/*
 * Answers with a chosen file, whose reference is taken in every case. `content_tag` is the tag of
 * its content ("": it has none); NULL for the tag of its version. 0, SVC_ENOMEM, SVC_ETOOBIG. The
 * thread that has the request and the response.
 */
int svc__file_answer(svc_request *req, svc_response *res, const struct folder *folder,
                     const struct chosen_file *chosen, const char *content_tag);

/* Answers 503: the system lacks something for a moment. 0, SVC_ENOMEM, SVC_ETOOBIG. */
int svc__file_answer_busy(svc_response *res);

/* Ends a request that was deferred: by `res`, or by a 500 if there is an `error`. Both are taken;
 * `res` may be NULL then. Any thread. */
void svc__file_answer_end(svc_pending *pending, svc_response *res, int error);

#endif
