/*
 * The application's log: lines with typed items, in the form and to the place of the library's own.
 *
 *     #define SVC_LOG_MODULE "store"        (before the include; without it, lines are of "app")
 *     #include <svc.h>
 *
 *     svc_log_info(req, "order stored", svc_kv_str("order", id), svc_kv_double("total", 9.5));
 *     svc_log_debug(req, "cache is cold");
 *     svc_app_log_warn(app, "pool is empty", svc_kv_uint("size", size));
 *
 * With a request, a line carries its id, trace, span and route. Lines never block: what finds no
 * room is counted and told as "log lines dropped". A call site that repeats more than
 * log_repeat_per_s times in a second is held back for the rest of it, and a line "log lines
 * suppressed" tells how often. A call whose level no app of the program lets pass for its module
 * (log_level, log_levels) costs two loads and a compare, and its arguments are not evaluated.
 *
 * Before the app's start hooks run, lines go nowhere; after svc_app_wait they go to the app's own
 * sink alone, if it has one (svc_app_set_log_sink). Threads of your own that log must have ended when the
 * stop hooks have.
 */
#ifndef SVC_LOG_H
#define SVC_LOG_H

#include <svc/config.h>
#include <svc/types.h>

#include <string.h>

SVC_BEGIN_DECLS

/* The part of the program that a file's lines are of; log_levels may give it a level of its own. */
#ifndef SVC_LOG_MODULE
#define SVC_LOG_MODULE "app"
#endif

/* Which member of an item's value holds. */
enum svc_kv_kind {
    SVC_KV_STR = 0, /* text, of `len` bytes; NULL is none */
    SVC_KV_INT,
    SVC_KV_UINT,
    SVC_KV_DOUBLE,
    SVC_KV_BOOL
};

/* An item of a line: made by the functions below; all of it is borrowed for the call. */
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
 * Text, which may hold any bytes: what is no UTF-8 is replaced, and nothing breaks a line. NULL is
 * told as none. A key is a short name without spaces, distinct in its line; to one that the library
 * uses itself (time, level, app, msg, module, id, trace_id, span_id, route) an underscore is added.
 * Any thread. Since: 0.1
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

/* Text of `len` bytes that needs no NUL. Any thread. Since: 0.1 */
SVC_API inline svc_kv svc_kv_bytes(const char *key, const void *data, size_t len)
{
    svc_kv kv;
    kv.key = key;
    kv.kind = SVC_KV_STR;
    kv.len = data ? len : 0;
    kv.value.text = (const char *)data;
    return kv;
}

/* A whole number. Any thread. Since: 0.1 */
SVC_API inline svc_kv svc_kv_int(const char *key, int64_t number)
{
    svc_kv kv;
    kv.key = key;
    kv.kind = SVC_KV_INT;
    kv.len = 0;
    kv.value.number = number;
    return kv;
}

/* A whole number that is never negative. Any thread. Since: 0.1 */
SVC_API inline svc_kv svc_kv_uint(const char *key, uint64_t count)
{
    svc_kv kv;
    kv.key = key;
    kv.kind = SVC_KV_UINT;
    kv.len = 0;
    kv.value.count = count;
    return kv;
}

/* A number that is read back as the same; one that is not finite is null in JSON. Any thread. Since: 0.1 */
SVC_API inline svc_kv svc_kv_double(const char *key, double real)
{
    svc_kv kv;
    kv.key = key;
    kv.kind = SVC_KV_DOUBLE;
    kv.len = 0;
    kv.value.real = real;
    return kv;
}

/* True or false. Any thread. Since: 0.1 */
SVC_API inline svc_kv svc_kv_bool(const char *key, bool truth)
{
    svc_kv kv;
    kv.key = key;
    kv.kind = SVC_KV_BOOL;
    kv.len = 0;
    kv.value.truth = truth;
    return kv;
}

/* The text of an SVC_E… code, such as "out of memory". Any thread. Since: 0.1 */
SVC_API inline svc_kv svc_kv_err(const char *key, int error)
{
    return svc_kv_str(key, svc_error_text(error));
}

/* The place that a line comes from. The macros make one for each call; it must outlive the program's
 * apps, as a static one does. Begin with SVC_LOG_SITE_INIT. */
typedef struct svc_log_site {
    const char *module, *file;
    int line;
    int level;          /* enum svc_level */
    const int *ceiling; /* the library's: the least urgent level that is logged of the module */
} svc_log_site;

#define SVC_LOG_SITE_INIT(level)                                                                   \
    {                                                                                              \
        SVC_LOG_MODULE, __FILE__, __LINE__, (level), NULL                                          \
    }

/* Finds out where the level of the place's module stands, and keeps that in `site`. What svc_log_wanted
 * calls at a place's first line. The library's own. Any thread. Since: 0.1 */
SVC_API const int *svc_log_resolve(svc_log_site *site);

/* Whether a line of that place may be logged by some app of the program. Any thread. Since: 0.1 */
SVC_API inline bool svc_log_wanted(svc_log_site *site)
{
    const int *ceiling = __atomic_load_n(&site->ceiling, __ATOMIC_ACQUIRE);
    if (!ceiling)
        ceiling = svc_log_resolve(site);
    return site->level <= __atomic_load_n(ceiling, __ATOMIC_RELAXED);
}

/*
 * Logs a line with the request's ids; what the macros call. `items` ends with an item whose key is
 * NULL; NULL is none. Nothing is kept but `site`. For the thread that runs the request's phase or
 * handler, or another that holds the request between SVC_WAIT and svc_request_resume. Since: 0.1
 */
SVC_API void svc_log_write(const svc_request *req, svc_log_site *site, const char *message,
                           const svc_kv *items);

/* Logs a line of no request, such as in hooks and threads of your own. Any thread. Since: 0.1 */
SVC_API void svc_app_log_write(const svc_app *app, svc_log_site *site, const char *message,
                               const svc_kv *items);

/* The end of a list of items. */
#define SVC_KV_END                                                                                 \
    {                                                                                              \
        NULL, 0, 0, {NULL}                                                                         \
    }

#define SVC_LOG_FIRST(first, ...) first
#define SVC_LOG_REST(first, ...) __VA_ARGS__

/* A message and any number of items: the message is the first of what is given. */
#define SVC_LOG_LINE(write, subject, level, ...)                                                   \
    do {                                                                                           \
        static svc_log_site svc_log_site_ = SVC_LOG_SITE_INIT(level);                              \
        if (svc_log_wanted(&svc_log_site_)) {                                                      \
            const svc_kv svc_log_items_[] = {SVC_LOG_REST(__VA_ARGS__, SVC_KV_END)};               \
            write((subject), &svc_log_site_, SVC_LOG_FIRST(__VA_ARGS__, NULL), svc_log_items_);    \
        }                                                                                          \
    } while (0)

/* svc_log_info(req, message, items…): a line of a request. */
#define svc_log_error(req, ...) SVC_LOG_LINE(svc_log_write, req, SVC_LEVEL_ERROR, __VA_ARGS__)
#define svc_log_warn(req, ...) SVC_LOG_LINE(svc_log_write, req, SVC_LEVEL_WARN, __VA_ARGS__)
#define svc_log_info(req, ...) SVC_LOG_LINE(svc_log_write, req, SVC_LEVEL_INFO, __VA_ARGS__)
#define svc_log_debug(req, ...) SVC_LOG_LINE(svc_log_write, req, SVC_LEVEL_DEBUG, __VA_ARGS__)

/* svc_app_log_info(app, message, items…): a line of no request. */
#define svc_app_log_error(app, ...)                                                                \
    SVC_LOG_LINE(svc_app_log_write, app, SVC_LEVEL_ERROR, __VA_ARGS__)
#define svc_app_log_warn(app, ...)                                                                 \
    SVC_LOG_LINE(svc_app_log_write, app, SVC_LEVEL_WARN, __VA_ARGS__)
#define svc_app_log_info(app, ...)                                                                 \
    SVC_LOG_LINE(svc_app_log_write, app, SVC_LEVEL_INFO, __VA_ARGS__)
#define svc_app_log_debug(app, ...)                                                                \
    SVC_LOG_LINE(svc_app_log_write, app, SVC_LEVEL_DEBUG, __VA_ARGS__)

/*
 * Adds items to the request's line in the access log, behind its own; what svc_log_access calls. `items`
 * ends with an item whose key is NULL. Keys and texts are copied; of several items with one key the last
 * counts. A key is 1 to 64 letters, digits, '_', '-' and '.', and none that the line has itself: time,
 * level, app, msg, module, id, trace_id, span_id, route, method, path, query, peer, status, bytes_in,
 * bytes_out, duration_us, end. All of the items or none are added. 0; SVC_EINVAL for such a key; SVC_ETOOBIG
 * for more than 16 items of a request in all, or 1024 bytes of keys and texts; SVC_ENOMEM. Nothing is kept
 * where access_log is off. For the thread that runs the request's phase (on_done too) or handler. What a
 * handler adds on a worker after the request has been answered without it, as when its deadline has passed,
 * is in no line. Since: 0.1
 */
SVC_API int svc_request_log_items(svc_request *req, const svc_kv *items);

/*
 * svc_log_access(req, items…): the same for one item or more, as a statement. A failure has no effect but
 * that they are missing; who wants to know calls svc_request_log_items.
 *
 *     svc_log_access(req, svc_kv_str("user", name), svc_kv_uint("rows", count));
 */
#define svc_log_access(req, ...)                                                                   \
    do {                                                                                           \
        const svc_kv svc_log_items_[] = {__VA_ARGS__, SVC_KV_END};                                 \
        (void)svc_request_log_items((req), svc_log_items_);                                        \
    } while (0)

/* A line as the app's own sink is given it; everything is borrowed for the call. No text is NULL,
 * save that of an item. */
typedef struct svc_log_record {
    size_t size;
    uint64_t time_us; /* microseconds since 1970-01-01T00:00:00Z */
    int level;        /* enum svc_level */
    const char *app, *module, *message;
    const char *file; /* and `line`: where it was logged; "" for lines that tell of others */
    int line;
    /* "" in a line of no request, and where the setting that makes them is off. */
    const char *request_id, *trace_id, *span_id, *route;
    const svc_kv *items; /* up to the one whose key is NULL */
} svc_log_record;

/*
 * Gives the app a sink of its own, for syslog, a journal, another logger or a test: `sink` is called
 * for every line that the levels let pass, the library's own and the access log's included. It
 * returns whether it has taken the line: one that it has not taken goes to log_output too. It runs
 * on the thread that logs, an event loop most often, on several at once, and must not block. Lines
 * that it logs itself go to log_output alone, and are not held back; so do those of the admin pages'
 * thread, which runs nothing of the program. In svc_app_test it is the only place where lines go.
 * 0, SVC_EINVAL without a `sink`, or SVC_ESTATE once started. Before start only. Since: 0.1
 */
SVC_API int svc_app_set_log_sink(svc_app *app, bool (*sink)(const svc_log_record *record, void *arg),
                             void *arg);

/*
 * Opens the file of log_output again by its name, and makes it if it is not there: for a rotation, which
 * has renamed it. svc_app_run does this on SIGHUP, unless the program has that signal for something else
 * or ignores it; this is for programs that have their own way. Returns at once, for the log's own thread
 * opens the file. Lines logged from here on go to the new one, with some of those just before; none is
 * split or lost. If it cannot be opened, they go where they went, a line there says "log_output cannot be
 * reopened", and svc_log_reopen_failures counts. `stdout` and `stderr` stay as they are.
 *
 * A relative name is that of the directory in which the service was started. Of a mounted app it is the log
 * of the one that serves; several apps of a program have a log each. 0, SVC_ESTATE where no log is open,
 * SVC_ENOMEM for NULL. Any thread, from the start hooks on until the stop hooks have run;
 * async-signal-safe. Since: 0.1
 */
SVC_API int svc_app_reopen_log(svc_app *app);

SVC_END_DECLS

#endif
