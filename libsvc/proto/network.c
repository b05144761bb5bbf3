/* IP addresses as bytes, and networks of addresses. */
#include "libsvc/proto/network.h"

#include <arpa/inet.h>
#include <string.h>

#include <svc/errors.h>

#include "libsvc/base/num.h"

static const unsigned char v4_prefix[NETWORK_V4_AT] = {[10] = 0xff, [11] = 0xff};

struct network_address svc__network_from_v4(const void *four)
{
    struct network_address address;
    memcpy(address.bytes, v4_prefix, sizeof v4_prefix);
    memcpy(address.bytes + NETWORK_V4_AT, four, 4);
    return address;
}

bool svc__network_is_v4(const struct network_address *address)
{
    return memcmp(address->bytes, v4_prefix, sizeof v4_prefix) == 0;
}

/* Parses an address. `*before` is the number of bits before those of the text: 96 for IPv4. */
static int parse_address(struct bytes text, struct network_address *address, unsigned *before)
{
    char copy[INET6_ADDRSTRLEN];
    unsigned char four[4];
    if (text.len >= sizeof copy || (text.len && memchr(text.data, '\0', text.len)))
        return SVC_ESYNTAX;
    memcpy(copy, text.len ? text.data : "", text.len);
    copy[text.len] = '\0';
    *before = 0;
    if (inet_pton(AF_INET6, copy, address->bytes) == 1)
        return 0;
    if (inet_pton(AF_INET, copy, four) != 1)
        return SVC_ESYNTAX;
    *address = svc__network_from_v4(four);
    *before = 8 * NETWORK_V4_AT;
    return 0;
}

/* Keeps the first bits of an address, and sets the others to zero. */
struct network_address svc__network_mask(struct network_address address, unsigned bits)
{
    for (unsigned i = 0; i < NETWORK_ADDRESS_LEN; i++) {
        unsigned kept = bits > 8 * i ? bits - 8 * i : 0;
        if (kept < 8)
            address.bytes[i] &= (unsigned char)(0xff00 >> kept);
    }
    return address;
}

static bool equal(const struct network_address *a, const struct network_address *b)
{
    return memcmp(a->bytes, b->bytes, NETWORK_ADDRESS_LEN) == 0;
}

int svc__network_parse(struct bytes text, struct network *network)
{
    struct bytes length = text;
    struct network found = {.bits = 8 * NETWORK_ADDRESS_LEN};
    unsigned before;
    uint64_t bits;
    struct bytes address = svc__bytes_cut(&length, '/');
    if (parse_address(address, &found.prefix, &before))
        return SVC_ESYNTAX;
    if (length.data) {
        bool padded = length.len > 1 && length.data[0] == '0';
        if (padded || svc__num_u64(length, 8 * NETWORK_ADDRESS_LEN - before, &bits))
            return SVC_ESYNTAX;
        found.bits = before + (unsigned)bits;
    }
    struct network_address masked = svc__network_mask(found.prefix, found.bits);
    if (!equal(&masked, &found.prefix))
        return SVC_ESYNTAX;
    *network = found;
    return 0;
}

int svc__network_list(struct bytes text, struct network networks[static NETWORK_LIST_MAX],
                      size_t *count, struct bytes *bad)
{
    size_t found = 0;
    struct bytes rest = svc__bytes_trim(text);
    while (rest.len > 0 || (found > 0 && rest.data)) {
        struct bytes one = svc__bytes_trim(svc__bytes_cut(&rest, ','));
        int error = found == NETWORK_LIST_MAX ? SVC_ETOOBIG : 0;
        if (!error)
            error = svc__network_parse(one, &networks[found++]);
        if (error) {
            *bad = one;
            return error;
        }
    }
    *count = found;
    return 0;
}

bool svc__network_contains(const struct network *network, const struct network_address *address)
{
    struct network_address masked = svc__network_mask(*address, network->bits);
    return equal(&masked, &network->prefix);
}
