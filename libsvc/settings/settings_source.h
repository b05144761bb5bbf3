/* The sources of settings beside the program: the environment, and files of environment variables.
 */
#ifndef SVC_SETTINGS_SETTINGS_SOURCE_H
#define SVC_SETTINGS_SETTINGS_SOURCE_H

#include "libsvc/settings/settings.h"

/*
 * As svc_app_read_environment: reads the environment's variables with the prefix, which is kept,
 * into all settings. Each bad value is kept as a set-up error. 0, SVC_EINVAL for a bad prefix,
 * SVC_ECONFIG (also for a required setting without a value, which is no set-up error yet), or
 * SVC_ENOMEM.
 */
int svc__settings_source_prefix(struct settings *settings, const char *prefix);

/* The same for the settings that were added since, with the same prefix. It does nothing when no
 * prefix was read. */
int svc__settings_source_added(struct settings *settings);

/*
 * Reads a file of environment variables (see base/env_file.h), 1 MiB at most, into all settings but
 * those that the environment has given. Names of no setting are skipped, since a file may serve
 * several programs. Each mistake is kept as a set-up error with file and line. 0, SVC_ECONFIG or
 * SVC_ENOMEM.
 */
int svc__settings_source_file(struct settings *settings, const char *path);

#endif
