/* Log lines of the library itself. */
#include "libsvc/core/log.h"

#include "libsvc/base/clock.h"

enum { MAX_LINE = 65536 };

const char *svc__log_level_name(int level)
{
    static const char *const names[] = {"error", "warn", "info", "debug"};
    bool known = level >= SVC_LEVEL_ERROR && level <= SVC_LEVEL_DEBUG;
    return known ? names[level] : "info";
}

static void append_item(struct buf *line, const struct log_item *item)
{
    svc__buf_putc(line, ',');
    svc__buf_json_string(line, svc__bytes_z(item->key));
    svc__buf_putc(line, ':');
    if (item->text.data)
        svc__buf_json_string(line, item->text);
    else
        svc__buf_u64(line, item->number);
}

void svc__log_write(const struct log *log, int level, const char *message,
                    const struct log_item *items, size_t count)
{
    if (!log->sink || level > log->level)
        return;
    char now[28];
    size_t now_len = svc__clock_rfc3339(now, svc__clock_wall_us());
    struct buf line;
    svc__buf_init(&line, MAX_LINE);
    svc__buf_puts(&line, "{\"time\":\"");
    svc__buf_append(&line, now, now_len);
    svc__buf_puts(&line, "\",\"level\":\"");
    svc__buf_puts(&line, svc__log_level_name(level));
    svc__buf_puts(&line, "\",\"app\":");
    svc__buf_json_string(&line, svc__bytes_z(log->app));
    svc__buf_puts(&line, ",\"msg\":");
    svc__buf_json_string(&line, svc__bytes_z(message));
    for (size_t i = 0; i < count; i++)
        append_item(&line, &items[i]);
    svc__buf_putc(&line, '}');
    svc__log_line(log, &line);
    svc__buf_free(&line);
}

void svc__log_line(const struct log *log, const struct buf *line)
{
    if (!log->sink)
        return;
    /* The sink drops, and counts, what is longer than a line can be. */
    size_t len = svc__buf_error(line) ? SIZE_MAX : line->len;
    if (log->ring)
        svc__sink_write(log->ring, line->data, len);
    else
        svc__sink_write_shared(log->sink, line->data, len);
}
