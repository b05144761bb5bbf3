/* The status page: the state of a running service, for people at /debug/ and as JSON at
 * /debug/vars. */
#ifndef SVC_OPS_STATUS_PAGE_H
#define SVC_OPS_STATUS_PAGE_H

#include <svc/types.h>

/* Adds both to `admin`, the app of the library's pages, whose memory they use, about `app`, which
 * is borrowed. 0 or SVC_ENOMEM. */
int svc__status_page_add(svc_app *admin, svc_app *app);

#endif
