/* What each event loop has of its own: what svc_app_each_loop has registered, begun and ended. */
#ifndef SVC_APP_LOOP_HOOKS_H
#define SVC_APP_LOOP_HOOKS_H

#include <svc/loop.h>

#include "libsvc/app/app_internal.h"

/* Makes the states of a loop, in order of registration. SVC_ENOMEM, or SVC_ESTART where one could
 * not be made, kept as a set-up error: those before it are ended again. For an app that is readied;
 * the loop's thread. */
int svc__loop_hooks_begin(svc_app *app, svc_loop *loop);

/* Ends the states that there are, the last one first. The loop's thread, when nothing else runs on
 * it any more. */
void svc__loop_hooks_end(svc_loop *loop);

/* Takes those of a mounted app over. 0, or SVC_EINVAL, kept as a set-up error, where both apps have
 * a key. */
int svc__loop_hooks_adopt(svc_app *app, svc_app *inner);

#endif
