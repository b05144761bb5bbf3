/* HTTP/1 without a library, as the server knows it. */
#include "libsvc/fronts/http1/http1_front.h"

#include <stdlib.h>
#include <sys/socket.h>

#include "libsvc/base/thread.h"
#include "libsvc/fronts/http1/http1.h"
#include "libsvc/fronts/http1/http1_conn.h"
#include "libsvc/reply/response_head.h"

enum { OUT_CEILING = 1 << 20 };

static struct http1_loop *loop_of(struct front_part *part)
{
    return (struct http1_loop *)(void *)part;
}

static void stop_part(struct front_part *part)
{
    struct http1_loop *http1 = loop_of(part);
    svc__buf_free(&http1->out);
    free(http1->room);
    free(http1);
}

static struct front_part *start_part(struct loop *loop)
{
    size_t fields = (size_t)loop->server->app->config.max_fields * sizeof(struct field);
    struct http1_loop *http1 = calloc(1, sizeof *http1);
    if (!http1)
        return NULL;
    http1->part = (struct front_part){.front = &svc__http1_front, .loop = loop};
    http1->room = malloc(sizeof *http1->room + fields);
    http1->again_last = &http1->again;
    http1->pipe_harmless = svc__thread_pipe_harmless();
    svc__buf_init(&http1->out, OUT_CEILING);
    if (http1->room)
        return &http1->part;
    stop_part(&http1->part);
    return NULL;
}

static void take_turn(struct front_part *part)
{
    svc__http1_conn_turn(loop_of(part));
}

/* A last turn sends the answers of requests that were cut. */
static void close_conns(struct front_part *part)
{
    svc__http1_conn_turn(loop_of(part));
    struct conn *next;
    for (struct conn *conn = part->loop->conns; conn; conn = next) {
        next = conn->next;
        if (conn->front == part->front)
            svc__http1_conn_close(svc__http1_conn_of(conn));
    }
}

static void refuse_socket(struct front_part *part, int fd, int status, const char *detail)
{
    struct buf *out = &loop_of(part)->out;
    svc__response_head_problem(out, status, detail, svc__loop_date(part->loop));
    if (!svc__buf_error(out))
        send(fd, out->data, out->len, MSG_NOSIGNAL | MSG_DONTWAIT);
    svc__buf_clear(out);
    svc__linger_begin(part->loop, fd, (struct unsent){NULL, 0});
}

static void visit_flight(const struct conn *conn,
                         void (*visit)(const struct flight *flight, void *arg), void *arg)
{
    visit(&((const struct http1_conn *)(const void *)conn)->flight, arg);
}

const struct front svc__http1_front = {
    .name = "native",
    .scheme = "http",
    .reads_on = true,
    .conn_size = sizeof(struct http1_conn),
    .start = start_part,
    .turn = take_turn,
    .close = close_conns,
    .stop = stop_part,
    .refuse = refuse_socket,
    .open = svc__http1_conn_open,
    .close_silent = svc__http1_conn_close_silent,
    .cut = svc__http1_conn_cut,
    .visit_flights = visit_flight,
};
