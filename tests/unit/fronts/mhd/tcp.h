/* A connection of TCP, of which the kernel counts the bytes. */
#ifndef TESTS_UNIT_FRONTS_MHD_TCP_H
#define TESTS_UNIT_FRONTS_MHD_TCP_H

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "libsvc/server/conn.h"
#include "libsvc/server/tcp_counts.h"

/* Makes the ends of a connection, of which the first is `of`; skips the test where the kernel
 * does not count. */
static inline void join_tcp(struct conn *of, int ends[2])
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t len = sizeof address;
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    uint64_t bytes;
    cr_assert_eq(bind(listener, (struct sockaddr *)&address, sizeof address), 0);
    cr_assert_eq(listen(listener, 1), 0);
    cr_assert_eq(getsockname(listener, (struct sockaddr *)&address, &len), 0);
    ends[1] = socket(AF_INET, SOCK_STREAM, 0);
    cr_assert_eq(connect(ends[1], (struct sockaddr *)&address, sizeof address), 0);
    ends[0] = accept(listener, NULL, NULL);
    cr_assert_geq(ends[0], 0);
    close(listener);
    of->fd = ends[0];
    of->address.ss_family = AF_INET;
    if (!svc__tcp_counts_received(of, &bytes))
        cr_skip("TCP_INFO has no counts here");
}

#endif
