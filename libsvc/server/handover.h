/*
 * Hands a connection over to another server if the first server has no route for its first request.
 * So other loops serve that request, and it cannot hold up those of the first server.
 *
 * For the thread of the connection's loop.
 */
#ifndef SVC_SERVER_HANDOVER_H
#define SVC_SERVER_HANDOVER_H

#include "libsvc/base/bytes.h"
#include "libsvc/server/conn.h"

enum handover {
    HANDOVER_KEEP,   /* the connection stays */
    HANDOVER_GIVEN,  /* it belongs to another loop, and must not be touched any more */
    HANDOVER_REFUSED /* the other server has no room: the front answers 503 and closes it */
};

/*
 * Decides by the first request of a connection, before anything is answered. If there is a server
 * behind the loop's own, and no route of the own one has the path for GET, the connection is given
 * to that server, whose loop calls the front's `open` with it as it is. A connection with a
 * malformed target stays.
 */
enum handover svc__handover_try(struct conn *conn, struct bytes method, struct bytes raw_target);

#endif
