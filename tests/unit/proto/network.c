#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <string.h>

#include <svc/errors.h>

#include "libsvc/proto/network.h"
#include "tests/unit/proto/vectors.h"

static struct network_address address_of(const char *text)
{
    struct network_address address;
    unsigned char four[4];
    if (inet_pton(AF_INET, text, four) == 1)
        return svc__network_from_v4(four);
    cr_assert_eq(inet_pton(AF_INET6, text, address.bytes), 1, "%s", text);
    return address;
}

struct row {
    const char *network, *address;
    bool inside;
};

static const struct row rows[] = {
    {"192.0.2.0/24", "192.0.2.0", true},
    {"192.0.2.0/24", "192.0.2.255", true},
    {"192.0.2.0/24", "192.0.3.0", false},
    {"192.0.2.0/24", "::ffff:192.0.2.7", true},
    {"192.0.2.0/24", "::192.0.2.7", false},
    {"192.0.2.128/25", "192.0.2.128", true},
    {"192.0.2.128/25", "192.0.2.127", false},
    {"192.0.2.1", "192.0.2.1", true},
    {"192.0.2.1", "192.0.2.2", false},
    {"192.0.2.1/32", "192.0.2.1", true},
    {"0.0.0.0/0", "255.255.255.255", true},
    {"0.0.0.0/0", "::1", false},
    {"::/0", "::1", true},
    {"::/0", "10.0.0.1", true},
    {"::1", "::1", true},
    {"::1", "127.0.0.1", false},
    {"::ffff:10.0.0.0/104", "10.1.2.3", true},
    {"2001:db8::/33", "2001:db8:7fff::1", true},
    {"2001:db8::/33", "2001:db8:8000::1", false},
    {"2001:db8::/32", "2001:db8:ffff::1", true},
    {"2001:db8::/32", "2001:db9::1", false},
};

Test(proto_network, holds_the_addresses_of_its_prefix)
{
    for (size_t i = 0; i < ROWS(rows); i++) {
        struct network network;
        struct network_address address = address_of(rows[i].address);
        cr_assert_eq(svc__network_parse(svc__bytes_z(rows[i].network), &network), 0, "%s",
                     rows[i].network);
        cr_expect_eq(svc__network_contains(&network, &address), rows[i].inside, "%s in %s",
                     rows[i].address, rows[i].network);
    }
}

Test(proto_network, what_is_none_is_refused)
{
    static const struct bytes bad[] = {
        LITERAL(""),
        LITERAL("/"),
        LITERAL("/8"),
        LITERAL("10.0.0.0/"),
        LITERAL("10.0.0.0/33"),
        LITERAL("10.0.0.0/-1"),
        LITERAL("10.0.0.0/8/8"),
        LITERAL("10.0.0.1/8"),
        LITERAL("10.0.0/8"),
        LITERAL("10/8"),
        LITERAL("010.0.0.0/8x"),
        LITERAL("010.0.0.0/8"),
        LITERAL("10.0.0.00/8"),
        LITERAL("10.0.0.0/08"),
        LITERAL("10.0.0.0/00"),
        LITERAL("10.0.0.0/+8"),
        LITERAL("10.0.0.0/ 8"),
        LITERAL("10.0.0.0 /8"),
        LITERAL(" 10.0.0.0/8"),
        LITERAL("10.0.0.0/8 "),
        LITERAL("10.0.0.0/8.0"),
        LITERAL("10.0.0.0/0x8"),
        LITERAL("10.0.0.0/255.0.0.0"),
        LITERAL("10.0.0.0/0.255.255.255"),
        LITERAL("10.0.0.0\\8"),
        LITERAL("10.0.0.0-10.0.0.255"),
        LITERAL("10.0.0.0:80"),
        LITERAL("10.0.0.0:80/8"),
        LITERAL("10.0.0.*"),
        LITERAL("10.*"),
        LITERAL("10."),
        LITERAL("10.0.0"),
        LITERAL("10.0.0.0."),
        LITERAL("10.0.0.256/32"),
        LITERAL("1.2.3.4.5/32"),
        LITERAL("0xa.0.0.0/8"),
        LITERAL("0x0a000000/8"),
        LITERAL("167772160/8"),
        LITERAL("*"),
        LITERAL("any"),
        LITERAL("all"),
        LITERAL("private"),
        LITERAL("!10.0.0.0/8"),
        LITERAL("10.0.0.0/8,"),
        LITERAL("10.0.0.0/8;11.0.0.0/8"),
        LITERAL("10.0.0.0/8 11.0.0.0/8"),
        LITERAL("[::1]/128"),
        LITERAL("::1/128/1"),
        LITERAL("::1%1/128"),
        LITERAL("1::2::3/128"),
        LITERAL(":::/0"),
        LITERAL(":/0"),
        LITERAL("::ffff:10.0.0.0/8"),
        LITERAL("::10.0.0.1/120"),
        LITERAL("g::/16"),
        LITERAL("12345::/16"),
        LITERAL("1:2:3:4:5:6:7/112"),
        LITERAL("1:2:3:4:5:6:7:8:9/128"),
        LITERAL("unix:/run/x"),
        LITERAL("example.org"),
        LITERAL("::/129"),
        LITERAL("2001:db8::1/32"),
        LITERAL("[::1]"),
        LITERAL("fe80::1%eth0"),
        LITERAL("localhost"),
        LITERAL("10.0.0.0\0/8"),
        LITERAL("0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000/8"),
    };
    for (size_t i = 0; i < ROWS(bad); i++) {
        struct network network = {.bits = 77};
        cr_expect_eq(svc__network_parse(bad[i], &network), SVC_ESYNTAX, "%.*s", SHOW(bad[i]));
        cr_expect_eq(network.bits, 77, "%.*s", SHOW(bad[i]));
    }
}

Test(proto_network, knows_ipv4_by_its_prefix)
{
    struct network_address four = address_of("192.0.2.1"), six = address_of("2001:db8::1");
    cr_expect(svc__network_is_v4(&four));
    cr_expect_not(svc__network_is_v4(&six));
}

Test(network, lists_are_read_as_a_whole)
{
    struct network networks[NETWORK_LIST_MAX];
    struct bytes bad;
    size_t count = 7;
    cr_expect_eq(svc__network_list(svc__bytes_z(""), networks, &count, &bad), 0);
    cr_expect_eq(count, 0);
    cr_expect_eq(svc__network_list(svc__bytes_z(" 10.0.0.0/8 ,::1"), networks, &count, &bad), 0);
    cr_expect_eq(count, 2);
    struct network_address one = address_of("10.1.2.3"), six = address_of("::1");
    cr_expect(svc__network_contains(&networks[0], &one));
    cr_expect(svc__network_contains(&networks[1], &six));
}

Test(network, lists_with_a_mistake_name_it)
{
    static const char *const lists[][2] = {
        {"10.0.0.0/8,x,y", "x"}, {"10.0.0.0/8,", ""}, {",", ""}, {"10.0.0.1/8", "10.0.0.1/8"}};
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++) {
        struct network networks[NETWORK_LIST_MAX];
        struct bytes bad = {NULL, 0};
        size_t count = 7;
        cr_expect_eq(svc__network_list(svc__bytes_z(lists[i][0]), networks, &count, &bad),
                     SVC_ESYNTAX);
        cr_expect(svc__bytes_eq_z(bad, lists[i][1]), "%s: %.*s", lists[i][0], (int)bad.len,
                  bad.data);
        cr_expect_eq(count, 7);
    }
    char many[65 * 8] = "";
    for (int i = 0; i < NETWORK_LIST_MAX + 1; i++)
        strcat(many, i ? ",::1" : "::1");
    struct network networks[NETWORK_LIST_MAX];
    struct bytes bad;
    size_t count;
    cr_expect_eq(svc__network_list(svc__bytes_z(many), networks, &count, &bad), SVC_ETOOBIG);
}
