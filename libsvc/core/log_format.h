/* The forms of a log line. */
#ifndef SVC_CORE_LOG_FORMAT_H
#define SVC_CORE_LOG_FORMAT_H

#include <svc/log.h>

#include "libsvc/base/buf.h"
#include "libsvc/base/sink.h"

enum log_format {
    LOG_JSON,
    LOG_LOGFMT, /* key=value, separated by spaces */
    LOG_TEXT,   /* for people: time, level, module and message, then as logfmt */
    LOG_AUTO    /* LOG_TEXT on a terminal, LOG_JSON elsewhere */
};

/* The form of a name: "auto", "json", "logfmt", "text". 0 or SVC_ESYNTAX; `*out` is written only on
 * success. Any thread. */
int svc__log_format_parse(const char *name, enum log_format *out);

/* The form for lines that go to `fd`: LOG_AUTO becomes one of the others. Any thread. */
enum log_format svc__log_format_for(enum log_format format, int fd);

/* Appends a record as a line of one of the three, without a line feed. Any thread. */
void svc__log_format_line(enum log_format format, struct buf *line, const svc_log_record *record);

/* What the sink's own lines are made of in that form. Static. Any thread. */
const struct sink_report *svc__log_format_report(enum log_format format);

#endif
