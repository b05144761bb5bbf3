/*
 * Parses the text of an address to listen on. The check of the settings and the opening of
 * listeners both use it, so that the two never disagree.
 */
#ifndef SVC_BASE_ENDPOINT_H
#define SVC_BASE_ENDPOINT_H

#include <stdbool.h>
#include <stdint.h>

#include "libsvc/base/bytes.h"

enum {
    ENDPOINT_TEXT = 160, /* room for the longest text, its NUL counted */
    ENDPOINTS_MAX = 16   /* in one list */
};

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

/*
 * The next text of a list that is separated by commas, without the blanks around it; `*rest` moves
 * behind it and is "none" after the last one. Any thread.
 */
struct bytes svc__endpoint_next(struct bytes *rest);

#endif
