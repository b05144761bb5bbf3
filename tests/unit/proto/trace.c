#include <criterion/criterion.h>
#include <stdio.h>

#include <svc/errors.h>

#include "libsvc/proto/trace.h"
#include "tests/unit/proto/vectors.h"

#define ID "4bf92f3577b34da6a3ce929d0e0e4736"
#define SPAN "00f067aa0ba902b7"

/* What a text reads as, written again; NULL: refused. */
static const struct {
    struct bytes text;
    const char *again;
} parents[] = {
    {LITERAL("00-" ID "-" SPAN "-01"), "00-" ID "-" SPAN "-01"},
    {LITERAL("00-" ID "-" SPAN "-00"), "00-" ID "-" SPAN "-00"},
    {LITERAL("00-" ID "-" SPAN "-02"), "00-" ID "-" SPAN "-02"},
    {LITERAL("00-" ID "-" SPAN "-03"), "00-" ID "-" SPAN "-03"},
    /* Flags that nobody has defined are not passed on. */
    {LITERAL("00-" ID "-" SPAN "-ff"), "00-" ID "-" SPAN "-03"},
    {LITERAL("00-" ID "-" SPAN "-04"), "00-" ID "-" SPAN "-00"},
    {LITERAL("00-00000000000000000000000000000001-0000000000000001-01"),
     "00-00000000000000000000000000000001-0000000000000001-01"},
    /* Later versions: what they share with 00, and 00 is what is sent. */
    {LITERAL("01-" ID "-" SPAN "-01"), "00-" ID "-" SPAN "-01"},
    {LITERAL("cc-" ID "-" SPAN "-01"), "00-" ID "-" SPAN "-01"},
    {LITERAL("cc-" ID "-" SPAN "-01-what-the-future-brings"), "00-" ID "-" SPAN "-01"},
    {LITERAL("fe-" ID "-" SPAN "-01-"), "00-" ID "-" SPAN "-01"},
    {LITERAL("cc-" ID "-" SPAN "-01.what"), NULL},
    {LITERAL("cc-" ID "-" SPAN "-011"), NULL},
    {LITERAL("cc-" ID "-" SPAN "-0"), NULL},
    {LITERAL("00-" ID "-" SPAN "-01-"), NULL},
    {LITERAL("00-" ID "-" SPAN "-01-more"), NULL},
    {LITERAL("00-" ID "-" SPAN "-01 "), NULL},
    {LITERAL("00-" ID "-" SPAN "-1"), NULL},
    {LITERAL("00-" ID "-" SPAN), NULL},
    {LITERAL("ff-" ID "-" SPAN "-01"), NULL},
    {LITERAL("FE-" ID "-" SPAN "-01"), NULL},
    {LITERAL(".0-" ID "-" SPAN "-01"), NULL},
    {LITERAL("000-" ID "-" SPAN "-1"), NULL},
    {LITERAL("0-" ID "-" SPAN "-001"), NULL},
    {LITERAL("00-00000000000000000000000000000000-" SPAN "-01"), NULL},
    {LITERAL("00-" ID "-0000000000000000-01"), NULL},
    {LITERAL("00-4BF92F3577B34DA6A3CE929D0E0E4736-" SPAN "-01"), NULL},
    {LITERAL("00-.bf92f3577b34da6a3ce929d0e0e4736-" SPAN "-01"), NULL},
    {LITERAL("00-4bf92f3577b34da6a3ce929d0e0e473.-" SPAN "-01"), NULL},
    {LITERAL("00-" ID "-00f067aa0ba902bG-01"), NULL},
    {LITERAL("00-" ID "-00F067AA0BA902B7-01"), NULL},
    {LITERAL("00-" ID "-" SPAN "-0x"), NULL},
    {LITERAL("00-" ID "-" SPAN "-.0"), NULL},
    {LITERAL("00_" ID "-" SPAN "-01"), NULL},
    {LITERAL("00-" ID "_" SPAN "-01"), NULL},
    {LITERAL("00-" ID "-" SPAN "_01"), NULL},
    {LITERAL("00-" ID "4-"
             "0f067aa0ba902b7-01"),
     NULL},
    {LITERAL(""), NULL},
    {{NULL, 0}, NULL},
};

Test(proto_trace, a_traceparent_is_read_and_written)
{
    for (size_t i = 0; i < ROWS(parents); i++) {
        struct trace trace = {.flags = 77};
        char again[TRACE_PARENT_LEN + 1] = "";
        int error = svc__trace_parse(parents[i].text, &trace);
        cr_expect_eq(error, parents[i].again ? 0 : SVC_ESYNTAX, "%.*s", SHOW(parents[i].text));
        cr_expect(!error || trace.flags == 77);
        if (error)
            continue;
        svc__trace_format(&trace, again);
        cr_expect_str_eq(again, parents[i].again, "%.*s", SHOW(parents[i].text));
    }
}

static struct trace_state read_state(const char *value)
{
    struct trace_state state = {.count = 0};
    cr_assert_eq(svc__trace_state_read(&state, svc__bytes_z(value)), 0, "%s", value);
    return state;
}

static void expect_state(struct trace_state *state, const char *expected)
{
    char out[TRACE_STATE_MAX + 1];
    svc__trace_state_cut(state);
    out[svc__trace_state_format(state, out)] = '\0';
    cr_expect_str_eq(out, expected);
}

#define TEN "0123456789"
#define HUNDRED TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN

/* As it is sent on; NULL: refused. */
static const struct {
    struct bytes value;
    const char *sent;
} states[] = {
    {LITERAL("rojo=00f067aa0ba902b7,congo=t61rcWkgMzE"), "rojo=00f067aa0ba902b7,congo=t61rcWkgMzE"},
    {LITERAL("foo=1"), "foo=1"},
    {LITERAL(""), ""},
    {{NULL, 0}, ""},
    {LITERAL(" , \t,,"), ""},
    {LITERAL("foo=1,,bar=2,"), "foo=1,bar=2"},
    {LITERAL("foo=1 \t , \t bar=2, \t baz=3"), "foo=1,bar=2,baz=3"},
    {LITERAL("\t foo=1 \t"), "foo=1"},
    {LITERAL("foo= 1"), "foo= 1"},
    {LITERAL("foo=a b"), "foo=a b"},
    {LITERAL("0a_-*/@z=!\"#$%&'()*+-./:;<>?@[\\]^_`{|}~"),
     "0a_-*/@z=!\"#$%&'()*+-./:;<>?@[\\]^_`{|}~"},
    {LITERAL("foo@=1,bar=2"), "foo@=1,bar=2"},
    {LITERAL("foo=1,foo=2"), "foo=1,foo=2"},
    {LITERAL("foo"), NULL},
    {LITERAL("foo="), NULL},
    {LITERAL("foo= "), NULL},
    {LITERAL("=1"), NULL},
    {LITERAL("="), NULL},
    {LITERAL("foo =1"), NULL},
    {LITERAL("FOO=1"), NULL},
    {LITERAL("foo.bar=1"), NULL},
    {LITERAL("@foo=1"), NULL},
    {LITERAL("_foo=1"), NULL},
    {LITERAL("foo=1=2"), NULL},
    {LITERAL("foo=\xc3\xa9"), NULL},
    {LITERAL("foo=a\tb"), NULL},
    {LITERAL("foo=a\x7f"), NULL},
    {LITERAL("foo=a\0b"), NULL},
    {LITERAL("fo\0o=a"), NULL},
    {LITERAL("foo=1;bar=2"), NULL},
    {LITERAL("good=1,Bad=2"), NULL},
};

Test(proto_trace, a_tracestate_is_read_member_by_member_or_refused)
{
    for (size_t i = 0; i < ROWS(states); i++) {
        struct trace_state state = {.count = 0};
        int error = svc__trace_state_read(&state, states[i].value);
        cr_expect_eq(error, states[i].sent ? 0 : SVC_ESYNTAX, "%.*s", SHOW(states[i].value));
        if (!error)
            expect_state(&state, states[i].sent);
    }
}

Test(proto_trace, several_fields_are_one_list_in_their_order)
{
    struct trace_state state = {.count = 0};
    static const char *const fields[] = {"foo=1,bar=2", "", "rojo=1,congo=2", "baz=3"};
    for (size_t i = 0; i < ROWS(fields); i++)
        cr_expect_eq(svc__trace_state_read(&state, svc__bytes_z(fields[i])), 0);
    expect_state(&state, "foo=1,bar=2,rojo=1,congo=2,baz=3");
}

/* "k00=0,k01=0,…" */
static void make_members(char *out, size_t count)
{
    *out = '\0';
    for (size_t i = 0; i < count; i++)
        out += sprintf(out, "%sk%02zu=0", i ? "," : "", i);
}

Test(proto_trace, there_are_32_members_at_most)
{
    char text[512];
    struct trace_state state = {.count = 0};
    make_members(text, TRACE_MEMBERS);
    cr_expect_eq(svc__trace_state_read(&state, svc__bytes_z(text)), 0);
    cr_expect_eq(svc__trace_state_read(&state, svc__bytes_z(", ,")), 0, "empty ones do not count");
    cr_expect_eq(svc__trace_state_read(&state, svc__bytes_z("a=1")), SVC_ETOOBIG);
    cr_expect_eq(state.count, TRACE_MEMBERS);
    expect_state(&state, text);
}

Test(proto_trace, keys_and_values_have_256_characters_at_most)
{
    char text[260];
    memset(text, 'a', sizeof text);
    cr_expect(svc__trace_key_valid(svc__bytes(text, 256)));
    cr_expect_not(svc__trace_key_valid(svc__bytes(text, 257)));
    cr_expect(svc__trace_value_valid(svc__bytes(text, 256)));
    cr_expect_not(svc__trace_value_valid(svc__bytes(text, 257)));
    cr_expect_not(svc__trace_key_valid(svc__bytes_z(NULL)));
    cr_expect_not(svc__trace_value_valid(svc__bytes_z(NULL)));
}

Test(proto_trace, an_own_member_goes_first_and_replaces_those_of_its_key)
{
    struct trace_state state = read_state("foo=1,own=2,bar=3,own=4,owner=5");
    svc__trace_state_put(&state, BYTES("own=9"));
    expect_state(&state, "own=9,foo=1,bar=3,owner=5");
    struct trace_state empty = {.count = 0};
    svc__trace_state_put(&empty, BYTES("own=9"));
    expect_state(&empty, "own=9");
}

Test(proto_trace, an_own_member_costs_the_last_one_when_there_are_32)
{
    char text[512], expected[520];
    make_members(text, TRACE_MEMBERS);
    struct trace_state state = read_state(text);
    svc__trace_state_put(&state, BYTES("own=9"));
    make_members(text, TRACE_MEMBERS - 1);
    snprintf(expected, sizeof expected, "own=9,%s", text);
    expect_state(&state, expected);
    /* One that replaces another costs none. */
    svc__trace_state_put(&state, BYTES("k30=1"));
    cr_expect_eq(state.count, TRACE_MEMBERS);
}

Test(proto_trace, what_is_too_long_loses_its_long_members_first)
{
    struct trace_state state =
        read_state("a=" HUNDRED HUNDRED ",b=1,c=" HUNDRED TEN TEN TEN ",d=" HUNDRED ",e=" HUNDRED);
    expect_state(&state, "a=" HUNDRED HUNDRED ",b=1,d=" HUNDRED ",e=" HUNDRED);
    state = read_state("a=" HUNDRED HUNDRED ",b=" HUNDRED ",c=" HUNDRED ",d=" HUNDRED ",e=" HUNDRED
                       ",f=1");
    expect_state(&state, "b=" HUNDRED ",c=" HUNDRED ",d=" HUNDRED ",e=" HUNDRED ",f=1");
}

Test(proto_trace, what_is_too_long_without_long_members_is_cut_from_its_end)
{
    struct trace_state state =
        read_state("a=" HUNDRED ",b=" HUNDRED ",c=" HUNDRED ",d=" HUNDRED ",e=" HUNDRED ",f=1");
    expect_state(&state, "a=" HUNDRED ",b=" HUNDRED ",c=" HUNDRED ",d=" HUNDRED);
}

Test(proto_trace, what_has_512_bytes_stays_whole)
{
    char text[600];
    int len = snprintf(text, sizeof text, "a=%s%s,b=%s%s,c=", HUNDRED, HUNDRED, HUNDRED, HUNDRED);
    memset(text + len, 'x', sizeof text - (size_t)len);
    text[TRACE_STATE_MAX] = '\0';
    struct trace_state state = read_state(text);
    expect_state(&state, text);
    text[TRACE_STATE_MAX] = 'x';
    text[TRACE_STATE_MAX + 1] = '\0';
    state = read_state(text);
    cr_expect_eq(state.count, 3);
    svc__trace_state_cut(&state);
    cr_expect_eq(state.count, 2);
}
