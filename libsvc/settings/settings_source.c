/* Settings from the environment and from files of environment variables. */
#include "libsvc/settings/settings_source.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "libsvc/base/clock.h"
#include "libsvc/base/env_file.h"
#include "libsvc/settings/setting.h"

/* READ_MS is for another process that writes the file while it is read, as with a FIFO. */
enum { MAX_FILE = 1 << 20, READ_MS = 5000 };

/* A bad value gets an origin too, so that no other source replaces it and it does not count as
 * missing. */
static int take(struct settings *settings, struct settings_table *table, size_t index,
                struct bytes text, const struct settings_origin *origin)
{
    const svc_setting *setting = &table->settings[index];
    int error = svc__setting_parse(setting, text, table->values, settings->memory);
    table->origins[index] = *origin;
    if (!error)
        return 0;
    char name[SETTING_VARIABLE_SIZE];
    svc__setting_variable(name, setting, origin->prefix);
    if (error == SVC_ENOMEM)
        return svc__settings_refuse_call(settings, error, name);
    settings->bad = true;
    return svc__settings_refuse(settings, origin, name, setting, text, error);
}

/* ---- The environment */

static int read_variable(struct settings *settings, struct settings_table *table, size_t index)
{
    const struct settings_origin origin = {.prefix = settings->prefix};
    char name[SETTING_VARIABLE_SIZE];
    svc__setting_variable(name, &table->settings[index], origin.prefix);
    const char *text = getenv(name);
    int error = text ? take(settings, table, index, svc__bytes_z(text), &origin) : 0;
    return !error && svc__settings_missing(table, index) ? SVC_ECONFIG : error;
}

/* Reads the environment into `table` and the tables behind it. */
static int read_environment(struct settings *settings, struct settings_table *table)
{
    int first = 0;
    settings->unread = NULL;
    for (; table; table = table->next) {
        for (size_t i = 0; i < table->count; i++) {
            int error = read_variable(settings, table, i);
            first = first ? first : error;
        }
    }
    return first;
}

int svc__settings_source_prefix(struct settings *settings, const char *prefix)
{
    if (!prefix || strlen(prefix) > SETTING_PREFIX_MAX)
        return svc__settings_refuse_call(settings, SVC_EINVAL, "svc_app_read_environment");
    const char *copy = svc__arena_strndup(settings->memory, prefix, strlen(prefix));
    if (!copy)
        return svc__settings_refuse_call(settings, SVC_ENOMEM, "svc_app_read_environment");
    settings->prefix = copy;
    return read_environment(settings, &settings->first);
}

int svc__settings_source_added(struct settings *settings)
{
    return settings->prefix ? read_environment(settings, settings->unread) : 0;
}

/* ---- Files */

/* Waits for bytes, or the end, from another process. False, with errno, at the deadline. */
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

/* A read from a FIFO that no process has opened for writing yet returns the end. */
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

/* Reads a whole file. 0, SVC_ESYSTEM with errno, SVC_ETOOBIG, SVC_ENOMEM. */
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

static struct settings_table *find_setting(struct settings *settings, struct bytes variable,
                                           size_t *index)
{
    const char *prefix = svc__settings_prefix(settings);
    for (struct settings_table *table = &settings->first; table; table = table->next)
        for (size_t i = 0; i < table->count; i++)
            if (svc__setting_named(&table->settings[i], prefix, variable)) {
                *index = i;
                return table;
            }
    return NULL;
}

static int take_entry(struct settings *settings, const struct env_entry *entry, const char *path)
{
    size_t index;
    struct settings_table *table = find_setting(settings, entry->name, &index);
    if (!table)
        return 0;
    const struct settings_origin *before = &table->origins[index];
    if (before->prefix && !before->file)
        return 0; /* the environment has the last word */
    if (before->file == path) {
        svc__faults_add(settings->faults, path, (int)entry->line, "%.*s: already on line %zu",
                        (int)entry->name.len, entry->name.data, before->line);
        settings->bad = true;
        return SVC_ECONFIG;
    }
    const struct settings_origin origin = {svc__settings_prefix(settings), path, entry->line};
    return take(settings, table, index, entry->value, &origin);
}

static int take_entries(struct settings *settings, struct buf *text, const char *path)
{
    struct env_file file;
    struct env_entry entry;
    int first = 0;
    svc__env_file_init(&file, text->data, text->len);
    while (svc__env_file_next(&file, &entry)) {
        int error = SVC_ECONFIG;
        if (entry.reason)
            svc__faults_add(settings->faults, path, (int)entry.line, "%s", entry.reason);
        else
            error = take_entry(settings, &entry, path);
        first = first ? first : error;
    }
    settings->bad = settings->bad || first;
    return first;
}

static int refuse_file(struct settings *settings, const char *path, int error)
{
    svc__faults_add(settings->faults, NULL, 0, "%s: %s", path,
                    error == SVC_ESYSTEM ? strerror(errno) : svc_error_text(error));
    settings->bad = true;
    return error == SVC_ENOMEM ? error : SVC_ECONFIG;
}

int svc__settings_source_file(struct settings *settings, const char *path)
{
    struct buf text;
    svc__buf_init(&text, MAX_FILE + 1); /* one byte more, to find the end */
    const char *kept = svc__arena_strndup(settings->memory, path, strlen(path));
    int error = kept ? read_file(path, &text) : SVC_ENOMEM;
    error = error ? refuse_file(settings, path, error) : take_entries(settings, &text, kept);
    svc__buf_free(&text);
    return error;
}
