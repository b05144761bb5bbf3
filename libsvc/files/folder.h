/* A folder that a service serves, and the steps of a reply from it. */
#ifndef SVC_FILES_FOLDER_H
#define SVC_FILES_FOLDER_H

#include <svc/files.h>

#include "libsvc/files/open_files.h"
#include "libsvc/run/work.h"

struct folder {
    svc_files options;
    svc_app *app;
    const char *prefix;      /* that it was registered with */
    struct open_files *open; /* between the start and the stop of the service */
};

/* A file that answers a request. */
struct chosen_file {
    const char *path;       /* of the file that was asked for: it decides on type and rules */
    struct open_file *file; /* that is sent, by a reference */
    const char *coding;     /* of its content; NULL: none */
};

#endif
