/* Compiles the registrations of an app and of the apps mounted on it into a plan. */
#ifndef SVC_APP_APP_PLAN_H
#define SVC_APP_APP_PLAN_H

#include "libsvc/app/app_internal.h"
#include "libsvc/exchange/plan.h"

/* Keeps a set-up error for each pair of routes whose patterns conflict. */
void svc__app_plan_check(svc_app *app);

/*
 * Compiles a plan from the registrations of an app that has no set-up errors so far, has adopted
 * the mounted apps, and has made the default layers. The plan lacks workers. It borrows from the
 * app, which must live as long; the app is not changed, so that another plan can be compiled. 0,
 * SVC_EROUTES with a set-up error, or SVC_ENOMEM.
 */
int svc__app_plan_compile(svc_app *app, struct plan **out);

#endif
