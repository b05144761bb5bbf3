/* The media type of a file, by its name. */
#ifndef SVC_FILES_FILE_TYPE_H
#define SVC_FILES_FILE_TYPE_H

#include <svc/files.h>

/*
 * The media type for the suffix of `path`, in any case of letters: of the program's own `types`
 * (NULL: none), else of the table; NULL for an unknown suffix or none. Static or the program's. Any
 * thread.
 */
const char *svc__file_type_find(const svc_file_type *types, const char *path);

#endif
