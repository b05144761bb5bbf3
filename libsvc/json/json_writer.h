/* What the library does with a writer of JSON beside what the public calls do. */
#ifndef SVC_JSON_JSON_WRITER_H
#define SVC_JSON_JSON_WRITER_H

#include <svc/json_writer.h>

#include "libsvc/base/buf.h"

/*
 * Begins a value, to which the caller appends in the buffer that is returned, what makes one JSON
 * value. NULL when there can be none: then the writer has failed. Not thread-safe, as the writer.
 */
struct buf *svc__json_writer_value(svc_json_writer *w, const char *key);

/* Sets the error, if it is the first one. Accepts NULL. */
void svc__json_writer_fail(svc_json_writer *w, int error);

#endif
