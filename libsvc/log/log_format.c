/* The forms of a log line. In each of them, no logged text can break a line or reach a terminal as
 * a control character. */
#include "libsvc/log/log_format.h"

#include <math.h>
#include <unistd.h>

#include "libsvc/base/clock.h"
#include "libsvc/base/double.h"
#include "libsvc/log/log_level.h"

/* The parts of a line beside its items. */
enum { TIME, LEVEL, APP, MESSAGE, MODULE, ID, TRACE_ID, SPAN_ID, ROUTE, OWN_COUNT };

static const char *const own_keys[OWN_COUNT] = {"time", "level",    "app",     "msg",  "module",
                                                "id",   "trace_id", "span_id", "route"};

struct own {
    char now[CLOCK_RFC3339_SIZE];
    const char *values[OWN_COUNT]; /* "": not there */
};

static void fill_own(struct own *own, const svc_log_record *record)
{
    svc__clock_rfc3339(own->now, record->time_us);
    const char *values[OWN_COUNT] = {
        own->now,         svc__log_level_name(record->level),
        record->app,      record->message,
        record->module,   record->request_id,
        record->trace_id, record->span_id,
        record->route,
    };
    memcpy(own->values, values, sizeof values);
}

static bool is_own(const char *key)
{
    for (size_t i = 0; i < OWN_COUNT; i++)
        if (!strcmp(key, own_keys[i]))
            return true;
    return false;
}

/* ---- Numbers */

static void append_double(struct buf *line, double real)
{
    char *to = svc__buf_reserve(line, DOUBLE_LEN);
    if (to)
        line->len += svc__double_format(to, real);
}

static void append_int(struct buf *line, int64_t number)
{
    if (number < 0)
        svc__buf_putc(line, '-');
    svc__buf_u64(line, number < 0 ? 0 - (uint64_t)number : (uint64_t)number);
}

/* Appends a value other than text. */
static void append_number(struct buf *line, const svc_kv *item)
{
    switch (item->kind) {
    case SVC_KV_INT:
        append_int(line, item->value.number);
        break;
    case SVC_KV_UINT:
        svc__buf_u64(line, item->value.count);
        break;
    case SVC_KV_DOUBLE:
        if (isfinite(item->value.real))
            append_double(line, item->value.real);
        else
            svc__buf_puts(line, "null");
        break;
    case SVC_KV_BOOL:
        svc__buf_puts(line, item->value.truth ? "true" : "false");
        break;
    default:
        svc__buf_puts(line, "null");
        break;
    }
}

static bool is_text(const svc_kv *item)
{
    return item->kind == SVC_KV_STR && item->value.text;
}

/* ---- JSON */

static void json_key(struct buf *line, const char *key)
{
    if (!is_own(key)) {
        svc__buf_json_string(line, svc__bytes_z(key));
    } else { /* the line has a member of that name already */
        svc__buf_putc(line, '"');
        svc__buf_puts(line, key);
        svc__buf_puts(line, "_\"");
    }
    svc__buf_putc(line, ':');
}

void svc__log_format_json_item(struct buf *line, const svc_kv *item)
{
    svc__buf_putc(line, ',');
    json_key(line, item->key);
    if (is_text(item))
        svc__buf_json_string(line, svc__bytes(item->value.text, item->len));
    else
        append_number(line, item);
}

/* Appends the line's own members from `first` to `last`. */
static void json_own(struct buf *line, const struct own *own, size_t first, size_t last)
{
    for (size_t i = first; i <= last; i++) {
        if (i > MESSAGE && !*own->values[i])
            continue;
        svc__buf_puts(line, i ? ",\"" : "{\"");
        svc__buf_puts(line, own_keys[i]);
        svc__buf_puts(line, "\":");
        svc__buf_json_string(line, svc__bytes_z(own->values[i]));
    }
}

static void json_line(struct buf *line, const struct own *own, const svc_kv *items)
{
    json_own(line, own, TIME, MESSAGE);
    json_own(line, own, ROUTE, ROUTE);
    for (; items && items->key; items++)
        svc__log_format_json_item(line, items);
    json_own(line, own, ID, SPAN_ID);
    json_own(line, own, MODULE, MODULE);
    svc__buf_putc(line, '}');
}

/* ---- Pairs, for logfmt and for people */

static bool plain(struct bytes text, const char *but)
{
    for (size_t i = 0; i < text.len; i++)
        if (text.data[i] < 0x20 || text.data[i] > 0x7e || strchr(but, text.data[i]))
            return false;
    return true;
}

/* Appends a text unchanged, or as a JSON string, whose escapes readers of logfmt know. */
static void pair_value(struct buf *line, struct bytes text)
{
    if (text.len && plain(text, " =\"\\"))
        svc__buf_bytes(line, text);
    else
        svc__buf_json_string(line, text);
}

static void pair_key(struct buf *line, const char *key)
{
    if (!*key)
        svc__buf_putc(line, '_');
    for (const char *at = key; *at; at++)
        svc__buf_putc(line, plain(svc__bytes(at, 1), " =\"\\") ? *at : '_');
    svc__buf_puts(line, is_own(key) ? "_=" : "=");
}

static void pair_items(struct buf *line, const svc_kv *items)
{
    for (; items && items->key; items++) {
        svc__buf_putc(line, ' ');
        pair_key(line, items->key);
        if (is_text(items))
            pair_value(line, svc__bytes(items->value.text, items->len));
        else
            append_number(line, items);
    }
}

/* Appends the line's own pairs from `first` on, with spaces between them. */
static void pair_own(struct buf *line, const struct own *own, size_t first)
{
    for (size_t i = first; i < OWN_COUNT; i++) {
        if (i > MESSAGE && !*own->values[i])
            continue;
        if (line->len)
            svc__buf_putc(line, ' ');
        svc__buf_puts(line, own_keys[i]);
        svc__buf_putc(line, '=');
        pair_value(line, svc__bytes_z(own->values[i]));
    }
}

static void logfmt_line(struct buf *line, const struct own *own, const svc_kv *items)
{
    pair_own(line, own, TIME);
    pair_items(line, items);
}

/* The parts that people look for come first, and the ids last. */
static void text_line(struct buf *line, const struct own *own, const svc_kv *items)
{
    static const char *const levels[] = {"ERROR ", "WARN  ", "INFO  ", "DEBUG "};
    int level = SVC_LEVEL_INFO;
    svc__log_level_parse(svc__bytes_z(own->values[LEVEL]), &level);
    struct bytes message = svc__bytes_z(own->values[MESSAGE]);
    svc__buf_puts(line, own->now);
    svc__buf_putc(line, ' ');
    svc__buf_puts(line, levels[level]);
    if (*own->values[MODULE]) {
        pair_value(line, svc__bytes_z(own->values[MODULE]));
        svc__buf_puts(line, ": ");
    }
    if (plain(message, ""))
        svc__buf_bytes(line, message);
    else
        svc__buf_json_string(line, message);
    pair_items(line, items);
    pair_own(line, own, ID);
}

/* ---- The three together */

static const struct form {
    void (*line)(struct buf *line, const struct own *own, const svc_kv *items);
    struct sink_report drops, reopen_failure;
} forms[] = {
    [SVC_LOG_JSON] =
        {json_line,
         {"{\"time\":\"", "\",\"level\":\"warn\",\"msg\":\"log lines dropped\",\"dropped\":", "}"},
         {"{\"time\":\"",
          "\",\"level\":\"error\",\"msg\":\"log_output cannot be reopened\",\"error\":\"", "\"}"}},
    [SVC_LOG_LOGFMT] = {logfmt_line,
                        {"time=", " level=warn msg=\"log lines dropped\" dropped=", ""},
                        {"time=", " level=error msg=\"log_output cannot be reopened\" error=\"",
                         "\""}},
    [SVC_LOG_TEXT] = {text_line,
                      {"", " WARN  log lines dropped dropped=", ""},
                      {"", " ERROR log_output cannot be reopened error=\"", "\""}},
};

enum svc_log_format svc__log_format_for(enum svc_log_format format, int fd)
{
    if (format != SVC_LOG_AUTO)
        return format;
    return isatty(fd) ? SVC_LOG_TEXT : SVC_LOG_JSON;
}

void svc__log_format_line(enum svc_log_format format, struct buf *line,
                          const svc_log_record *record)
{
    struct own own;
    fill_own(&own, record);
    forms[format].line(line, &own, record->items);
}

const struct sink_report *svc__log_format_report(enum svc_log_format format)
{
    return &forms[format].drops;
}

const struct sink_report *svc__log_format_reopen_failure(enum svc_log_format format)
{
    return &forms[format].reopen_failure;
}
