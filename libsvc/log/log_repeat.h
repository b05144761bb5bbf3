/*
 * Suppression of repeated lines: each call site may log a limited number of lines in a second, on
 * each thread that has a table; further lines are only counted. No count is lost: every count is
 * reported to the caller when the call site logs again, when another site takes its entry, or when
 * the caller asks for it.
 *
 * A table belongs to one thread at a time.
 */
#ifndef SVC_LOG_LOG_REPEAT_H
#define SVC_LOG_LOG_REPEAT_H

#include <stdatomic.h>

#include <svc/log.h>

enum {
    LOG_REPEAT_PLACES = 32, /* call sites that are counted separately in one second */
    LOG_REPEAT_TEXT = 48    /* bytes of a message that are kept, with a NUL */
};

struct log_repeat_place {
    const svc_log_site *site; /* NULL: free */
    uint64_t second;          /* of the wall clock */
    uint64_t lines;           /* in that second */
    char message[LOG_REPEAT_TEXT];
};

struct log_repeat {
    uint64_t limit;           /* lines in a second; 0: no limit */
    _Atomic bool suppressing; /* there may be counts to report; read by any thread */
    struct log_repeat_place places[LOG_REPEAT_PLACES];
};

/* The lines of a call site that were held back. */
struct log_repeat_report {
    const svc_log_site *site;
    uint64_t suppressed; /* 0: there is nothing to report */
    char message[LOG_REPEAT_TEXT];
};

/* Whether a line may be written; `*report` is the report to log before it. */
bool svc__log_repeat_pass(struct log_repeat *repeat, const svc_log_site *site,
                          const svc_log_record *record, struct log_repeat_report *report);

/* Takes the report of a call site's lines that were held back in another second than that of
 * `now_us`; UINT64_MAX lies in no line's second. False when there is none left: call it until then.
 */
bool svc__log_repeat_take(struct log_repeat *repeat, uint64_t now_us,
                          struct log_repeat_report *report);

#endif
