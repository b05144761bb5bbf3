#include <criterion/criterion.h>
#include <string.h>
#include <sys/un.h>

#include <svc/errors.h>

#include "libsvc/base/endpoint.h"
#include "tests/unit/base/support.h"

Test(base_endpoint, addresses_come_apart)
{
    static const struct {
        struct bytes text;
        bool local;
        const char *name;
        uint16_t port;
    } rows[] = {
        {LITERAL(":8080"), false, "", 8080},
        {LITERAL(":0"), false, "", 0},
        {LITERAL(":65535"), false, "", 65535},
        {LITERAL("*:8080"), false, "", 8080},
        {LITERAL("0.0.0.0:80"), false, "0.0.0.0", 80},
        {LITERAL("255.255.255.255:80"), false, "255.255.255.255", 80},
        {LITERAL("[::]:80"), false, "::", 80},
        {LITERAL("[::ffff:127.0.0.1]:80"), false, "::ffff:127.0.0.1", 80},
        {LITERAL("[2001:DB8::1]:80"), false, "2001:DB8::1", 80},
        {LITERAL("localhost:80"), false, "localhost", 80},
        {LITERAL("LocalHost.:80"), false, "LocalHost.", 80},
        {LITERAL("a:80"), false, "a", 80},
        {LITERAL("under_score.example:80"), false, "under_score.example", 80},
        {LITERAL("3com.example:80"), false, "3com.example", 80},
        {LITERAL("10.0.0.1.example:80"), false, "10.0.0.1.example", 80},
        {LITERAL("xn--mller-kva.example:80"), false, "xn--mller-kva.example", 80},
        {LITERAL("unix:8080"), true, "8080", 0},
        {LITERAL("unix:///run/x"), true, "///run/x", 0},
        {LITERAL("127.0.0.1:80"), false, "127.0.0.1", 80},
        {LITERAL("name.example:00080"), false, "name.example", 80},
        {LITERAL("[::1]:80"), false, "::1", 80},
        {LITERAL("[fe80::1%eth0]:80"), false, "fe80::1%eth0", 80},
        {LITERAL("unix:/run/a:b"), true, "/run/a:b", 0},
        {LITERAL("unix:x"), true, "x", 0},
        {LITERAL("unix:80"), true, "80", 0},
    };
    for (size_t i = 0; i < ROWS(rows); i++) {
        struct endpoint out;
        const char *reason = NULL;
        cr_assert_eq(svc__endpoint_parse(rows[i].text, &out, &reason), 0, "row %zu", i);
        cr_expect_eq(out.local, rows[i].local, "row %zu", i);
        cr_expect_str_eq(out.name, rows[i].name);
        cr_expect_eq(out.port, rows[i].port, "row %zu", i);
    }
}

/* Texts that some system, tool or person takes for an address, and that mean something else to
 * another, or nothing. */
Test(base_endpoint, what_is_no_address_is_refused_with_a_reason)
{
    static const struct bytes rows[] = {
        LITERAL(""),
        {NULL, 0},
        /* without a port, or with another thing in its place */
        LITERAL("nowhere"),
        LITERAL("8080"),
        LITERAL("127.0.0.1"),
        LITERAL("[::1]"),
        LITERAL("*"),
        LITERAL(":"),
        LITERAL("a:"),
        LITERAL("*:"),
        LITERAL("a:b"),
        LITERAL("a:http"),
        LITERAL("a:*"),
        LITERAL("a:-1"),
        LITERAL("a:+80"),
        LITERAL("a: 80"),
        LITERAL("a:80 "),
        LITERAL("a:0x50"),
        LITERAL("a:8e1"),
        LITERAL("a:80.0"),
        LITERAL("a:8,080"),
        LITERAL("a:65536"),
        LITERAL("a:18446744073709551696"),
        LITERAL("a:80/tcp"),
        LITERAL("a:80\0"),
        LITERAL("8080:a"),
        /* IPv6 */
        LITERAL("::1:80"),
        LITERAL(":::80"),
        LITERAL("::80"),
        LITERAL("[::1]80"),
        LITERAL("[::1:80"),
        LITERAL("::1]:80"),
        LITERAL("[]:80"),
        LITERAL("[*]:80"),
        LITERAL("[a]:80"),
        LITERAL("[localhost]:80"),
        LITERAL("[127.0.0.1]:80"),
        LITERAL("[[::1]]:80"),
        LITERAL("[::1%]:80"),
        LITERAL("[::1]]:80"),
        LITERAL("[1::2::3]:80"),
        LITERAL("[::1]x:80"),
        LITERAL("a[::1]:80"),
        /* IPv4 as only some systems read it */
        LITERAL("1:80"),
        LITERAL("127.1:80"),
        LITERAL("127.0.1:80"),
        LITERAL("0x7f.0.0.1:80"),
        LITERAL("0x7f000001:80"),
        LITERAL("127.0.0.0x1:80"),
        LITERAL("2130706433:80"),
        LITERAL("010.0.0.1:80"),
        LITERAL("127.0.0.01:80"),
        LITERAL("127.0.0.256:80"),
        LITERAL("1.2.3.4.5:80"),
        LITERAL("example.1:80"),
        LITERAL("10.0.0.0/8:80"),
        /* names */
        LITERAL("a:80:80"),
        LITERAL("http://a:80"),
        LITERAL("tcp://a:80"),
        LITERAL("//a:80"),
        LITERAL("a/b:80"),
        LITERAL("a@b:80"),
        LITERAL("a b:80"),
        LITERAL(" a:80"),
        LITERAL("a\0b:80"),
        LITERAL("\tb:80"),
        LITERAL("a..b:80"),
        LITERAL(".a:80"),
        LITERAL(".:80"),
        LITERAL("-a:80"),
        LITERAL("a-:80"),
        LITERAL("**:80"),
        LITERAL("*.a:80"),
        LITERAL("%:80"),
        LITERAL("\"a\":80"),
        LITERAL("m\xc3\xbcller:80"),
        LITERAL("$HOST:80"),
        LITERAL("systemd:80:80"),
        LITERAL("fd://3"),
        /* unix sockets */
        LITERAL("unix:"),
        LITERAL("unix"),
        LITERAL("unix:@name"),
        LITERAL("unix:\0name"),
        LITERAL("unix:/run/a\0b"),
        LITERAL("unix://run/socket"),
        LITERAL("unix:/run/"),
        LITERAL("unix:/"),
        LITERAL("unix-abstract:name"),
        LITERAL("UNIX:/run/socket"),
        LITERAL("/run/socket"),
        LITERAL("/run/a:b"),
        LITERAL("./socket:0"),
    };
    for (size_t i = 0; i < ROWS(rows); i++) {
        struct endpoint out = {.port = 7};
        const char *reason = NULL;
        cr_expect_eq(svc__endpoint_parse(rows[i], &out, &reason), SVC_ESYNTAX, "%.*s",
                     (int)rows[i].len, rows[i].data ? rows[i].data : "");
        cr_expect(reason && *reason, "row %zu", i);
        cr_expect_eq(out.port, 7, "row %zu", i);
    }
}

/* `prefix` and as many letters behind it as make `len` bytes. */
static int parse_long(const char *prefix, const char *suffix, size_t len)
{
    char text[512];
    size_t front = strlen(prefix), back = strlen(suffix);
    struct endpoint out;
    const char *reason;
    memcpy(text, prefix, front);
    memset(text + front, 'a', len - front - back);
    memcpy(text + len - back, suffix, back);
    return svc__endpoint_parse(svc__bytes(text, len), &out, &reason);
}

Test(base_endpoint, the_longest_is_taken_and_one_byte_more_is_not)
{
    size_t path = sizeof((struct sockaddr_un *)0)->sun_path - 1;
    cr_expect_eq(parse_long("unix:", "", strlen("unix:") + path), 0);
    cr_expect_eq(parse_long("unix:", "", strlen("unix:") + path + 1), SVC_ESYNTAX);
    cr_expect_eq(parse_long("", ":80", ENDPOINT_TEXT - 1), 0);
    cr_expect_eq(parse_long("", ":80", ENDPOINT_TEXT), SVC_ESYNTAX);
}
