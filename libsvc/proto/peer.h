/* The peer of a connection: read once for each connection, and copied into its requests. */
#ifndef SVC_PROTO_PEER_H
#define SVC_PROTO_PEER_H

#include <netinet/in.h>
#include <stdbool.h>
#include <sys/socket.h>

#include "libsvc/proto/network.h"

struct peer {
    char text[INET6_ADDRSTRLEN]; /* as svc_request_peer returns it */
    bool addressed;              /* whether it has an address: the peer of a unix socket has none */
    struct network_address address; /* IPv4-mapped is IPv4: a listener may take both */
};

/* The peer with a socket's address; one of an unknown family has neither text nor address. Any
 * thread. */
struct peer svc__peer_of(const struct sockaddr_storage *address);

/* Parses the text of a peer: an address of IPv4 or IPv6, or "unix" or "test", which have no
 * address. 0, or SVC_ESYNTAX with `*peer` unchanged. Any thread. */
int svc__peer_parse(const char *text, struct peer *peer);

#endif
