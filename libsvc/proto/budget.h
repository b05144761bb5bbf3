/* Budgets: the time that a caller is ready to wait, in the fields `grpc-timeout` and
 * `X-Request-Timeout`. */
#ifndef SVC_PROTO_BUDGET_H
#define SVC_PROTO_BUDGET_H

#include <stdint.h>

#include "libsvc/base/bytes.h"

/* Digits of a number of either field: gRPC's limit, and more milliseconds than any timeout has. */
enum { BUDGET_DIGITS = 8 };

/*
 * Reads the value of a grpc-timeout: 1 to 8 digits, then H, M, S, m, u or n. `*ms` is rounded up,
 * so that only a budget of 0 becomes 0. 0 or SVC_ESYNTAX; `*ms` is written only on success. Any
 * thread.
 */
int svc__budget_parse_grpc(struct bytes text, uint64_t *ms);

/* The same for an X-Request-Timeout: 1 to 8 digits, then "ms", which may be left out, or "s". */
int svc__budget_parse(struct bytes text, uint64_t *ms);

#endif
