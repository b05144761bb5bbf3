#include "libsvc/server/address_limit.h"

#include <criterion/criterion.h>
#include <string.h>

static struct peer v4(unsigned host)
{
    unsigned char four[4] = {10, (unsigned char)(host >> 16), (unsigned char)(host >> 8),
                             (unsigned char)host};
    return (struct peer){.addressed = true, .address = svc__network_from_v4(four)};
}

static struct peer v6(unsigned char network, unsigned char host)
{
    struct peer peer = {.addressed = true};
    peer.address.bytes[0] = 0x20;
    peer.address.bytes[7] = network;
    peer.address.bytes[15] = host;
    return peer;
}

static struct address_limit *make(unsigned max, const char *exempt)
{
    struct address_limit *limit = svc__address_limit_new(max, exempt);
    cr_assert(limit);
    return limit;
}

Test(address_limit, each_address_has_its_own)
{
    struct address_limit *limit = make(2, "");
    struct peer a = v4(1), b = v4(2);
    cr_expect(svc__address_limit_enter(limit, &a));
    cr_expect(svc__address_limit_enter(limit, &a));
    cr_expect_not(svc__address_limit_enter(limit, &a));
    cr_expect(svc__address_limit_enter(limit, &b));
    svc__address_limit_leave(limit, &a);
    cr_expect(svc__address_limit_enter(limit, &a));
    svc__address_limit_free(limit);
}

Test(address_limit, ipv6_is_counted_by_its_64)
{
    struct address_limit *limit = make(1, "");
    struct peer first = v6(1, 1), neighbour = v6(1, 2), other = v6(2, 1);
    cr_expect(svc__address_limit_enter(limit, &first));
    cr_expect_not(svc__address_limit_enter(limit, &neighbour));
    cr_expect(svc__address_limit_enter(limit, &other));
    svc__address_limit_leave(limit, &first);
    cr_expect(svc__address_limit_enter(limit, &neighbour));
    svc__address_limit_free(limit);
}

Test(address_limit, exempt_networks_and_peers_without_an_address_are_not_counted)
{
    struct address_limit *limit = make(1, "10.0.0.0/24, 2000:0:0:7::/64");
    struct peer exempt = v4(7), counted = v4(256), six = v6(7, 1), none = {.text = "unix"};
    for (int i = 0; i < 3; i++) {
        cr_expect(svc__address_limit_enter(limit, &exempt));
        cr_expect(svc__address_limit_enter(limit, &six));
        cr_expect(svc__address_limit_enter(limit, &none));
        cr_expect(svc__address_limit_enter(NULL, &counted));
    }
    cr_expect(svc__address_limit_enter(limit, &counted));
    cr_expect_not(svc__address_limit_enter(limit, &counted));
    svc__address_limit_free(limit);
}

/* Comings and goings beside plain counters, with searches that lead over slots of others. */
Test(address_limit, counts_as_plain_counters_do)
{
    enum { HOSTS = 3000, MAX = 3, STEPS = 400000 };
    static unsigned counts[HOSTS];
    struct address_limit *limit = make(MAX, "");
    unsigned state = 1;
    for (int i = 0; i < STEPS; i++) {
        state = state * 1664525 + 1013904223;
        /* Hosts wax and wane, so that the table grows and empties. */
        unsigned host = (state >> 8) % HOSTS;
        bool leaves = (state >> 28) > (i < STEPS / 2 ? 6u : 10u) ? false : counts[host] > 0;
        struct peer peer = v4(host);
        if (leaves) {
            svc__address_limit_leave(limit, &peer);
            counts[host]--;
            continue;
        }
        bool entered = svc__address_limit_enter(limit, &peer);
        cr_assert_eq(entered, counts[host] < MAX, "step %d, host %u", i, host);
        counts[host] += entered;
    }
    for (unsigned host = 0; host < HOSTS; host++) {
        struct peer peer = v4(host);
        for (; counts[host]; counts[host]--)
            svc__address_limit_leave(limit, &peer);
        cr_assert(svc__address_limit_enter(limit, &peer));
    }
    svc__address_limit_free(limit);
}
