/* How an event loop knows what an event or a deadline is for: the members that whatever owns one
 * begins with or embeds. */
#ifndef SVC_SERVER_WATCH_H
#define SVC_SERVER_WATCH_H

#include "libsvc/base/wheel.h"

enum watch_kind {
    WATCH_LISTENER, /* struct listener */
    WATCH_WAKE,     /* the loop's eventfd */
    WATCH_MHD,      /* libmicrohttpd's own epoll */
    WATCH_CONN,     /* struct conn: idle, or its exchange waits */
    WATCH_LINGER    /* struct lingering */
};

/* What the loop's epoll points at. */
struct watch {
    enum watch_kind kind;
};

enum deadline_kind {
    DEADLINE_CONN,   /* struct conn */
    DEADLINE_LINGER, /* struct lingering */
    DEADLINE_ACCEPT  /* the loop's pause in accepting */
};

/* What the loop's wheel holds. */
struct deadline {
    struct timer timer; /* first */
    enum deadline_kind kind;
};

#endif
