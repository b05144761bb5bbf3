/* Where the values of settings come from beside the program: the environment, and files of it. */
#ifndef SVC_SETTINGS_CONFIG_SOURCE_H
#define SVC_SETTINGS_CONFIG_SOURCE_H

#include "libsvc/settings/config.h"

/*
 * Reads what the environment has by the app's prefix into `table` and those behind it. Each bad
 * value is kept as a set-up error. 0, SVC_ECONFIG also for a required setting without a value,
 * which is no error yet, or SVC_ENOMEM.
 */
int svc__config_source_environment(svc_app *app, struct config_table *table);

/*
 * Reads a file of environment variables (see base/env_file.h), 1 MiB at most, into all settings but
 * those that the environment has given. Names that are no setting's are passed over: a file may
 * serve several programs. Everything that is wrong is kept as a set-up error with file and line. 0,
 * SVC_ECONFIG or SVC_ENOMEM.
 */
int svc__config_source_file(svc_app *app, const char *path);

#endif
