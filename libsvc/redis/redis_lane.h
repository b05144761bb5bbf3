/*
 * A store on one loop: its own connection, on which the operations of the loop are under way one
 * behind the other. All of a turn are one write. Everything is the loop's thread's, and nothing
 * waits: the server's thread makes the connection, and posts it here.
 */
#ifndef SVC_REDIS_REDIS_LANE_H
#define SVC_REDIS_REDIS_LANE_H

#include <svc/loop.h>

#include "libsvc/redis/redis_server.h"

struct redis_lane;

/* Makes the lane of a loop, which then asks for its connection. NULL when out of memory. */
struct redis_lane *svc__redis_lane_new(struct redis_server *server, svc_loop *loop);

/* Frees it; no operation is under way. */
void svc__redis_lane_free(struct redis_lane *lane);

/* As svc_sys_store.submit: those that come before there is a connection wait for it. */
void svc__redis_lane_submit(struct redis_lane *lane, svc_sys_store_op *first);

/* As svc_sys_store.forget. */
void svc__redis_lane_forget(struct redis_lane *lane, const svc_sys_store_op *op);

#endif
