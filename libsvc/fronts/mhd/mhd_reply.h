/*
 * Replies by libmicrohttpd. A response object costs an allocation, and three more for each header
 * field, so a loop keeps some of them for later replies that are equal.
 *
 * For the loop's thread.
 */
#ifndef SVC_MHD_MHD_REPLY_H
#define SVC_MHD_MHD_REPLY_H

#include "libsvc/fronts/mhd/mhd.h"

struct kept_replies;

/* Makes an empty store for a loop; NULL when out of memory. */
struct kept_replies *svc__mhd_reply_new(void);

/* Frees a store. Accepts NULL. */
void svc__mhd_reply_free(struct kept_replies *kept);

/* Whether libmicrohttpd has room for `bytes` of fields, in the reply's head or behind its body. */
bool svc__mhd_reply_fits(struct mhd_conn *conn, size_t bytes);

/* Queues the reply of the connection's exchange, with `Connection: close` if `closes`. False when
 * libmicrohttpd refuses it or memory runs out: nothing is queued then. */
bool svc__mhd_reply_queue(struct mhd_conn *conn, bool closes);

#endif
