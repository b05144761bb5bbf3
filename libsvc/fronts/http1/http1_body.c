/* Finds the pieces of a request's body. */
#include "libsvc/fronts/http1/http1_body.h"

#include "libsvc/base/least.h"
#include "libsvc/fronts/http1/http1_input.h"

void svc__http1_body_begin(struct http1_conn *conn, const struct framing *framing)
{
    conn->chunks = (struct http1_chunks){0};
    conn->reading = (struct http1_reading){0};
    conn->body_left = framing->length;
    conn->chunked = framing->kind == BODY_CHUNKED;
    conn->data_over = false;
    conn->piece = 0;
    conn->dropped = 0;
}

static int next_of_length(struct http1_conn *conn)
{
    if (!conn->body_left)
        return BODY_END;
    conn->piece = (size_t)svc__least_u64(svc__http1_input_view(conn).len, conn->body_left);
    return conn->piece ? BODY_PIECE : BODY_PART;
}

static int read_trailers(struct http1_conn *conn, size_t *count, const char **reason)
{
    const struct head_limits limits = svc__http1_limits(conn);
    struct http1_input *input = &conn->input;
    int status = svc__http1_head_trailers(&conn->reading, input->data + input->begin,
                                          input->end - input->begin, &limits,
                                          svc__http1_loop_of(conn)->room->fields, count, reason);
    if (status)
        return status == HTTP1_PART ? BODY_PART : status;
    input->begin += conn->reading.line;
    conn->reading = (struct http1_reading){0};
    return BODY_END;
}

static int next_chunk(struct http1_conn *conn, size_t *trailers, const char **reason)
{
    struct http1_input *input = &conn->input;
    struct bytes rest = svc__http1_input_view(conn), piece;
    if (conn->data_over)
        return read_trailers(conn, trailers, reason);
    int status = svc__http1_chunks_next(&conn->chunks, &rest, &piece, reason);
    if (status == HTTP1_PART) {
        input->begin = input->end;
        return BODY_PART;
    }
    if (status)
        return status;
    input->begin = input->end - rest.len - piece.len;
    conn->piece = piece.len;
    if (piece.len)
        return BODY_PIECE;
    conn->data_over = true;
    return read_trailers(conn, trailers, reason);
}

int svc__http1_body_next(struct http1_conn *conn, size_t *trailers, const char **reason)
{
    *trailers = 0;
    if (conn->piece)
        return BODY_PIECE;
    return conn->chunked ? next_chunk(conn, trailers, reason) : next_of_length(conn);
}

void svc__http1_body_taken(struct http1_conn *conn)
{
    conn->input.begin += conn->piece;
    if (!conn->chunked)
        conn->body_left -= conn->piece;
    conn->piece = 0;
}
