/* The way of a log line: level, repeats, the app's own sink, the form, the ring. */
#include "libsvc/log/log.h"

#include <stdio.h>

#include "libsvc/base/clock.h"
#include "libsvc/log/log_format.h"

enum { MAX_LINE = 65536 };

/* The log of this thread, if it has one; and whether the thread runs an app's own sink, whose lines
 * must not be passed to that sink again. */
static _Thread_local struct log *own_log;
static _Thread_local bool in_taker;

void svc__log_init(struct log *log, struct logger *logger)
{
    log->logger = logger;
    log->ring = logger->sink ? svc__sink_ring(logger->sink) : NULL;
    log->repeat = (struct log_repeat){.limit = logger->repeat_limit};
    svc__buf_init(&log->line, MAX_LINE);
    log->now = (struct clock_text){0};
}

struct log *svc__log_adopt(struct log *log)
{
    struct log *before = own_log;
    own_log = log;
    return before;
}

struct log *svc__log_here(struct logger *logger)
{
    return own_log && own_log->logger == logger ? own_log : &logger->shared;
}

static bool is_shared(const struct log *log)
{
    return log == &log->logger->shared;
}

/* Whether lines have a place to go to. */
static bool is_open(const struct logger *logger)
{
    return logger->sink || logger->taker;
}

bool svc__log_wants(const struct logger *logger, const svc_log_site *site)
{
    return is_open(logger) && site->level <= svc__log_level_of(&logger->levels, site->module);
}

bool svc__log_is_open(const struct log *log)
{
    return log->logger && is_open(log->logger);
}

bool svc__log_is_json(const struct log *log)
{
    return log->logger->format == SVC_LOG_JSON && !log->logger->taker;
}

void svc__log_line(const struct log *log, const struct buf *line)
{
    /* The sink drops, and counts, a line that is too long. */
    size_t len = svc__buf_error(line) ? SIZE_MAX : line->len;
    if (log->ring)
        svc__sink_write(log->ring, line->data, len);
    else
        svc__sink_write_shared(log->logger->sink, line->data, len);
}

static bool taker_takes(const struct log *log, const svc_log_record *record)
{
    const struct logger *logger = log->logger;
    if (!logger->taker || log->skips_taker || in_taker)
        return false;
    in_taker = true;
    bool is_taken = logger->taker(record, logger->taker_arg);
    in_taker = false;
    return is_taken;
}

/* A thread's own log has its own buffer; lines of other threads need one each, since no lock is
 * held. */
static void render_record(struct log *log, const svc_log_record *record)
{
    struct buf local;
    svc__buf_init(&local, MAX_LINE);
    struct buf *line = log->ring ? &log->line : &local;
    svc__buf_clear(line);
    svc__log_format_line(log->logger->format, line, record);
    svc__log_line(log, line);
    svc__buf_free(&local);
}

void svc__log_hand_over(struct log *log, const svc_log_record *record)
{
    if (!taker_takes(log, record) && log->logger->sink)
        render_record(log, record);
}

svc_log_record svc__log_record_of(const struct logger *logger, const svc_log_site *site,
                                  const char *message, const svc_kv *items)
{
    return (svc_log_record){
        .size = sizeof(svc_log_record),
        .time_us = svc__clock_wall_us(),
        .level = site->level,
        .app = logger->app,
        .module = site->module ? site->module : "",
        .message = message ? message : "",
        .file = site->file ? site->file : "",
        .line = site->line,
        .request_id = "",
        .trace_id = "",
        .span_id = "",
        .route = "",
        .items = items,
    };
}

/* ---- Repeats */

static const char *base_name(const char *path)
{
    const char *slash = path ? strrchr(path, '/') : NULL;
    return slash ? slash + 1 : path ? path : "";
}

static void write_report(struct log *log, const struct log_repeat_report *report)
{
    char where[128];
    if (!report->suppressed)
        return;
    snprintf(where, sizeof where, "%s:%d", base_name(report->site->file), report->site->line);
    const svc_kv items[] = {svc_kv_str("line", report->message), svc_kv_str("site", where),
                            svc_kv_uint("suppressed", report->suppressed), SVC_KV_END};
    svc_log_record record =
        svc__log_record_of(log->logger, report->site, "log lines suppressed", items);
    svc__log_hand_over(log, &record);
}

/* A shared table is used under a lock, which is not held while a line is written: the app's own
 * sink may log itself. */
static bool passes(struct log *log, const svc_log_site *site, const svc_log_record *record)
{
    struct log_repeat_report report;
    bool shared = is_shared(log);
    if (shared)
        pthread_mutex_lock(&log->logger->lock);
    bool pass = svc__log_repeat_pass(&log->repeat, site, record, &report);
    if (shared)
        pthread_mutex_unlock(&log->logger->lock);
    write_report(log, &report);
    return pass;
}

static bool take_report(struct log *log, uint64_t now_us, struct log_repeat_report *report)
{
    bool shared = is_shared(log);
    if (shared)
        pthread_mutex_lock(&log->logger->lock);
    bool found = svc__log_repeat_take(&log->repeat, now_us, report);
    if (shared)
        pthread_mutex_unlock(&log->logger->lock);
    return found;
}

static void write_reports(struct log *log, uint64_t now_us)
{
    struct log_repeat_report report;
    while (take_report(log, now_us, &report))
        write_report(log, &report);
}

static bool suppresses(const struct log *log)
{
    return atomic_load_explicit(&log->repeat.suppressing, memory_order_relaxed);
}

/* Whether this log's thread, which may run the app's own sink, can report lines that the shared log
 * holds back. */
static bool suppresses_shared(const struct log *log)
{
    return log->logger && !log->skips_taker && suppresses(&log->logger->shared);
}

bool svc__log_suppresses(const struct log *log)
{
    return suppresses(log) || suppresses_shared(log);
}

void svc__log_report(struct log *log)
{
    if (suppresses(log))
        write_reports(log, svc__clock_wall_us());
    if (suppresses_shared(log))
        write_reports(&log->logger->shared, svc__clock_wall_us());
}

void svc__log_report_all(struct log *log)
{
    write_reports(log, UINT64_MAX);
}

void svc__log_free(struct log *log)
{
    if (!log->logger)
        return;
    svc__log_report_all(log);
    svc__buf_free(&log->line);
}

/* ---- Calls */

const int *svc_log_resolve(svc_log_site *site)
{
    const int *ceiling = svc__log_level_ceiling(site->module ? site->module : "");
    __atomic_store_n(&site->ceiling, ceiling, __ATOMIC_RELEASE);
    return ceiling;
}

/* Lines that an app's own sink logs are not held back, since reporting them would call the sink
 * again. */
void svc__log_offer(struct log *log, const svc_log_site *site, const svc_log_record *record)
{
    if (in_taker || passes(log, site, record))
        svc__log_hand_over(log, record);
}

void svc__log_write(struct log *log, svc_log_site *site, const char *message, const svc_kv *items)
{
    if (!log->logger || !svc__log_wants(log->logger, site))
        return;
    svc_log_record record = svc__log_record_of(log->logger, site, message, items);
    svc__log_offer(log, site, &record);
}
