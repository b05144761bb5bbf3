/* Operations of stores whose caller waits. */
#ifndef SVC_STORAGE_STORE_WAIT_H
#define SVC_STORAGE_STORE_WAIT_H

#include <svc/sys/store.h>

/* Checks and runs an operation that has its arguments, without a value that is read, and counts it.
 * 0, with its results, or an error. A thread that may wait as long as the backend does. */
int svc__store_wait_run(svc_store *store, svc_request *req, const char *key, svc_sys_store_op *op);

#endif
