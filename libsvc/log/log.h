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

/* Where a thread logs: by its own ring, or, where `ring` is NULL, by the sink's shared one. */
struct log {
    struct logger *logger; /* NULL: nothing is logged */
    struct sink_ring *ring;
    bool skips_taker; /* its lines go past the app's own sink, which may hold a thread */
    struct log_repeat repeat;
    struct buf line;       /* what is being rendered, where there is a ring */
    struct clock_text now; /* of the last access log line */
};

/* What all threads of an app share when they log: see logger.h. */
struct logger {
    const char *app; /* its name */
    struct log_levels levels;
    enum svc_log_format format;
    uint64_t repeat_limit;
    bool (*taker)(const svc_log_record *record, void *arg); /* the app's own sink, or NULL */
    void *taker_arg;
    struct sink *sink;    /* NULL: not opened, or closed */
    pthread_mutex_t lock; /* of `shared`'s repeats */
    struct log shared;    /* of all threads that have none of their own */
};

/* Makes the log of a thread that will adopt it, after the sink was opened. */
void svc__log_init(struct log *log, struct logger *logger);

/* Tells what is still held back, and frees what the log holds. Accepts one that was never made. */
void svc__log_free(struct log *log);

/* Makes it the calling thread's: lines of its app go there. Returns the one before; NULL is none.
 */
struct log *svc__log_adopt(struct log *log);

/* Whether lines go anywhere; and whether all of them go to the sink, as JSON. */
bool svc__log_is_open(const struct log *log);
bool svc__log_is_json(const struct log *log);

/* Writes a line of no request to the log of this very thread. Never blocks; a line that finds no
 * room is counted as dropped. `items` as in svc_log_write. */
void svc__log_write(struct log *log, svc_log_site *site, const char *message, const svc_kv *items);

/*
 * The steps of that, for lines that say more: where this thread logs for `logger`; whether it wants
 * lines of the place, of which the call has only asked for the whole program; and a record that it
 * wants, which is held back where the place repeats itself.
 */
struct log *svc__log_here(struct logger *logger);
bool svc__log_wants(const struct logger *logger, const svc_log_site *site);
void svc__log_offer(struct log *log, const svc_log_site *site, const svc_log_record *record);

/* Hands a record over that is not held back however often it comes: to the app's own sink, then to
 * the log's. For a log that is open. */
void svc__log_hand_over(struct log *log, const svc_log_record *record);

/* Hands a finished line, without its line feed, to the sink; one that could not be rendered whole
 * (its error is not 0) is counted as dropped. */
void svc__log_line(const struct log *log, const struct buf *line);

/* Whether lines of this log or the shared one are held back, of which the rest of the log is to be
 * told within about a second. Any thread. */
bool svc__log_suppresses(const struct log *log);

/* Tells of those of them that were held back in a second that has passed. */
void svc__log_tell(struct log *log);

/* Tells of all that this log holds back. */
void svc__log_tell_all(struct log *log);

/* A record of now, with no text in it NULL. */
svc_log_record svc__log_record_of(const struct logger *logger, const svc_log_site *site,
                                  const char *message, const svc_kv *items);

/* Lines of the library are of one module, save where a file says otherwise. */
#undef SVC_LOG_MODULE
#define SVC_LOG_MODULE "svc"

/* svc__log(log, level, message, items…) */
#define svc__log(log, level, ...) SVC_LOG_LINE(svc__log_write, log, level, __VA_ARGS__)

#endif
