/*
 * Operations of an event loop, which never wait: one connection to each server, for all requests of
 * the loop. The calls are those of svc/sys/store.h, on the loop's thread.
 */
#ifndef SVC_MEMCACHED_MEMCACHED_LOOP_H
#define SVC_MEMCACHED_MEMCACHED_LOOP_H

#include "libsvc/memcached/memcached_state.h"

struct memcached_loop;

/* NULL when out of memory. `state` is borrowed. */
struct memcached_loop *svc__memcached_loop_new(struct memcached_state *state, svc_loop *loop);

void svc__memcached_loop_free(struct memcached_loop *loop);

void svc__memcached_loop_submit(struct memcached_loop *loop, svc_sys_store_op *first);

void svc__memcached_loop_forget(struct memcached_loop *loop, svc_sys_store_op *op);

#endif
