/* HTTP/1 without a library, as the server knows it. */
#ifndef SVC_HTTP1_HTTP1_FRONT_H
#define SVC_HTTP1_HTTP1_FRONT_H

#include "libsvc/server/front.h"

extern const struct front svc__http1_front;

#endif
