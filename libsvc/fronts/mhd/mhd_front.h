/* HTTP/1 by libmicrohttpd, as the server knows it. */
#ifndef SVC_MHD_MHD_FRONT_H
#define SVC_MHD_MHD_FRONT_H

#include "libsvc/server/front.h"

extern const struct front svc__mhd_front;

#endif
