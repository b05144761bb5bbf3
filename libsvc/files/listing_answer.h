/* Replies that list a folder; a worker reads it. */
#ifndef SVC_FILES_LISTING_ANSWER_H
#define SVC_FILES_LISTING_ANSWER_H

#include "libsvc/files/folder.h"

/* Answers, later, with a listing of the folder at `path`, as svc__listing_read has it: in the form
 * and the order that the request asks for; 404 if there is no such folder. 0, SVC_ENOMEM,
 * SVC_ETOOBIG. The handler's thread. */
int svc__listing_answer(svc_request *req, svc_response *res, const struct folder *folder,
                        const char *path);

#endif
