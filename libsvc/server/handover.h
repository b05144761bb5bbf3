/*
 * Handing a connection over to another server, by its first request: so that whoever asks for what
 * the first server has no route for is served by other loops, and cannot hold up those of the
 * first.
 *
 * For the thread of the connection's loop.
 */
#ifndef SVC_SERVER_HANDOVER_H
#define SVC_SERVER_HANDOVER_H

#include "libsvc/base/bytes.h"
#include "libsvc/server/conn.h"

enum handover {
    HANDOVER_KEEP,   /* the connection stays */
    HANDOVER_GIVEN,  /* it is another loop's, and not to be touched any more */
    HANDOVER_REFUSED /* the other server takes no more: the front answers 503 and closes it */
};

/*
 * The first request of a connection, of which nothing is answered yet: gives the connection to the
 * server behind the loop's, if there is one and the path is none for which GET has a route here. A
 * target that is malformed stays. The front's `open` gets the connection there as it is.
 */
enum handover svc__handover_try(struct conn *conn, struct bytes method, struct bytes raw_target);

#endif
