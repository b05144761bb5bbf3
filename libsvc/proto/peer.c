#include "libsvc/proto/peer.h"

#include <arpa/inet.h>
#include <string.h>

#include <svc/errors.h>

static bool take_address(const struct sockaddr_storage *from, struct network_address *address)
{
    const struct sockaddr_in6 *six = (const void *)from;
    const struct sockaddr_in *four = (const void *)from;
    if (from->ss_family == AF_INET)
        *address = svc__network_from_v4(&four->sin_addr);
    else if (from->ss_family == AF_INET6)
        memcpy(address->bytes, &six->sin6_addr, sizeof address->bytes);
    return from->ss_family == AF_INET || from->ss_family == AF_INET6;
}

static void format(struct peer *peer)
{
    const unsigned char *bytes = peer->address.bytes;
    if (svc__network_is_v4(&peer->address))
        inet_ntop(AF_INET, bytes + NETWORK_V4_AT, peer->text, sizeof peer->text);
    else
        inet_ntop(AF_INET6, bytes, peer->text, sizeof peer->text);
}

struct peer svc__peer_of(const struct sockaddr_storage *address)
{
    struct peer peer = {.text = ""};
    peer.addressed = take_address(address, &peer.address);
    if (peer.addressed)
        format(&peer);
    else if (address->ss_family == AF_UNIX)
        strcpy(peer.text, "unix");
    return peer;
}

int svc__peer_parse(const char *text, struct peer *peer)
{
    struct peer parsed = {.text = ""};
    struct network network;
    if (!strcmp(text, "unix") || !strcmp(text, "test")) {
        strcpy(parsed.text, text);
    } else {
        if (strchr(text, '/') || svc__network_parse(svc__bytes_z(text), &network))
            return SVC_ESYNTAX;
        parsed.addressed = true;
        parsed.address = network.prefix;
        format(&parsed);
    }
    *peer = parsed;
    return 0;
}
