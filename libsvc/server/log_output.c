/* Opening the log's output. It is the first thing that a start does, so that hooks can log. */
#include "libsvc/server/log_output.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "libsvc/core/app_internal.h"

/* As many threads as may be set, and that of the admin pages; with more CPUs than that, those
 * beyond share a ring. */
enum { LOG_MODE = 0644, MAX_RINGS = 1025 };

static int refuse(svc_app *app, int error, const char *reason)
{
    svc__app_error(app, NULL, 0, "log_output \"%s\": %s", app->config.log_output, reason);
    return error;
}

int svc__log_output_open(svc_app *app)
{
    const char *output = app->config.log_output;
    bool standard = !strcmp(output, "stdout") || !strcmp(output, "stderr");
    int fd = !strcmp(output, "stdout") ? STDOUT_FILENO : STDERR_FILENO;
    if (!standard)
        fd = open(output, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, LOG_MODE);
    if (fd < 0)
        return refuse(app, SVC_ECONFIG, strerror(errno));
    int error = svc__logger_open(&app->logger, &app->config, fd, MAX_RINGS);
    if (!standard)
        close(fd);
    return error ? refuse(app, error, "cannot be used") : 0;
}
