/* Files that have no name until they are kept, so that nothing is left of those that are not, even
 * if the process is killed. */
#ifndef SVC_FORM_UPLOAD_FILE_H
#define SVC_FORM_UPLOAD_FILE_H

#include "libsvc/base/bytes.h"

/* Opens a new file without a name in the folder. Its descriptor, or a negated errno: EOPNOTSUPP
 * where the file system has no such files. Any thread. */
int svc__upload_file_open(const char *folder);

/* Writes all of the bytes. 0 or an errno. */
int svc__upload_file_write(int fd, struct bytes data);

/* Whether a name is one of a file in a folder: not empty, no path, not "." or "..", and not too
 * long. Any thread. */
bool svc__upload_file_name_valid(const char *name);

/* Gives the file a valid name in the folder, where there is none such. 0 or an errno. */
int svc__upload_file_link(int fd, const char *folder, const char *name);

/* The status for a failure with that errno: 507, 503 or 500. Any thread. */
int svc__upload_file_status(int error);

#endif
