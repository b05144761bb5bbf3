/*
 * libmicrohttpd 0.9.75 takes NUL bytes, bare line feeds and folded lines in a head for something
 * else than other servers do. It parses in place, so the gaps between its pointers show them.
 */
#ifndef SVC_SERVER_POINTER_GAPS_H
#define SVC_SERVER_POINTER_GAPS_H

#include <stdbool.h>
#include <stddef.h>

#include "libsvc/proto/fields.h"

/*
 * Whether the fields, in order of arrival, lie where "name: value CRLF" lines behind a version and
 * an empty line behind them put them. `version` points at "HTTP/1.x", `end` behind the empty line.
 * For heads that libmicrohttpd 0.9.75 has parsed.
 */
bool svc__pointer_gaps_clean(const char *version, const struct field *fields, size_t count,
                             const char *end);

#endif
