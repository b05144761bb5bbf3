/* The bytes that a connection has read and not used yet. */
#include "libsvc/fronts/http1/http1_input.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

void svc__http1_input_begin(struct http1_conn *conn)
{
    struct http1_room *room = svc__http1_loop_of(conn)->room;
    struct bytes kept = svc__http1_input_view(conn);
    if (kept.len)
        memcpy(room->data, kept.data, kept.len);
    free(conn->input.data);
    conn->input = (struct http1_input){room->data, 0, kept.len};
}

/* Moves the unused bytes to the front, if they reach the end or are none. */
static void free_room_end(struct http1_input *input)
{
    if (input->end < HTTP1_ROOM && input->begin < input->end)
        return;
    memmove(input->data, input->data + input->begin, input->end - input->begin);
    input->end -= input->begin;
    input->begin = 0;
}

/* A read that does not fill the room has emptied the socket: an event reports the next bytes. But
 * the end may have been reported together with them. */
enum http1_read svc__http1_input_read(struct http1_conn *conn)
{
    struct http1_input *input = &conn->input;
    if (conn->ended)
        return READ_END;
    if (!conn->readable)
        return READ_NOTHING;
    free_room_end(input);
    size_t space = HTTP1_ROOM - input->end;
    if (!space)
        return READ_FULL;
    ssize_t n = conn->io->read(&conn->conn, input->data + input->end, space);
    conn->readable = n == (ssize_t)space || (n > 0 && conn->conn.left);
    if (n > 0) {
        input->end += (size_t)n;
        return READ_BYTES;
    }
    if (n < 0 && errno == EAGAIN)
        return READ_NOTHING;
    conn->ended = true;
    return READ_END;
}

bool svc__http1_input_settle(struct http1_conn *conn)
{
    struct bytes left = svc__http1_input_view(conn);
    char *data = left.len ? malloc(left.len) : NULL;
    if (data)
        memcpy(data, left.data, left.len);
    conn->input = (struct http1_input){data, 0, data ? left.len : 0};
    return data || !left.len;
}

void svc__http1_input_drop(struct http1_conn *conn)
{
    free(conn->input.data);
    conn->input = (struct http1_input){NULL, 0, 0};
}
