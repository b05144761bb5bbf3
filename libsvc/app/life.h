/* The states of an app's life, for calls from any thread at any time. */
#ifndef SVC_APP_LIFE_H
#define SVC_APP_LIFE_H

#include "libsvc/app/app_internal.h"

/* Takes the app from one state into another. False when the app is not in `from`, since another
 * call has changed its state. Any thread. */
bool svc__life_enter(svc_app *app, enum app_state from, enum app_state to);

/* Makes this thread one of the app's own, which the app's end waits for. */
void svc__life_adopt_thread(const svc_app *app);

/* Whether this thread is one of the app's own: then it cannot wait for the app's end. */
bool svc__life_owns_thread(const svc_app *app);

/* The number of stops requested so far, by svc_app_stop and by signals. Any thread. */
unsigned svc__life_stops(const svc_app *app);

/* Begins to count the stops that cancel a start. The starting thread. */
void svc__life_begin_start(svc_app *app);

/* Whether a stop was requested since svc__life_begin_start. Any thread. */
bool svc__life_start_cancelled(const svc_app *app);

#endif
