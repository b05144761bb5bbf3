/* The content codings of an app: those that are built in, and those that libraries have added. */
#ifndef SVC_CODING_CODINGS_H
#define SVC_CODING_CODINGS_H

#include <svc/sys/coding.h>

#include "libsvc/app/app_internal.h"

enum {
    CODINGS_OWN = 8, /* that may be added to one app */
    CODINGS_MAX = 16 /* of an app with those around it, and the library's own */
};

/* The coding of a name, in any case of letters, `x-gzip` included: of the app, of those around it,
 * or built in. NULL: there is none. Borrowed as long as the app. Once registration is over. */
const svc_sys_coding *svc__codings_find(const svc_app *app, struct bytes name);

/* Lists the codings that the app can use, each name once, in the order of their ranks. Returns
 * their number, CODINGS_MAX at most. Once registration is over. */
size_t svc__codings_list(const svc_app *app, const svc_sys_coding *out[static CODINGS_MAX]);

#endif
