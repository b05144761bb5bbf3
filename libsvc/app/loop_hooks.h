/* The states that each event loop has of its own, registered by svc_app_each_loop: their begin and
 * end. */
#ifndef SVC_APP_LOOP_HOOKS_H
#define SVC_APP_LOOP_HOOKS_H

#include <svc/loop.h>

#include "libsvc/app/app_internal.h"

/* Makes the states of a loop, in order of registration. 0, SVC_ENOMEM, or SVC_ESTART when one could
 * not be made, kept as a set-up error: the states before it are ended again. For a readied app; the
 * loop's thread. */
int svc__loop_hooks_begin(svc_app *app, svc_loop *loop);

/* Ends the states of a loop, the last one first. The loop's thread, when nothing else runs on the
 * loop any more. */
void svc__loop_hooks_end(svc_loop *loop);

/* Takes over the hooks of a mounted app. 0, or SVC_EINVAL, kept as a set-up error, when both apps
 * have the same key. */
int svc__loop_hooks_adopt(svc_app *app, svc_app *inner);

#endif
