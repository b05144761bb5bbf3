/* The heads of replies, as HTTP/1 has them on the wire. */
#ifndef SVC_REPLY_RESPONSE_HEAD_H
#define SVC_REPLY_RESPONSE_HEAD_H

#include "libsvc/exchange/exchange.h"

/*
 * Appends the head of a decided reply. `date` is an IMF-fixdate. `connection` is the value of a
 * Connection field, or NULL. Without a length, a body is announced as chunks if the client knows
 * them. An error stands in `out`.
 */
void svc__response_head_append(struct buf *out, const struct exchange *x, const char *date,
                               const char *connection);

/* Appends the fields of a list, and the empty line behind them. */
void svc__response_head_fields(struct buf *out, const svc_response *res);

/* Appends a whole problem that closes its connection, for a request without an exchange: 408 before
 * a head, 503 over the limit of connections. `detail` is at most 256 bytes. */
void svc__response_head_problem(struct buf *out, int status, const char *detail, const char *date);

#endif
