/* Replies whose tag is a hash of the file's content: a worker reads the file, once for all requests
 * that wait for it. */
#ifndef SVC_FILES_FILE_TAG_H
#define SVC_FILES_FILE_TAG_H

#include "libsvc/files/folder.h"

/* Answers with a chosen file, whose reference is taken, at once or later. 0, SVC_ENOMEM,
 * SVC_ETOOBIG. The handler's thread. */
int svc__file_tag_answer(svc_request *req, svc_response *res, const struct folder *folder,
                         const struct chosen_file *chosen);

/* Writes the tag of what the descriptor leads to; `*size` is the number of bytes. 0 or SVC_ESYSTEM.
 */
int svc__file_tag_read(int fd, char tag[static FILE_TAG_SIZE], uint64_t *size);

#endif
