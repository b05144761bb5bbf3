/*
 * Chunked framing, which libmicrohttpd takes leniently. It hands on pointers into its buffer, in
 * which the framing is as it was sent, where its memory's layout is known. It is looked at between
 * two pieces of one read, and from the buffer's beginning to the first piece of a read.
 *
 * For the loop's thread.
 */
#ifndef SVC_MHD_CHUNKS_H
#define SVC_MHD_CHUNKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct conn;

/* Of a connection. */
struct chunks {
    const char *end; /* where the body's last piece ended, or its head */
    uint64_t run;    /* of libmicrohttpd, when that was seen; 0: not what was there with it */
    bool is_head;    /* no piece has come yet */
    bool ends;       /* behind it, the body ended in good order */
};

/* The head is in. */
void svc__chunks_begin(struct conn *conn);

/* Whether the framing before a piece of the body, which begins at `data`, is sound. */
bool svc__chunks_lead(const struct conn *conn, const char *data);

/* What has been taken of the body ends at `end`. */
void svc__chunks_took(struct conn *conn, const char *end);

/* Whether the body has ended in good order. */
bool svc__chunks_end(const struct conn *conn);

#endif
