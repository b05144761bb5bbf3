/* Sessions in a store. On an event loop whose store waits for a server they are read and written by
 * callbacks, everywhere else at once. */
#ifndef SVC_SESSION_SESSION_STORE_H
#define SVC_SESSION_SESSION_STORE_H

#include "libsvc/session/session_state.h"

/* Reads the value under `session->key`. True: `session->error` and `session->value` are the answer.
 * False: they will be when the request is resumed; the layer waits. */
bool svc__session_store_read(struct session *session);

/*
 * Writes a new session under `key`, on the way out. 0; the store's error; or SVC_WAIT: on_response
 * returns this, and runs again when `session->error` is the result. An answer that must not wait
 * goes out before: then this is 0, and a failure is logged.
 */
int svc__session_store_add(struct session *session, const char *key, const char *text, size_t len,
                           uint64_t ttl_ms);

/* Replaces the session that was read, under the same rule. If another request has changed or ended
 * it since, that stays, and this is 0: a session that was ended must not come back. */
int svc__session_store_replace(struct session *session, const char *text, size_t len,
                               uint64_t ttl_ms);

/* Removes the session that was read, under the same rule. */
int svc__session_store_remove(struct session *session);

#endif
