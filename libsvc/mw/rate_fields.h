/* The limits reported to a client: header fields and the body of a 429. */
#ifndef SVC_MW_RATE_FIELDS_H
#define SVC_MW_RATE_FIELDS_H

#include "libsvc/base/arena.h"
#include "libsvc/mw/rate_limiter.h"

/*
 * Renders the constant texts into `memory`: the policy, and a problem for each set of windows (RFC
 * 9457, with the type and members of the draft). 0 or SVC_ENOMEM.
 */
int svc__rate_fields_prepare(struct rate_limit *limit, struct arena *memory);

/* Sets the fields that the limit's flags ask for, as far as there is memory. */
void svc__rate_fields_put(const struct rate_limit *limit, const struct limiter_decision *decision,
                          svc_response *res);

/* Sets Retry-After to the time until all refusing windows would pass; does nothing when one never
 * would. */
void svc__rate_fields_put_retry(const struct rate_limit *limit,
                                const struct limiter_decision *decision, svc_response *res);

#endif
