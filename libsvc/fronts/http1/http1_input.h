/* The bytes that a connection has read and not used yet. */
#ifndef SVC_HTTP1_HTTP1_INPUT_H
#define SVC_HTTP1_HTTP1_INPUT_H

#include "libsvc/fronts/http1/http1.h"

/* What a read has brought. */
enum http1_read {
    READ_BYTES,
    READ_NOTHING, /* none are there now */
    READ_FULL,    /* the room is full */
    READ_END      /* the peer has shut its sending side, or has gone */
};

/* Puts what the connection has kept into the loop's room. */
void svc__http1_input_begin(struct http1_conn *conn);

/* Reads more into the room, in which the unused bytes may move. */
enum http1_read svc__http1_input_read(struct http1_conn *conn);

/* The unused bytes. */
static inline struct bytes svc__http1_input_view(const struct http1_conn *conn)
{
    const struct http1_input *input = &conn->input;
    const char *data = input->data ? input->data + input->begin : "";
    return svc__bytes(data, input->end - input->begin);
}

/* Gives the room back, and keeps what is left. False: there was no memory for it. */
bool svc__http1_input_settle(struct http1_conn *conn);

/* Frees what the connection has kept. */
void svc__http1_input_drop(struct http1_conn *conn);

#endif
