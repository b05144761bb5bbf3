/*
 * The application's log: lines with typed items, in the same format and output as the library's lines.
 *
 *     #define SVC_LOG_MODULE "store"        (before the include; without it, lines are of "app")
 *     #include <svc.h>
 *
 *     svc_log_info(req, "order stored", svc_kv_str("order", id), svc_kv_double("total", 9.5));
 *     svc_log_debug(req, "cache is cold");
 *     svc_app_log_warn(app, "pool is empty", svc_kv_uint("size", size));
 *
 * A line of a request carries the request's id and route, and the ids of trace and span if anybody else
 * knows them or log_full is on (docs/logging.md). Logging never blocks: lines for which the ring has no room
 * are dropped, and a line "log lines dropped" reports their number. A call site that logs more than
 * log_repeat_per_s lines in a second is suppressed for the rest of that second, and a line "log lines
 * suppressed" reports how many. A call below the level of its module in all apps of the program (log_level,
 * log_levels) costs two loads and a compare, and its arguments are not evaluated.
 *
 * Before the app's start hooks run, lines are discarded; after svc_app_wait they go only to the app's own
 * sink, if it has one (svc_app_set_log_sink). Your own threads that log must end before the stop hooks have
 * returned.
 */
#ifndef SVC_LOG_H
#define SVC_LOG_H

#include <svc/config.h>
#include <svc/types.h>

#include <string.h>

SVC_BEGIN_DECLS

/* The module of all lines logged in a source file; log_levels can set a level for each module. */
#ifndef SVC_LOG_MODULE
#define SVC_LOG_MODULE "app"
#endif

/* The kind of an item: which member of its value is set. */
enum svc_kv_kind {
    SVC_KV_STR = 0, /* text, of `len` bytes; NULL is none */
    SVC_KV_INT,
    SVC_KV_UINT,
    SVC_KV_DOUBLE,
    SVC_KV_BOOL
};

/* An item of a line, made by the functions below. All of it is borrowed for the call. */
typedef struct svc_kv {
    const char *key; /* NULL ends a list of items */
    int kind;        /* enum svc_kv_kind */
    size_t len;      /* bytes of text */
    union {
        const char *text;
        int64_t number;
        uint64_t count;
        double real;
        bool truth;
    } value;
} svc_kv;

/*
 * Makes an item of text, which may contain any bytes: invalid UTF-8 is replaced, and line breaks are
 * escaped. NULL is logged as null. A key is a short name without spaces, unique in its line; a key that
 * the library uses itself (time, level, app, msg, module, id, trace_id, span_id, route) gets an underscore
 * appended. Any thread. Since: 0.1
 */
SVC_API inline svc_kv svc_kv_str(const char *key, const char *text)
{
    svc_kv kv;
    kv.key = key;
    kv.kind = SVC_KV_STR;
    kv.len = text ? strlen(text) : 0;
    kv.value.text = text;
    return kv;
}

/* Makes an item of text of `len` bytes, which need not be NUL-terminated. Any thread. Since: 0.1 */
SVC_API inline svc_kv svc_kv_bytes(const char *key, const void *data, size_t len)
{
    svc_kv kv;
    kv.key = key;
    kv.kind = SVC_KV_STR;
    kv.len = data ? len : 0;
    kv.value.text = (const char *)data;
    return kv;
}

/* Makes an item of a whole number. Any thread. Since: 0.1 */
SVC_API inline svc_kv svc_kv_int(const char *key, int64_t number)
{
    svc_kv kv;
    kv.key = key;
    kv.kind = SVC_KV_INT;
    kv.len = 0;
    kv.value.number = number;
    return kv;
}

/* Makes an item of a whole number that is not negative. Any thread. Since: 0.1 */
SVC_API inline svc_kv svc_kv_uint(const char *key, uint64_t count)
{
    svc_kv kv;
    kv.key = key;
    kv.kind = SVC_KV_UINT;
    kv.len = 0;
    kv.value.count = count;
    return kv;
}

/* Makes an item of a double, with the digits that give the same double when read back; null if it is not
 * finite. Any thread. Since: 0.1 */
SVC_API inline svc_kv svc_kv_double(const char *key, double real)
{
    svc_kv kv;
    kv.key = key;
    kv.kind = SVC_KV_DOUBLE;
    kv.len = 0;
    kv.value.real = real;
    return kv;
}

/* Makes an item that is true or false. Any thread. Since: 0.1 */
SVC_API inline svc_kv svc_kv_bool(const char *key, bool truth)
{
    svc_kv kv;
    kv.key = key;
    kv.kind = SVC_KV_BOOL;
    kv.len = 0;
    kv.value.truth = truth;
    return kv;
}

/* Makes an item with the text of an SVC_E… code, such as "out of memory". Any thread. Since: 0.1 */
SVC_API inline svc_kv svc_kv_err(const char *key, int error)
{
    return svc_kv_str(key, svc_error_text(error));
}

/* The place in the source code that logs a line. The macros make a static one for each call; any other must
 * outlive the program's apps. Begin with SVC_LOG_SITE_INIT. */
typedef struct svc_log_site {
    const char *module, *file;
    int line;
    int level;          /* enum svc_level */
    const int *ceiling; /* set by the library: the least urgent level that the module logs */
} svc_log_site;

#define SVC_LOG_SITE_INIT(level)                                                                   \
    {                                                                                              \
        SVC_LOG_MODULE, __FILE__, __LINE__, (level), NULL                                          \
    }

/* Looks up the level of the site's module, and stores its address in `site`. svc_log_wanted calls this at
 * the first line of a site; programs need not. Any thread. Since: 0.1 */
SVC_API const int *svc_log_resolve(svc_log_site *site);

/* Whether any app of the program may log a line of this site. Any thread. Since: 0.1 */
SVC_API inline bool svc_log_wanted(svc_log_site *site)
{
    const int *ceiling = __atomic_load_n(&site->ceiling, __ATOMIC_ACQUIRE);
    if (!ceiling)
        ceiling = svc_log_resolve(site);
    return site->level <= __atomic_load_n(ceiling, __ATOMIC_RELAXED);
}

/*
 * Logs a line with the request's ids; the macros below call it. `items` ends with an item whose key is
 * NULL; NULL stands for no items. Only `site` is kept after the call. For the thread that runs the request's
 * phase or handler, or another that holds the request between SVC_WAIT and svc_request_resume. Since: 0.1
 */
SVC_API void svc_log_write(const svc_request *req, svc_log_site *site, const char *message,
                           const svc_kv *items);

/* Logs a line without a request, for hooks and your own threads. Any thread. Since: 0.1 */
SVC_API void svc_app_log_write(const svc_app *app, svc_log_site *site, const char *message,
                               const svc_kv *items);

/* The end of a list of items. */
#define SVC_KV_END                                                                                 \
    {                                                                                              \
        NULL, 0, 0, {NULL}                                                                         \
    }

#define SVC_LOG_FIRST(first, ...) first
#define SVC_LOG_REST(first, ...) __VA_ARGS__

/* Logs a message, which is the first argument after `level`, and any number of items. */
#define SVC_LOG_LINE(write, subject, level, ...)                                                   \
    do {                                                                                           \
        static svc_log_site svc_log_site_ = SVC_LOG_SITE_INIT(level);                              \
        if (svc_log_wanted(&svc_log_site_)) {                                                      \
            const svc_kv svc_log_items_[] = {SVC_LOG_REST(__VA_ARGS__, SVC_KV_END)};               \
            write((subject), &svc_log_site_, SVC_LOG_FIRST(__VA_ARGS__, NULL), svc_log_items_);    \
        }                                                                                          \
    } while (0)

/* svc_log_info(req, message, items…) logs a line of a request. */
#define svc_log_error(req, ...) SVC_LOG_LINE(svc_log_write, req, SVC_LEVEL_ERROR, __VA_ARGS__)
#define svc_log_warn(req, ...) SVC_LOG_LINE(svc_log_write, req, SVC_LEVEL_WARN, __VA_ARGS__)
#define svc_log_info(req, ...) SVC_LOG_LINE(svc_log_write, req, SVC_LEVEL_INFO, __VA_ARGS__)
#define svc_log_debug(req, ...) SVC_LOG_LINE(svc_log_write, req, SVC_LEVEL_DEBUG, __VA_ARGS__)

/* svc_app_log_info(app, message, items…) logs a line without a request. */
#define svc_app_log_error(app, ...)                                                                \
    SVC_LOG_LINE(svc_app_log_write, app, SVC_LEVEL_ERROR, __VA_ARGS__)
#define svc_app_log_warn(app, ...)                                                                 \
    SVC_LOG_LINE(svc_app_log_write, app, SVC_LEVEL_WARN, __VA_ARGS__)
#define svc_app_log_info(app, ...)                                                                 \
    SVC_LOG_LINE(svc_app_log_write, app, SVC_LEVEL_INFO, __VA_ARGS__)
#define svc_app_log_debug(app, ...)                                                                \
    SVC_LOG_LINE(svc_app_log_write, app, SVC_LEVEL_DEBUG, __VA_ARGS__)

/*
 * Adds items to the end of the request's line in the access log; svc_log_access calls it. `items` ends with
 * an item whose key is NULL. Keys and texts are copied; of several items with one key, the last counts. A
 * key has 1 to 64 letters, digits, '_', '-' and '.', and is not one of the line's own: time, level, app,
 * msg, module, id, trace_id, span_id, route, method, path, query, peer, status, bytes_in, bytes_out,
 * duration_us, end. Either all items are added or none. 0; SVC_EINVAL for a bad key; SVC_ETOOBIG for more
 * than 16 items of a request in all, or 1024 bytes of keys and texts; SVC_ENOMEM. Nothing is kept when
 * access_log is off. For the thread that runs the request's phase (on_done too) or handler. If the request
 * has been answered without its handler, such as at its deadline, items that the handler then adds on its
 * worker are not logged. Since: 0.1
 */
SVC_API int svc_request_log_items(svc_request *req, const svc_kv *items);

/*
 * svc_log_access(req, items…) does the same as a statement, for one item or more. On failure the items are
 * missing; a caller that needs the error code calls svc_request_log_items.
 *
 *     svc_log_access(req, svc_kv_str("user", name), svc_kv_uint("rows", count));
 */
#define svc_log_access(req, ...)                                                                   \
    do {                                                                                           \
        const svc_kv svc_log_items_[] = {__VA_ARGS__, SVC_KV_END};                                 \
        (void)svc_request_log_items((req), svc_log_items_);                                        \
    } while (0)

/* A line as the app's own sink gets it. Everything is borrowed for the call. No text is NULL except the
 * text of an item. */
typedef struct svc_log_record {
    size_t size;
    uint64_t time_us; /* microseconds since 1970-01-01T00:00:00Z */
    int level;        /* enum svc_level */
    const char *app, *module, *message;
    const char *file; /* and `line`: the source of the call; "" for lines that report on other lines */
    int line;
    /* "" in a line without a request, when the setting that makes them is off, and, of trace and span, if
     * nobody else knows them and log_full is off. */
    const char *request_id, *trace_id, *span_id, *route;
    const svc_kv *items; /* ends with an item whose key is NULL */
} svc_log_record;

/*
 * Sets a sink of the app's own, for syslog, a journal, another logger or a test: `sink` is called for
 * every line that the levels let pass, including the library's own lines and the access log's. It returns
 * true if it has taken the line; otherwise the line goes to log_output. It runs on the thread that logs,
 * mostly an event loop, on several threads at once, and must not block. Lines that the sink itself logs
 * only go to log_output, and are never suppressed. The same holds for lines of the admin pages' thread,
 * which runs no code of the program. In svc_app_test, lines go to the sink only. 0, SVC_EINVAL without a
 * `sink`, or SVC_ESTATE once started. Before start only. Since: 0.1
 */
SVC_API int svc_app_set_log_sink(svc_app *app, bool (*sink)(const svc_log_record *record, void *arg),
                             void *arg);

/*
 * Opens the file of log_output again by its name, and creates it if it does not exist: call this after a
 * log rotation has renamed the file. svc_app_run does it on SIGHUP, unless the program handles, blocks or
 * ignores that signal itself. Returns at once: the log's own thread opens the file. Lines logged after this
 * call go to the new file, and so may some just before it; none is split or lost. If the file cannot be
 * opened, lines go to the old file, a line "log_output cannot be reopened" is logged there, and
 * svc_log_reopen_failures_total counts the failure. `stdout` and `stderr` are not reopened.
 *
 * A relative name is resolved in the directory in which the service was started. For a mounted app, the
 * outer app's log is reopened; separate apps of a program have separate logs. 0, SVC_ESTATE when no log is
 * open, SVC_ENOMEM for NULL. Any thread, from the start hooks until the stop hooks have run;
 * async-signal-safe. Since: 0.1
 */
SVC_API int svc_app_reopen_log(svc_app *app);

SVC_END_DECLS

#endif
