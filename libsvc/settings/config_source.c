/* Settings from the environment and from files of it. */
#include "libsvc/settings/config_source.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "libsvc/app/app_internal.h"
#include "libsvc/base/clock.h"
#include "libsvc/base/env_file.h"
#include "libsvc/settings/setting.h"

/* READ_MS is for another process that writes what is read, as to a FIFO. */
enum { MAX_FILE = 1 << 20, READ_MS = 5000 };

/* A bad value has an origin too: nothing else may take its place, or find that it is missing. */
static int take(svc_app *app, struct config_table *table, size_t index, struct bytes text,
                const struct config_origin *origin)
{
    const svc_setting *setting = &table->settings[index];
    int error = svc__setting_parse(setting, text, table->values, &app->memory);
    table->origins[index] = *origin;
    if (!error)
        return 0;
    char name[SETTING_VARIABLE_SIZE];
    svc__setting_variable(name, setting, origin->prefix);
    if (error == SVC_ENOMEM)
        return svc__config_refuse_call(app, error, name);
    app->tables.bad = true;
    return svc__config_refuse(app, origin, name, setting, text, error);
}

/* ---- The environment */

static int read_variable(svc_app *app, struct config_table *table, size_t index)
{
    const struct config_origin origin = {.prefix = app->tables.prefix};
    char name[SETTING_VARIABLE_SIZE];
    svc__setting_variable(name, &table->settings[index], origin.prefix);
    const char *text = getenv(name);
    int error = text ? take(app, table, index, svc__bytes_z(text), &origin) : 0;
    return !error && svc__config_missing(table, index) ? SVC_ECONFIG : error;
}

int svc__config_source_environment(svc_app *app, struct config_table *table)
{
    int first = 0;
    for (; table; table = table->next) {
        for (size_t i = 0; i < table->count; i++) {
            int error = read_variable(app, table, i);
            first = first ? first : error;
        }
    }
    return first;
}

int svc_app_environment(svc_app *app, const char *prefix)
{
    int error = svc__app_open(app, "svc_app_environment");
    if (error)
        return error;
    if (!prefix || strlen(prefix) > SETTING_PREFIX_MAX)
        return svc__config_refuse_call(app, SVC_EINVAL, "svc_app_environment");
    const char *copy = svc__arena_strndup(&app->memory, prefix, strlen(prefix));
    if (!copy)
        return svc__config_refuse_call(app, SVC_ENOMEM, "svc_app_environment");
    app->tables.prefix = copy;
    return svc__config_source_environment(app, &app->tables.first);
}

/* ---- Files */

/* Waits for bytes, or the end, of what another process writes. False, with errno, in the end of
 * time. */
static bool await_writer(int fd, uint64_t deadline_ms)
{
    struct pollfd writer = {.fd = fd, .events = POLLIN};
    for (;;) {
        uint64_t now = svc__clock_ms();
        int found = now < deadline_ms ? poll(&writer, 1, (int)(deadline_ms - now)) : 0;
        if (found == 0)
            errno = ETIMEDOUT;
        if (found >= 0 || errno != EINTR)
            return found > 0;
    }
}

/* Of a FIFO that nobody has opened for writing yet, a read gives its end. */
static bool is_unopened(int fd)
{
    struct stat status;
    struct pollfd writer = {.fd = fd, .events = POLLIN};
    return !fstat(fd, &status) && S_ISFIFO(status.st_mode) && poll(&writer, 1, 0) == 0;
}

static int read_all(int fd, struct buf *text)
{
    char *space;
    uint64_t deadline_ms = svc__clock_ms() + READ_MS;
    while ((space = svc__buf_reserve(text, 1))) {
        ssize_t n = read(fd, space, text->cap - text->len);
        bool waits = n < 0 ? errno == EAGAIN : n == 0 && text->len == 0 && is_unopened(fd);
        if (n == 0 && !waits)
            return 0;
        if (n > 0)
            text->len += (size_t)n;
        else if (waits ? !await_writer(fd, deadline_ms) : errno != EINTR)
            return SVC_ESYSTEM;
    }
    return svc__buf_error(text);
}

/* 0, SVC_ESYSTEM with errno, SVC_ETOOBIG, SVC_ENOMEM. */
static int read_file(const char *path, struct buf *text)
{
    int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (fd < 0)
        return SVC_ESYSTEM;
    int error = read_all(fd, text), saved = errno;
    close(fd);
    errno = saved;
    return error;
}

static struct config_table *find_setting(svc_app *app, struct bytes variable, size_t *index)
{
    const char *prefix = svc__config_prefix(app);
    for (struct config_table *table = &app->tables.first; table; table = table->next)
        for (size_t i = 0; i < table->count; i++)
            if (svc__setting_named(&table->settings[i], prefix, variable)) {
                *index = i;
                return table;
            }
    return NULL;
}

static int take_entry(svc_app *app, const struct env_entry *entry, const char *path)
{
    size_t index;
    struct config_table *table = find_setting(app, entry->name, &index);
    if (!table)
        return 0;
    const struct config_origin *before = &table->origins[index];
    if (before->prefix && !before->file)
        return 0; /* the environment has the last word */
    if (before->file == path) {
        svc__faults_add(&app->faults, path, (int)entry->line, "%.*s: already on line %zu",
                        (int)entry->name.len, entry->name.data, before->line);
        app->tables.bad = true;
        return SVC_ECONFIG;
    }
    const struct config_origin origin = {svc__config_prefix(app), path, entry->line};
    return take(app, table, index, entry->value, &origin);
}

static int take_entries(svc_app *app, struct buf *text, const char *path)
{
    struct env_file file;
    struct env_entry entry;
    int first = 0;
    svc__env_file_init(&file, text->data, text->len);
    while (svc__env_file_next(&file, &entry)) {
        int error = SVC_ECONFIG;
        if (entry.reason)
            svc__faults_add(&app->faults, path, (int)entry.line, "%s", entry.reason);
        else
            error = take_entry(app, &entry, path);
        first = first ? first : error;
    }
    app->tables.bad = app->tables.bad || first;
    return first;
}

static int refuse_file(svc_app *app, const char *path, int error)
{
    svc__faults_add(&app->faults, NULL, 0, "%s: %s", path,
                    error == SVC_ESYSTEM ? strerror(errno) : svc_error_text(error));
    app->tables.bad = true;
    return error == SVC_ENOMEM ? error : SVC_ECONFIG;
}

int svc__config_source_file(svc_app *app, const char *path)
{
    struct buf text;
    svc__buf_init(&text, MAX_FILE + 1); /* so that the end shows behind the last byte */
    const char *kept = svc__arena_strndup(&app->memory, path, strlen(path));
    int error = kept ? read_file(path, &text) : SVC_ENOMEM;
    error = error ? refuse_file(app, path, error) : take_entries(app, &text, kept);
    svc__buf_free(&text);
    return error;
}
