/* The part of a store that each event loop has: the calls of svc/store.h that end in `_then`. */
#ifndef SVC_STORAGE_STORE_THEN_H
#define SVC_STORAGE_STORE_THEN_H

#include "libsvc/storage/store.h"

/* Registers the states of a store on the loops of its app. As svc_app_each_loop. */
int svc__store_then_register(svc_store *store);

/* Makes the call of an operation that has its arguments, which are copied. As svc_store_get_then.
 * The loop's thread. */
int svc__store_then_make(svc_store *store, svc_request *req, const char *key, svc_sys_store_op *op,
                         svc_store_then *then, void *arg);

#endif
