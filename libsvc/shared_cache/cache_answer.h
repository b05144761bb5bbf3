/* Answers from stored replies: whether a request may have one, and its part of it. The request's
 * thread. */
#ifndef SVC_SHARED_CACHE_CACHE_ANSWER_H
#define SVC_SHARED_CACHE_CACHE_ANSWER_H

#include "libsvc/shared_cache/cache_visit.h"

/* A stored reply, which may be NULL, as a request may use it. */
struct cache_finding {
    enum cache_use use;
    int64_t age;
    const char *reason; /* of Cache-Status */
    enum cache_result result;
    bool claims; /* the request is the one that validates it */
};

/* Decides on the use of a stored reply. `visit` is NULL at a request's first look; `*found`, which
 * is overwritten, claims nothing yet. */
void svc__cache_answer_judge(svc_response_cache *cache, const struct cache_visit *visit,
                             const svc_request *req, struct stored_reply *stored,
                             const struct cache_control *wish, uint64_t now_ns,
                             struct cache_finding *found);

/* Answers with a stored reply, whose user the exchange becomes in the caller's place, and counts
 * the result. SVC_ANSWERED or a negative code. */
int svc__cache_answer_hit(const svc_response_cache *cache, svc_request *req, svc_response *res,
                          struct stored_reply *stored, int64_t age, enum cache_result result);

/* Answers with the stored reply in place of an error, and counts that, if it may (RFC 5861 4).
 * SVC_PASS: it may not; SVC_ANSWERED or a negative code. */
int svc__cache_answer_error(struct cache_visit *visit, svc_request *req, svc_response *res);

/* Answers the request's conditions in place of a whole reply: a 304 or a 412. Ranges are left to
 * mw/ranges.c. 0 or a negative code. */
int svc__cache_answer_settle(svc_request *req, svc_response *res);

#endif
