/* Host decides which routes a request can reach, so its grammar is checked strictly. */
#include "libsvc/proto/host.h"

#include <arpa/inet.h>
#include <string.h>

#include "libsvc/proto/uri.h"

/* 1 for a character that a registered name may have: unreserved, sub-delims, and '%' of an escape.
 */
/* clang-format off */
static const unsigned char name_char[256] = {
    [0x20] =
    /* 0x20 */ 0, 1, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0,
    /* 0x30 */ 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 1, 0, 1, 0, 0,
    /* 0x40 */ 0, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
    /* 0x50 */ 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 1,
    /* 0x60 */ 0, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
    /* 0x70 */ 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 1, 0,
};
/* clang-format on */

static bool host_name_valid(struct bytes name)
{
    bool escaped = false;
    for (size_t i = 0; i < name.len; i++) {
        if (!name_char[(unsigned char)name.data[i]])
            return false;
        escaped |= name.data[i] == '%';
    }
    return !escaped || svc__uri_escapes_valid(name);
}

static bool address_valid(struct bytes address)
{
    char text[INET6_ADDRSTRLEN];
    struct in6_addr parsed;
    if (address.len >= sizeof(text) || memchr(address.data, '\0', address.len))
        return false;
    memcpy(text, address.data, address.len);
    text[address.len] = '\0';
    return inet_pton(AF_INET6, text, &parsed) == 1;
}

/* The text between brackets: an address and, after an escaped '%', a zone (RFC 6874). */
static bool literal_valid(struct bytes literal)
{
    static const char mark[] = "%25";
    const size_t mark_len = sizeof(mark) - 1;
    const char *zone = memmem(literal.data, literal.len, mark, mark_len);
    if (!zone)
        return address_valid(literal);
    struct bytes address = {literal.data, (size_t)(zone - literal.data)};
    struct bytes name = {zone + mark_len, literal.len - address.len - mark_len};
    return address_valid(address) && name.len > 0 && host_name_valid(name);
}

/* The rest after the host: nothing, or ':' and a port. */
static bool port_valid(struct bytes text)
{
    unsigned port = 0;
    if (text.len > 0 && text.data[0] != ':')
        return false;
    for (size_t i = 1; i < text.len; i++) {
        if (text.data[i] < '0' || text.data[i] > '9')
            return false;
        port = port * 10 + (unsigned)(text.data[i] - '0');
        if (port > 65535)
            return false;
    }
    return true;
}

struct bytes svc__host_name(struct bytes host)
{
    bool literal = host.len > 0 && host.data[0] == '[';
    const char *end = host.len > 0 ? memchr(host.data, literal ? ']' : ':', host.len) : NULL;
    if (end)
        host.len = (size_t)(end - host.data) + (literal ? 1 : 0);
    return host;
}

bool svc__host_valid(struct bytes host)
{
    if (host.len == 0)
        return true;
    struct bytes name = svc__host_name(host);
    struct bytes port = {host.data + name.len, host.len - name.len};
    if (host.data[0] != '[')
        return host_name_valid(name) && port_valid(port);
    if (name.len < 2 || name.data[name.len - 1] != ']')
        return false;
    struct bytes literal = {name.data + 1, name.len - 2};
    return literal_valid(literal) && port_valid(port);
}
