/* Bodies in gzip. The one file that knows zlib. */
#ifndef SVC_OTLP_OTLP_GZIP_H
#define SVC_OTLP_OTLP_GZIP_H

#include "libsvc/otlp/otlp_text.h"

/* Writes `from`, compressed, to `to`, which is empty. False when out of memory. */
bool svc__otlp_gzip_write(const struct otlp_text *from, struct otlp_text *to);

#endif
