/* Opens the log's output. A start does this first, so that hooks can log. */
#include "libsvc/service/log_output.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "libsvc/app/app_internal.h"
#include "libsvc/log/outlet.h"

/* The largest number of loops that can be set, and the loop of the admin pages; with more CPUs than
 * that, the other threads share a ring. */
enum { MAX_RINGS = 1025 };

static int refuse_output(svc_app *app, int error, const char *reason)
{
    svc__faults_add(&app->faults, NULL, 0, "log_output \"%s\": %s", app->config.log_output, reason);
    return error;
}

/* A descriptor that was closed at the start of the program is occupied by now; see
 * svc__standard_occupy. */
static bool is_writable(int fd)
{
    int flags = fcntl(fd, F_GETFL);
    return flags >= 0 && (flags & O_ACCMODE) != O_RDONLY;
}

/* Words that are meant as a standard descriptor, but would be taken for the name of a file. */
static bool is_mistaken(const char *output)
{
    return !strcmp(output, "-") || !strcasecmp(output, "stdout") || !strcasecmp(output, "stderr");
}

/* The path is made absolute, since the working directory may be another when the file is opened
 * again. */
static int follow(struct logger *logger, const char *path)
{
    char *here = *path == '/' ? NULL : getcwd(NULL, 0), *whole = NULL;
    if (here && asprintf(&whole, "%s/%s", here, path) < 0)
        whole = NULL;
    int error = svc__logger_follow(logger, whole ? whole : path);
    free(here);
    free(whole);
    return error;
}

int svc__log_output_open(svc_app *app)
{
    const char *output = app->config.log_output;
    bool standard = !strcmp(output, "stdout") || !strcmp(output, "stderr");
    int fd = !strcmp(output, "stdout") ? STDOUT_FILENO : STDERR_FILENO;
    if (!standard && is_mistaken(output))
        return refuse_output(app, SVC_ECONFIG,
                             "expected stdout, stderr, or a file, of that name as ./NAME");
    if (!standard)
        fd = svc__outlet_open(output);
    if (fd < 0)
        return refuse_output(app, SVC_ECONFIG, strerror(errno));
    if (standard && !is_writable(fd))
        return refuse_output(app, SVC_ECONFIG, "it is closed, or not open for writing");
    int error = svc__logger_open(&app->logger, &app->config, fd, MAX_RINGS);
    if (!standard)
        close(fd);
    if (!error && !standard)
        error = follow(&app->logger, output);
    return error ? refuse_output(app, error, "cannot be used") : 0;
}
