/* The picture gallery: uploads, what it serves, and the events by which open pages learn of new
 * pictures. */
#ifndef GALLERY_H
#define GALLERY_H

#include <svc.h>

struct gallery {
    /* Settings. */
    const char *folder;      /* the pictures */
    const char *page_folder; /* index.html and what it loads */

    svc_topic *news;
    svc_multipart_options uploads;
};

/* Makes the service. `gallery` must live as long as the app. */
svc_app *gallery_new(struct gallery *gallery);

#endif
