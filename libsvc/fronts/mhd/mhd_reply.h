/*
 * Replies through libmicrohttpd. Its response objects cost an allocation and three more for each
 * header field, so a loop keeps some of them for the next requests that are answered alike.
 *
 * For the loop's thread.
 */
#ifndef SVC_MHD_MHD_REPLY_H
#define SVC_MHD_MHD_REPLY_H

#include "libsvc/fronts/mhd/mhd.h"

struct kept_replies;

/* An empty store for a loop; NULL when out of memory. */
struct kept_replies *svc__mhd_reply_new(void);

/* Accepts NULL. */
void svc__mhd_reply_free(struct kept_replies *kept);

/* Whether libmicrohttpd has room for `bytes` of the reply's fields, all in its head or all behind
 * its body. */
bool svc__mhd_reply_fits(struct mhd_conn *conn, size_t bytes);

/* Queues the reply of the connection's exchange, with `Connection: close` where it is the last.
 * False when libmicrohttpd refuses or memory runs out: nothing is queued then. */
bool svc__mhd_reply_queue(struct mhd_conn *conn, bool closes);

#endif
