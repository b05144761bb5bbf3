/* How a call is answered by what it has found, for both ways of calling; and how that is counted.
 */
#ifndef SVC_MEMO_MEMO_ANSWER_H
#define SVC_MEMO_MEMO_ANSWER_H

#include "libsvc/memo/memo_flight.h"

/*
 * Whether a call needs no load: `*error` is then its result, and `wish->look->value` its value. A
 * value that is stale, or soon will be, is loaded anew by a worker.
 */
bool svc__memo_answer_found(svc_memo *memo, const struct memo_wish *wish, int *error);

/* The result of a call whose load has ended so; 0 after an error: its value is the one that it has
 * found. */
int svc__memo_answer_loaded(const svc_memo *memo, const struct memo_look *look, int error);

#endif
