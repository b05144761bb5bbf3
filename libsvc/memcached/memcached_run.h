/* Operations of a thread that may wait. */
#ifndef SVC_MEMCACHED_MEMCACHED_RUN_H
#define SVC_MEMCACHED_MEMCACHED_RUN_H

#include "libsvc/memcached/memcached_state.h"

/* Carries out operations, as `run` of svc/sys/store.h: those of a server go to it in one write, and
 * all servers are asked before any is waited for. */
void svc__memcached_run_all(struct memcached_state *state, svc_sys_store_op *first,
                            uint64_t wait_ms);

/* Whether some server accepts a connection and greets within the time. */
bool svc__memcached_run_check(struct memcached_state *state, uint64_t wait_ms);

#endif
