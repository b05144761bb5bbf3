#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

#include "libsvc/proto/reference.h"
#include "libsvc/proto/uri.h"
#include "tests/unit/proto/vectors.h"

/* As svc__reference_write, in memory of just the size that is asked for; "" for none. */
static const char *write_reference(const char *text)
{
    static char result[256];
    size_t room = 3 * strlen(text);
    char *out = malloc(room + !room);
    size_t len = svc__reference_write(out, svc__bytes_z(text));
    cr_assert_leq(len, room);
    memcpy(result, out, len);
    result[len] = '\0';
    free(out);
    return result;
}

Test(proto_reference, what_is_one_stays_as_it_is)
{
    static const char *const rows[] = {
        "/",
        "/a/b",
        "a",
        "./a:b",
        "../a",
        "?q=1&r=2",
        "#top",
        "/a?b#c",
        "/a?b/c?d",
        "/a#b/c?d",
        "/%C3%A4",
        "/a;b=1,2/@me:you!*'()",
        "//host",
        "//host:80/a",
        "http://a",
        "HTTPS://a/",
        "http://a:80?b",
        "http://u:p@a/",
        "http://[::1]:80/",
        "http://[fe80::1%25eth0]/",
        "//[::1]",
        "urn:isbn:1",
        "mailto:a@b.example",
        "file:///a",
        "a+b-c.1:x",
        "/a//b",
        "http://a%20b/",
        "",
    };
    for (size_t i = 0; i < ROWS(rows); i++)
        cr_expect_str_eq(write_reference(rows[i]), rows[i], "%s: %s", rows[i],
                         write_reference(rows[i]));
}

Test(proto_reference, what_no_uri_may_hold_is_escaped)
{
    static const struct {
        const char *text, *want;
    } rows[] = {
        {"/a\"><b", "/a%22%3E%3Cb"},
        {"/\xc3\xa4", "/%C3%A4"},
        {"/\xff", "/%FF"},
        {"/a?q=\xc3\xa4#\xc3\xa4", "/a?q=%C3%A4#%C3%A4"},
        {"/\\evil.example", "/%5Cevil.example"},
        {"\\\\evil.example", "%5C%5Cevil.example"},
        {"/a[1]?b[]=|^`{}", "/a%5B1%5D?b%5B%5D=%7C%5E%60%7B%7D"},
        {"/a#b#c", "/a#b%23c"},
        {"http://h\xc3\xb6st/", "http://h%C3%B6st/"},
    };
    for (size_t i = 0; i < ROWS(rows); i++) {
        cr_expect_str_eq(write_reference(rows[i].text), rows[i].want, "%s", rows[i].text);
        cr_expect_str_eq(write_reference(rows[i].want), rows[i].want, "once is enough");
    }
}

Test(proto_reference, what_might_be_read_otherwise_is_refused)
{
    static const char *const rows[] = {
        " ",
        "/a b",
        "/a\tb",
        "/a\r\nb",
        "/a\x7f",
        "/%",
        "/%4",
        "/%zz",
        "1a:b",
        ":a",
        "a\"b:c",
        "///evil.example",
        "http:///a",
        "http:a",
        "http:/a",
        "https:",
        "http:?a",
        "http://",
        "http://a\\@b/",
        "http://a\"b/",
        "//a<b",
        "http://a:b/",
        "http://a:99999/",
        "http://[::1/",
        "http://[x]/",
        "http://a]b/",
        "http://a@b@c/",
        "//:80/",
        "http://u@/",
        "\xc3\xa4:b",
    };
    for (size_t i = 0; i < ROWS(rows); i++)
        cr_expect_str_eq(write_reference(rows[i]), "", "%s: %s", rows[i], write_reference(rows[i]));
}

/* Whatever goes in: what comes out has nothing but a URI's characters, and comes out again. */
Test(proto_reference, is_its_own_form)
{
    static const char bytes[] = "a1:/?#[]@%4\\\"<>|^`{} \t\n\x7f\xc3\xa4\xff.-+=&htp";
    unsigned seed = 1;
    for (int i = 0; i < 200000; i++) {
        char text[16], once[64];
        size_t len = (unsigned)rand_r(&seed) % sizeof text;
        for (size_t j = 0; j < len; j++)
            text[j] = bytes[(unsigned)rand_r(&seed) % (sizeof bytes - 1)];
        text[len ? len - 1 : 0] = '\0';
        snprintf(once, sizeof once, "%s", write_reference(text));
        for (const char *at = once; *at; at++)
            cr_assert(*at > 0x20 && *at < 0x7f && !strchr("\\\"<>|^`{}", *at), "%s", once);
        cr_assert(svc__uri_escapes_valid(svc__bytes_z(once)));
        cr_assert_str_eq(write_reference(once), once, "%s", text);
    }
}
