/* Connections of a front that does nothing, on a loop without a thread: the lists and counts that
 * have them, and the events that their sockets are watched for. */
#include "libsvc/server/conn.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "libsvc/server/address_limit.h"
#include "libsvc/server/front.h"
#include "libsvc/server/loop.h"
#include "tests/support/client.h"
#include "tests/support/hand.h"
#include "tests/support/starve.h"

struct toy_conn {
    struct conn conn; /* first */
    struct front_part *part;
    char rest[100];
};

static void open_toy(struct front_part *part, struct conn *conn)
{
    ((struct toy_conn *)conn)->part = part;
}

static const struct front other = {.conn_size = sizeof(struct conn)};
static const struct front toy = {.conn_size = sizeof(struct toy_conn), .open = open_toy};
static struct front_part other_part = {.front = &other}, toy_part = {.front = &toy};
static struct server server;
static struct loop loop;
static struct conn *conns[3];
static int peers[3]; /* the other ends of their sockets */

static struct conn *make_conn(int fd, const char *ip)
{
    struct sockaddr_storage address = {.ss_family = AF_INET};
    struct sockaddr_in *v4 = (struct sockaddr_in *)(void *)&address;
    v4->sin_addr.s_addr = htonl((uint32_t)(127 << 24 | atoi(ip)));
    return svc__conn_new(&toy, fd, &address, sizeof *v4);
}

/* Adds a connection to the loop, as the acceptor does. */
static struct conn *add_conn(int *peer, const char *ip)
{
    int pair[2];
    cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair), 0);
    struct conn *conn = make_conn(pair[0], ip);
    cr_assert(conn);
    *peer = pair[1];
    cr_assert(svc__address_limit_enter(server.per_address, &conn->peer));
    cr_assert(svc__server_socket_opened(&server, &server.connections, 1000));
    atomic_fetch_add(&loop.count, 1);
    svc__conn_open(&loop, conn);
    return conn;
}

static void open_loop(void)
{
    hand_open();
    server.max_sockets = 1000;
    server.per_address = svc__address_limit_new(2, "");
    server.event_fd = eventfd(0, EFD_NONBLOCK);
    cr_assert(server.per_address && server.event_fd >= 0);
    loop.server = &server;
    loop.now_ms = 5000;
    loop.parts[loop.part_count++] = &other_part;
    loop.parts[loop.part_count++] = &toy_part;
    svc__wheel_init(&loop.wheel, loop.now_ms, LOOP_TICK_SHIFT);
    svc__log_init(&loop.log, &hand.logger);
    cr_assert_eq(svc__reactor_open(&loop.reactor), 0);
    for (size_t i = 0; i < 3; i++)
        conns[i] = add_conn(&peers[i], (const char *[]){"1", "1", "2"}[i]);
}

static void release_conn(struct conn *conn)
{
    int fd = conn->fd;
    svc__conn_release(conn);
    close(fd);
}

static void close_loop(void)
{
    while (loop.conns)
        release_conn(loop.conns);
    cr_expect_eq(atomic_load(&loop.count), 0);
    cr_expect_eq(atomic_load(&server.connections), 0);
    svc__reactor_end(&loop.reactor);
    svc__reactor_close(&loop.reactor);
    svc__log_free(&loop.log);
    svc__address_limit_free(server.per_address);
    close(server.event_fd);
    hand_close();
}

TestSuite(server_conn, .init = open_loop, .fini = close_loop);

/* ---- In its loop */

Test(server_conn, begins_as_its_front_needs_it_and_owns_its_socket)
{
    struct toy_conn *conn = (struct toy_conn *)make_conn(77, "7");
    static const char zeros[sizeof conn->rest];
    cr_assert(conn);
    cr_expect_eq(conn->conn.fd, 77);
    cr_expect_eq(conn->conn.front, &toy);
    cr_expect_eq(conn->conn.address_len, sizeof(struct sockaddr_in));
    cr_expect_eq(conn->conn.address.ss_family, AF_INET);
    cr_expect_str_eq(conn->conn.peer.text, "127.0.0.7");
    cr_expect_eq(memcmp(conn->rest, zeros, sizeof zeros), 0);
    cr_expect_null(conn->conn.loop);
    free(conn);
    starve_after(0);
    cr_expect_null(make_conn(77, "7"));
    cr_expect(starve_end());
}

Test(server_conn, is_passed_to_the_part_that_its_front_has_of_the_loop)
{
    for (size_t i = 0; i < 3; i++) {
        cr_expect_eq(conns[i]->loop, &loop);
        cr_expect_eq(((struct toy_conn *)conns[i])->part, &toy_part);
    }
}

/* Whether the loop's list has exactly these, in any order, and both ways. */
static void expect_listed(size_t count, struct conn *const expected[])
{
    const struct conn *before = NULL;
    size_t found = 0;
    for (const struct conn *conn = loop.conns; conn; conn = conn->next) {
        cr_assert_eq(conn->previous, before);
        before = conn;
        size_t i = 0;
        while (i < count && expected[i] != conn)
            i++;
        cr_expect_lt(i, count);
        cr_assert_lt(found++, count);
    }
    cr_expect_eq(found, count);
    cr_expect_eq(atomic_load(&loop.count), count);
    cr_expect_eq(atomic_load(&server.connections), count);
}

Test(server_conn, leaves_the_others_in_the_list)
{
    expect_listed(3, conns);
    release_conn(conns[1]); /* between the others */
    expect_listed(2, (struct conn *[]){conns[0], conns[2]});
    conns[1] = add_conn(&peers[1], "3");
    expect_listed(3, conns);
    release_conn(conns[1]); /* the first */
    expect_listed(2, (struct conn *[]){conns[0], conns[2]});
    release_conn(conns[0]); /* the last */
    expect_listed(1, &conns[2]);
    release_conn(conns[2]);
    expect_listed(0, NULL);
}

Test(server_conn, that_leaves_is_in_no_loop_and_can_go_to_another)
{
    static struct loop another;
    another.server = &server;
    another.parts[0] = &toy_part;
    svc__conn_leave(conns[1]);
    cr_expect_null(conns[1]->loop);
    cr_expect_null(conns[1]->next);
    cr_expect_null(conns[1]->previous);
    expect_listed(2, (struct conn *[]){conns[0], conns[2]});
    atomic_fetch_add(&server.connections, 1);
    atomic_fetch_add(&another.count, 1);
    svc__conn_open(&another, conns[1]);
    cr_expect_eq(another.conns, conns[1]);
    cr_expect_eq(conns[1]->loop, &another);
    release_conn(conns[1]);
    cr_expect_null(another.conns);
    cr_expect_eq(atomic_load(&another.count), 0);
}

Test(server_conn, that_leaves_makes_room_for_another_from_its_address)
{
    cr_expect_not(svc__address_limit_enter(server.per_address, &conns[0]->peer));
    struct peer peer = conns[0]->peer;
    release_conn(conns[0]);
    cr_expect(svc__address_limit_enter(server.per_address, &peer));
    cr_expect_not(svc__address_limit_enter(server.per_address, &peer));
}

static unsigned expired;

static void note_expired(struct svc_loop *reactor, struct deadline *deadline)
{
    cr_expect_eq(reactor, &loop.reactor);
    cr_expect_eq(svc__conn_of_deadline(deadline), conns[0]);
    expired++;
}

static void expire_due(uint64_t now_ms)
{
    struct timer *timer;
    while ((timer = svc__wheel_expire(&loop.wheel, now_ms))) {
        struct deadline *deadline = (struct deadline *)(void *)timer;
        deadline->expired(&loop.reactor, deadline);
    }
}

Test(server_conn, that_leaves_has_no_time_limit_any_more)
{
    for (size_t i = 0; i < 2; i++) {
        conns[i]->limit.deadline.expired = note_expired;
        svc__time_limit_begin(&loop, &conns[i]->limit, loop.now_ms, 20, 0);
    }
    svc__conn_leave(conns[1]);
    expire_due(loop.now_ms + 100);
    cr_expect_eq(expired, 1, "of the one that stays");
    close(conns[1]->fd);
    free(conns[1]);
}

static bool is_notified(void)
{
    uint64_t count;
    return read(server.event_fd, &count, sizeof count) == (ssize_t)sizeof count;
}

Test(server_conn, that_leaves_is_reported_to_a_server_that_stops)
{
    release_conn(conns[0]);
    cr_expect_not(is_notified(), "a server that serves waits for nobody");
    atomic_store(&server.stage, STAGE_REFUSE);
    release_conn(conns[1]);
    cr_expect(is_notified());
}

Test(server_conn, that_is_released_keeps_its_socket_open)
{
    int fd = conns[0]->fd;
    svc__conn_release(conns[0]);
    cr_expect_geq(fcntl(fd, F_GETFD), 0);
    close(fd);
}

Test(server_conn, that_is_shut_has_ended_for_both_sides)
{
    char byte;
    svc__conn_shut(conns[0]);
    cr_expect_eq(recv(peers[0], &byte, 1, 0), 0);
    cr_expect_eq(recv(conns[0]->fd, &byte, 1, 0), 0);
    cr_expect_lt(send(peers[0], "a", 1, MSG_NOSIGNAL), 0);
}

/* ---- Watched by its loop */

/* The events that epoll has for the first connection; 0: none at this moment. */
static uint32_t next_events(void)
{
    struct epoll_event event = {.events = 0};
    int count = epoll_wait(loop.reactor.epoll_fd, &event, 1, 0);
    cr_assert_geq(count, 0);
    if (count == 0)
        return 0;
    cr_expect_eq(svc__conn_of_watch(event.data.ptr), conns[0]);
    return event.events;
}

/* The same, and at once, as the loop has it. True: the peer has left. */
static bool note_next(uint32_t expected)
{
    uint32_t events = next_events();
    cr_expect_eq(events & expected, expected, "%x", events);
    return svc__conn_note_events(conns[0], events);
}

static void send_byte(void)
{
    cr_assert_eq(send(peers[0], "a", 1, MSG_NOSIGNAL), 1);
}

Test(server_conn, is_watched_for_the_first_event_alone)
{
    svc__conn_watch_once(conns[0], EPOLLIN | EPOLLRDHUP);
    cr_expect_eq(next_events(), 0);
    send_byte();
    cr_expect_not(note_next(EPOLLIN));
    send_byte();
    cr_expect_eq(next_events(), 0, "it was watched once");
    svc__conn_watch_once(conns[0], EPOLLIN | EPOLLRDHUP);
    cr_expect_not(note_next(EPOLLIN), "for what is there already, too");
    cr_expect_not(conns[0]->left);
    cr_expect_eq(hand.logged, 0);
}

Test(server_conn, is_watched_for_room_in_each_turn)
{
    svc__conn_watch_room(conns[0]);
    cr_expect_not(note_next(EPOLLOUT));
    svc__conn_watch_room(conns[0]);
    cr_expect_not(note_next(EPOLLOUT), "there is still room");
    svc__conn_watch_once(conns[0], EPOLLIN);
    cr_expect_eq(next_events(), 0, "it is not watched for that any more");
    cr_expect_eq(hand.logged, 0);
}

Test(server_conn, is_watched_for_other_events_in_their_place)
{
    svc__conn_watch_once(conns[0], EPOLLIN);
    svc__conn_watch_once(conns[0], EPOLLOUT);
    send_byte();
    uint32_t events = next_events();
    cr_expect_eq(events, EPOLLOUT);
    cr_expect_not(svc__conn_note_events(conns[0], events));
    cr_expect_eq(hand.logged, 0);
}

/* The kernel has forgotten the socket, so that every call for it would fail and be logged. */
Test(server_conn, is_watched_for_its_departure_by_one_call_for_many_requests)
{
    svc__conn_watch_departure(conns[0]);
    cr_assert(conns[0]->watched);
    cr_assert_eq(epoll_ctl(loop.reactor.epoll_fd, EPOLL_CTL_DEL, conns[0]->fd, NULL), 0);
    svc__conn_watch_departure(conns[0]);
    cr_expect_eq(hand.logged, 0);
    svc__conn_watch_once(conns[0], EPOLLIN);
    cr_expect_eq(hand.logged, 1, "for other events there is a call");
}

Test(server_conn, whose_peer_has_left_is_reported_to_each_later_request)
{
    svc__conn_watch_departure(conns[0]);
    cr_assert_eq(shutdown(peers[0], SHUT_WR), 0);
    cr_expect(note_next(EPOLLRDHUP));
    cr_expect(conns[0]->left);
    cr_expect_eq(next_events(), 0, "an edge comes once");
    for (int request = 0; request < 3; request++) {
        svc__conn_watch_departure(conns[0]);
        cr_expect(note_next(EPOLLRDHUP), "request %d", request);
    }
}

Test(server_conn, has_left_by_any_of_the_events_that_say_so_and_for_good)
{
    static const uint32_t departures[] = {EPOLLRDHUP, EPOLLHUP, EPOLLERR, EPOLLIN | EPOLLHUP};
    cr_expect_not(svc__conn_note_events(conns[0], EPOLLIN | EPOLLOUT));
    cr_expect_not(conns[0]->left);
    for (size_t i = 0; i < sizeof departures / sizeof *departures; i++) {
        conns[0]->left = false;
        cr_expect(svc__conn_note_events(conns[0], departures[i]));
        cr_expect_not(svc__conn_note_events(conns[0], EPOLLIN));
        cr_expect(conns[0]->left);
    }
}

Test(server_conn, that_is_not_watched_has_no_events_until_it_is_watched_again)
{
    svc__conn_watch_departure(conns[0]);
    svc__conn_unwatch(conns[0]);
    cr_assert_eq(shutdown(peers[0], SHUT_WR), 0);
    cr_expect_eq(next_events(), 0);
    svc__conn_unwatch(conns[0]);
    svc__conn_watch_departure(conns[0]);
    cr_expect(note_next(EPOLLRDHUP));
    cr_expect_eq(hand.logged, 0);
}

/* The descriptor is closed for a while, so that epoll refuses it. */
Test(server_conn, that_epoll_refuses_is_watched_at_the_next_try)
{
    int fd = conns[0]->fd, kept = dup(fd);
    cr_assert_geq(kept, 0);
    cr_assert_eq(close(fd), 0);
    cr_expect_not(svc__wheel_armed(&loop.watch_again.timer));
    svc__conn_watch_once(conns[0], EPOLLIN);
    cr_expect_not(conns[0]->watched);
    cr_expect_eq(hand.logged, 1);
    cr_expect(svc__wheel_armed(&loop.watch_again.timer), "it is tried again soon");
    cr_assert_eq(dup2(kept, fd), fd);
    svc__conn_watch_again(conns[0]);
    send_byte();
    cr_expect_not(note_next(EPOLLIN));
    svc__conn_watch_again(conns[0]);
    send_byte();
    cr_expect_eq(next_events(), 0, "it is not due any more");
    cr_expect_eq(hand.logged, 1);
    close(kept);
}
