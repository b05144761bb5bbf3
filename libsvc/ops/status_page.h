/* The status page: what a running service does, for people at /debug/ and as JSON at /debug/vars.
 */
#ifndef SVC_OPS_STATUS_PAGE_H
#define SVC_OPS_STATUS_PAGE_H

#include <svc/types.h>

/* Adds both to the admin app of an app that is being readied. 0 or SVC_ENOMEM. */
int svc__status_page_add(svc_app *app);

#endif
