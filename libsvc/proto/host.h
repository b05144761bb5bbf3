/* The Host field: an authority of RFC 3986 without user information. */
#ifndef SVC_PROTO_HOST_H
#define SVC_PROTO_HOST_H

#include <stdbool.h>

#include "libsvc/base/bytes.h"

/*
 * Whether `host` is a registered name or IPv4 address (it may be empty), or an IPv6 address in
 * brackets with or without a zone ("%25eth0"), then nothing or ':' and a port from 0 to 65535,
 * which may be empty too. Any thread.
 */
bool svc__host_valid(struct bytes host);

/* A valid host without its port; the brackets of an IPv6 address stay. Any thread. */
struct bytes svc__host_name(struct bytes host);

#endif
