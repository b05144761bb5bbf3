/* Operations of threads that may wait. */
#ifndef SVC_REDIS_REDIS_RUN_H
#define SVC_REDIS_REDIS_RUN_H

#include "libsvc/redis/redis_server.h"

/* Carries out operations, as svc_sys_store.run. */
void svc__redis_run(struct redis_server *server, svc_sys_store_op *first, uint64_t wait_ms);

/* Whether the server answers to PING, as svc_sys_store.check. 0, or an error. */
int svc__redis_run_ping(struct redis_server *server, uint64_t wait_ms);

#endif
