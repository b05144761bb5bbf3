/* The peer of a connection: looked up once for each connection, and copied into its requests. */
#ifndef SVC_PROTO_PEER_H
#define SVC_PROTO_PEER_H

#include <netinet/in.h>
#include <stdbool.h>
#include <sys/socket.h>

#include "libsvc/proto/network.h"

struct peer {
    char text[INET6_ADDRSTRLEN];    /* as svc_request_peer returns it */
    bool addressed;                 /* whether it has the following: a unix socket's has none */
    struct network_address address; /* IPv4-mapped is IPv4: the listener may be for both */
};

/* The peer with a socket's address; one of an unknown family has neither text nor address. Any
 * thread. */
struct peer svc__peer_of(const struct sockaddr_storage *address);

/* The peer that a text names: an address of IPv4 or IPv6, or one of "unix" and "test", which have
 * none. 0, or SVC_ESYNTAX, and then `*peer` is as it was. Any thread. */
int svc__peer_parse(const char *text, struct peer *peer);

#endif
