/* What is wrong with values: where it is, in how many bytes, and how much of it is kept. */
#include "libsvc/bind/violations.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "libsvc/bind/schema_table.h"
#include "tests/support/hand.h"

static struct arena arena;
static struct violations v;

static void open_violations(void)
{
    svc__arena_init(&arena, NULL, 4 << 20);
    v = (struct violations){.arena = &arena};
}

static void close_violations(void)
{
    svc__arena_reset(&arena);
}

TestSuite(bind_violations, .init = open_violations, .fini = close_violations);

static const struct violation_path document = {0};

static void add_named(const char *name)
{
    svc__violations_add(&v, &(struct violation_path){.up = &document, .name = name}, "is wrong");
}

static const char *last_pointer(void)
{
    cr_assert_gt(v.count, 0);
    return v.list[v.count - 1].pointer;
}

/* RFC 6901 3 and 6. */
Test(bind_violations, a_place_is_a_pointer_as_a_fragment)
{
    const struct violation_path list = {.up = &document, .name = "a"},
                                element = {.up = &list, .index = 18446744073709551615U},
                                member = {.up = &element, .name = "b"};
    svc__violations_add(&v, &document, "is wrong");
    cr_expect_str_eq(last_pointer(), "#");
    svc__violations_add(&v, &member, "is wrong");
    cr_expect_str_eq(last_pointer(), "#/a/18446744073709551615/b");
    cr_expect_str_eq(v.list[1].detail, "is wrong");
    cr_expect_eq(v.list[1].parameter, NULL);
}

Test(bind_violations, names_are_escaped_byte_by_byte)
{
    static const char *const rows[][2] = {
        {"", "#/"},
        {"a/b", "#/a~1b"},
        {"~", "#/~0"},
        {"~1", "#/~01"},
        {"%", "#/%25"},
        {"a b", "#/a%20b"},
        {"\"<>\\^`{|}", "#/%22%3C%3E%5C%5E%60%7B%7C%7D"},
        {"#", "#/%23"},
        {"\xc3\xa9", "#/%C3%A9"},
        {"[]", "#/%5B%5D"},
        {"\x7f\x01", "#/%7F%01"},
        {"-._!$&'()*+,;=:@?09azAZ", "#/-._!$&'()*+,;=:@?09azAZ"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        add_named(rows[i][0]);
        cr_expect_str_eq(last_pointer(), rows[i][1]);
    }
}

Test(bind_violations, more_than_can_be_listed_are_counted)
{
    for (int i = 0; i < VIOLATIONS_MAX; i++)
        add_named("a");
    cr_expect_eq(v.more, 0);
    add_named("a");
    svc__violations_add_parameter(&v, svc__bytes_z("a"), "is wrong");
    cr_expect_eq(v.count, VIOLATIONS_MAX);
    cr_expect_eq(v.more, 2);
    cr_expect_not(v.no_memory);
}

/* However long the names are that a client sends. */
Test(bind_violations, their_bytes_have_a_ceiling)
{
    static char name[VIOLATIONS_BYTES];
    memset(name, ' ', sizeof name - 1);
    add_named(name);
    cr_expect_eq(v.count, 0, "of three times as many bytes");
    cr_expect_eq(v.more, 1);
    memset(name, 'a', sizeof name - 1);
    name[VIOLATIONS_BYTES - 2] = '\0';
    add_named(name);
    cr_expect_eq(v.count, 1, "of as many as can be");
    cr_expect_eq(v.bytes, VIOLATIONS_BYTES);
    add_named("");
    cr_expect_eq(v.count, 1);
    cr_expect_eq(v.more, 2);
}

Test(bind_violations, a_name_that_no_schema_can_have_is_cut)
{
    char name[SCHEMA_NAME + 2];
    memset(name, 'n', sizeof name);
    svc__violations_add_parameter(&v, svc__bytes(name, SCHEMA_NAME), "is not known");
    cr_expect_eq(strlen(v.list[0].parameter), SCHEMA_NAME);
    svc__violations_add_parameter(&v, svc__bytes(name, SCHEMA_NAME + 1), "is not known");
    cr_expect_eq(strlen(v.list[1].parameter), SCHEMA_NAME + 3);
    cr_expect_str_eq(v.list[1].parameter + SCHEMA_NAME, "\xe2\x80\xa6");
    svc__violations_add_parameter(&v, svc__bytes_z(""), "is not known");
    cr_expect_str_eq(v.list[2].parameter, "");
    cr_expect_eq(v.list[2].pointer, NULL);
}

Test(bind_violations, without_memory_none_is_listed_and_that_is_known)
{
    hand_exhaust(&arena);
    add_named("a");
    cr_expect_eq(v.count, 0);
    cr_expect(v.no_memory);
    struct arena small;
    svc__arena_init(&small, NULL, VIOLATIONS_MAX * sizeof(svc_violation) + 16);
    v = (struct violations){.arena = &small};
    add_named("a");
    cr_expect_eq(v.count, 1);
    cr_expect_not(v.no_memory);
    svc__violations_add_parameter(&v, svc__bytes_z("a"), "is wrong");
    cr_expect_eq(v.count, 1);
    cr_expect(v.no_memory);
    svc__arena_reset(&small);
}

/* ---- Answering */

static void expect_answer(const struct violations *told, const char *text)
{
    hand_open();
    struct exchange *x = hand_exchange();
    size_t len;
    cr_assert_eq(svc__violations_answer(&x->response, told), 0);
    cr_expect_eq(x->response.status, 422);
    const char *body = svc_response_body(&x->response, &len);
    cr_expect(len == strlen(text) && !memcmp(body, text, len), "%.*s", (int)len, body);
    svc__exchange_unref(x);
    hand_close();
}

Test(bind_violations, are_told_in_order_with_what_is_not_listed)
{
    add_named("a\"b");
    svc__violations_add_parameter(&v, svc__bytes_z("p\xff"), "is not known");
    expect_answer(&v, "{\"title\":\"Unprocessable Content\",\"status\":422,"
                      "\"detail\":\"2 values break a rule\",\"errors\":["
                      "{\"detail\":\"is wrong\",\"pointer\":\"#/a%22b\"},"
                      "{\"detail\":\"is not known\",\"parameter\":\"p\xef\xbf\xbd\"}]}\n");
    v.count = 1;
    v.more = 7;
    expect_answer(&v, "{\"title\":\"Unprocessable Content\",\"status\":422,"
                      "\"detail\":\"8 values break a rule; the first 1 are listed\",\"errors\":["
                      "{\"detail\":\"is wrong\",\"pointer\":\"#/a%22b\"}]}\n");
    v.more = 0;
    expect_answer(&v, "{\"title\":\"Unprocessable Content\",\"status\":422,"
                      "\"detail\":\"1 value breaks a rule\",\"errors\":["
                      "{\"detail\":\"is wrong\",\"pointer\":\"#/a%22b\"}]}\n");
}

Test(bind_violations, a_program_s_own_are_checked_before_anything_is_answered)
{
    hand_open();
    struct exchange *x = hand_exchange();
    static svc_violation many[VIOLATIONS_MAX + 1];
    for (size_t i = 0; i <= VIOLATIONS_MAX; i++)
        many[i].detail = "is wrong";
    cr_expect_eq(svc_response_violations(NULL, many, 1), SVC_ENOMEM);
    cr_expect_eq(svc_response_violations(&x->response, many, 0), SVC_EINVAL);
    cr_expect_eq(svc_response_violations(&x->response, NULL, 1), SVC_EINVAL);
    many[VIOLATIONS_MAX].detail = NULL;
    cr_expect_eq(svc_response_violations(&x->response, many, VIOLATIONS_MAX + 1), SVC_EINVAL,
                 "also in one that is not listed");
    cr_expect_eq(x->response.status, 0);
    many[VIOLATIONS_MAX].detail = "is wrong";
    cr_expect_eq(svc_response_violations(&x->response, many, VIOLATIONS_MAX + 1), 0);
    size_t len;
    const char *body = svc_response_body(&x->response, &len);
    cr_expect(memmem(body, len, "101 values break a rule; the first 100 are listed", 49));
    svc__exchange_unref(x);
    hand_close();
}
