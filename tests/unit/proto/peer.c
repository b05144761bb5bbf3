/* Who is at the other end: by a socket's address, and by a text. */
#include "libsvc/proto/peer.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <string.h>

#include <svc/errors.h>

static struct peer of_address(int family, const char *text)
{
    struct sockaddr_storage address = {.ss_family = (sa_family_t)family};
    void *to = family == AF_INET ? (void *)&((struct sockaddr_in *)&address)->sin_addr
                                 : (void *)&((struct sockaddr_in6 *)&address)->sin6_addr;
    cr_assert_eq(inet_pton(family, text, to), 1);
    return svc__peer_of(&address);
}

static struct peer of_text(const char *text)
{
    struct peer peer;
    memset(&peer, 'x', sizeof peer);
    cr_assert_eq(svc__peer_parse(text, &peer), 0, "%s", text);
    return peer;
}

Test(proto_peer, is_the_same_by_its_socket_and_by_its_text)
{
    static const struct {
        int family;
        const char *address, *text;
    } rows[] = {{AF_INET, "192.0.2.1", "192.0.2.1"},
                {AF_INET, "255.255.255.255", "255.255.255.255"},
                {AF_INET6, "2001:db8:0:0::1", "2001:db8::1"},
                {AF_INET6, "::ffff:192.0.2.1", "192.0.2.1"},
                {AF_INET6, "2001:db8:1111:2222:3333:4444:5555:6666",
                 "2001:db8:1111:2222:3333:4444:5555:6666"},
                {AF_INET6, "::", "::"}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct peer peer = of_address(rows[i].family, rows[i].address);
        struct peer named = of_text(rows[i].address);
        cr_expect_str_eq(peer.text, rows[i].text);
        cr_expect_str_eq(named.text, rows[i].text);
        cr_expect(peer.addressed && named.addressed);
        cr_expect_eq(memcmp(&peer.address, &named.address, sizeof peer.address), 0, "%s",
                     rows[i].text);
    }
}

Test(proto_peer, one_without_an_address_has_a_name_at_most)
{
    struct sockaddr_storage address = {.ss_family = AF_UNIX};
    struct peer peer = svc__peer_of(&address);
    cr_expect_str_eq(peer.text, "unix");
    cr_expect_not(peer.addressed);
    address.ss_family = AF_UNSPEC;
    peer = svc__peer_of(&address);
    cr_expect_str_eq(peer.text, "");
    cr_expect_not(peer.addressed);
    cr_expect_str_eq(of_text("test").text, "test");
    cr_expect_not(of_text("unix").addressed);
}

Test(proto_peer, what_is_no_address_leaves_the_peer_as_it_was)
{
    static const char *const bad[] = {"",          "a",        "10.0.0.0/8", "::1/128", "1.2.3",
                                      "1.2.3.256", "[::1]",    "1.2.3.4:80", "unix ",   "::1%lo",
                                      "01.2.3.4",  "1.2.3.4 ", ":::",        "/"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct peer peer = {.text = "before"};
        cr_expect_eq(svc__peer_parse(bad[i], &peer), SVC_ESYNTAX, "%s", bad[i]);
        cr_expect_str_eq(peer.text, "before");
    }
}
