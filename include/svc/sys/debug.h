/*
 * The seam for libraries that add pages below /debug/ to the admin listener, such as libsvc-pprof. Programs
 * need nothing of this: their own admin routes are those of svc_app_admin.
 */
#ifndef SVC_SYS_DEBUG_H
#define SVC_SYS_DEBUG_H

#include <svc/types.h>

SVC_BEGIN_DECLS

/*
 * The group "/debug" of the app's admin app (svc_app_admin), made by the first call. With the setting
 * debug_pages off, its routes are left out at the start, as if they had not been registered. With it on, a
 * layer in front of them answers 401 without the token of admin_token_file, if that is set, and 421 to a peer
 * on loopback whose Host is neither localhost nor an address; replies that pass it get the fields by which
 * browsers keep them from other pages. Routes of the group may have the flags of any route.
 *
 * Owned by the app. NULL when out of memory and once started, which is kept as a set-up error; calls on groups
 * accept that NULL. Before start only. Since: 0.1
 */
SVC_API svc_group *svc_sys_debug_group(svc_app *app);

SVC_END_DECLS

#endif
