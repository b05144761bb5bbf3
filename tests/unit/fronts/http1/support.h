/* A connection of a loop that does not run, and its peer. */
#ifndef TESTS_UNIT_FRONTS_HTTP1_SUPPORT_H
#define TESTS_UNIT_FRONTS_HTTP1_SUPPORT_H

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "libsvc/fronts/http1/http1.h"
#include "libsvc/server/loop.h"

static svc_app *app;
static struct server server;
static struct loop loop;
static struct http1_loop http1;
static struct http1_conn conn;
static int peer; /* of the connection's socket */

static inline void open_conn(void)
{
    static const struct front front = {.scheme = "http"};
    int ends[2];
    app = svc_app_new("front");
    cr_assert_eq(svc__app_ready(app), 0);
    server.app = app;
    loop.server = &server;
    cr_assert_eq(svc__reactor_open(&loop.reactor), 0);
    svc__wheel_init(&loop.wheel, 5000, LOOP_TICK_SHIFT);
    http1.part.front = &front;
    http1.part.loop = &loop;
    http1.again_last = &http1.again;
    http1.room = malloc(sizeof *http1.room + app->config.max_fields * sizeof(struct field));
    cr_assert(http1.room);
    svc__buf_init(&http1.out, 1 << 20);
    loop.parts[loop.part_count++] = &http1.part;
    cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    peer = ends[1];
    conn.io = &svc__http1_io_socket;
    conn.conn.fd = ends[0];
    conn.conn.loop = &loop;
    conn.conn.part = &http1.part;
    conn.conn.address.ss_family = AF_UNIX;
}

static inline void close_conn(void)
{
    free(conn.input.data == http1.room->data ? NULL : conn.input.data);
    free(conn.unsent.data);
    free(http1.room);
    svc__buf_free(&http1.out);
    close(conn.conn.fd);
    close(peer);
    svc__reactor_end(&loop.reactor);
    svc__reactor_close(&loop.reactor);
    svc_app_free(app);
}

/* Has the peer send a text, of which an event tells. */
static inline void say(const char *text)
{
    cr_assert_eq(send(peer, text, strlen(text), MSG_NOSIGNAL), (ssize_t)strlen(text));
    conn.readable = true;
}

#endif
