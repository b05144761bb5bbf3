/* The life of a logger: its settings, and its sink from opening to end. */
#ifndef SVC_LOG_LOGGER_H
#define SVC_LOG_LOGGER_H

#include <svc/config.h>

#include "libsvc/log/log.h"

/* Makes a logger that logs nothing yet. The name is borrowed. 0 or SVC_ENOMEM. */
int svc__logger_init(struct logger *logger, const char *app);

/* Frees a logger's memory; its sink must be closed. */
void svc__logger_free(struct logger *logger);

/* Takes over the settings but for the form; bad ones stay at their defaults. Before any hook runs.
 */
void svc__logger_configure(struct logger *logger, const svc_config *config);

/* Opens the sink, for at most `max_rings` threads, in the form that suits `fd`, which is
 * duplicated. 0 or SVC_ESYSTEM. */
int svc__logger_open(struct logger *logger, const svc_config *config, int fd, size_t max_rings);

/* Names the file that svc_app_reopen_log opens, for a logger that is open. Copied. 0 or SVC_ENOMEM.
 */
int svc__logger_follow(struct logger *logger, const char *path);

/* Writes the accepted lines, for at most `flush_ms`, and frees the sink, which no thread may use
 * any more. */
void svc__logger_close(struct logger *logger, unsigned flush_ms);

#endif
