#include "libsvc/server/handshakes.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <errno.h>
#include <linux/filter.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { TRIES = 10000, PAUSE_MS = 1 };

union address {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
};

static int open_listener(union address *address)
{
    socklen_t len = sizeof *address;
    int fd = socket(address->any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    cr_assert(fd >= 0 && !bind(fd, &address->any, len) && !listen(fd, 8));
    cr_assert_not(getsockname(fd, &address->any, &len));
    return fd;
}

/* Begins to connect, and is deaf for the answer. */
static int half_connect(const union address *address)
{
    struct sock_filter nothing = BPF_STMT(BPF_RET | BPF_K, 0);
    struct sock_fprog deaf = {1, &nothing};
    int fd = socket(address->any.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    cr_assert_geq(fd, 0);
    cr_assert_not(setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &deaf, sizeof deaf));
    cr_assert(connect(fd, &address->any, sizeof *address) && errno == EINPROGRESS);
    return fd;
}

static void await_pending(int listener, bool pending)
{
    int tries = 0;
    while (svc__handshakes_pending(listener) != pending && tries++ < TRIES)
        poll(NULL, 0, PAUSE_MS);
    cr_expect_eq(svc__handshakes_pending(listener), pending);
}

static void try_clients(union address at, union address from)
{
    int listener = open_listener(&at);
    from.v4.sin_port = at.v4.sin_port; /* of IPv6 it lies in the same place */
    cr_expect_not(svc__handshakes_pending(listener), "nobody has come");
    int client = half_connect(&from);
    await_pending(listener, true);
    cr_assert_not(setsockopt(client, SOL_SOCKET, SO_DETACH_FILTER, &(int){0}, sizeof(int)));
    await_pending(listener, false); /* after the listener's answer has been repeated */
    int accepted = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    cr_expect_geq(accepted, 0, "it is in the queue once it is no longer pending");
    close(accepted);
    close(client);
    close(listener);
}

static const union address v4 = {.v4 = {.sin_family = AF_INET, .sin_addr.s_addr = 0x100007f}};
static const union address v6 = {
    .v6 = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT}};
static const union address any = {.v6 = {.sin6_family = AF_INET6}};

Test(handshakes, of_IPv4_are_seen_until_they_are_accepted)
{
    try_clients(v4, v4);
}

Test(handshakes, of_IPv6_are_seen_until_they_are_accepted)
{
    try_clients(v6, v6);
}

Test(handshakes, of_IPv4_with_a_listener_of_both_are_seen_until_they_are_accepted)
{
    try_clients(any, v4);
}

Test(handshakes, are_not_there_with_a_unix_socket)
{
    struct sockaddr_un nowhere = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    cr_assert(fd >= 0 && !bind(fd, (struct sockaddr *)&nowhere, sizeof(sa_family_t)));
    cr_assert_not(listen(fd, 8));
    cr_expect_not(svc__handshakes_pending(fd));
    close(fd);
}

Test(handshakes, count_as_pending_when_the_system_does_not_say)
{
    union address at = v4;
    int listener = open_listener(&at);
    struct rlimit before, none;
    cr_assert_not(getrlimit(RLIMIT_NOFILE, &before));
    none = before;
    none.rlim_cur = 0;
    cr_assert_not(setrlimit(RLIMIT_NOFILE, &none));
    bool pending = svc__handshakes_pending(listener);
    cr_assert_not(setrlimit(RLIMIT_NOFILE, &before));
    cr_expect(pending);
    close(listener);
}
