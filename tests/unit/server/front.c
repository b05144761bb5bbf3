/* Two protocols that are none of the library's, on a server whose loops know them by their table
 * alone: each says its own words about what a loop has it do. */
#include "libsvc/server/front.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "libsvc/server/conn.h"
#include "libsvc/server/loop.h"
#include "libsvc/server/loops.h"

enum { WAIT_MS = 60000 };

struct toy_part {
    struct front_part part; /* first */
    unsigned turns;
};

struct toy_conn {
    struct conn conn; /* first */
    struct toy_part *toy;
};

static _Atomic unsigned parts, conns; /* that are not freed */

static void say(int fd, const char *text)
{
    cr_assert_eq(send(fd, text, strlen(text), MSG_NOSIGNAL), (ssize_t)strlen(text));
}

/* Unless something was before: then its socket is shut. */
static void say_last(struct conn *conn, const char *text)
{
    send(conn->fd, text, strlen(text), MSG_NOSIGNAL);
    svc__conn_shut(conn);
}

static void close_conn(struct conn *conn)
{
    int fd = conn->fd;
    svc__conn_unwatch(conn);
    svc__conn_release(conn);
    close(fd);
    atomic_fetch_sub(&conns, 1);
}

/* What it reads is sent back behind the front's name; "work" is done in a turn of its front, and
 * after "soon" its time is short. */
static void on_socket(struct svc_loop *reactor, struct watch *watch, uint32_t events)
{
    (void)reactor;
    struct conn *conn = svc__conn_of_watch(watch);
    svc__conn_note_events(conn, events);
    char text[64] = "";
    ssize_t n = recv(conn->fd, text, sizeof text - 1, MSG_DONTWAIT);
    if (n == 0 || (n < 0 && errno != EAGAIN)) {
        close_conn(conn);
        return;
    }
    if (n > 0 && !strcmp(text, "work")) {
        ((struct toy_conn *)conn)->toy->part.again = true;
    } else if (n > 0 && !strcmp(text, "soon")) {
        svc__time_limit_begin(conn->loop, &conn->limit, conn->loop->now_ms, 20, 0);
    } else if (n > 0) {
        say(conn->fd, conn->front->name);
        say(conn->fd, text);
    }
    svc__conn_watch_once(conn, EPOLLIN | EPOLLRDHUP);
}

static void on_deadline(struct svc_loop *reactor, struct deadline *deadline)
{
    (void)reactor;
    struct conn *conn = svc__conn_of_deadline(deadline);
    say_last(conn, "late");
}

static struct front_part *start_toy(struct loop *loop, const struct front *front)
{
    struct toy_part *toy = calloc(1, sizeof *toy);
    cr_assert(toy);
    toy->part = (struct front_part){.front = front, .loop = loop};
    atomic_fetch_add(&parts, 1);
    return &toy->part;
}

static void take_turn(struct front_part *part)
{
    struct toy_part *toy = (struct toy_part *)part;
    part->again = ++toy->turns % 3 != 0; /* it takes three */
    for (struct conn *conn = part->loop->conns; conn && !part->again; conn = conn->next)
        if (conn->front == part->front)
            say(conn->fd, "worked");
}

static void close_all(struct front_part *part)
{
    for (struct conn *conn = part->loop->conns, *next; conn; conn = next) {
        next = conn->next;
        if (conn->front == part->front)
            close_conn(conn);
    }
}

static void stop_toy(struct front_part *part)
{
    free(part);
    atomic_fetch_sub(&parts, 1);
}

static void refuse(struct front_part *part, int fd, int status, const char *detail)
{
    (void)detail;
    cr_expect_eq(status, 503);
    say(fd, part->front->name);
    say(fd, "no room");
    close(fd);
}

static void open_conn(struct front_part *part, struct conn *conn)
{
    ((struct toy_conn *)conn)->toy = (struct toy_part *)part;
    atomic_fetch_add(&conns, 1);
    conn->watch.ready = on_socket;
    conn->limit.deadline.expired = on_deadline;
    svc__time_limit_begin(conn->loop, &conn->limit, conn->loop->now_ms, WAIT_MS, 0);
    say(conn->fd, "hello from ");
    say(conn->fd, part->front->name);
    svc__conn_watch_once(conn, EPOLLIN | EPOLLRDHUP);
}

static void close_silent(struct conn *conn, uint64_t stop_ms)
{
    cr_expect_eq(stop_ms, conn->loop->server->stop_ms);
    say_last(conn, "silent");
}

static void cut(struct conn *conn)
{
    say_last(conn, "cut");
}

static void visit_no_flights(const struct conn *conn,
                             void (*visit)(const struct flight *flight, void *arg), void *arg)
{
    (void)conn, (void)visit, (void)arg;
}

#define TOY(title)                                                                                 \
    {                                                                                              \
        .name = #title, .scheme = #title, .conn_size = sizeof(struct toy_conn),                    \
        .start = start_##title, .turn = take_turn, .close = close_all, .stop = stop_toy,           \
        .refuse = refuse, .open = open_conn, .close_silent = close_silent, .cut = cut,             \
        .visit_flights = visit_no_flights                                                          \
    }

static struct front_part *start_cat(struct loop *loop);
static struct front_part *start_dog(struct loop *loop);
static const struct front cat = TOY(cat), dog = TOY(dog);
static const struct front *const fronts[] = {
    [SVC_HTTP1_LIBMICROHTTPD] = &cat, [SVC_HTTP1_NATIVE] = &dog, NULL};

static struct front_part *start_cat(struct loop *loop)
{
    return start_toy(loop, &cat);
}

static struct front_part *start_dog(struct loop *loop)
{
    return start_toy(loop, &dog);
}

/* ---- A server of both, and its clients */

static svc_app *app;
static struct server *server;

static void open_server(void)
{
    svc_config config = SVC_CONFIG_INIT;
    config.max_connections = 3;
    app = svc_app_new("toys");
    cr_assert_eq(svc_app_configure(app, &config), 0);
    cr_assert_eq(svc__app_ready(app), 0);
    int error;
    server = svc__server_new(app, app, "127.0.0.1:0,127.0.0.1:0;front=native", fronts, &error);
    cr_assert(server);
    cr_assert_eq(svc__loops_make(server, &app->logger, 2), 0);
    cr_assert_eq(atomic_load(&parts), 4);
    cr_assert_eq(svc__loops_start(server), 0);
}

static void close_server(void)
{
    cr_expect_eq(svc__loops_end(server, UINT64_MAX), 0);
    cr_expect_eq(atomic_load(&conns), 0);
    svc__loops_free(server);
    svc__server_free(server);
    cr_expect_eq(atomic_load(&parts), 0);
    svc_app_free(app);
}

TestSuite(front, .init = open_server, .fini = close_server);

static int connect_to(size_t listener)
{
    struct sockaddr_storage address;
    socklen_t len = sizeof address;
    cr_assert_eq(getsockname(server->listeners.all[listener].fd, (void *)&address, &len), 0);
    int fd = socket(address.ss_family, SOCK_STREAM, 0);
    cr_assert_eq(connect(fd, (void *)&address, len), 0);
    return fd;
}

/* Reads until it has read `expected`. */
static void expect(int fd, const char *expected)
{
    char text[64] = "";
    size_t len = 0;
    while (len < strlen(expected)) {
        ssize_t n = recv(fd, text + len, strlen(expected) - len, 0);
        cr_assert_gt(n, 0, "'%s' instead of '%s'", text, expected);
        len += (size_t)n;
    }
    cr_assert_str_eq(text, expected);
}

static void expect_end(int fd)
{
    char byte;
    cr_expect_leq(recv(fd, &byte, 1, 0), 0);
    close(fd);
}

Test(front, of_the_listener_gets_its_connections)
{
    int to_cat = connect_to(0), to_dog = connect_to(1);
    expect(to_cat, "hello from cat");
    expect(to_dog, "hello from dog");
    say(to_cat, "mouse");
    expect(to_cat, "catmouse");
    say(to_dog, "bone");
    expect(to_dog, "dogbone");
    shutdown(to_cat, SHUT_WR);
    expect_end(to_cat);
    close(to_dog);
}

Test(front, that_has_work_left_has_turn_after_turn)
{
    int fd = connect_to(0);
    expect(fd, "hello from cat");
    for (int i = 0; i < 3; i++) {
        say(fd, "work");
        expect(fd, "worked");
    }
    close(fd);
}

Test(front, ends_a_connection_whose_time_is_over)
{
    int fd = connect_to(0);
    expect(fd, "hello from cat");
    say(fd, "soon");
    expect(fd, "late");
    expect_end(fd);
}

Test(front, refuses_in_its_own_words_who_finds_no_room)
{
    int fds[3], fd;
    for (size_t i = 0; i < 3; i++) {
        fds[i] = connect_to(0);
        expect(fds[i], "hello from cat");
    }
    fd = connect_to(1);
    expect(fd, "dogno room");
    expect_end(fd);
    for (size_t i = 0; i < 3; i++)
        close(fds[i]);
}

Test(front, is_told_of_each_stage_that_concerns_a_connection)
{
    int fd = connect_to(0);
    expect(fd, "hello from cat");
    server->stop_ms = svc__clock_ms();
    svc__loops_enter(server, STAGE_CLOSE_IDLE);
    expect(fd, "silent");
    expect_end(fd);
}

Test(front, is_told_of_the_cut)
{
    int fd = connect_to(1);
    expect(fd, "hello from dog");
    svc__loops_enter(server, STAGE_CUT);
    expect(fd, "cut");
    expect_end(fd);
}

/* Both that are with a loop, and those whose clients stay. */
Test(front, closes_what_is_left_when_its_loop_ends)
{
    int fd = connect_to(1);
    expect(fd, "hello from dog");
    svc__loops_enter(server, STAGE_EXIT);
    expect(fd, "cut");
    expect_end(fd);
}
