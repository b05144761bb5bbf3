/* How an event loop knows what an event or a deadline is for: the members that whatever owns one
 * begins with or embeds. */
#ifndef SVC_SERVER_WATCH_H
#define SVC_SERVER_WATCH_H

#include "libsvc/run/reactor.h"

/* What the loop's epoll points at, beside the reactor's own. */
enum watch_kind {
    WATCH_LISTENER = WATCH_HOST, /* struct listener */
    WATCH_MHD,                   /* libmicrohttpd's own epoll */
    WATCH_CONN,                  /* struct conn: idle, or its exchange waits */
    WATCH_LINGER                 /* struct lingering */
};

enum deadline_kind {
    DEADLINE_CONN,   /* struct conn */
    DEADLINE_LINGER, /* struct lingering */
    DEADLINE_ACCEPT, /* the loop's pause in accepting */
    DEADLINE_WATCH   /* connections that could not be watched */
};

/* What the loop's wheel holds. */
struct deadline {
    struct timer timer; /* first */
    enum deadline_kind kind;
};

#endif
