/* The settings of an app and of the apps mounted on it. */
#ifndef SVC_APP_APP_SETTINGS_H
#define SVC_APP_APP_SETTINGS_H

#include "libsvc/app/app_internal.h"

/* Takes over the settings of a mounted app, and reads the environment for them. 0, SVC_EINVAL for a
 * name that both have, or an error of svc_app_read_environment. */
int svc__app_settings_adopt(svc_app *app, svc_app *inner);

/* Checks every setting of the app and of the apps mounted on it, and keeps an error for each bad or
 * missing one. 0 or SVC_ECONFIG. */
int svc__app_settings_check(svc_app *app);

#endif
