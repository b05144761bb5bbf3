/* Log lines of one thread: from a call to the thread's ring of the sink, or to the app's own sink.
 */
#ifndef SVC_LOG_LOG_H
#define SVC_LOG_LOG_H

#include <pthread.h>

#include <svc/log.h>

#include "libsvc/base/buf.h"
#include "libsvc/base/clock.h"
#include "libsvc/log/log_level.h"
#include "libsvc/log/log_repeat.h"
#include "libsvc/log/sink.h"

struct logger;

/* The log of a thread: it has a ring of its own or, where `ring` is NULL, uses the sink's shared
 * one. */
struct log {
    struct logger *logger; /* NULL: nothing is logged */
    struct sink_ring *ring;
    bool skips_taker; /* its lines bypass the app's own sink, which may block a thread */
    struct log_repeat repeat;
    struct buf line;       /* the line in the making, where there is a ring */
    struct clock_text now; /* of the last access log line */
};

/* The part of an app's log that all its threads share: see logger.h. */
struct logger {
    const char *app; /* its name */
    struct log_levels levels;
    enum svc_log_format format;
    uint64_t repeat_limit;
    bool (*taker)(const svc_log_record *record, void *arg); /* the app's own sink, or NULL */
    void *taker_arg;
    struct sink *sink;    /* NULL: not opened, or closed */
    pthread_mutex_t lock; /* of `shared`'s repeats */
    struct log shared;    /* of all threads that have no log of their own */
};

/* Makes the log of a thread that will adopt it, after the sink was opened. */
void svc__log_init(struct log *log, struct logger *logger);

/* Reports the lines that are still held back, and frees the log's memory. Accepts a log that was
 * never made. */
void svc__log_free(struct log *log);

/* Makes a log, or none for NULL, the calling thread's: lines of its app go there. Returns the
 * thread's log before, or NULL. */
struct log *svc__log_adopt(struct log *log);

/* Whether lines are written at all; and whether all of them go to the sink, as JSON. */
bool svc__log_is_open(const struct log *log);
bool svc__log_is_json(const struct log *log);

/* Writes a line outside requests to the calling thread's log. Never blocks; a line that finds no
 * room is counted as dropped. `items` as in svc_log_write. */
void svc__log_write(struct log *log, svc_log_site *site, const char *message, const svc_kv *items);

/*
 * The steps of svc__log_write, for lines that say more. svc__log_here returns the log that this
 * thread uses for `logger`. svc__log_wants decides whether the app wants lines of the call site:
 * the site's own check is for all apps of the program. svc__log_offer takes a wanted record, and
 * holds it back when the call site logs too often.
 */
struct log *svc__log_here(struct logger *logger);
bool svc__log_wants(const struct logger *logger, const svc_log_site *site);
void svc__log_offer(struct log *log, const svc_log_site *site, const svc_log_record *record);

/* Hands over a record that is never held back: to the app's own sink and, unless that takes it, to
 * the log's. For an open log. */
void svc__log_hand_over(struct log *log, const svc_log_record *record);

/* Hands a finished line, without its line feed, to the sink; a line that could not be rendered
 * whole (its error is not 0) is counted as dropped. */
void svc__log_line(const struct log *log, const struct buf *line);

/* Whether lines of this log or the shared one are held back: svc__log_report is then due within
 * about a second. Any thread. */
bool svc__log_suppresses(const struct log *log);

/* Reports the lines that were held back in past seconds. */
void svc__log_report(struct log *log);

/* Reports all lines that this log holds back. */
void svc__log_report_all(struct log *log);

/* A record with the present time; none of its texts is NULL. */
svc_log_record svc__log_record_of(const struct logger *logger, const svc_log_site *site,
                                  const char *message, const svc_kv *items);

/* The library's lines belong to one module, unless a file defines another. */
#undef SVC_LOG_MODULE
#define SVC_LOG_MODULE "svc"

/* svc__log(log, level, message, items…) */
#define svc__log(log, level, ...) SVC_LOG_LINE(svc__log_write, log, level, __VA_ARGS__)

#endif
