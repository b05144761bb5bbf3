/* Parses the text of an address to listen on. */
#ifndef SVC_BASE_ENDPOINT_H
#define SVC_BASE_ENDPOINT_H

#include <stdbool.h>
#include <stdint.h>

#include "libsvc/base/bytes.h"

/* Room for the longest text, its NUL counted. */
enum { ENDPOINT_TEXT = 160 };

struct endpoint {
    bool local;               /* a unix socket */
    char name[ENDPOINT_TEXT]; /* the host, "" for all addresses; or the socket's path */
    uint16_t port;            /* 0: the system chooses; also of a unix socket */
};

/*
 * Parses "host:port", ":port" or "*:port", "[v6]:port" or "unix:/path". A host is a name or an IPv4
 * address of four decimal numbers: other forms that the system would take are refused. 0, or
 * SVC_ESYNTAX with a static text in `*reason`; `*out` is written only on success. The host is not
 * looked up. Any thread.
 */
int svc__endpoint_parse(struct bytes text, struct endpoint *out, const char **reason);

#endif
