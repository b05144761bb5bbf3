/* The forms of a log line. */
#ifndef SVC_LOG_LOG_FORMAT_H
#define SVC_LOG_LOG_FORMAT_H

#include <svc/log.h>

#include "libsvc/base/buf.h"
#include "libsvc/log/sink.h"

/* The form for lines that go to `fd`: SVC_LOG_AUTO becomes one of the others. Any thread. */
enum svc_log_format svc__log_format_for(enum svc_log_format format, int fd);

/* Appends a record as a line of one of the three, without a line feed. Any thread. */
void svc__log_format_line(enum svc_log_format format, struct buf *line,
                          const svc_log_record *record);

/* Appends an item as a member of a line in JSON, with a comma before it. Any thread. */
void svc__log_format_json_item(struct buf *line, const svc_kv *item);

/* The texts of the sink's own lines in that form: about dropped lines, and about an output that
 * cannot be opened again. Static. Any thread. */
const struct sink_report *svc__log_format_report(enum svc_log_format format);
const struct sink_report *svc__log_format_reopen_failure(enum svc_log_format format);

#endif
