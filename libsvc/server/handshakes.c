/* Handshakes under way, asked of the kernel by a sock_diag dump for the listener's port. */
#include "libsvc/server/handshakes.h"

#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

/* The kernel's state of a handshake before its last segment (TCP_NEW_SYN_RECV), which no public
 * header has. */
enum { NEW_SYN_RECV = 12 };

struct question {
    struct nlmsghdr head;
    struct inet_diag_req_v2 body;
};

/* Whether a family has a handshake with the port: the dump's first message shows it. */
static bool ask_family(int diag_fd, int family, in_port_t port)
{
    struct question question = {
        .head = {.nlmsg_len = sizeof question,
                 .nlmsg_type = SOCK_DIAG_BY_FAMILY,
                 .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP},
        .body = {.sdiag_family = (__u8)family,
                 .sdiag_protocol = IPPROTO_TCP,
                 .idiag_states = 1U << TCP_SYN_RECV | 1U << NEW_SYN_RECV,
                 .id = {.idiag_sport = port,
                        .idiag_cookie = {INET_DIAG_NOCOOKIE, INET_DIAG_NOCOOKIE}}},
    };
    union {
        struct nlmsghdr head;
        char bytes[8192];
    } answer;
    if (send(diag_fd, &question, sizeof question, 0) < 0)
        return true;
    ssize_t len = recv(diag_fd, &answer, sizeof answer, MSG_DONTWAIT);
    return len < (ssize_t)sizeof answer.head || answer.head.nlmsg_type != NLMSG_DONE;
}

static bool ask_once(int family, in_port_t port)
{
    int diag_fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
    if (diag_fd < 0)
        return true;
    bool pending = ask_family(diag_fd, family, port);
    close(diag_fd);
    return pending;
}

bool svc__handshakes_pending(int fd)
{
    union {
        struct sockaddr any;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
        struct sockaddr_storage room;
    } address;
    socklen_t len = sizeof address;
    if (getsockname(fd, &address.any, &len))
        return false;
    if (address.any.sa_family == AF_INET)
        return ask_once(AF_INET, address.v4.sin_port);
    /* An IPv6 socket may accept IPv4 too, and then has handshakes of both families. */
    return address.any.sa_family == AF_INET6 &&
           (ask_once(AF_INET, address.v6.sin6_port) || ask_once(AF_INET6, address.v6.sin6_port));
}
