/* What the kernel has counted, against what was sent. */
#include "libsvc/server/tcp_counts.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "libsvc/server/conn.h"

/* The ends of a TCP connection. */
static void connect_pair(int ends[2])
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t len = sizeof address;
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    cr_assert_eq(bind(listener, (struct sockaddr *)&address, sizeof address), 0);
    cr_assert_eq(listen(listener, 1), 0);
    cr_assert_eq(getsockname(listener, (struct sockaddr *)&address, &len), 0);
    ends[0] = socket(AF_INET, SOCK_STREAM, 0);
    cr_assert_eq(connect(ends[0], (struct sockaddr *)&address, sizeof address), 0);
    ends[1] = accept(listener, NULL, NULL);
    cr_assert_geq(ends[1], 0);
    close(listener);
}

static void await_input(int fd)
{
    struct pollfd poll_fd = {.fd = fd, .events = POLLIN};
    cr_assert_eq(poll(&poll_fd, 1, -1), 1);
}

Test(tcp_counts, has_what_arrived_and_not_the_end_behind_it)
{
    int ends[2];
    connect_pair(ends);
    struct conn conn = {.fd = ends[1]};
    conn.address.ss_family = AF_INET;
    uint64_t bytes = 77, ms = 77;
    if (!svc__tcp_counts_received(&conn, &bytes))
        cr_skip("TCP_INFO has no counts here");
    cr_expect_eq(bytes, 0);
    cr_assert_eq(send(ends[0], "12345", 5, 0), 5);
    await_input(ends[1]);
    cr_expect(svc__tcp_counts_received(&conn, &bytes));
    cr_expect_eq(bytes, 5);
    cr_expect(svc__tcp_counts_silence(&conn, &ms));
    char text[8];
    cr_assert_eq(recv(ends[1], text, sizeof text, 0), 5);
    shutdown(ends[0], SHUT_WR);
    await_input(ends[1]);
    cr_expect(svc__tcp_counts_received(&conn, &bytes));
    cr_expect_eq(bytes, 5, "with its end: %zu", (size_t)bytes);
    close(ends[0]);
    close(ends[1]);
}

Test(tcp_counts, leaves_unix_sockets_uncounted)
{
    int ends[2];
    cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    struct conn conn = {.fd = ends[1]};
    conn.address.ss_family = AF_UNIX;
    uint64_t count = 77;
    cr_expect_not(svc__tcp_counts_received(&conn, &count));
    cr_expect_not(svc__tcp_counts_acknowledged(&conn, &count));
    cr_expect_not(svc__tcp_counts_silence(&conn, &count));
    cr_expect_eq(count, 77);
    close(ends[0]);
    close(ends[1]);
}
