/* A connection of a loop that does not run, on a libmicrohttpd of which the loop reads first heads
 * itself, so that there need be none. */
#ifndef TESTS_UNIT_FRONTS_MHD_SUPPORT_H
#define TESTS_UNIT_FRONTS_MHD_SUPPORT_H

#include <criterion/criterion.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "libsvc/fronts/mhd/mhd.h"
#include "libsvc/server/loop.h"

enum { POOL = 4096 }; /* of a connection's memory */

static svc_app *app;
static struct server server;
static struct loop loop;
static struct mhd_loop mhd;
static struct mhd_conn conn;
static int peer; /* of the connection's socket */

static inline void open_loop(void)
{
    app = svc_app_new("front");
    cr_assert_eq(svc__app_ready(app), 0);
    server.app = app;
    loop.server = &server;
    cr_assert_eq(svc__reactor_open(&loop.reactor), 0);
    svc__wheel_init(&loop.wheel, 5000, LOOP_TICK_SHIFT);
    static const struct front front = {.scheme = "http"};
    mhd.part.front = &front;
    mhd.part.loop = &loop;
    mhd.known_layout = true;
    mhd.pool = POOL;
    loop.parts[loop.part_count++] = &mhd.part;
}

static inline void close_loop(void)
{
    svc__reactor_end(&loop.reactor);
    svc__reactor_close(&loop.reactor);
    svc_app_free(app);
}

/* The ends of a connection, of which the first is `of`. */
static inline int join_conn(struct mhd_conn *of)
{
    int ends[2];
    cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    of->mhd = &mhd;
    of->conn.fd = ends[0];
    of->conn.loop = &loop;
    of->conn.part = &mhd.part;
    of->conn.address.ss_family = AF_UNIX;
    return ends[1];
}

static inline void say(const char *text)
{
    cr_assert_eq(send(peer, text, strlen(text), MSG_NOSIGNAL), (ssize_t)strlen(text));
}

#endif
