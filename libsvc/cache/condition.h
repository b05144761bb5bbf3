/* Conditional requests: a request's conditions are compared with the state of its resource. */
#ifndef SVC_CACHE_CONDITION_H
#define SVC_CACHE_CONDITION_H

#include <svc/cache.h>

#include "libsvc/proto/etag.h"
#include "libsvc/proto/precondition.h"

/* Sets ETag to `text`, which has its quotes and is static or in the arena. 0, SVC_ENOMEM,
 * SVC_ETOOBIG. */
int svc__condition_put_etag(svc_response *res, struct bytes text);

/*
 * Turns a decided reply to GET or HEAD into the 304 or 412 that the request's conditions ask for,
 * by the ETag and Last-Modified of the reply: once, and not if the handler has had them checked. 0,
 * or a negative code.
 */
int svc__condition_settle(svc_request *req, svc_response *res);

/* Turns a decided reply into an error: the fields that describe the representation go, and no cache
 * keeps it. 0, or a negative code. */
int svc__condition_error(svc_response *res, int status, const char *detail);

/* Whether a part of a decided reply to GET may answer the request: it has Range, and its If-Range,
 * if any, holds. */
bool svc__condition_wants_part(const svc_request *req, const svc_response *res);

/* Whether the request has a condition that guards a write. */
bool svc__condition_guarded(const svc_request *req);

/* Answers 428. 0, or a negative code. */
int svc__condition_demand(const svc_request *req, svc_response *res);

#endif
