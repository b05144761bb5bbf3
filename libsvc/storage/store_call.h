/* One operation of a store from the program's arguments to its result, for both ways of calling. */
#ifndef SVC_STORAGE_STORE_CALL_H
#define SVC_STORAGE_STORE_CALL_H

#include <svc/sys/store.h>

#include "libsvc/storage/store_place.h"

/* With its namespace and the ':'. */
enum { STORE_CALL_KEY = STORE_SPACE_MAX + 1 + SVC_STORE_KEY_BYTES };

/* An operation under way. `op` has its arguments before the calls below. */
struct store_call {
    svc_sys_store_op op; /* first */
    svc_store *store;
    svc_request *req;
    void *own; /* the memory of the value that was read, unless it is the request's */
};

/* The arguments of SET, ADD and REPLACE as an operation. */
svc_sys_store_op svc__store_call_write(int kind, const svc_store_value *value, uint64_t ttl_ms);

/*
 * Checks the program's key, which becomes that of `op`, and the arguments. 0; SVC_ENOMEM for a NULL
 * store; SVC_EINVAL; SVC_ESTATE when the store is not open; SVC_ETOOBIG for a value over max_value,
 * which is counted. Any thread.
 */
int svc__store_call_check(svc_store *store, const char *key, svc_sys_store_op *op);

/* Completes a call whose `op` was checked: its key with the namespace is written to `key`, which
 * has room for it. Any thread. */
void svc__store_call_begin(struct store_call *call, svc_store *store, svc_request *req, char *key);

/* How long the store, and the request, let a call wait: 0 when the request's time is over. Any
 * thread. */
uint64_t svc__store_call_wait_ms(const svc_store *store, const svc_request *req);

/* Whether an operation that is done has given its caller a lease. */
bool svc__store_call_is_leased(const svc_sys_store_op *op);

/* The value that was read; or, after an error, nothing but the version of a lease: its memory is
 * then freed. */
svc_store_value svc__store_call_value(struct store_call *call);

#endif
