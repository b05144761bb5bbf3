/* Where the values of settings come from beside the program: the environment, and files of it. */
#ifndef SVC_SETTINGS_SETTINGS_SOURCE_H
#define SVC_SETTINGS_SETTINGS_SOURCE_H

#include "libsvc/settings/settings.h"

/*
 * svc_app_read_environment: reads what the environment has by the prefix, which is kept, into all
 * settings. Each bad value is kept as a set-up error. 0, SVC_EINVAL for a bad prefix, SVC_ECONFIG
 * also for a required setting without a value, which is no error yet, or SVC_ENOMEM.
 */
int svc__settings_source_prefix(struct settings *settings, const char *prefix);

/* The same for the settings that were added since, by the prefix of then; without one, nothing. */
int svc__settings_source_added(struct settings *settings);

/*
 * Reads a file of environment variables (see base/env_file.h), 1 MiB at most, into all settings but
 * those that the environment has given. Names that are no setting's are passed over: a file may
 * serve several programs. Everything that is wrong is kept as a set-up error with file and line. 0,
 * SVC_ECONFIG or SVC_ENOMEM.
 */
int svc__settings_source_file(struct settings *settings, const char *path);

#endif
