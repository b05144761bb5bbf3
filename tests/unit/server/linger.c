/* Lingering closes, by a clock that the test sets: what the peer still gets, and until when. */
#include "libsvc/server/linger.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "libsvc/app/app_internal.h"
#include "libsvc/server/loop.h"
#include "tests/support/flow.h"
#include "tests/support/large.h"
#include "tests/support/starve.h"

enum { WAIT_MS = 60000, SEND_MS = 5000 };

static svc_app *app;
static struct server server;
static struct loop loop;
static int fd, peer;

static void join(int *own, int *other)
{
    int ends[2];
    cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    *own = ends[0];
    *other = ends[1];
}

static void open_loop(void)
{
    svc_config config = SVC_CONFIG_INIT;
    config.send_timeout_ms = SEND_MS;
    app = svc_app_new("linger");
    cr_assert_eq(svc_app_configure(app, &config), 0);
    cr_assert_eq(svc__app_ready(app), 0);
    server.app = app;
    server.max_sockets = 1000;
    loop.server = &server;
    loop.now_ms = 5000;
    cr_assert_eq(svc__reactor_open(&loop.reactor), 0);
    svc__wheel_init(&loop.wheel, loop.now_ms, LOOP_TICK_SHIFT);
    join(&fd, &peer);
}

static void close_loop(void)
{
    svc__linger_close_all(&loop);
    close(peer);
    svc__reactor_end(&loop.reactor);
    svc__reactor_close(&loop.reactor);
    svc_app_free(app);
}

TestSuite(server_linger, .init = open_loop, .fini = close_loop);

/* Takes an event, which is waited for so long; whether there was one. */
static bool take_event(int wait_ms)
{
    struct epoll_event event;
    if (epoll_wait(loop.reactor.epoll_fd, &event, 1, wait_ms) != 1)
        return false;
    struct watch *watch = event.data.ptr;
    watch->ready(&loop.reactor, watch, event.events);
    return true;
}

static void let_pass(uint64_t ms)
{
    struct timer *timer;
    loop.now_ms += ms;
    while ((timer = svc__wheel_expire(&loop.wheel, loop.now_ms))) {
        struct deadline *deadline = (struct deadline *)(void *)timer;
        deadline->expired(&loop.reactor, deadline);
    }
}

static bool is_open(int descriptor)
{
    return fcntl(descriptor, F_GETFD) >= 0;
}

static const struct unsent nothing = {NULL, 0};

static struct unsent rest_of(size_t len)
{
    struct unsent unsent = {malloc(len), len};
    cr_assert(unsent.data);
    memcpy(unsent.data, flow_at(0, len), len);
    return unsent;
}

static void expect_end(void)
{
    char byte;
    cr_expect_eq(recv(peer, &byte, 1, 0), 0);
}

Test(server_linger, a_peer_is_told_the_end_and_has_two_seconds_of_silence)
{
    svc__linger_begin(&loop, fd, nothing);
    expect_end();
    let_pass(LINGER_IDLE_MS - 1);
    cr_expect(is_open(fd));
    cr_expect_eq(server.lingers, 1);
    let_pass(1);
    cr_expect_not(is_open(fd));
    cr_expect_eq(server.lingers, 0);
    cr_expect_eq(loop.lingers, NULL);
}

Test(server_linger, one_that_sends_on_has_ten_seconds_in_all)
{
    uint64_t begun_ms = loop.now_ms;
    svc__linger_begin(&loop, fd, nothing);
    while (is_open(fd) && loop.now_ms < begun_ms + 2 * LINGER_TOTAL_MS) {
        cr_assert_eq(send(peer, "abc", 3, MSG_NOSIGNAL), 3);
        cr_assert(take_event(WAIT_MS));
        let_pass(500);
    }
    cr_expect_eq(loop.now_ms, begun_ms + LINGER_TOTAL_MS);
}

Test(server_linger, one_that_is_done_is_not_waited_for)
{
    svc__linger_begin(&loop, fd, nothing);
    cr_assert_eq(send(peer, "abc", 3, MSG_NOSIGNAL), 3);
    shutdown(peer, SHUT_WR);
    cr_assert(take_event(WAIT_MS));
    cr_expect_not(is_open(fd));
    cr_expect_eq(server.lingers, 0);
}

/* Reads all that comes from `at` on; the bytes up to the end. */
static uint64_t read_rest(uint64_t at)
{
    char *data = large(FLOW_MOST);
    ssize_t n = 1;
    while (n != 0) {
        while (take_event(0))
            continue;
        n = recv(peer, data, FLOW_MOST, MSG_DONTWAIT);
        cr_assert(n <= 0 || flow_is(data, at, (size_t)n));
        at += n > 0 ? (uint64_t)n : 0;
        if (n < 0 && !take_event(WAIT_MS))
            break;
    }
    return at;
}

Test(server_linger, what_the_socket_had_no_room_for_is_sent_before_the_end)
{
    svc__linger_begin(&loop, fd, rest_of(FLOW_MOST));
    cr_expect_eq(read_rest(0), FLOW_MOST);
    cr_expect(is_open(fd), "and then it lingers");
    let_pass(LINGER_IDLE_MS);
    cr_expect_not(is_open(fd));
}

Test(server_linger, a_peer_that_has_shut_its_own_side_still_gets_the_rest)
{
    shutdown(peer, SHUT_WR);
    svc__linger_begin(&loop, fd, rest_of(FLOW_MOST));
    cr_expect_eq(read_rest(0), FLOW_MOST);
}

Test(server_linger, one_that_takes_nothing_is_cut_at_the_time_of_sending)
{
    svc__linger_begin(&loop, fd, rest_of(FLOW_MOST));
    while (take_event(0))
        continue;
    let_pass(SEND_MS - 1);
    cr_expect(is_open(fd));
    cr_assert_eq(send(peer, "abc", 3, MSG_NOSIGNAL), 3);
    cr_assert(take_event(WAIT_MS)); /* that it sends itself is no progress */
    let_pass(1);
    cr_expect_not(is_open(fd));
}

Test(server_linger, one_that_is_gone_is_not_sent_to)
{
    svc__linger_begin(&loop, fd, rest_of(FLOW_MOST));
    close(peer);
    peer = -1;
    while (is_open(fd) && take_event(WAIT_MS))
        continue;
    cr_expect_not(is_open(fd));
}

Test(server_linger, those_that_are_too_many_are_closed_at_once)
{
    server.lingers = LINGER_MAX;
    svc__linger_begin(&loop, fd, rest_of(10));
    cr_expect_not(is_open(fd));
    expect_end();
    cr_expect_eq(server.lingers, LINGER_MAX);
    close(peer);
    join(&fd, &peer);
    server.lingers = 0;
    server.max_sockets = 0;
    svc__linger_begin(&loop, fd, nothing);
    cr_expect_not(is_open(fd), "descriptors are for connections");
    cr_expect_eq(server.lingers, 0);
}

Test(server_linger, without_memory_it_is_closed_at_once)
{
    struct unsent unsent = rest_of(10);
    starve_after(0);
    svc__linger_begin(&loop, fd, unsent);
    cr_expect(starve_end());
    cr_expect_not(is_open(fd));
    cr_expect_eq(server.lingers, 0);
}

Test(server_linger, each_has_its_own_place_and_all_end_with_the_loop)
{
    int own[4], other[4];
    for (size_t i = 0; i < 4; i++) {
        join(&own[i], &other[i]);
        svc__linger_begin(&loop, own[i], i % 2 ? nothing : rest_of(FLOW_MOST));
    }
    close(other[1]);
    cr_assert(take_event(WAIT_MS));
    while (is_open(own[1]) && take_event(WAIT_MS))
        continue;
    cr_expect(is_open(own[0]) && !is_open(own[1]) && is_open(own[2]) && is_open(own[3]));
    svc__linger_close_all(&loop);
    for (size_t i = 0; i < 4; i++)
        cr_expect_not(is_open(own[i]));
    cr_expect_eq(server.lingers, 0);
    cr_expect_eq(loop.lingers, NULL);
    close(fd);
    close(other[0]);
    close(other[2]);
    close(other[3]);
}
