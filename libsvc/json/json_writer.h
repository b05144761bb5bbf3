/* The library's own calls on a writer of JSON, beside the public ones. */
#ifndef SVC_JSON_JSON_WRITER_H
#define SVC_JSON_JSON_WRITER_H

#include <svc/json_writer.h>

#include "libsvc/base/buf.h"

/*
 * Begins a value: the caller appends one JSON value to the buffer that is returned. NULL when no
 * value can stand here: the writer has failed then. Not thread-safe, as the writer.
 */
struct buf *svc__json_writer_value(svc_json_writer *w, const char *key);

/* Sets the error, if it is the first one. Accepts NULL. */
void svc__json_writer_fail(svc_json_writer *w, int error);

#endif
