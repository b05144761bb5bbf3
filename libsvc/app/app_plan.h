/* What an app and the apps mounted on it have registered, compiled into what serves. */
#ifndef SVC_APP_APP_PLAN_H
#define SVC_APP_APP_PLAN_H

#include "libsvc/app/app_internal.h"
#include "libsvc/exchange/plan.h"

/* Keeps a set-up error for each two routes whose patterns conflict. */
void svc__app_plan_check(svc_app *app);

/*
 * Compiles a plan from what is registered, without set-up errors so far: the mounted apps are
 * adopted, and the default layers made. The plan lacks workers. It borrows from the app, which must
 * live as long; the app is not changed, so that another plan can be compiled. 0, SVC_EROUTES with a
 * set-up error, or SVC_ENOMEM.
 */
int svc__app_plan_compile(svc_app *app, struct plan **out);

#endif
