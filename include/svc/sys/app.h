/*
 * The seam for optional libraries: the calls on an app that they need beside the public headers. Programs need nothing
 * of this.
 */
#ifndef SVC_SYS_APP_H
#define SVC_SYS_APP_H

#include <svc/types.h>

SVC_BEGIN_DECLS

/*
 * `size` bytes, aligned for any type, all zero, that live until the app is freed. NULL when out of memory or
 * once started, which is kept as a set-up error. Before start only. Since: 0.1
 */
SVC_API void *svc_sys_app_alloc(svc_app *app, size_t size) SVC_MUST_CHECK;

/*
 * Keeps a set-up error: that `call` has failed with `error`, an SVC_E… code, so that the start fails and
 * reports it. `call` is copied. Returns `error`, or SVC_ENOMEM for a NULL app. Any thread. Since: 0.1
 */
SVC_API int svc_sys_app_refuse(svc_app *app, int error, const char *call);

SVC_END_DECLS

#endif
