/* The download server: a folder with listings, and a page about it. */
#ifndef FILES_H
#define FILES_H

#include <svc.h>

struct files {
    /* Settings. */
    const char *folder; /* what is served */
};

/* Makes the service. `files` must live as long as the app. */
svc_app *files_new(struct files *files);

#endif
