#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <string.h>

#include "libsvc/exchange/exchange.h"
#include "libsvc/mw/rate_key.h"

static struct exchange exchanges[2]; /* keys borrow from them, and two are compared */

/* A request from `peer`: an address, or "unix". */
static svc_request *from(const char *peer)
{
    static size_t next;
    struct exchange *x = &exchanges[next++ % 2];
    struct sockaddr_storage address = {.ss_family = AF_UNIX};
    struct sockaddr_in *four = (void *)&address;
    struct sockaddr_in6 *six = (void *)&address;
    if (inet_pton(AF_INET, peer, &four->sin_addr) == 1)
        address.ss_family = AF_INET;
    else if (inet_pton(AF_INET6, peer, &six->sin6_addr) == 1)
        address.ss_family = AF_INET6;
    memset(x, 0, sizeof *x);
    x->request.peer = svc__peer_of(&address);
    return &x->request;
}

static bool make(const char *peer, struct rate_key *key)
{
    const struct rate_limit limit = {.flags = SVC_RATE_BY_CLIENT};
    return svc__rate_key_make(&limit, from(peer), key);
}

static bool same(const char *one, const char *other)
{
    struct rate_key a, b;
    cr_assert(make(one, &a));
    cr_assert(make(other, &b));
    return a.count == 1 && b.count == 1 && svc__bytes_eq(a.parts[0], b.parts[0]);
}

Test(mw_rate_key, ipv4_clients_are_single_addresses)
{
    cr_expect(same("192.0.2.1", "192.0.2.1"));
    cr_expect_not(same("192.0.2.1", "192.0.2.2"));
    cr_expect_not(same("0.0.0.0", "192.0.2.2"));
}

Test(mw_rate_key, ipv6_clients_are_networks_of_64_bits)
{
    cr_expect(same("2001:db8:1:2::1", "2001:db8:1:2:ffff:ffff:ffff:ffff"));
    cr_expect_not(same("2001:db8:1:2::1", "2001:db8:1:3::1"));
    cr_expect_not(same("::1", "2001:db8::1"));
}

Test(mw_rate_key, ipv4_mapped_clients_are_ipv4)
{
    cr_expect(same("::ffff:192.0.2.1", "192.0.2.1"));
    cr_expect_not(same("::ffff:192.0.2.1", "::ffff:192.0.2.2"));
    cr_expect_not(same("::ffff:192.0.2.1", "::192.0.2.1"));
}

Test(mw_rate_key, unix_sockets_are_one_client_that_no_address_is)
{
    cr_expect(same("unix", "unix"));
    cr_expect_not(same("unix", "::1"));
    cr_expect_not(same("unix", "117.110.105.120")); /* the bytes of "unix" */
}

Test(mw_rate_key, exempt_networks_have_no_key)
{
    static const char *const texts[] = {"10.0.0.0/8", "2001:db8::/32"};
    struct network networks[2];
    const struct rate_limit limit = {
        .flags = SVC_RATE_BY_CLIENT, .exempt = networks, .exempt_count = 2};
    struct rate_key key;
    for (size_t i = 0; i < 2; i++)
        cr_assert_eq(svc__network_parse(svc__bytes_z(texts[i]), &networks[i]), 0);
    cr_expect_not(svc__rate_key_make(&limit, from("10.1.2.3"), &key));
    cr_expect_not(svc__rate_key_make(&limit, from("::ffff:10.1.2.3"), &key));
    cr_expect_not(svc__rate_key_make(&limit, from("2001:db8:7::1"), &key));
    cr_expect(svc__rate_key_make(&limit, from("11.0.0.0"), &key));
    cr_expect(svc__rate_key_make(&limit, from("2001:db9::"), &key));
    cr_expect(svc__rate_key_make(&limit, from("unix"), &key));
}
